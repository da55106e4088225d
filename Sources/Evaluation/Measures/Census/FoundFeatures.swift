package import LinearAlgebra

/// Which features of a single-layer dictionary another dictionary has.
///
/// A feature is found if some feature of the other agrees with it: a decoder cosine of at least 0.7
/// (`AgreeingFeatures`), and a correlation of their activations over the tokens of at least 0.5, 0 where a feature does
/// not fire. Only features that fire on `fewestFirings` tokens or more are looked for, of these all or
/// those that are named.
package struct FoundFeatures {
    /// The least correlation of activations.
    static let leastCorrelation = 0.5
    /// Tokens on which a feature has to fire.
    static let fewestFirings = 10

    /// Of the features that were looked for, in their order: whether each is found,
    package let found: [Bool]
    /// whether one has the cosine,
    package let nearby: [Bool]
    /// and whether it is found where the other's activations are another feature's: the baseline.
    package let byChance: [Bool]

    /// A dictionary with its latents on the same tokens.
    package struct Side {
        /// Decoder rows.
        let decoder: Matrix
        /// Where the part for the layer begins.
        let column: Int
        /// Its latents.
        let rows: LatentRows
        /// Sums over them.
        let moments: Moments

        /// Describes a dictionary.
        package init(decoder: Matrix, column: Int, rows: LatentRows, moments: Moments) {
            (self.decoder, self.column, self.rows, self.moments) = (decoder, column, rows, moments)
        }
    }

    /// Sums over a dictionary's activations by latent.
    package struct Moments {
        private(set) var counts: [Int]
        private(set) var sums: [Double]
        private(set) var squares: [Double]

        /// Adds up.
        package init(_ rows: LatentRows) {
            counts = Array(repeating: 0, count: rows.latents)
            sums = Array(repeating: 0, count: rows.latents)
            squares = sums
            for (latent, activation) in zip(rows.indices, rows.activations) {
                counts[Int(latent)] += 1
                sums[Int(latent)] += Double(activation)
                squares[Int(latent)] += Double(activation) * Double(activation)
            }
        }
    }

    /// Looks for the features of a single-layer dictionary in another.
    ///
    /// - Parameters:
    ///   - counted: the features that are looked for; nil for all.
    ///   - other: nil if it has nothing at the layer, so that nothing is found.
    ///   - seed: of the exchange of activations for the baseline.
    /// - Complexity: features · latents · d, and tokens · k · candidates.
    package init(
        of features: Side, counted: Set<Int>? = nil, in other: Side?, seed: UInt64, workers: Workers
    ) {
        let alive = features.moments.counts.enumerated().map { feature, count in
            count >= Self.fewestFirings && counted?.contains(feature) != false
        }
        guard let other else {
            found = alive.filter(\.self).map { _ in false }
            (nearby, byChance) = (found, found)
            return
        }
        let agreeing = AgreeingFeatures(
            features.decoder, where: alive, in: other.decoder, from: other.column, workers: workers)
        let exchanged = Self.exchanged(other.moments.counts, seed: seed)
        let (products, chance) = Self.products(features.rows, other.rows, agreeing, exchanged)
        let tokens = Double(features.rows.count)
        func correlates(_ feature: Int, _ latent: Int, _ product: Double) -> Bool {
            let (a, b) = (features.moments, other.moments)
            let covariance = tokens * product - a.sums[feature] * b.sums[latent]
            let variances =
                (tokens * a.squares[feature] - a.sums[feature] * a.sums[feature])
                * (tokens * b.squares[latent] - b.sums[latent] * b.sums[latent])
            return variances > 0 && covariance >= Self.leastCorrelation * variances.squareRoot()
        }
        let living = alive.indices.filter { alive[$0] }
        let places = living.map { agreeing.offsets[$0]..<agreeing.offsets[$0 + 1] }
        found = zip(living, places).map { feature, places in
            places.contains { correlates(feature, Int(agreeing.candidates[$0]), products[$0]) }
        }
        byChance = zip(living, places).map { feature, places in
            places.contains { correlates(feature, Int(exchanged[Int(agreeing.candidates[$0])]), chance[$0]) }
        }
        nearby = places.map { !$0.isEmpty }
    }

    /// A permutation of the latents that fire; the others stay.
    private static func exchanged(_ counts: [Int], seed: UInt64) -> [Int32] {
        var order = counts.indices.filter { counts[$0] > 0 }
        let living = order
        var generator = CounterGenerator(seed: seed, stream: "exchanged activations")
        generator.shuffle(&order)
        var exchanged = counts.indices.map { Int32(truncatingIfNeeded: $0) }
        for (latent, other) in zip(living, order) { exchanged[latent] = Int32(truncatingIfNeeded: other) }
        return exchanged
    }

    /// Σ over tokens of the two activations of each pair; and with the other's activations exchanged.
    private static func products(
        _ features: LatentRows, _ other: LatentRows, _ agreeing: AgreeingFeatures, _ exchanged: [Int32]
    ) -> ([Double], [Double]) {
        var products = Array(repeating: 0.0, count: agreeing.candidates.count)
        var chance = products
        var dense = Array(repeating: Float(0), count: other.latents)
        features.withRows { features in
            other.withRows { other in
                for token in 0..<features.offsets.count - 1 {
                    for entry in other[token] { dense[Int(other.indices[entry])] = other.activations[entry] }
                    for entry in features[token] {
                        let (feature, activation) = (Int(features.indices[entry]), Double(features.activations[entry]))
                        for place in agreeing.offsets[feature]..<agreeing.offsets[feature + 1] {
                            let latent = Int(agreeing.candidates[place])
                            products[place] += activation * Double(dense[latent])
                            chance[place] += activation * Double(dense[Int(exchanged[latent])])
                        }
                    }
                    for entry in other[token] { dense[Int(other.indices[entry])] = 0 }
                }
            }
        }
        return (products, chance)
    }
}
