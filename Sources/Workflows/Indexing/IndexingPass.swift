import CKernels
import FeatureCatalog
import FeatureScoring
import LanguageModel
import LinearAlgebra
import SparseCoding
import Tokenization

/// One pass over the text, and the accumulators it fills.
final class IndexingPass {
    private let dictionary: StoredDictionary
    private let folder: ModelFolder
    private let corpus: TextCorpus
    private let catalog: Catalog
    private let settings: IndexingSettings
    private let workers: Workers
    private let classes: TokenClasses
    private let encoder: DictionaryEncoder
    private let modelID: Int64
    private let corpusID: Int64

    private let features: FeatureAccumulators
    private var layerTokens: [Int]
    private var layerWeights: [Double]
    private var residual = 0.0
    private var variance: VarianceSum
    /// Real tokens so far.
    private(set) var tokens = 0
    /// Documents so far.
    private(set) var documents = 0

    /// 1 − Σ‖û − u‖² / Σ‖u − mean u‖² over all tokens.
    var explainedVariance: Double { variance.total > 0 ? 1 - residual / variance.total : .nan }

    init(
        dictionary: StoredDictionary, folder: ModelFolder, corpus: TextCorpus, catalog: Catalog,
        settings: IndexingSettings, workers: Workers
    ) throws {
        self.dictionary = dictionary
        self.folder = folder
        self.corpus = corpus
        self.catalog = catalog
        self.settings = settings
        self.workers = workers
        classes = TokenClasses(folder.tokenizer)
        encoder = DictionaryEncoder(
            configuration: dictionary.configuration, weights: dictionary.weights, workers: workers)
        let layers = dictionary.configuration.layers.count
        features = FeatureAccumulators(
            (0..<dictionary.configuration.latents).map {
                FeatureAccumulator(feature: $0, layers: layers, options: settings.options, seed: settings.seed)
            })
        layerTokens = Array(repeating: 0, count: layers)
        layerWeights = Array(repeating: 0, count: layers)
        variance = VarianceSum(dModel: dictionary.configuration.inputWidth)
        modelID = try catalog.addLanguageModel(try folder.record())
        corpusID = try catalog.addCorpus(
            CorpusRecord(
                languageModelID: modelID, name: corpus.name, source: settings.text.joined(separator: ", "),
                sha256: corpus.digest))
    }

    /// Reads the text to its end, or to as many tokens as the options allow.
    func run(cancelled: () -> Bool, progress: (IndexingProgress) -> Void) throws {
        let segmenter = Segmenter(
            tokenizer: folder.tokenizer, context: try folder.context(settings.options.context))
        var pending: [(segment: TokenSegment, document: Int64)] = []
        var count = 0
        var written: [(DocumentRecord, [TokenSegment])] = []
        func flush() throws {
            let ids = try catalog.addDocuments(corpusID: corpusID, written.map(\.0))
            for (id, entry) in zip(ids, written) { pending += entry.1.map { ($0, id) } }
            written = []
            if !pending.isEmpty { try index(pending) }
            pending = []
            count = 0
            progress(
                IndexingProgress(
                    tokens: tokens, documents: documents, totalDocuments: corpus.count,
                    maximumTokens: settings.options.maximumTokens))
        }
        for index in 0..<corpus.count {
            if cancelled() { throw WorkflowError.interrupted("indexing was stopped; no statistics were written") }
            let document = try corpus.document(index)
            let (ids, whole) = segmenter.segments(of: document.text, document: index)
            var segments = whole
            guard !ids.isEmpty else { continue }
            if let most = settings.options.maximumTokens {
                // The last document is cut so that the number asked for is met.
                let room = most - tokens - count
                guard room > 0 else { break }
                segments = segments.filter { $0.start < room }
                if ids.count > room, let last = segments.last, last.start + last.tokens.count - last.prefix > room {
                    segments[segments.count - 1] = last.cut(to: room - last.start)
                }
            }
            written.append(
                (
                    DocumentRecord(
                        ordinal: index, title: document.title, source: document.source, tokenIDs: ids,
                        sha256: sha256(of: Array(document.text.utf8))), segments
                ))
            documents += 1
            count += segments.reduce(0) { $0 + $1.tokens.count - $1.prefix }
            if count >= IndexingRun.batchTokens { try flush() }
        }
        try flush()
        guard tokens > 0 else {
            throw WorkflowError.badInput(
                path: settings.text.joined(separator: ", "), problem: "the text holds no tokens")
        }
    }

    /// Indexes segments, in pieces of about `IndexingRun.batchTokens`.
    private func index(_ segments: [(segment: TokenSegment, document: Int64)]) throws {
        var start = 0
        while start < segments.count {
            var end = start
            var count = 0
            while end < segments.count, count < IndexingRun.batchTokens {
                count += segments[end].segment.tokens.count
                end += 1
            }
            try indexBatch(Array(segments[start..<end]))
            start = end
        }
    }

