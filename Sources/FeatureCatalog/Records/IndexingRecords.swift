/// The key of an index: one dictionary on one corpus. A dictionary may have an index for each of several corpora.
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

/// An index: the source of a dictionary's feature statistics (table `indexing`).
package struct IndexingRecord: Equatable, Sendable {
    /// The dictionary and the text.
    package let key: IndexingKey
    /// The run that made it.
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

/// How often tokens were routed to a layer during a run (table `layer_routing`).
package struct LayerRoutingRecord: Equatable, Sendable {
    /// The decoder layer, counted from 0.
    package let layer: Int
    /// Tokens routed there.
    package let tokenCount: Int
    /// Mean of the router's weight for this layer over *all* tokens; nil without a router.
    package let meanRouterWeight: Double?

    /// Describes a layer's share.
    package init(layer: Int, tokenCount: Int, meanRouterWeight: Double?) {
        self.layer = layer
        self.tokenCount = tokenCount
        self.meanRouterWeight = meanRouterWeight
    }
}
