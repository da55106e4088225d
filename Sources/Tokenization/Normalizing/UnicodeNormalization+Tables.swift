internal import Foundation

extension UnicodeNormalization {
    /// The blocks that hold all scalars with a decomposition in Unicode 9, without Hangul syllables.
    private static let blocks: [ClosedRange<UInt32>] = [
        0xC0...0x30FF, 0xF900...0xFB4F, 0x11000...0x119FF, 0x1D100...0x1D1FF, 0x2F800...0x2FA1F,
    ]
    /// The further blocks of those with a compatibility decomposition.
    private static let compatibleBlocks: [ClosedRange<UInt32>] = [
        0xA0...0xBF, 0x3100...0x33FF, 0xA690...0xA7FF, 0xAB50...0xAB6F, 0xFB50...0xFFEF, 0x1D400...0x1D7FF,
        0x1EE00...0x1EEFF, 0x1F100...0x1F2FF,
    ]

    /// The blocks that hold all scalars with a combining class in Unicode 9.
    private static let markBlocks: [ClosedRange<UInt32>] = [
        0x300...0x30FF, 0xA660...0xABFF, 0xFB00...0xFEFF, 0x10000...0x11FFF, 0x16A00...0x16FFF, 0x1BC00...0x1BCFF,
        0x1D100...0x1D2FF, 0x1E000...0x1EFFF,
    ]

    /// Gathers the tables of the forms C and D, or of KC and KD, from the library's forms of single scalars.
    init(isCompatible: Bool) {
        var decompositions: [UInt32: [UInt32]] = [:]
        var composed: [(scalar: UInt32, parts: [UInt32])] = []
        let blocks = Self.blocks + (isCompatible ? Self.compatibleBlocks : [])
        for scalar in blocks.joined().compactMap(Unicode.Scalar.init) where Self.isKnown(scalar) {
            let text = String(scalar)
            let parts = text.decomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
            if isCompatible {
                let all = text.decomposedStringWithCompatibilityMapping.unicodeScalars.map(\.value)
                if all != [scalar.value] { decompositions[scalar.value] = all }
            }
            guard parts != [scalar.value] else { continue }
            if !isCompatible { decompositions[scalar.value] = parts }
            // What composition leaves as it is, is a composite; the others are excluded from being made.
            if text.precomposedStringWithCanonicalMapping.unicodeScalars.elementsEqual([scalar]) {
                composed.append((scalar.value, parts))
            }
        }
        // These are decomposed and composed again, if nothing behind them combines.
        let unchanged = Set(composed.filter { decompositions[$0.scalar] == $0.parts }.map(\.scalar))
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
        let secondParts = Set(composites.keys.map { UInt32(truncatingIfNeeded: $0) })
        var combiningClasses = [UInt8](repeating: 0, count: 0x30000)
        for scalar in Self.markBlocks.joined().compactMap(Unicode.Scalar.init) {
            combiningClasses[Int(scalar.value)] = Self.combiningClass(scalar)
        }
        changes = (0..<UInt32(0x30000)).map { scalar in
            if Hangul.syllables.contains(scalar) { return 2 }
            if Hangul.vowels.contains(scalar) || Hangul.finals.contains(scalar) { return 1 }
            if combiningClasses[Int(scalar)] != 0 { return 3 }
            let isDecomposed = decompositions[scalar] != nil
            return (isDecomposed && !unchanged.contains(scalar) || secondParts.contains(scalar) ? 1 : 0)
                + (isDecomposed ? 2 : 0)
        }
        self.combiningClasses = combiningClasses
    }
}
