internal import Foundation

/// Unicode normalisation form C (Unicode Standard Annex 15), as the reference implementation computes it.
///
/// Foundation's form leaves a Hangul syllable and a final consonant behind it separate, and orders some Tibetan vowel
/// signs wrongly; it also composes characters that the tables of the reference implementation, of Unicode 9, lack.
/// Either would give other tokens. So the algorithm is implemented here; only single scalars are left to the library.
struct CanonicalComposition: Sendable {
    /// The tables, computed when first needed.
    static let shared = CanonicalComposition()

    /// Full decompositions of the scalars that have one, without Hangul syllables.
    private let decompositions: [UInt32: [UInt32]]
    /// Primary composites by their two parts, packed.
    private let composites: [UInt64: UInt32]
    /// Scalars that can be the second part of a composite.
    private let secondParts: Set<UInt32>

    /// The blocks that hold all scalars with a decomposition in Unicode 9, without Hangul syllables.
    private static let blocks: [ClosedRange<UInt32>] = [
        0xC0...0x30FF, 0xF900...0xFB4F, 0x11000...0x119FF, 0x1D100...0x1D1FF, 0x2F800...0x2FA1F,
    ]

    private init() {
        var decompositions: [UInt32: [UInt32]] = [:]
        var composed: [(scalar: UInt32, parts: [UInt32])] = []
        for scalar in Self.blocks.joined().compactMap(Unicode.Scalar.init) where Self.isKnown(scalar) {
            let text = String(scalar)
            let parts = text.decomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
            guard parts != [scalar.value] else { continue }
            decompositions[scalar.value] = parts
            // What composition leaves as it is, is a composite; the others are excluded from being made.
            if text.precomposedStringWithCanonicalMapping.unicodeScalars.elementsEqual([scalar]) {
                composed.append((scalar.value, parts))
            }
        }
        // The first part of a composite of more than two scalars is the composite of all but the last.
        let compositeOfParts = Dictionary(composed.map { ($0.parts, $0.scalar) }) { first, _ in first }
        var composites: [UInt64: UInt32] = [:]
        for (scalar, parts) in composed {
            let front = Array(parts.dropLast())
            guard let last = parts.last, let first = front.count == 1 ? front[0] : compositeOfParts[front] else {
                continue
            }
            composites[Self.packed(first, last)] = scalar
        }
        self.decompositions = decompositions
        self.composites = composites
        secondParts = Set(composites.keys.map { UInt32(truncatingIfNeeded: $0) })
    }

    /// Whether Unicode 9 has the scalar; later ones are unchanged and combine with nothing.
    private static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.age.map { $0.major <= 9 } ?? false
    }

    private static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
        isKnown(scalar) ? scalar.properties.canonicalCombiningClass.rawValue : 0
    }

    private static func packed(_ first: UInt32, _ second: UInt32) -> UInt64 { UInt64(first) << 32 | UInt64(second) }

    /// Whether normalisation may change this scalar.
    private func mayChange(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        // Below the combining marks nothing changes by itself, and whole Hangul syllables do not either.
        if value < 0x300 || Hangul.syllables.contains(value) { return false }
        if Hangul.vowels.contains(value) || Hangul.finals.contains(value) { return true }
        return decompositions[value] != nil || secondParts.contains(value) || Self.combiningClass(scalar) != 0
    }

    /// The normalised form of a text.
    func applied(to text: String) -> String {
        guard text.unicodeScalars.contains(where: mayChange) else { return text }
        var result = ""
        result.unicodeScalars.append(
            contentsOf: composed(decomposed(text.unicodeScalars)).compactMap { Unicode.Scalar($0.value) }
        )
        return result
    }

    private typealias Element = (value: UInt32, combiningClass: UInt8)

    /// All scalars decomposed, and the marks behind each starter ordered by their combining class.
    private func decomposed(_ text: String.UnicodeScalarView) -> [Element] {
        var elements: [Element] = []
        elements.reserveCapacity(text.count)
        for scalar in text {
            if let parts = decompositions[scalar.value] ?? Hangul.decomposition(of: scalar.value) {
                for part in parts.compactMap(Unicode.Scalar.init) {
                    elements.append((part.value, Self.combiningClass(part)))
                }
            } else {
                elements.append((scalar.value, Self.combiningClass(scalar)))
            }
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

/// Hangul syllables, which are composed by arithmetic (The Unicode Standard, section 3.12).
private enum Hangul {
    static let syllables: ClosedRange<UInt32> = 0xAC00...0xD7A3
    static let initials: ClosedRange<UInt32> = 0x1100...0x1112
    static let vowels: ClosedRange<UInt32> = 0x1161...0x1175
    static let finals: ClosedRange<UInt32> = 0x11A8...0x11C2
    /// One more than there are, for the absent one.
    private static let finalCount: UInt32 = 28
    private static let vowelCount: UInt32 = 21

    static func decomposition(of syllable: UInt32) -> [UInt32]? {
        guard syllables.contains(syllable) else { return nil }
        let index = syllable - syllables.lowerBound
        let (open, final) = index.quotientAndRemainder(dividingBy: finalCount)
        let (initial, vowel) = open.quotientAndRemainder(dividingBy: vowelCount)
        let parts = [initials.lowerBound + initial, vowels.lowerBound + vowel]
        return final == 0 ? parts : parts + [finals.lowerBound - 1 + final]
    }

    static func composite(of first: UInt32, _ second: UInt32) -> UInt32? {
        if initials.contains(first), vowels.contains(second) {
            let open = (first - initials.lowerBound) * vowelCount + (second - vowels.lowerBound)
            return syllables.lowerBound + open * finalCount
        }
        if syllables.contains(first), (first - syllables.lowerBound) % finalCount == 0, finals.contains(second) {
            return first + (second - finals.lowerBound + 1)
        }
        return nil
    }
}
