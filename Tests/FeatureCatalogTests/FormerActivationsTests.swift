import FeatureCatalog
import Testing

@Suite struct FormerActivationsTests {
    private func roundTrip(_ windows: [[Float]]) throws {
        let bytes = FormerActivations.encode(windows)
        let contexts = try FormerActivations.decode(bytes)
        #expect(contexts.count == windows.count)
        for (context, window) in zip(contexts, windows) {
            let firing = window.enumerated().filter { $0.element != 0 }
            #expect(context.map(\.place) == firing.map(\.offset))
            #expect(context.map(\.activation) == firing.map(\.element))
        }
    }

    @Test("Every small pattern reads back") func everySmallPatternComesBack() throws {
        // All ways in which two windows of up to four tokens fire or not, with values that f16 holds and others.
        for unit: Float in [1, 0.1] {
            for (first, second) in [(0, 0), (0, 4), (1, 3), (4, 0), (4, 4), (2, 3)] {
                for pattern in 0..<1 << (first + second) {
                    let all = (0..<first + second).map { pattern >> $0 & 1 == 1 ? unit * Float($0 + 1) : 0 }
                    try roundTrip([Array(all[..<first]), Array(all[first...])])
                }
            }
        }
    }

    @Test("Empty and silent contexts read back") func emptyAndSilentComeBack() throws {
        try roundTrip([])
        try roundTrip([[]])
        try roundTrip([[], [], []])
        try roundTrip([[Float](repeating: 0, count: 64)])
        try roundTrip(Array(repeating: [Float](repeating: 0, count: 64), count: 300))
        // A zero with a sign is a token on which the feature does not fire.
        #expect(FormerActivations.encode([[-0.0, 0]]) == [2, 1, 0])
    }

    @Test("Long and dense contexts read back", arguments: [1, 7, 150, 400])
    func manyAndLongAndDenseComeBack(count: Int) throws {
        var generator = SplitMix(state: UInt64(count))
        for density in [1, 2, 20] {
            var windows: [[Float]] = (0..<count).map { _ in
                (0..<generator.next(below: 300)).map { _ in
                    generator.next(below: density) == 0 ? generator.unit() - 0.5 : 0
                }
            }
            try roundTrip(windows)
            windows[0] = [1e30, .leastNonzeroMagnitude, -3, .greatestFiniteMagnitude]
            try roundTrip(windows)
            // What f16 holds takes half the room.
            let halves = windows.map { $0.map { Float(Float16($0.clamped(to: -100...100))) } }
            try roundTrip(halves)
            #expect(FormerActivations.encode(halves)[0] == 2 && FormerActivations.encode(windows)[0] == 1)
        }
        // One value at the end of the longest window that there may be.
        var longest = [Float](repeating: 0, count: OtherActivations.maximumWindowLength)
        longest[longest.count - 1] = 0.1
        try roundTrip([longest])
    }

    @Test func theFormIsAsDocumented() throws {
        // Windows of 200 and 3: 1.5 at 3 and −2 at 150; 1 at 0. Form, contexts, counts, gaps, then the low bytes of all
        // values and their high bytes.
        var first = [Float](repeating: 0, count: 200)
        first[3] = 1.5
        first[150] = -2
        #expect(
            FormerActivations.encode([first, [1, 0, 0]])
                == [2, 2, 2, 1, 3, 0x92, 0x01, 0, 0x00, 0x00, 0x00, 0x3E, 0xC0, 0x3C])
        first[150] = 0.1
        #expect(
            FormerActivations.encode([first, [1, 0, 0]])
                == [
                    1, 2, 2, 1, 3, 0x92, 0x01, 0, 0x00, 0xCD, 0x00, 0x00, 0xCC, 0x00, 0xC0, 0xCC, 0x80, 0x3F, 0x3D,
                    0x3F,
                ])
    }

    @Test(
        arguments: [
            ([], "unknown form"), ([0, 1, 0], "unknown form"), ([3, 1, 0], "unknown form"), ([2], "more contexts"),
            ([2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], "more contexts"),
            // Counts that are missing or impossible.
            ([2, 2], "impossible window"), ([2, 2, 0], "impossible window"),
            ([2, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0], "impossible window"), ([2, 2, 5, 0], "wrong length"),
            // Gaps that are missing or lead out of any window.
            ([2, 2, 1, 0], "wrong length"), ([2, 1, 1, 0xFF], "outside their window"),
            ([2, 2, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0], "outside their window"),
            // Values that are missing or too many.
            ([2, 2, 1, 0, 3], "wrong length"), ([2, 2, 1, 0, 3, 0], "wrong length"),
            ([2, 2, 1, 0, 3, 0, 0x3C, 0], "wrong length"), ([1, 2, 1, 0, 3, 0, 0x3C], "wrong length"),
            ([2, 2, 0, 0, 0], "wrong length"),
        ] as [([UInt8], String)])
    func otherContentsAreRefused(bytes: [UInt8], reason: String) throws {
        do {
            let contexts = try FormerActivations.decode(bytes)
            Issue.record("\(contexts) of \(bytes)")
        } catch {
            #expect(error.description.contains(reason), "\(error)")
        }
    }
}

extension Float {
    fileprivate func clamped(to range: ClosedRange<Float>) -> Float {
        min(max(self, range.lowerBound), range.upperBound)
    }
}
