import ActivationPipeline
import FeatureCatalog
import Foundation
import Indexing
import LinearAlgebra

/// Chooses the indexes that are parts of one text, and checks that they were made alike.
struct CombinationPlan {
    /// A corpus that is a part.
    private struct Part {
        let source: Int
        let corpus: CorpusRecord
        /// Documents of the whole before it.
        let offset: Int
        let documentCount: Int
    }

    private let name: String
    private let sources: [Catalog]
    private let parts: [Part]
    /// How all parts were indexed.
    let options: IndexingOptions
    /// The seed of their samples.
    let seed: UInt64
    /// What the products took; nil means f32.
    let precision: Precision?

    /// Takes every corpus that a dictionary is indexed on as a part, in the order of the catalogs and of the indexes.
    ///
    /// - Throws: `WorkflowError.refused` where there are no two, where they were indexed in different ways, or where a
    ///   text would be counted twice.
    init(name: String, sources: [Catalog]) throws {
        var parts: [Part] = []
        var known: IndexingSettings?
        var offset = 0
        for (number, source) in sources.enumerated() {
            let corpora = try source.corpora()
            let indexings = try source.dictionaries().flatMap {
                try source.indexings(dictionaryID: $0.dictionaryID)
            }.sorted { ($0.runID, $0.key.corpusID) < ($1.runID, $1.key.corpusID) }
            for indexing in indexings {
                let settings = try CombinationPlan.settings(of: indexing, in: source)
                if let known, !known.isAlike(settings) {
                    throw WorkflowError.refused(
                        "\(source.path): run \(indexing.runID) indexed with other options or another seed than the "
                            + "others; parts can only be combined if all are indexed alike")
                }
                known = known ?? settings
                guard let corpus = corpora.first(where: { $0.corpusID == indexing.key.corpusID }),
                    !parts.contains(where: { $0.source == number && $0.corpus.corpusID == corpus.corpusID })
                else { continue }
                if let same = parts.first(where: { $0.corpus.sha256 == corpus.sha256 && $0.source != number }) {
                    throw WorkflowError.refused(
                        "\(source.path): corpus \"\(corpus.name)\" is the same text as \"\(same.corpus.name)\" of "
                            + "\(sources[same.source].path); it would be counted twice")
                }

                let count = try source.documentPlaceCount(corpusID: corpus.corpusID)
                parts.append(Part(source: number, corpus: corpus, offset: offset, documentCount: count))
                offset += count
            }
        }
        guard parts.count >= 2, let known else {
            throw WorkflowError.refused("there are no two indexes to combine; leave `combine` away")
        }
        self.name = name
        self.sources = sources
        self.parts = parts
        options = known.options
        seed = known.seed
        precision = known.precision
    }

    /// Adds the combined corpus. Its digest is that of the parts' files in order, as if all were indexed at once.
    func addCorpus(to catalog: Catalog) throws -> Int64 {
        var files: [String] = []
        for part in parts {
            let source = sources[part.source]
            let run = try source.dictionaries().lazy.flatMap {
                try source.indexings(dictionaryID: $0.dictionaryID)
            }.first { $0.key.corpusID == part.corpus.corpusID }
            let texts = try run.map { try source.runInputs($0.runID).filter { $0.role == "text" } } ?? []
            files += texts.isEmpty ? [part.corpus.sha256] : texts.map(\.sha256)
        }

        let source = sources[parts[0].source]
        guard
            let model = try source.languageModels().first(where: {
                $0.languageModelID == parts[0].corpus.languageModelID
            })
        else {
            throw CatalogError(.damaged, "\(source.path): corpus \"\(parts[0].corpus.name)\" has no language model")
        }
        return try catalog.addCorpus(
            CorpusRecord(
                languageModelID: try catalog.addLanguageModel(model), name: name,
                source: parts.compactMap(\.corpus.source).joined(separator: ", "),
                sha256: sha256(of: Data(files.joined(separator: "\n").utf8))))
    }

