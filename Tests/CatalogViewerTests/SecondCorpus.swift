import FeatureCatalog

/// A second corpus of the hostile world, on which no feature of its dictionary fires.
enum SecondCorpus {
    static let name = "second & last"

    /// Adds it with an index.
    static func add(to path: String) throws {
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        let corpus = try catalog.addCorpus(
            CorpusRecord(languageModelID: 1, name: name, sha256: String(repeating: "ab", count: 32)))
        let run = try catalog.beginRun(kind: .index, config: "{}", seed: nil)
        try catalog.writeIndex(
            IndexingRecord(
                key: IndexingKey(dictionaryID: 1, corpusID: corpus), runID: run, tokenCount: 10, documentCount: 1,
                window: 8, histogramEdges: [0, 1, 2, 3, 40])
        ) { writer in
            for feature in 0..<HostileWorld.latents {
                try writer.write(
                    FeatureEntry(
                        record: FeatureRecord(
                            featureIndex: feature, firedCount: 0, sumActivation: 0, sumSquare: 0, minActivation: nil,
                            maxActivation: nil, quantiles: nil, decoderNorm: 1, documentCount: 0, histogram: [])))
            }
            writer.write(layerRouting: [
                LayerRoutingRecord(layer: 0, tokenCount: 10, meanRouterWeight: 0.75),
                LayerRoutingRecord(layer: 1, tokenCount: 0, meanRouterWeight: 0),
            ])
        }
        try catalog.finishRun(run, status: .complete)
        try catalog.close()
    }
}
