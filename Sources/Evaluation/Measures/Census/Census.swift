package import LinearAlgebra
import RandomNumbers

/// The share of the features of single-layer dictionaries that a dictionary has: a census of what there is to find at
/// the layers, and of who finds it.
///
/// Of layer l: the share of the features of its single-layer dictionaries that are found (`FoundFeatures`). The figure
/// for all layers is the mean over the layers, of a single-layer dictionary over the other layers. At its own layer, a
/// single-layer dictionary of another seed shows what can be expected at most.
package struct Census {
    /// What a dictionary finds at one layer.
    package struct Layer {
        let layer: Int
        /// Features of all single-layer dictionaries of the layer, one after another.
        var found: [Bool] = []
        var nearby: [Bool] = []
        var byChance: [Bool] = []

        /// A layer of which nothing was looked for yet.
        package init(layer: Int) { self.layer = layer }

        /// Adds a single-layer dictionary's features.
        package mutating func append(_ features: FoundFeatures) {
            found += features.found
            nearby += features.nearby
            byChance += features.byChance
        }
    }

    /// By layer, ascending.
    let layers: [Layer]
    /// The layer of a single-layer dictionary, which its figure leaves out.
    let own: Int?
    /// Tokens of the text.
    let tokens: Int
    /// Put behind the metrics' names.
    let suffix: String

    /// Describes a census.
    package init(layers: [Layer], own: Int?, tokens: Int, suffix: String = "") {
        (self.layers, self.own, self.tokens, self.suffix) = (layers, own, tokens, suffix)
    }

    /// The figures, with intervals over features.
    package func figures(resamples: Int, seed: UInt64, workers: Workers) -> [MeasuredFigure] {
        let counted = layers.indices.filter { layers[$0].layer != own }
        let metrics: [(name: String, flags: (Layer) -> [Bool])] = [
            ("census", \.found), ("census_cosine", \.nearby), ("census_baseline", \.byChance),
        ]
        return metrics.flatMap { name, flags in
            let drawn = Self.resampled(layers.map(flags), resamples, seed: seed, workers: workers)
            let shares = layers.map { Self.share(flags($0)) }
            func mean(_ shares: [Double?]) -> Double? {
                let found = counted.compactMap { shares[$0] }
                return found.count == counted.count && !found.isEmpty
                    ? found.reduce(0, +) / Double(found.count) : nil
            }
            let all = MeasuredFigure(
                name + suffix, mean(shares),
                ResampledInterval((0..<resamples).map { resample in mean(drawn.map { $0[resample] }) }),
                tokens: tokens)
            return [all]
                + layers.indices.map { place in
                    MeasuredFigure(
                        name + suffix, layer: layers[place].layer, shares[place], ResampledInterval(drawn[place]),
                        tokens: tokens)
                }
        }
    }

    private static func share(_ flags: [Bool]) -> Double? {
        flags.isEmpty ? nil : Double(flags.count { $0 }) / Double(flags.count)
    }

    /// Shares of resampled features, by layer.
    private static func resampled(
        _ flags: [[Bool]], _ resamples: Int, seed: UInt64, workers: Workers
    ) -> [[Double?]] {
        [[Double?]](unsafeUninitializedCapacity: flags.count) { shares, count in
            shares.initialize(repeating: [])
            count = flags.count
            // Every layer writes its own.
            nonisolated(unsafe) let shares = shares
            workers.forEach(tiles: flags.count) { place, _ in
                let own = flags[place]
                var generator = SplitMix64(seed: SplitMix64.mixed(seed &+ UInt64(place)))
                shares[place] = (0..<resamples).map { _ in
                    guard !own.isEmpty else { return nil }
                    var found = 0
                    for _ in own.indices where own[generator.next(below: own.count)] { found += 1 }
                    return Double(found) / Double(own.count)
                }
            }
        }
    }
}
