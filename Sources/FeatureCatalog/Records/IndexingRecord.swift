/// Which index: one dictionary on one corpus. Indexes of a dictionary over several corpora stand side by side.
package struct IndexingKey: Hashable, Sendable {
    /// The dictionary.
    package let dictionaryID: Int64
    /// The text.
    package let corpusID: Int64

    /// Names an index.
    package init(dictionaryID: Int64, corpusID: Int64) {
        self.dictionaryID = dictionaryID
        self.corpusID = corpusID
    }
}

/// What statistics of a dictionary's features were gathered from (table `indexing`).
package struct IndexingRecord: Equatable, Sendable {
    /// The dictionary and the text.
    package let key: IndexingKey
    /// The run that did it.
    package let runID: Int64
    /// Real tokens seen (no padding, no BOS): the denominator of `firing_rate`.
    package let tokenCount: Int
    /// Documents seen.
    package let documentCount: Int
    /// Tokens of a context, fewer where its passage has fewer.
    package let window: Int
    /// Edges of the histogram's bins, ascending, one more than there are bins. Bin i counts activations a with
    /// `edges[i] <= a < edges[i+1]`; the first bin also takes what is below it, the last what is above.
    package let histogramEdges: [Double]

    /// Describes an indexing.
    package init(
        key: IndexingKey, runID: Int64, tokenCount: Int, documentCount: Int, window: Int, histogramEdges: [Double]
    ) {
        self.key = key
        self.runID = runID
        self.tokenCount = tokenCount
        self.documentCount = documentCount
        self.window = window
        self.histogramEdges = histogramEdges
    }
}
