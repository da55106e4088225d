import LinearAlgebra

/// Whether a feature that is read at several layers means the same at all of them: after the question of fmxcoders
/// (arXiv 2605.09438), whether a latent's strongest contexts at different layers say the same.
///
/// A feature is read at a layer if it fires there on `fewestFirings` tokens or more. Its strongest contexts there are the
/// `contexts` firings of the largest activations, as shares of token classes. Two layers agree by the overlap of those
/// shares, Σ_c min(p_c, q_c): 1 for the same classes as often, 0 for none in common. A feature's coherence is the mean
/// over its pairs of layers. The baseline is the overlap with another feature at the second layer.
package struct Coherence {
    /// Firings at a layer that make it one of a feature's.
    static let fewestFirings = 8
    /// Strongest firings that are compared.
    static let contexts = 16

    /// By feature that is read at two layers or more: the mean overlap of its layers,
    package private(set) var overlaps: [Double] = []
    /// and with another feature's.
    package private(set) var baselines: [Double] = []
    /// Features that are read at some layer.
    private(set) var livingCount = 0
    private let tokens: Int

    /// Compares the layers of all features.
    ///
    /// - Parameters:
    ///   - layers: how many layers the dictionary reads.
    ///   - classes: the class of every token.
    ///   - seed: of the draw of other features.
    package init(_ rows: LatentRows, layers: Int, classes: [Int32], seed: UInt64) {
        tokens = rows.count
        let strongest = Self.strongest(rows, layers: layers, classes: classes)
        // Features by layer, in a drawn order, of which the next is a feature's other.
        var generator = CounterGenerator(seed: seed, stream: "coherence")
        var nextAtLayer: [[Int: Int]] = []
        for layer in 0..<layers {
            var readers = (0..<rows.latents).filter { strongest[$0 * layers + layer] != nil }
            generator.shuffle(&readers)
            var next: [Int: Int] = [:]
            for (place, feature) in readers.enumerated() where readers.count > 1 {
                next[feature] = readers[(place + 1) % readers.count]
            }
            nextAtLayer.append(next)
        }
        for feature in 0..<rows.latents {
            let read = (0..<layers).filter { strongest[feature * layers + $0] != nil }
            if !read.isEmpty { livingCount += 1 }
            guard read.count > 1 else { continue }
            var (overlap, baseline, pairs, others) = (0.0, 0.0, 0.0, 0.0)
            for (place, first) in read.enumerated() {
                for second in read[(place + 1)...] {
                    guard let one = strongest[feature * layers + first],
                        let two = strongest[feature * layers + second]
                    else { continue }
                    overlap += Self.overlap(one, two)
                    pairs += 1
                    if let other = nextAtLayer[second][feature], let theirs = strongest[other * layers + second] {
                        baseline += Self.overlap(one, theirs)
                        others += 1
                    }
                }
            }
            overlaps.append(overlap / pairs)
            if others > 0 { baselines.append(baseline / others) }
        }
    }

    /// The classes of the strongest firings of each feature at each layer, `[features · layers]`; nil where too few.
    private static func strongest(_ rows: LatentRows, layers: Int, classes: [Int32]) -> [[Int32: Double]?] {
        var counts = Array(repeating: 0, count: rows.latents * layers)
        // Kept firings, the strongest first; of equal ones the first in the text.
        var kept = Array(repeating: [(activation: Float, token: Int32)](), count: rows.latents * layers)
        rows.withRows { rows in
            for token in 0..<rows.offsets.count - 1 {
                for entry in rows[token] {
                    let place = Int(rows.indices[entry]) * layers + Int(rows.layers[entry])
                    let activation = rows.activations[entry]
                    counts[place] += 1
                    if kept[place].count == contexts {
                        guard activation > kept[place][contexts - 1].activation else { continue }
                        kept[place].removeLast()
                    }
                    let position = kept[place].firstIndex { $0.activation < activation } ?? kept[place].count
                    kept[place].insert((activation, Int32(truncatingIfNeeded: token)), at: position)
                }
            }
        }
        return zip(counts, kept).map { count, firings in
            guard count >= fewestFirings else { return nil }
            var shares: [Int32: Double] = [:]
            for (_, token) in firings { shares[classes[Int(token)], default: 0] += 1 / Double(firings.count) }
            return shares
        }
    }

    private static func overlap(_ one: [Int32: Double], _ other: [Int32: Double]) -> Double {
        // Multiples of 1 / n in any order: sorted, so that the sum has one.
        one.keys.sorted().reduce(0) { $0 + min(one[$1] ?? 0, other[$1] ?? 0) }
    }

    /// The figures, with intervals over features.
    package func figures(resamples: Int, seed: UInt64) -> [MeasuredFigure] {
        func figure(_ metric: String, _ values: [Double]) -> MeasuredFigure {
            let drawn = DocumentUnits.resampled(
                values.map { value in
                    var sums = PlainSums(count: 2)
                    sums.values = [value, 1]
                    return sums
                }, from: PlainSums(count: 2), resamples, seed: seed)
            func mean(_ sums: PlainSums) -> Double? { sums.values[1] > 0 ? sums.values[0] / sums.values[1] : nil }
            return MeasuredFigure(
                metric, values.isEmpty ? nil : values.reduce(0, +) / Double(values.count),
                ResampledInterval(drawn.map(mean)), tokens: tokens)
        }
        return [
            figure("coherence", overlaps), figure("coherence_baseline", baselines),
            MeasuredFigure(
                "spanning_share", livingCount > 0 ? Double(overlaps.count) / Double(livingCount) : nil, tokens: tokens),
        ]
    }
}
