import SparseCoding

/// A batch of real tokens on its way to the feature statistics, with each token's place in the text.
struct IndexedBatch {
    /// One segment's rows of the batch.
    struct Segment {
        /// The document's key in the catalog.
        let document: Int64
        /// The segment's number within the document.
        let index: Int
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
    /// Where each token was routed.
    let routed: AutoencoderInput
    /// Which tokens each latent fires on.
    let entries: LatentEntries

    /// The rows of the window around a row: as many as asked for, within the segment, with more text before than after,
    /// since a decoder's features depend on what precedes.
    func window(around row: Int, tokens count: Int) -> Range<Int> {
        let segment = segments[Int(segmentOfRow[row])].rows
        let after = count / 4
        let end = min(max(row + 1 + after, segment.lowerBound + count), segment.upperBound)
        return max(end - count, segment.lowerBound)..<end
    }
}
