import ActivationPipeline
package import FeatureCatalog
import JSON

/// Writes the features of an index as the files that circuit-tracer's viewer (0.5.0) shows.
///
/// As they are published: `features/index.json.gz` with `{LAYER: {"filename", "offsets"}}`, and `features/layer_LAYER.bin`,
/// in which the bytes from `offsets[i]` to `offsets[i + 1]` are feature i: the length as u32, little-endian, and a gzip
/// member of its JSON. Or for the viewer on one's own machine: `NUMBER.json`, where NUMBER is Cantor's pairing
/// (layer + i)(layer + i + 1)/2 + i.
package struct CircuitTracerExport {
    /// The dictionary, by name or number; nil takes the one added last.
    package let dictionary: String?
    /// The corpus of the index, by name or number; nil takes the one indexed last.
    package let corpus: String?
    /// The folder to make.
    package let folder: String
    /// Whether every feature gets a JSON file of its own.
    package let hasFileForEach: Bool

    /// Describes an export.
    package init(dictionary: String?, corpus: String? = nil, folder: String, hasFileForEach: Bool = false) {
        self.dictionary = dictionary
        self.corpus = corpus
        self.folder = folder
        self.hasFileForEach = hasFileForEach
    }

    /// Writes the folder.
    ///
    /// - Parameters:
    ///   - cancelled: asked before every feature.
    ///   - progress: told how many of how many features are done.
    /// - Throws: `WorkflowError.refused` for a dictionary that is not indexed, `.cannotWrite`, `.interrupted`;
    ///   `CatalogError`. Nothing is left behind then.
    package func run(
        from catalog: Catalog, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> FeatureExportResult {
        try OutputFolder.check(folder)
        let reader = try FeatureReader(dictionary: dictionary, corpus: corpus, in: catalog)
        let record = reader.indexed.record
        // The viewer computes with numbers of 53 bits.
        guard (record.layers.max() ?? 0) + record.latentCount < 1 << 26 else {
            throw WorkflowError.refused(
                "\(catalog.path): \"\(record.name)\" has more features than the viewer can number")
        }
        let page = CircuitTracerPage(
            dictionary: record.name, tokenCount: reader.indexed.indexing.tokenCount, vocabulary: reader.vocabulary)
        return try OutputFolder.make(folder) { draft in
            let layers = try record.layers.map {
                try CircuitTracerLayer($0, in: draft, hasFileForEach: hasFileForEach)
            }
            var counts = FeatureExportCounts()
            for index in 0..<record.latentCount {
                if cancelled() { throw WorkflowError.interrupted("the export was stopped; nothing was written") }
                let feature = try reader.feature(index)
                counts.add(feature)
                for layer in layers { try layer.append(page.bytes(feature, layer: layer.layer), of: index) }
                if index.isMultiple(of: 64) { progress(index, record.latentCount) }
            }
            progress(record.latentCount, record.latentCount)
            guard counts.firing > 0 else {
                throw WorkflowError.refused(
                    "\(catalog.path): no feature of \"\(record.name)\" fires on \"\(reader.indexed.corpus)\"")
            }
            for layer in layers { try layer.finish() }
            if !hasFileForEach {
                let index = JSONObject(layers.map { .init(name: String($0.layer), value: $0.indexEntry) })
                try NewFile.write(
                    GzipStream().member(JSONWriter.canonical.bytes(.object(index))),
                    to: draft + "/features/index.json.gz")
            }
            return FeatureExportResult(
                name: record.name, layers: record.layers, featureCount: counts.firing,
                remarks: counts.remarks(of: catalog, logarithmic: reader.logarithmicCount, leavesOutDead: false))
        }
    }
}
