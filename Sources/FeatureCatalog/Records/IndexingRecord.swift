/// What a dictionary's feature statistics were gathered from (table `indexing`, one row a dictionary).
public struct IndexingRecord: Equatable, Sendable {
    /// The dictionary indexed.
    public let dictionaryID: Int64
    /// The run that did it.
    public let runID: Int64
    /// The text it ran over; nil for imported activations without text.
    public let corpusID: Int64?
    /// Real tokens seen (no padding, no BOS): the denominator of `firing_rate`.
    public let tokenCount: Int
    /// Documents seen.
    public let documentCount: Int
    /// Edges of the histogram's bins, ascending, one more than there are bins. Bin i counts activations a with
    /// `edges[i] <= a < edges[i+1]`; the first bin also takes what is below it, the last what is above.
    public let histogramEdges: [Double]

    /// Describes an indexing.
    public init(
        dictionaryID: Int64, runID: Int64, corpusID: Int64?, tokenCount: Int, documentCount: Int,
        histogramEdges: [Double]
    ) {
        self.dictionaryID = dictionaryID
        self.runID = runID
        self.corpusID = corpusID
        self.tokenCount = tokenCount
        self.documentCount = documentCount
        self.histogramEdges = histogramEdges
    }
}