    private func indexBatch(_ segments: [(segment: TokenSegment, document: Int64)]) throws {
        let layers = dictionary.configuration.layers
        let streams = try folder.model.residualStreams(
            of: TokenBatch(sequences: segments.map(\.segment.tokens)), layers: layers)
        let count = segments.reduce(0) { $0 + $1.segment.tokens.count - $1.segment.prefix }
        let batch = ActivationBatch(capacity: count, layers: layers, dModel: dictionary.configuration.dModel)
        var places: [IndexedBatch.Segment] = []
        var segmentOfRow: [Int32] = []
        var source = 0
        for (segment, document) in segments {
            let first = batch.count
            source += segment.prefix
            for (place, token) in segment.tokens.dropFirst(segment.prefix).enumerated() {
                batch.values.row(batch.count).update(from: streams.values.row(source), count: batch.values.columns)
                batch.tokenIDs[batch.count] = token
                batch.drawKeys[batch.count] = ActivationBatch.drawKey(
                    document: segment.document, position: segment.start + place)
                batch.count += 1
                source += 1
                segmentOfRow.append(Int32(truncatingIfNeeded: places.count))
            }
            places.append(
                IndexedBatch.Segment(
                    document: document, index: segment.index, start: segment.start, rows: first..<batch.count))
        }
        let routed = AutoencoderInput(capacity: count, configuration: dictionary.configuration)
        try encoder.read(batch, into: routed)
        let latents = SparseLatents(capacity: count, configuration: dictionary.configuration)
        let errors = Matrix(rows: 1, columns: count)
        let scratch = (0..<workers.count).map { _ in Matrix(rows: 1, columns: dictionary.configuration.inputWidth) }
        encoder.encode(routed, count: count, into: latents) { tokens, worker in
            for token in tokens {
                errors.pointer[token] = encoder.reconstructionError(
                    of: token, routed, latents, into: scratch[worker].pointer)
            }
        }
        for token in 0..<count { residual += Double(errors.pointer[token]) }
        variance.add(routed.centered, rows: count)
        let entries = LatentEntries(latents: dictionary.configuration.latents)
        entries.fill(from: latents, count: count, by: workers)
        for row in 0..<count {
            layerTokens[Int(routed.selected[row])] += 1
            for layer in layers.indices { layerWeights[layer] += Double(routed.probabilities[row, layer]) }
        }
        features.record(
            IndexedBatch(
                tokens: Array(batch.tokenIDs[0..<count]), classes: batch.tokenIDs[0..<count].map(classes.of),
                segments: places, segmentOfRow: segmentOfRow, routed: routed, entries: entries),
            layerNumbers: layers, window: settings.options.window, workers: workers)
        tokens += count
    }

    /// Writes all statistics in one transaction.
    func write(runID: Int64, replacing: Bool) throws {
        let layers = dictionary.configuration.layers
        let edges = [0] + FiringHistogram.edges.map(Double.init) + [Double(Float.greatestFiniteMagnitude)]
        try catalog.addTokens(languageModelID: modelID, folder.tokenizer.records)
        let norms = (0..<dictionary.configuration.latents).map { latent in
            let row = dictionary.weights.decoder.row(latent)
            return Double(rsae_dot(row, row, Int64(dictionary.configuration.inputWidth))).squareRoot()
        }
        let indexing = IndexingRecord(
            dictionaryID: dictionary.record.dictionaryID, runID: runID, corpusID: corpusID, tokenCount: tokens,
            documentCount: documents, histogramEdges: edges)
        try catalog.writeIndex(indexing, replacing: replacing) { writer in
            // Some features at a time, so that their records do not double the memory of the accumulators.
            for first in stride(from: 0, to: features.count, by: 1024) {
                let some = (first..<min(first + 1024, features.count)).map { features[$0] }
                try writer.write(features: some.map { $0.record(decoderNorm: norms[$0.feature]) })
                try writer.write(featureLayers: some.flatMap { $0.layerRecords(layerNumbers: layers) })
                try writer.write(featureTokens: some.flatMap { $0.tokenRecords(classText: classes.text) })
                try writer.write(
                    contexts: some.flatMap {
                        $0.contextRecords(options: settings.options, excerpt: folder.tokenizer.excerpt)
                    })
            }
            try writer.write(
                layerRouting: layers.indices.map {
                    LayerRoutingRecord(
                        layer: layers[$0], tokenCount: layerTokens[$0],
                        meanRouterWeight: layerWeights[$0] / Double(tokens))
                })
        }
    }
}
