import ActivationPipeline
package import FeatureCatalog
import JSON

/// Writes the features of an index as the folders that Neuronpedia's importer reads: `MODEL/LAYER-SET/…`, one for each
/// layer in which features fire, with the features that fire there and the texts whose peak was read there.
package struct NeuronpediaExport {
    /// The dictionary, by name or number; nil takes the one added last.
    package let dictionary: String?
    /// The corpus of the index, by name or number; nil takes the one indexed last.
    package let corpus: String?
    /// The folder to make.
    package let folder: String
    /// The model's id on Neuronpedia.
    package let modelID: String?
    /// The id of the user that features will belong to.
    package let creatorID: String?
    /// The set of sources; nil names it after the dictionary.
    package let sourceSet: String?
    /// The release; nil names it after the set.
    package let release: String?

    /// Describes an export.
    package init(
        dictionary: String?, corpus: String? = nil, folder: String, modelID: String?, creatorID: String?,
        sourceSet: String? = nil, release: String? = nil
    ) {
        self.dictionary = dictionary
        self.corpus = corpus
        self.folder = folder
        self.modelID = modelID
        self.creatorID = creatorID
        self.sourceSet = sourceSet
        self.release = release
    }

    /// Writes the folder.
    ///
    /// - Parameters:
    ///   - cancelled: asked before every feature.
    ///   - progress: told how many of how many features are done.
    /// - Throws: `WorkflowError.usage` for names that Neuronpedia refuses, `.refused` for a dictionary that is not
    ///   indexed, `.cannotWrite`, `.interrupted`; `CatalogError`. Nothing is left behind then.
    package func run(
        from catalog: Catalog, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> FeatureExportResult {
        try OutputFolder.check(folder)
        let record = try StoredDictionary.record(named: dictionary, in: catalog)
        let names = try NeuronpediaNames(
            modelID: modelID, creatorID: creatorID, sourceSet: sourceSet, release: release, dictionary: record.name)
        let reader = try FeatureReader(dictionary: dictionary, corpus: corpus, in: catalog)
        let indexed = reader.indexed
        let run = try catalog.run(indexed.indexing.runID)
        let createdAt = run.finishedAt ?? run.startedAt
        let tokens = reader.vocabulary.map { JSONWriter.canonical.bytes(.string($0.text)) }
        let description = NeuronpediaDescription(
            names: names, dictionary: record, languageModel: reader.model, indexing: indexed.indexing,
            corpus: indexed.corpus, createdAt: createdAt)
        return try OutputFolder.make(folder) { draft in
            let sources = record.layers.map { layer in
                NeuronpediaSource(
                    NeuronpediaLines(
                        names: names, sourceID: names.sourceID(layer: layer), layer: layer, createdAt: createdAt,
                        runUUID: run.uuid, tokenCount: indexed.indexing.tokenCount, corpus: indexed.corpus,
                        tokens: tokens), in: draft)
            }
            var counts = FeatureExportCounts()
            for index in 0..<record.latentCount {
                if cancelled() { throw WorkflowError.interrupted("the export was stopped; nothing was written") }
                let feature = try reader.feature(index)
                counts.add(feature)
                for source in sources { try source.append(feature) }
                if index.isMultiple(of: 64) { progress(index, record.latentCount) }
            }
            progress(record.latentCount, record.latentCount)
            guard counts.firing > 0 else {
                throw WorkflowError.refused(
                    "\(catalog.path): no feature of \"\(record.name)\" fires on \"\(indexed.corpus)\"")
            }
            for source in sources { try source.finish(description) }
            let silent = zip(record.layers, sources).filter { $1.featureCount == 0 }.map(\.0)
            var remarks = counts.remarks(
                of: catalog, logarithmic: reader.logarithmicCount, leavesOutDead: true)
            if !silent.isEmpty {
                let layers = silent.map(String.init).joined(separator: ", ")
                remarks.append("\(catalog.path): no feature fires in layer \(layers), which gets no source")
            }
            return FeatureExportResult(
                name: record.name, layers: record.layers.filter { !silent.contains($0) }, featureCount: counts.firing,
                remarks: remarks)
        }
    }
}
