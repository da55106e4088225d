import FeatureScoring
import Indexing
import RandomNumbers
import Testing

struct TokenClassTableTests {
    /// Every activation of every class, kept.
    private struct Everything {
        var activations: [Int32: [Float]] = [:]

        mutating func record(_ tokenClass: Int32, _ activation: Float) {
            activations[tokenClass, default: []].append(activation)
        }

        /// The protocol as in the reference: filter, sort, keep two of each class, count.
        func count(threshold: Float) -> (classes: Int, contexts: Int) {
            var (classes, contexts) = (0, 0)
            for all in activations.values {
                let kept = all.filter { $0 > threshold }.sorted(by: >).prefix(2)
                classes += kept.isEmpty ? 0 : 1
                contexts += kept.count
            }
            return (classes, contexts)
        }
    }

    @Test(arguments: [5, 32, 33, 34, 40, 80, 400])
    func countsAreExactAtEveryThreshold(classes: Int) {
        for seed in 0..<(classes > 100 ? 12 : 48) {
            var generator = SplitMix64(seed: UInt64(seed * 1000 + classes))
            var table = TokenClassTable()
            var everything = Everything()
            // Few distinct values make many ties; a drift makes late classes displace early ones.
            let levels = [6, 40, 1000][seed % 3]
            for step in 0..<(classes * 8) {
                let tokenClass = Int32(generator.next(below: classes)) - 3
                let activation = Float(generator.next(below: levels)) + (seed % 2 == 0 ? 0 : Float(step) / 100)
                table.record(tokenClass: tokenClass, activation: activation)
                everything.record(tokenClass, activation)
            }

            let peaks = everything.activations.values.compactMap { $0.max() }.sorted(by: >)
            #expect(table.entries.map(\.peaks.strongest) == Array(peaks.prefix(33)))
            // With many different values, every few of them.
            let values = Set(everything.activations.values.joined()).sorted()
            let step = 1 + values.count / 100
            for threshold in [-1] + stride(from: 0, to: values.count, by: step).map({ values[$0] }) + peaks.suffix(3) {
                let wanted = everything.count(threshold: threshold)
                let found = table.interpretability(threshold: threshold)
                #expect(found.isFrequent == (wanted.contexts >= 5), "threshold \(threshold), seed \(seed)")
                #expect(
                    found.isInterpretable == (wanted.contexts >= 5 && wanted.classes <= 32),
                    "threshold \(threshold), seed \(seed)")
            }
            if classes <= 33 {
                #expect(table.isComplete)
                for entry in table.entries {
                    #expect(entry.firingCount == everything.activations[entry.peaks.tokenClass]?.count)
                }
            }
        }
    }

    @Test func aClassKeepsItsTwoStrongest() {
        var table = TokenClassTable()
        for activation: Float in [3, 1, 5, 4, .nan] { table.record(tokenClass: 8, activation: activation) }
        table.record(tokenClass: 9, activation: 7)
        #expect(
            table.entries.map(\.peaks) == [
                .init(tokenClass: 9, strongest: 7), .init(tokenClass: 8, strongest: 5, second: 4),
            ])
        #expect(table.entries.map(\.firingCount) == [1, 4])
        #expect(table.count == 2 && table.isComplete)
        #expect(TokenClassTable().entries.isEmpty)
    }

    @Test("A class that was rejected is remembered") func aClassThatIsTurnedAwayIsRemembered() {
        var table = TokenClassTable()
        for tokenClass in 0..<33 { table.record(tokenClass: Int32(tokenClass), activation: 2) }
        #expect(table.isComplete)
        table.record(tokenClass: 99, activation: 2)
        #expect(!table.isComplete)
        #expect(table.count == 33)
        table.record(tokenClass: 99, activation: 3)
        #expect(table.entries[0].peaks == .init(tokenClass: 99, strongest: 3))
        // Of equal peaks the highest class id goes.
        #expect(!table.entries.contains { $0.peaks.tokenClass == 32 })
    }

    @Test("An evicting class keeps its weaker firings") func aClassThatCameByEvictionKeepsItsWeakerFirings() {
        var table = TokenClassTable()
        for tokenClass in 0..<33 { table.record(tokenClass: Int32(tokenClass), activation: 2) }
        for tokenClass in 100..<1000 {
            table.record(tokenClass: Int32(tokenClass), activation: Float(tokenClass))
            table.record(tokenClass: Int32(tokenClass), activation: 1)
        }
        #expect(table.entries.map(\.peaks.tokenClass) == (967..<1000).reversed().map { Int32($0) })
        #expect(table.entries.allSatisfy { $0.peaks.second == 1 && $0.firingCount == 2 })
    }

    @Test func aTableIsAboutHalfAKibibyte() {
        #expect(MemoryLayout<TokenClassTable>.stride <= 560)
    }
}
