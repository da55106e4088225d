import FeatureCatalog
import Foundation
import Indexing
import LinearAlgebra
import RandomNumbers
import Vocabulary

/// Synthetic features shaped like those that indexing finds, each generated independently.
struct SyntheticFeatures {
    /// The passages of contexts: consecutive keys, and tokens of each.
    let firstPassage: Int64
    let passageLengths: [Int32]
    /// Tokens of all of them.
    let tokenCount: Int
    /// The class of tokens drawn from the text, as often as they occur in it.
    let classes: [String]
    /// Features, contexts of each, and layers.
    let featureCount: Int
    let contextCount: Int
    let layers: [Int]
    let window: Int
    let seed: UInt64
    /// Documents of the text.
    let documentCount: Int
    /// The norm of a feature's decoder vector.
    let decoderNorm: @Sendable (_ feature: Int) -> Double

    /// Active features of a token, on average.
    static let activePerToken = 32.0

    /// The complete entry of a feature.
    func entry(_ index: Int) -> FeatureEntry {
        var generator = CounterGenerator(seed: seed ^ SplitMix64.mixed(UInt64(index)), stream: "feature")
        // A power law: few features fire often, most seldom.
        let share = Double(generator.uniform()) + 0x1p-24
        let mean = Double(tokenCount) * Self.activePerToken / Double(featureCount)
        let fired = max(contextCount, min(tokenCount / 10, Int(0.4 * mean * pow(share, -0.6))))
        let scale = 0.5 + 2 * Double(generator.uniform())
        let maximum = Self.exact(scale * (2 + Double(generator.uniform())))
        let layers = layerRecords(index, fired, scale, maximum, &generator)
        return FeatureEntry(
            record: record(index, fired, scale, maximum, layers, &generator), layers: layers,
            tokens: tokenRecords(index, fired, maximum, &generator), contexts: contexts(maximum, &generator),
            cofirings: cofirings(index, &generator))
    }

    /// A number as the catalog keeps sums: a multiple of 2⁻²⁴.
    private static func exact(_ value: Double) -> Double { (value * 0x1p24).rounded() * 0x1p-24 }

    private func layerRecords(
        _ index: Int, _ fired: Int, _ scale: Double, _ maximum: Double, _ generator: inout CounterGenerator
    ) -> [FeatureLayerRecord] {
        let count = min(layers.count, 2 + generator.index(below: 4))
        let first = generator.index(below: layers.count - count + 1)
        var rest = fired
        return (0..<count).compactMap { place in
            let part = place == count - 1 ? rest : Int(Double(rest) * (0.3 + 0.5 * Double(generator.uniform())))
            rest -= part
            guard part > 0 else { return nil }
            return FeatureLayerRecord(
                featureIndex: index, layer: layers[first + place], firedCount: part,
                sumActivation: Self.exact(Double(part) * scale), maxActivation: Float(place == 0 ? maximum : scale),
                sumRouterWeight: Self.exact(Double(part) * (0.3 + 0.6 * Double(generator.uniform()))))
        }
    }

    private func record(
        _ index: Int, _ fired: Int, _ scale: Double, _ maximum: Double, _ layers: [FeatureLayerRecord],
        _ generator: inout CounterGenerator
    ) -> FeatureRecord {
        var histogram = Array(repeating: 0, count: FiringHistogram.binCount)
        // Most firings near the mean, ever fewer an octave or two away from it.
        let middle = FiringHistogram.bin(of: Float(scale))
        let weights = [1, 2, 4, 7, 11, 16, 20, 22, 20, 14, 8, 3]
        var rest = fired
        for (place, weight) in weights.enumerated() where place > 0 {
            let count = fired * weight / 160 + (rest > 0 ? generator.index(below: 2) : 0)
            histogram[max(1, min(80, middle + place - 9))] += min(rest, count)
            rest -= min(rest, count)
        }
        histogram[max(1, middle - 2)] += rest
        let quantile = { (share: Double) in Float(scale * share) }
        return FeatureRecord(
            featureIndex: index, firedCount: fired, sumActivation: layers.reduce(0) { $0 + $1.sumActivation },
            sumSquare: Self.exact(Double(fired) * scale * scale * 1.3), minActivation: quantile(0.05),
            maxActivation: Float(maximum),
            quantiles: FeatureRecord.Quantiles(
                p10: quantile(0.3), p50: quantile(0.9), p90: quantile(1.6), p99: quantile(1.95)),
            decoderNorm: decoderNorm(index), documentCount: min(1 + fired / 7, fired, documentCount),
            histogram: histogram)
    }

