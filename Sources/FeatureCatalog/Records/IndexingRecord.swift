/// Which index: one dictionary on one corpus. Indexes of a dictionary over several corpora stand side by side.
public struct IndexingKey: Hashable, Sendable {
    /// The dictionary.
    public let dictionaryID: Int64
    /// The text.
    public let corpusID: Int64

    /// Names an index.
    public init(dictionaryID: Int64, corpusID: Int64) {
        self.dictionaryID = dictionaryID
        self.corpusID = corpusID
    }
}

/// What statistics of a dictionary's features were gathered from (table `indexing`).
public struct IndexingRecord: Equatable, Sendable {
    /// The dictionary and the text.
    public let key: IndexingKey
    /// The run that did it.
    public let runID: Int64
    /// Real tokens seen (no padding, no BOS): the denominator of `firing_rate`.
    public let tokenCount: Int
    /// Documents seen.
    public let documentCount: Int
    /// Tokens of a context, fewer where its passage has fewer.
    public let window: Int
    /// Edges of the histogram's bins, ascending, one more than there are bins. Bin i counts activations a with
    /// `edges[i] <= a < edges[i+1]`; the first bin also takes what is below it, the last what is above.
    public let histogramEdges: [Double]

    /// Describes an indexing.
    public init(
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
