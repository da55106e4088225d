import ActivationPipeline
package import FeatureCatalog
package import LanguageModel
package import LinearAlgebra

/// The tokens that features promote and suppress directly through the unembedding.
///
/// For a feature with decoder row v the change of all logits per unit of activation is taken to be (v ⊙ w) · W_Uᵀ, with w
/// the weight of the model's final norm and W_U its unembedding, and v without its mean if that norm is a LayerNorm: the logit lens (nostalgebraist 2020, "interpreting
/// GPT: the logit lens") on a direction instead of a residual stream. SAEDashboard, behind the lists that Neuronpedia
/// shows, likewise multiplies decoder rows by an unembedding into which the norm's weight is folded.
///
/// Two factors depend on the token and are left out: the final norm divides by the root mean square (or the standard
/// deviation) of the whole residual stream, and an activation is one of the standardised stream, whose unit is the token's standard deviation.
/// So values compare tokens of one feature, and features with each other, but are not the logits of any text. The
/// effect of the layers in between is left out as well.
package struct PromotedTokens {
    private let unembedding: Unembedding
    private let tokenCount: Int
    private let count: Int
    private let workers: Workers

    /// Features whose lists are held at once.
    static let pass = 8192
    /// Features that a worker takes at a time. A constant, like the next two: results do not depend on the threads.
    static let featureTile = 256
    /// Tokens of one product; divides `Unembedding.block`.
    static let tokenTile = 1024
    /// Features that are delivered at a time at most.
    static let delivery = 1024

    /// Prepares the computation.
    ///
    /// - Parameters:
    ///   - unembedding: the model's.
    ///   - tokenCount: tokens that there are; rows of the unembedding from there on only pad it and are never listed.
    ///   - count: tokens of either list at most.
    /// - Precondition: `count` is above 0 and `tokenCount` not negative.
    package init(unembedding: Unembedding, tokenCount: Int, count: Int = 10, workers: Workers) {
        precondition(count > 0 && tokenCount >= 0, "lists of \(count) of \(tokenCount) tokens")
        self.unembedding = unembedding
        self.tokenCount = min(tokenCount, unembedding.vocabularySize)
        self.count = min(count, max(self.tokenCount, 1))
        self.workers = workers
    }

    /// Computes the lists of all features and delivers them in the order of the features, up to 1024 at a time.
    ///
    /// Each feature has its promoted tokens first, then its suppressed ones, by rank; ties by ascending
    /// token. A row of zeros changes no logit and has no lists. Memory: 80 · count bytes for each of 8192
    /// features, 1 MiB and 256 rows of dModel for each worker, 16 MiB for histograms, and 4096 rows of the unembedding
    /// if it is not resident.
    ///
    /// - Parameters:
    ///   - decoder: decoder rows, `[features × D]`, row-major.
    ///   - columns: the dModel columns that hold v; nil for the last ones, which with a crosscoder are those of the
    ///     last layer that it reads.
    ///   - cancelled: asked now and then; once true, no more is delivered.
    ///   - progress: told how many of how many steps are done.
    ///   - histograms: takes the changes of all tokens' logits in equal bins, for features that have lists, after
    ///     these; nil does not count them.
    ///   - deliver: takes the lists of some features.
    /// - Throws: `WorkflowError.interrupted`, `LanguageModelError.nonFiniteWeight`, and what `deliver` throws.
    /// - Complexity: features · tokens · dModel.
    /// - Precondition: `columns` are dModel columns of `decoder`.
    package func compute(
        decoder: Matrix, columns: Range<Int>? = nil, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in },
        histograms: (([(featureIndex: Int, histogram: LinearHistogram)]) throws -> Void)? = nil,
        deliver: ([FeatureLogit]) throws -> Void
    ) throws {
        let d = unembedding.dModel
        let columns = columns ?? decoder.columns - d..<decoder.columns
        precondition(
            columns.lowerBound >= 0 && columns.upperBound <= decoder.columns && columns.count == d,
            "columns \(columns) of \(decoder.columns) for a residual stream of \(d)")
        let work = Work(features: decoder.rows, tokens: tokenCount)
        let promoted = RankedLists(rows: min(PromotedTokens.pass, decoder.rows), count: count)
        let suppressed = RankedLists(rows: promoted.rows, count: count)
        let counted = histograms.map { _ in LinearHistograms(features: promoted.rows) }
        let scratch = (0..<workers.count).map { _ in TileScratch(dModel: d) }
        var widened: Matrix?
        var done = 0
        for features in work.passes {
            promoted.clear()
            suppressed.clear()
            counted?.clear()
            for tokens in work.blocks {
                if cancelled() { throw WorkflowError.interrupted("the lists of promoted tokens were not finished") }
                try unembedding.withRows(of: tokens, scratch: &widened) { rows in
                    workers.forEach(features.count, tile: PromotedTokens.featureTile) { tile, worker in
                        scratch[worker].load(
                            decoder,
                            rows: features.lowerBound + tile.lowerBound..<features.lowerBound + tile.upperBound,
                            column: columns.lowerBound, unembedding)
                        scratch[worker].rank(tile, rows, of: tokens, promoted, suppressed, counted)
                    }
                }
                done += 1
                progress(done, work.steps)
            }
            for first in stride(from: 0, to: features.count, by: PromotedTokens.delivery) {
                let some = first..<min(first + PromotedTokens.delivery, features.count)
                let logits = some.flatMap { row -> [FeatureLogit] in
                    let vector = decoder.row(features.lowerBound + row) + columns.lowerBound
                    guard (0..<d).contains(where: { vector[$0] != 0 }) else { return [] }
                    let feature = features.lowerBound + row
                    return PromotedTokens.logits(.promoted, of: feature, promoted.entries(of: row))
                        + PromotedTokens.logits(.suppressed, of: feature, suppressed.entries(of: row))
                }
                try deliver(logits)
                guard let counted, let histograms else { continue }
                let listed = Set(logits.map(\.featureIndex))
                try histograms(
                    some.compactMap { row in
                        let feature = features.lowerBound + row
                        guard listed.contains(feature), let histogram = counted.histogram(of: row) else { return nil }
                        return (feature, histogram)
                    })
            }
        }
        withExtendedLifetime(decoder) {}
    }

    private static func logits(
        _ direction: FeatureLogit.Direction, of feature: Int, _ entries: [(number: Int, value: Float)]
    ) -> [FeatureLogit] {
        entries.enumerated().map { rank, entry in
            FeatureLogit(
                featureIndex: feature, direction: direction, rank: rank, tokenID: entry.number,
                value: direction == .promoted ? entry.value : -entry.value)
        }
    }
}

