/// The fields of a query or a form, `application/x-www-form-urlencoded`.
struct FormFields: Sendable {
    /// Bytes that a query may have.
    static let longestQuery = 16 << 10
    /// Fields that may be there; more are left out.
    private static let most = 64

    /// Names and values in order.
    private(set) var all: [(name: String, value: String)] = []

    /// Parses fields; bytes that are not UTF-8 become U+FFFD.
    init(_ text: some StringProtocol) {
        for part in text.utf8.split(separator: UInt8(ascii: "&"), maxSplits: Self.most).prefix(Self.most) {
            let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = sides.first, !name.isEmpty else { continue }
            all.append((Self.decoded(name), sides.count > 1 ? Self.decoded(sides[1]) : ""))
        }
    }

    /// The first value of a name; nil where it is not there or empty.
    subscript(name: String) -> String? {
        all.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// All values of a name that are not empty.
    func values(_ name: String) -> [String] {
        all.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
    }

    /// A whole number from 0; nil where it is not there.
    ///
    /// - Throws: `ViewerProblem` 400 for another value.
    func number(_ name: String, to most: Int) throws(ViewerProblem) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(digits: text), number <= most else {
            throw ViewerProblem(400, "\(name) is \"\(text.prefix(40))\"; it takes a whole number from 0 to \(most)")
        }
        return number
    }

    /// Decodes `%41` and, in fields, `+` for a space.
    static func decoded(_ text: some Sequence<UInt8>, plusIsSpace: Bool = true) -> String {
        var bytes: [UInt8] = []
        let all = Array(text)
        var place = 0
        while place < all.count {
            let byte = all[place]
            if byte == UInt8(ascii: "%"), place + 2 < all.count, let high = digit(all[place + 1]),
                let low = digit(all[place + 2])
            {
                bytes.append(16 * high + low)
                place += 3
                continue
            }
            bytes.append(byte == UInt8(ascii: "+") && plusIsSpace ? UInt8(ascii: " ") : byte)
            place += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension FixedWidthInteger {
    /// A number written with the digits 0 to 9 alone, without a sign; nil for anything else.
    init?(digits text: some StringProtocol) {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        self.init(text, radix: 10)
    }
}
