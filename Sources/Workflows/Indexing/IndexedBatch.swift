import FeatureCatalog
import SparseCoding

/// A batch of real tokens on its way to the feature statistics, with each token's place in the text.
struct IndexedBatch {
    /// One segment's rows of the batch.
    struct Segment {
        /// The document's place in the corpus.
        let document: Int64
        /// The document's own number, made from its content.
        let documentKey: UInt64
        /// The passage's key in the catalog: the segment's own tokens.
        let passage: Int64
        /// Place of the segment's first token in the document's token ids.
        let start: Int
        /// Its rows.
        let rows: Range<Int>
    }

    /// Ids and classes of the tokens, by row.
    let tokens: [Int32]
    let classes: [Int32]
    /// The segments, in order of their rows.
    let segments: [Segment]
    /// The segment of each row.
    let segmentOfRow: [Int32]
    /// Which tokens each latent fires on.
    let entries: LatentEntries
    /// Which latents each token has, and at which layer.
    let firings: TokenLatents
    /// Draw keys of the tokens.
    let drawKeys: [UInt64]
    /// Whether a token's latents are counted against each other: those of a sample, unless it has so many that their
    /// pairs would take longer than all the rest.
    let countsPairs: [Bool]

    /// The most latents of a token whose pairs are counted.
    static let pairedLatents: Int32 = 256

    /// The rows of the window around a row.
    func window(around row: Int, tokens count: Int) -> Range<Int> {
        let rows = segments[Int(segmentOfRow[row])].rows
        let window = ContextWindow.range(around: row - rows.lowerBound, in: rows.count, length: count)
        return rows.lowerBound + window.lowerBound..<rows.lowerBound + window.upperBound
    }
}
