/// Hangul syllables, which are composed by arithmetic (The Unicode Standard, section 3.12).
enum Hangul {
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
