import ActivationPipeline
import FeatureCatalog
import LinearAlgebra
import SparseCoding

/// A batch of real tokens to be added to the feature statistics, with each token's position in the text.
package struct IndexedBatch {
    /// One segment's rows of the batch.
    package struct Segment {
        /// The document's number in the corpus.
        let document: Int64
        /// The document's key, computed from its content.
        let documentKey: UInt64
        /// The passage's key in the catalog: the segment's own tokens.
        let passage: Int64
        /// Computed from these tokens (`FiringPlace.textKey`).
        let passageKey: UInt64
        /// Position of the segment's first token in the document's token ids.
        let start: Int
        /// Its rows.
        let rows: Range<Int>

        package init(
            document: Int64, documentKey: UInt64, passage: Int64, passageKey: UInt64, start: Int, rows: Range<Int>
        ) {
            self.document = document
            self.documentKey = documentKey
            self.passage = passage
            self.passageKey = passageKey
            self.start = start
            self.rows = rows
        }
    }

    /// Ids and classes of the tokens, by row.
    let tokens: [Int32]
    let classes: [Int32]
    /// The segments, in order of their rows.
    let segments: [Segment]
    /// The segment of each row.
    let segmentOfRow: [Int32]
    /// Computed from the tokens of the window around each row.
    let windowKeys: [UInt64]
    /// Which tokens each latent fires on.
    let entries: LatentEntries
    /// Which latents each token has, and at which layer.
    let firings: TokenLatents
    /// Draw keys of the tokens.
    let drawKeys: [UInt64]
    /// Whether a token's co-firings are counted: for sampled tokens, unless they have so many latents that their
    /// pairs would dominate the run time.
    let countsPairs: [Bool]

    /// The most latents of a token whose pairs are counted.
    static let pairedLatents: Int32 = 256

    /// Tokens of a window.
    let windowLength: Int

    /// A layer that a token is read from, as an index into the configuration's layers, and the router's weight of it.
    struct ReadLayer {
        let layer: Int
        let weight: Float
    }

    /// For each row where it is read, whatever fires there; empty where that depends on the feature.
    let layers: [ReadLayer]

    /// Where a feature fires on a token.
    func layer(of feature: Int, at row: Int) -> ReadLayer {
        if !layers.isEmpty { return layers[row] }
        let layer = firings.layer(of: feature, at: row)
        return ReadLayer(layer: layer, weight: firings.weight(ofLayer: layer, at: row))
    }

    /// The rows of the window around a row.
    func window(around row: Int) -> Range<Int> {
        Self.window(around: row, in: segments[Int(segmentOfRow[row])].rows, length: windowLength)
    }

    /// The position of a row, in the text and by its content.
    func place(of row: Int) -> FiringPlace {
        let segment = segments[Int(segmentOfRow[row])]
        return FiringPlace(
            window: windowKeys[row], passage: segment.passageKey, documentKey: segment.documentKey,
            document: segment.document,
            position: Int32(truncatingIfNeeded: segment.start + row - segment.rows.lowerBound))
    }

    private static func window(around row: Int, in rows: Range<Int>, length: Int) -> Range<Int> {
        let window = ContextWindow.range(around: row - rows.lowerBound, in: rows.count, length: length)
        return rows.lowerBound + window.lowerBound..<rows.lowerBound + window.upperBound
    }

    /// The keys of the windows around all rows of some segments. Neighbours at a segment's ends share a window.
    ///
    /// - Complexity: rows · `length`, divided among the workers.
    static func windowKeys(of segments: [Segment], tokens: [Int32], length: Int, workers: Workers) -> [UInt64] {
        Array(unsafeUninitializedCapacity: tokens.count) { storage, count in
            storage.initialize(repeating: 0)
            let keys = SharedKeys(first: storage)
            workers.forEach(tiles: segments.count) { number, _ in
                let rows = segments[number].rows
                var known: (window: Range<Int>, key: UInt64)?
                for row in rows {
                    let window = window(around: row, in: rows, length: length)
                    if known?.window != window { known = (window, FiringPlace.textKey(tokens[window])) }
                    keys.first[row] = known?.key ?? 0
                }
            }
            count = tokens.count
        }
    }
}

/// A key for each row, of which each is written by one worker.
private struct SharedKeys: @unchecked Sendable {
    let first: UnsafeMutableBufferPointer<UInt64>
}