/// The division of the work.
private struct Work {
    /// Features whose lists are held at once.
    let passes: [Range<Int>]
    /// Tokens whose rows of the unembedding are held at once.
    let blocks: [Range<Int>]

    var steps: Int { passes.count * blocks.count }

    init(features: Int, tokens: Int) {
        func ranges(_ count: Int, of length: Int) -> [Range<Int>] {
            stride(from: 0, to: count, by: length).map { $0..<min($0 + length, count) }
        }
        passes = ranges(features, of: PromotedTokens.pass)
        blocks = ranges(tokens, of: Unembedding.block)
    }
}

/// Buffers of one worker for a tile of features.
private final class TileScratch: @unchecked Sendable {
    /// v ⊙ w of the tile's features, `[featureTile × dModel]`.
    private let directions: Matrix
    /// Changes of logits, `[featureTile × tokenTile]`.
    private let changes: Matrix

    init(dModel: Int) {
        directions = Matrix(scratchRows: PromotedTokens.featureTile, columns: dModel)
        changes = Matrix(scratchRows: PromotedTokens.featureTile, columns: PromotedTokens.tokenTile)
    }

    /// Loads the features of a tile. Repeated for every block of tokens: it costs a thousandth of their product.
    func load(_ decoder: Matrix, rows: Range<Int>, column: Int, _ unembedding: Unembedding) {
        let d = directions.columns
        let weight = unembedding.normWeight.pointer
        for row in rows {
            let source = decoder.row(row) + column
            let target = directions.row(row - rows.lowerBound)
            let mean = unembedding.centres ? (0..<d).reduce(Float(0)) { $0 + source[$1] } / Float(d) : 0
            for i in 0..<d { target[i] = (source[i] - mean) * weight[i] }
        }
    }

    /// Offers a block of tokens to the lists of the tile's features.
    func rank(
        _ tile: Range<Int>, _ rows: UnsafePointer<Float>, of tokens: Range<Int>, _ promoted: RankedLists,
        _ suppressed: RankedLists, _ histograms: LinearHistograms?
    ) {
        let d = directions.columns
        for first in stride(from: 0, to: tokens.count, by: PromotedTokens.tokenTile) {
            let width = min(PromotedTokens.tokenTile, tokens.count - first)
            multiply(
                rows: tile.count, columns: width, inner: d, directions.pointer, stride: d, rows + first * d, stride: d,
                transposeB: true, into: changes.pointer, stride: PromotedTokens.tokenTile)
            for row in tile {
                let values = changes.row(row - tile.lowerBound)
                promoted.offer(values, count: width, first: tokens.lowerBound + first, row: row)
                suppressed.offer(values, factor: -1, count: width, first: tokens.lowerBound + first, row: row)
                histograms?.record(values, count: width, feature: row)
            }
        }
    }
}
