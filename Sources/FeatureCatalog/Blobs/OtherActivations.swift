/// The form of `feature_context.other_activations`: a JSON object that names the tokens of a window, beside its peak, on
/// which the feature fires: `{"12":1.2318568,"27":2.6276162}`. The keys are places in the window and ascend; the values
/// are the shortest decimals that read back as the very 32-bit floats. NULL where no other token fires.
package enum OtherActivations {
    /// No window is longer.
    package static let maximumWindowLength = 1 << 20
    /// No feature has more contexts in a corpus: three bands of 2¹⁴ ranks.
    package static let maximumContextCount = 3 << 14

    /// No feature's windows have more tokens together: what a reader has to hold.
    package static let maximumTokenCount = 1 << 23

    /// Whether windows of these lengths can be kept.
    static func canHold(windowLengths: [Int]) -> Bool {
        windowLengths.count <= maximumContextCount && windowLengths.allSatisfy((0...maximumWindowLength).contains)
            && windowLengths.reduce(0, +) <= maximumTokenCount
    }

    /// - Parameters:
    ///   - window: Activations `[window tokens]`, finite.
    ///   - peak: The peak token's place among them.
    /// - Returns: Nil where no token but the peak fires.
    package static func encode(_ window: [Float], peak: Int) -> String? {
        var text = ""
        for (place, activation) in window.enumerated() where activation != 0 && place != peak {
            text += text.isEmpty ? "{\"" : ",\""
            text += "\(place)\":\(activation)"
        }
        return text.isEmpty ? nil : text + "}"
    }

    /// - Parameters:
    ///   - text: What ``encode(_:peak:)`` returned, or untrusted text.
    ///   - peak: The peak token's place in the window.
    ///   - activation: The peak token's activation.
    ///   - length: Tokens of the window.
    /// - Returns: Activations `[window tokens]`; nil if `text` is not of the form, or names a token that is not there.
    package static func decode(_ text: String?, peak: Int, activation: Float, length: Int) -> [Float]? {
        guard (0...maximumWindowLength).contains(length), (0..<length).contains(peak), activation.isFinite else {
            return nil
        }

        var window = [Float](repeating: 0, count: length)
        window[peak] = activation
        guard let text else { return window }
        let isWhole = forEach(text, peak: peak, length: length) { place, digits in
            guard let value = number(digits), value != 0 else { return false }
            window[place] = value
            return true
        }
        return isWhole ? window : nil
    }

    /// Whether ``decode(_:peak:activation:length:)`` would read it.
    static func isValid(_ text: String?, peak: Int, activation: Float, length: Int) -> Bool {
        guard (0...maximumWindowLength).contains(length), (0..<length).contains(peak), activation.isFinite else {
            return false
        }
        guard let text else { return true }
        return forEach(text, peak: peak, length: length) { _, digits in
            isPlain(digits) || number(digits).map { $0 != 0 } ?? false
        }
    }

    /// Visits the keys and the values behind their colons, until `body` refuses one.
    ///
    /// - Returns: False if `text` is not of the form, or `body` refused a value.
    private static func forEach(
        _ text: String, peak: Int, length: Int,
        _ body: (_ place: Int, _ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Bool
    ) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count >= 2, bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else {
                return false
            }

            let end = bytes.count - 1
            var (start, last) = (1, -1)
            while true {
                let item = bytes[start..<(bytes[start..<end].firstIndex(of: UInt8(ascii: ",")) ?? end)]
                guard let colon = item.firstIndex(of: UInt8(ascii: ":")),
                    let place = place(item[..<colon]), place > last, place < length, place != peak,
                    body(place, item[(colon + 1)...])
                else { return false }
                last = place
                guard item.endIndex < end else { return true }
                start = item.endIndex + 1
            }
        }
    }

    /// Whether digits with a point among them are, without reading them, a number that is neither zero nor too large.
    private static func isPlain(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard bytes.count <= 24, let first = bytes.first, let last = bytes.last, isDigit(first), isDigit(last) else {
            return false
        }

        var (points, hasValue) = (0, false)
        for byte in bytes {
            if byte == UInt8(ascii: ".") { points += 1 } else if !isDigit(byte) { return false }
            hasValue = hasValue || (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(byte)
        }
        return points <= 1 && hasValue
    }

    /// A finite number as JSON writes it, as a 32-bit float.
    private static func number(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Float? {
        guard let first = bytes.first, first == UInt8(ascii: "-") || isDigit(first), bytes.count <= 64,
            bytes.allSatisfy({ isDigit($0) || "+-.eE".utf8.contains($0) }),
            let value = Float(String(decoding: bytes, as: UTF8.self)), value.isFinite
        else { return nil }
        return value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// The number between two quotation marks, as JSON writes it.
    private static func place(_ key: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        guard key.count >= 3, key.count <= 9, key.first == UInt8(ascii: "\""), key.last == UInt8(ascii: "\"") else {
            return nil
        }

        let digits = key.dropFirst().dropLast()
        guard digits.first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
        var number = 0
        for digit in digits {
            guard isDigit(digit) else { return nil }
            number = number * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return number
    }
}
