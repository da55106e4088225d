/// The Unicode normalisation forms (Unicode Standard Annex 15), as the reference implementation computes them.
///
/// Foundation's forms leave a Hangul syllable and a final consonant behind it separate, and order some Tibetan vowel
/// signs wrongly; they also change characters that the tables of the reference implementation, of Unicode 9, lack.
/// Either would give other tokens. So the algorithm is implemented here; only single scalars are left to the library.
struct UnicodeNormalization: Sendable {
    /// Which of the four forms.
    struct Form: Sendable, Equatable {
        /// Whether compatibility characters such as ligatures are decomposed too.
        var isCompatible: Bool
        /// Whether what has been decomposed is composed again.
        var isComposed: Bool
    }

    /// The tables of the forms C and D, computed when first needed.
    private static let canonical = UnicodeNormalization(isCompatible: false)
    /// The tables of the forms KC and KD, likewise.
    private static let compatible = UnicodeNormalization(isCompatible: true)

    /// Full decompositions of the scalars that have one, without Hangul syllables.
    let decompositions: [UInt32: [UInt32]]
    /// Primary composites by their two parts, packed.
    let composites: [UInt64: UInt32]
    /// The combining classes of the scalars below U+30000; there are none from there on.
    let combiningClasses: [UInt8]
    /// For each of these scalars 1 if composition may change it, 2 if decomposition may, or their sum.
    let changes: [UInt8]

    /// Whether Unicode 9 has the scalar; later ones are unchanged and combine with nothing.
    static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.age.map { $0.major <= 9 } ?? false
    }

    /// Whether a scalar is a combining mark of any kind, in the categories of Unicode 9.
    static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        // The Vedic ardhavisargas are letters since, and the Sharada sandhi mark, then punctuation, is a mark.
        if scalar == "\u{1CF2}" || scalar == "\u{1CF3}" { return true }
        if scalar == "\u{111C9}" { return false }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return isKnown(scalar)
        default: return false
        }
    }

    static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
        isKnown(scalar) ? scalar.properties.canonicalCombiningClass.rawValue : 0
    }

    static func packed(_ first: UInt32, _ second: UInt32) -> UInt64 { UInt64(first) << 32 | UInt64(second) }

    /// Whether normalisation may change this scalar, or what stands before it.
    @inline(__always)
    private func mayChange(_ scalar: UInt32, isComposed: Bool) -> Bool {
        guard scalar < UInt32(changes.count) else { return false }
        return changes[Int(scalar)] & (isComposed ? 1 : 2) != 0
    }

    /// The normalised form of valid UTF-8.
    ///
    /// A scalar that stays as it is, and that no other one combines with or passes, separates what is around it.
    static func normalized(_ text: [UInt8], to form: Form) -> [UInt8] {
        let tables = form.isCompatible ? compatible : canonical
        var result: [UInt8] = []
        text.withUnsafeBufferPointer { text in
            // What is behind `copied` is not in the result yet; `last` is where the scalar before the position begins.
            var (copied, last, position) = (0, 0, 0)
            while position < text.count {
                let (scalar, next) = text.scalar(at: position)
                guard tables.mayChange(scalar, isComposed: form.isComposed) else {
                    (last, position) = (position, next)
                    continue
                }
                var end = next
                while end < text.count, case let (scalar, next) = text.scalar(at: end),
                    tables.mayChange(scalar, isComposed: form.isComposed)
                { end = next }
                result.append(contentsOf: text[copied..<last])
                tables.append(UnsafeBufferPointer(rebasing: text[last..<end]), form, to: &result)
                (copied, last, position) = (end, end, end)
            }
            result.append(contentsOf: text[copied...])
        }
        return result
    }

    private func append(_ text: UnsafeBufferPointer<UInt8>, _ form: Form, to result: inout [UInt8]) {
        var elements = decomposed(text)
        if form.isComposed { elements = composed(elements) }
        for scalar in elements.lazy.compactMap({ Unicode.Scalar($0.value) }) {
            result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    private typealias Element = (value: UInt32, combiningClass: UInt8)

    /// All scalars decomposed, and the marks behind each starter ordered by their combining class.
    private func decomposed(_ text: UnsafeBufferPointer<UInt8>) -> [Element] {
        func element(_ scalar: UInt32) -> Element {
            (scalar, scalar < UInt32(combiningClasses.count) ? combiningClasses[Int(scalar)] : 0)
        }
        var elements: [Element] = []
        elements.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let (scalar, next) = text.scalar(at: position)
            if let parts = decompositions[scalar] ?? Hangul.decomposition(of: scalar) {
                for part in parts { elements.append(element(part)) }
            } else {
                elements.append(element(scalar))
            }
            position = next
        }

        var start = 0
        while start < elements.count {
            var end = start
            while end < elements.count, elements[end].combiningClass != 0 { end += 1 }
            // Equal classes keep their order: the library's sort is stable.
            if end - start > 1 { elements[start..<end].sort { $0.combiningClass < $1.combiningClass } }
            start = end + 1
        }
        return elements
    }

    /// Every scalar joined with the starter before it if the two have a composite and are not blocked.
    private func composed(_ elements: [Element]) -> [Element] {
        var result: [Element] = []
        result.reserveCapacity(elements.count)
        var starter: Int?
        // The class of the scalar before, -1 for the starter itself: a mark is blocked by one of its class or higher.
        var previousClass = -1
        for element in elements {
            if let index = starter, previousClass < Int(element.combiningClass),
                let composite = composite(of: result[index].value, element.value)
            {
                result[index].value = composite
                continue
            }
            if element.combiningClass == 0 {
                starter = result.count
                previousClass = -1
            } else {
                previousClass = Int(element.combiningClass)
            }
            result.append(element)
        }
        return result
    }

    private func composite(of first: UInt32, _ second: UInt32) -> UInt32? {
        composites[Self.packed(first, second)] ?? Hangul.composite(of: first, second)
    }
}
