import FeatureCatalog
import Foundation
import Testing

@Suite struct DerivedColumnsTests {
    private func token(_ name: String, _ fired: Int, _ first: Float, _ second: Float? = nil) -> FeatureTokenRecord {
        FeatureTokenRecord(
            featureIndex: 0, tokenClass: name, firedCount: fired, activation1: first, activation2: second)
    }

    /// The protocol's result for a feature at a threshold, from its token classes.
    private func naive(_ tokens: [FeatureTokenRecord], _ threshold: Float) -> (isEnough: Bool, areFew: Bool) {
        let classes = tokens.filter { $0.activation1 > threshold }
        let contexts = tokens.reduce(0) { count, token in
            count + (token.activation1 > threshold ? 1 : 0) + (token.activation2.map { $0 > threshold } == true ? 1 : 0)
        }
        return (contexts > 4, classes.count <= 32)
    }

    @Test("Counting by the derived columns follows the protocol", arguments: 0..<200 as Range<UInt64>)
    func countingThroughThemIsTheProtocol(seed: UInt64) {
        var generator = SplitMix(state: seed)
        // Some values are on a grid, so that many are equal; some are negative.
        let isOnGrid = seed.isMultiple(of: 2)
        func activation() -> Float {
            isOnGrid ? Float(generator.next(below: 12)) / 2 - 1 : 6 * generator.unit() - 1
        }

        let count = seed % 5 == 0 ? 33 : generator.next(below: 34)
        let tokens = (0..<count).map { index in
            let (one, two) = (activation(), activation())
            return token(
                "w\(index)", 2, max(one, two), generator.next(below: 3) == 0 ? nil : min(one, two))
        }

        let columns = DerivedColumns(layers: [(2, 1)], tokens: tokens)
        let values = tokens.map(\.activation1) + tokens.compactMap(\.activation2)
        for threshold in values + values.map(\.nextUp) + values.map(\.nextDown) + [-.infinity, -2, 0, 100] {
            let expected = naive(tokens, threshold)
            #expect((columns.countedBelow.map { $0 > threshold } ?? false) == expected.isEnough)
            #expect((columns.countedFrom.map { $0 <= threshold } ?? true) == expected.areFew)
        }
    }

    @Test func theBoundsOfCounting() {
        let four = (0..<2).map { token("\($0)", 2, 3, 2) }
        #expect(DerivedColumns(layers: [], tokens: four).countedBelow == nil)
        #expect(DerivedColumns(layers: [], tokens: four + [token("x", 1, 1)]).countedBelow == 1)
        let classes = (1...33).map { token("\($0)", 1, Float($0)) }
        #expect(DerivedColumns(layers: [], tokens: Array(classes.dropFirst())).countedFrom == nil)
        let all = DerivedColumns(layers: [], tokens: classes)
        #expect(all.countedFrom == 1 && all.countedBelow == 29)
    }

    @Test func layers() {
        let silent = DerivedColumns(layers: [], tokens: [])
        #expect(silent.peakLayer == nil && silent.peakLayerShare == nil && silent.layerEntropy == nil)
        #expect(silent.topToken == nil && silent.countedFrom == nil && silent.countedBelow == nil)
        let one = DerivedColumns(layers: [(7, 4)], tokens: [])
        #expect(one.peakLayer == 7 && one.peakLayerShare == 1)
        // Not −0, which would be another number in the file.
        #expect(one.layerEntropy == 0 && one.layerEntropy?.sign == .plus)
        // The lowest of equals, whatever the order.
        for layers in [[(3, 5), (1, 5), (2, 2)], [(2, 2), (1, 5), (3, 5)]] {
            let equal = DerivedColumns(layers: layers, tokens: [])
            #expect(equal.peakLayer == 1 && equal.peakLayerShare == 5.0 / 12)
        }

        let even = DerivedColumns(layers: [(0, 3), (1, 3), (2, 3), (3, 3)], tokens: [])
        #expect(abs((even.layerEntropy ?? 0) - log(4)) < 1e-12)
    }

    @Test func theTopTokenIsTheMostFrequent() {
        func top(_ tokens: [FeatureTokenRecord]) -> String? { DerivedColumns(layers: [], tokens: tokens).topToken }
        #expect(top([token("a", 2, 1), token("b", 3, 0.5)]) == "b")
        // Of equally frequent ones the strongest, then the first by name.
        #expect(top([token("a", 2, 1), token("b", 2, 1.5)]) == "b")
        #expect(top([token("b", 2, 1), token("a", 2, 1), token("c", 2, 1)]) == "a")
    }

    @Test("Comparing derived columns tolerates round-off of the entropy") func agreementLeavesRoundOffToLogarithms() {
        let columns = DerivedColumns(layers: [(1, 2), (2, 3)], tokens: [token("a", 5, 1, 0.5)])
        var other = columns
        other.layerEntropy = columns.layerEntropy.map { $0 + 1e-14 }
        #expect(columns.agrees(with: other))
        other.layerEntropy = columns.layerEntropy.map { $0 + 1e-9 }
        #expect(!columns.agrees(with: other))
        other = columns
        other.countedBelow = 0
        #expect(!columns.agrees(with: other))
        other = columns
        other.layerEntropy = nil
        #expect(!columns.agrees(with: other))
    }
}