    /// The passages of a part's corpora in the new catalog.
    func places(inSource number: Int, corpusID: Int64) -> [Int64: (corpusID: Int64, offset: Int)] {
        Dictionary(
            parts.filter { $0.source == number }.map { ($0.corpus.corpusID, (corpusID, $0.offset)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Combines the indexes of every dictionary.
    ///
    /// - Returns: How many indexes went into combined ones.
    func combine(
        into catalog: Catalog, corpusID: Int64, runID: Int64, copies: [CatalogCopy],
        progress: (_ done: Int, _ total: Int) -> Void
    ) throws -> Int {
        var count = 0
        for dictionary in try catalog.dictionaries() {
            var found: [(part: FeatureCombination.Part, indexing: IndexingRecord)] = []
            for part in parts {
                let copy = copies[part.source]
                let sourceIDs = copy.dictionaries.filter { $0.value == dictionary.dictionaryID }.map(\.key).sorted()
                for id in sourceIDs {
                    let key = IndexingKey(dictionaryID: id, corpusID: part.corpus.corpusID)
                    guard let indexing = try sources[part.source].indexing(key) else { continue }
                    found.append(
                        (
                            FeatureCombination.Part(
                                catalog: sources[part.source], key: key, offset: part.offset, passages: copy.passages,
                                texts: PassageKeys(
                                    catalog: sources[part.source], windowLength: indexing.window)),
                            indexing
                        ))
                    // The same weights twice in one catalog are one dictionary, indexed once on a text.
                    break
                }
            }
            guard !found.isEmpty else { continue }
            try write(
                found, of: dictionary, to: catalog,
                key: IndexingKey(
                    dictionaryID: dictionary.dictionaryID, corpusID: corpusID), runID: runID, progress: progress)
            count += found.count
        }
        return count
    }

    private func write(
        _ found: [(part: FeatureCombination.Part, indexing: IndexingRecord)], of dictionary: DictionaryRecord,
        to catalog: Catalog, key: IndexingKey, runID: Int64, progress: (_ done: Int, _ total: Int) -> Void
    ) throws {
        let combination = try FeatureCombination(
            options: options, seed: seed, parts: found.map(\.part),
            occurrences: WindowOccurrences(
                catalog: catalog, corpusID: key.corpusID, window: found[0].indexing.window))
        let indexing = IndexingRecord(
            key: key, runID: runID, tokenCount: found.reduce(0) { $0 + $1.indexing.tokenCount },
            documentCount: found.reduce(0) { $0 + $1.indexing.documentCount },
            window: found[0].indexing.window,
            histogramEdges: found[0].indexing.histogramEdges)
        guard found.allSatisfy({ $0.indexing.histogramEdges == indexing.histogramEdges }) else {
            throw WorkflowError.refused("the parts' histograms have different edges; index them anew")
        }
        try catalog.writeIndex(indexing) { writer in
            for feature in 0..<dictionary.latentCount {
                try writer.write(try combination.entry(of: feature, in: found.map(\.part)))
                if feature.isMultiple(of: 256) { progress(feature, dictionary.latentCount) }
            }
            writer.write(layerRouting: try routing(found))
        }
    }

    private func routing(
        _ found: [(part: FeatureCombination.Part, indexing: IndexingRecord)]
    ) throws -> [LayerRoutingRecord] {
        let rows = try found.flatMap { part, indexing in
            try part.catalog.layerRouting(dictionaryID: part.key.dictionaryID, runID: indexing.runID).map {
                (row: $0, tokens: Double(indexing.tokenCount))
            }
        }

        let groups = Dictionary(grouping: rows, by: \.row.layer)
        return groups.keys.sorted().map { layer in
            let group = groups[layer] ?? []
            let total = group.reduce(0) { $0 + $1.tokens }
            let weights = group.compactMap { entry in entry.row.meanRouterWeight.map { $0 * entry.tokens } }
            return LayerRoutingRecord(
                layer: layer, tokenCount: group.reduce(0) { $0 + $1.row.tokenCount },
                meanRouterWeight: weights.count == group.count && total > 0 ? weights.reduce(0, +) / total : nil)
        }
    }

    /// How an index was made, from the run that made it.
    private static func settings(of indexing: IndexingRecord, in catalog: Catalog) throws -> IndexingSettings {
        let run = try catalog.run(indexing.runID)
        let config = Data(run.configJSON.utf8)
        if run.kind == .merge, let merge = try? JSONDecoder().decode(MergeSettings.self, from: config),
            let options = merge.options
        {
            return IndexingSettings(
                model: "", text: [], options: options, seed: merge.seed ?? 0, precision: merge.precision)
        }
        guard let settings = try? JSONDecoder().decode(IndexingSettings.self, from: config) else {
            throw WorkflowError.refused(
                "\(catalog.path): run \(indexing.runID) does not say how it indexed, so its index cannot be combined")
        }
        return settings
    }
}

extension IndexingSettings {
    /// Whether activations are computed, and contexts chosen, by the same rules.
    fileprivate func isAlike(_ other: IndexingSettings) -> Bool {
        var (one, two) = (options, other.options)
        // How much of the text was read does not matter.
        one.maximumTokens = nil
        two.maximumTokens = nil
        return one == two && seed == other.seed && (precision ?? .f32) == (other.precision ?? .f32)
    }
}
