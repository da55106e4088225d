import FeatureCatalog
import Testing

@Suite struct PassageTextTests {
    /// Bytes of which some are characters of one to four bytes, some are no UTF-8, and some are zero.
    static func bytes(_ generator: inout SplitMix, pieces: Int) -> [UInt8] {
        let all: [[UInt8]] = [
            Array("a".utf8), Array(" b".utf8), Array("é".utf8), Array("€".utf8), Array("😀".utf8),
            Array("e\u{301}".utf8), [0], [0xFF], [0xC0, 0x80], [0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xE2, 0x82], [0xF0, 0x9F], [0xF0, 0x9F, 0x98],
        ]
        return (0..<pieces).flatMap { _ in all[generator.next(below: all.count)] }
    }

    /// Cuts bytes into tokens anywhere, some of them empty.
    static func tokens(_ generator: inout SplitMix, bytes: [UInt8], count: Int) -> [[UInt8]] {
        let cuts = [0] + (1..<count).map { _ in generator.next(below: bytes.count + 1) }.sorted() + [bytes.count]
        return zip(cuts, cuts.dropFirst()).map { Array(bytes[$0..<$1]) }
    }

    private func scalars(_ bytes: some Sequence<UInt8>) -> [Unicode.Scalar] {
        Array(String(decoding: Array(bytes), as: UTF8.self).unicodeScalars)
    }

    /// Compares with the standard library's decoder, asked anew for every token.
    private func check(_ tokens: [[UInt8]]) {
        let bytes = tokens.flatMap(\.self)
        let whole = scalars(bytes)
        let text = PassageText(tokenBytes: tokens)
        #expect(text.tokenCount == tokens.count)
        #expect(Array(text.text.unicodeScalars) == whole.map { $0 == "\0" ? "\u{2400}" : $0 })
        var starts: [Int] = []
        var offset = 0
        for token in tokens + [[]] {
            let (before, after) = (scalars(bytes.prefix(offset)), scalars(bytes.dropFirst(offset)))
            // Cut within a character, both parts have something of it.
            starts.append(before.count + after.count == whole.count ? before.count : before.count - 1)
            offset += token.count
        }
        #expect(text.tokenStarts == starts, "\(tokens)")
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func equalsANaiveComputation(seed: UInt64) {
        var generator = SplitMix(state: seed)
        for _ in 0..<100 {
            let bytes = Self.bytes(&generator, pieces: generator.next(below: 12))
            check(Self.tokens(&generator, bytes: bytes, count: 1 + generator.next(below: 12)))
        }
    }

    @Test func examples() {
        check([])
        check([[]])
        check([[], [], []])
        check([[97]])
        let text = PassageText(tokenBytes: [Array("a".utf8), [0xF0], [0x9F, 0x98], [0x80], [], Array(" b".utf8)])
        #expect(text.text == "a😀 b" && text.tokenStarts == [0, 1, 1, 1, 2, 2, 4])
        let invalid = PassageText(tokenBytes: [[0xFF, 0x00], [0xE2], [0x82], [0x41]])
        #expect(invalid.text == "\u{FFFD}\u{2400}\u{FFFD}A" && invalid.tokenStarts == [0, 2, 2, 3, 4])
        let empty = PassageText(tokenBytes: [[], [], [0x61]])
        #expect(empty.text == "a" && empty.tokenStarts == [0, 0, 0, 1])
        // A mark that combines with the letter before is a character of its own.
        let combined = PassageText(tokenBytes: [Array("e".utf8), Array("\u{301}".utf8)])
        #expect(combined.tokenStarts == [0, 1, 2])
    }

    @Test func everyCutOfASentence() {
        let bytes = Array("Ž€ 😀\0ok".utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                check([Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])])
            }
        }
    }
}