    private func tokenRecords(
        _ index: Int, _ fired: Int, _ maximum: Double, _ generator: inout CounterGenerator
    ) -> [FeatureTokenRecord] {
        // A feature that fires on few tokens fires on few classes.
        let most = min(FeatureTokenRecord.keptClassCount, 1 + fired / 8)
        var seen: Set<String> = []
        for _ in 0..<4 * most where seen.count < most { seen.insert(classes[generator.index(below: classes.count)]) }
        var strongest = Float(maximum)
        return seen.sorted().map { name in
            let count = 1 + generator.index(below: max(1, fired / most))
            defer { strongest *= 0.9 + 0.1 * generator.uniform() }
            return FeatureTokenRecord(
                featureIndex: index, tokenClass: name, firedCount: count, activation1: strongest,
                activation2: count > 1 ? strongest * (0.5 + 0.5 * generator.uniform()) : nil)
        }
    }

    private func cofirings(_ index: Int, _ generator: inout CounterGenerator) -> [CofiringRecord] {
        (0..<10).map { place in
            let share = 0.5 * (0.8 + 0.2 * Double(generator.uniform())) / Double(place + 1)
            let other = generator.index(below: featureCount)
            return CofiringRecord(
                otherIndex: other == index ? (index + 1) % featureCount : other, share: share,
                lift: share * Double(featureCount) / Self.activePerToken)
        }
    }

    /// Two fifths strongest, two fifths a sample, one fifth quiet, all on different tokens.
    private func contexts(_ maximum: Double, _ generator: inout CounterGenerator) -> [ContextEntry] {
        let top = 2 * contextCount / 5
        let quiet = contextCount - 2 * top
        var taken: Set<Int> = []
        var strength = Float(maximum)
        return (0..<contextCount).map { number in
            var passage = 0
            var position = 0
            repeat {
                passage = generator.index(below: passageLengths.count)
                position = generator.index(below: Int(passageLengths[passage]))
            } while !taken.insert(passage << 16 | position).inserted
            let band: ContextBand = number < top ? .top : number < 2 * top ? .sample : .quiet
            if number == top { strength = Float(maximum) * 0.8 }
            if number > 0 { strength *= 1 - 0.03 * generator.uniform() }
            let activation = band == .quiet ? 0 : strength
            return ContextEntry(
                band: band, rank: band == .top ? number : band == .sample ? number - top : number - 2 * top,
                passageID: firstPassage + Int64(passage), position: position,
                layer: layers[generator.index(below: layers.count)], routerWeight: 0.2 + 0.8 * generator.uniform(),
                activation: activation,
                // Splits never share a passage.
                split: quiet > 0 && band == .top && number > 20 ? nil : passage.isMultiple(of: 2) ? .explain : .score,
                activations: window(around: position, passage, activation, &generator))
        }
    }

    private func window(
        around position: Int, _ passage: Int, _ activation: Float, _ generator: inout CounterGenerator
    ) -> [Float] {
        let range = ContextWindow.range(around: position, in: Int(passageLengths[passage]), length: window)
        var values = [Float](repeating: 0, count: range.count)
        let peak = position - range.lowerBound
        let others = activation > 0 ? generator.index(below: 6) : generator.index(below: 2)
        for _ in 0..<others where range.count > 1 {
            let place = generator.index(below: range.count)
            if place != peak { values[place] = (activation > 0 ? activation : 0.3) * (0.1 + 0.9 * generator.uniform()) }
        }
        values[peak] = activation
        return values
    }
}
