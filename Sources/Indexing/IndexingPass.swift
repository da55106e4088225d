import ActivationPipeline
import FeatureCatalog
import LanguageModel
import LinearAlgebra
import SparseCoding
import Tokenization

/// One pass over the text with its accumulators.
final class IndexingPass {
    private let dictionary: StoredDictionary
    private let folder: ModelFolder
    private let corpus: TextCorpus
    private let catalog: Catalog
    private let settings: IndexingSettings
    private let workers: Workers
    /// Approximate real tokens of a batch; no figure depends on it.
    private let batchTokens: Int
    private let cache: DelphiCache?
    private let classes: TokenClasses
    private let reader: TextReader
    private let modelID: Int64
    let key: IndexingKey

    private let statistics: CorpusStatistics
    /// Documents so far.
    private(set) var documents = 0
    /// Real tokens so far.
    var tokens: Int { statistics.tokens }
    /// Over all of them.
    var explainedVariance: Double { statistics.explainedVariance }

    init(
        dictionary: StoredDictionary, folder: ModelFolder, corpus: TextCorpus, catalog: Catalog,
        settings: IndexingSettings, workers: Workers, batchTokens: Int, cache: DelphiCache?
    ) throws {
        self.dictionary = dictionary
        self.folder = folder
        self.corpus = corpus
        self.catalog = catalog
        self.settings = settings
        self.workers = workers
        self.batchTokens = batchTokens
        self.cache = cache
        classes = TokenClasses(folder.tokenizer)
        reader = TextReader(dictionary: dictionary, folder: folder, workers: workers, isLong: true)
        statistics = CorpusStatistics(
            encoder: reader.encoder, options: settings.options, seed: settings.seed, workers: workers)
        modelID = try folder.languageModelID(in: catalog)
        let corpusID = try catalog.addCorpus(
            CorpusRecord(
                languageModelID: modelID, name: settings.corpusName, source: settings.text.joined(separator: ", "),
                sha256: corpus.digest))
        key = IndexingKey(dictionaryID: dictionary.record.dictionaryID, corpusID: corpusID)
    }

    /// Reads the text to its end, or up to the token limit.
    func read(_ run: RunContext, progress: (IndexingProgress) -> Void) throws {
        let segmenter = Segmenter(
            tokenizer: folder.tokenizer, context: try folder.context(settings.options.context))
        var count = 0
        var read: [(document: DocumentRecord, segments: [TokenSegment])] = []
        func flush() throws {
            try index(try store(read))
            read = []
            count = 0
            progress(
                IndexingProgress(
                    tokens: tokens, documents: documents, totalDocuments: corpus.count,
                    maximumTokens: settings.options.maximumTokens))
        }
        for index in 0..<corpus.count {
            try run.checkCancelled("indexing was stopped; no statistics were written")
            let document = try corpus.document(index)
            let (ids, whole) = segmenter.tokensAndSegments(of: document.text, document: index)
            var segments = whole
            guard !ids.isEmpty else { continue }
            if let most = settings.options.maximumTokens {
                // The last document is cut to the exact limit.
                let room = most - tokens - count
                guard room > 0 else { break }
                segments = segments.filter { $0.start < room }
                if ids.count > room, let last = segments.last, last.start + last.tokens.count - last.prefix > room {
                    segments[segments.count - 1] = last.cut(to: room - last.start)
                }
            }
            read.append(
                (
                    DocumentRecord(
                        ordinal: index, title: document.title, source: document.source, tokenIDs: ids,
                        sha256: sha256(of: Array(document.text.utf8))), segments
                ))
            documents += 1
            count += segments.reduce(0) { $0 + $1.tokens.count - $1.prefix }
            if count >= batchTokens { try flush() }
        }
        try flush()
        guard tokens > 0 else {
            throw WorkflowError.badInput(
                path: settings.text.joined(separator: ", "), problem: "the text holds no tokens")
        }
    }

    /// A segment whose text is in the catalog.
    private struct Passage {
        let segment: TokenSegment
        let id: Int64
        let documentKey: UInt64
    }

    /// Writes documents and the text of their segments.
    private func store(_ read: [(document: DocumentRecord, segments: [TokenSegment])]) throws -> [Passage] {
        let documents = try catalog.addDocuments(corpusID: key.corpusID, read.map(\.document))
        return try zip(documents, read).flatMap { documentID, entry in
            let passages = try catalog.addPassages(
                entry.segments.map { segment in
                    PassageRecord(
                        documentID: documentID, segment: segment.index, firstToken: segment.start,
                        text: folder.tokenizer.passageText(segment.tokens.dropFirst(segment.prefix)))
                })
            let key = DocumentKey.of(sha256: entry.document.sha256)
            return zip(entry.segments, passages).map { Passage(segment: $0, id: $1, documentKey: key) }
        }
    }

    /// Indexes segments, in pieces of about `batchTokens`.
    private func index(_ segments: [Passage]) throws {
        var start = 0
        while start < segments.count {
            var end = start
            var count = 0
            while end < segments.count, count < batchTokens {
                count += segments[end].segment.tokens.count
                end += 1
            }
            try indexBatch(Array(segments[start..<end]))
            start = end
        }
    }

    private func indexBatch(_ passages: [Passage]) throws {
        let errors = CorpusStatistics.Errors(
            of: statistics, capacity: passages.reduce(0) { $0 + $1.segment.tokens.count - $1.segment.prefix })
        let reading = try reader.read(passages.map(\.segment), eachTile: errors.measure)
        try cache?.append(passages.map(\.segment), reading.firings)
        let places = zip(passages, reading.rows).map { passage, rows in
            IndexedBatch.Segment(
                document: Int64(passage.segment.document), documentKey: passage.documentKey, passage: passage.id,
                passageKey: FiringPlace.textKey(passage.segment.tokens.dropFirst(passage.segment.prefix)),
                start: passage.segment.start, rows: rows)
        }
        statistics.record(
            reading.batch, reading.routed, reading.firings, errors,
            at: .init(segments: places, classes: (0..<reading.count).map { classes.of(reading.batch.tokenIDs[$0]) }))
    }

    /// Writes all statistics in one transaction.
    func write(_ run: RunContext, replacing: Bool) throws {
        let layers = dictionary.configuration.layers
        let features = statistics.features
        let edges = [0] + FiringHistogram.edges.map(Double.init) + [Double(Float.greatestFiniteMagnitude)]
        try catalog.addTokens(languageModelID: modelID, folder.tokenizer.records)
        let indexing = IndexingRecord(
            key: key, runID: run.runID, tokenCount: tokens, documentCount: documents, window: settings.options.window,
            histogramEdges: edges)
        try catalog.writeIndex(indexing, replacing: replacing) { writer in
            try describe(cancelled: { run.isCancelled })
            try run.record([RunMetric(step: 0, name: "explained_variance", value: explainedVariance)])
            let occurrences = try WindowOccurrences(
                catalog: catalog, corpusID: key.corpusID, window: settings.options.window)
            for index in 0..<features.count {
                features[index].addWindows(to: occurrences, options: settings.options)
            }
            try occurrences.count()
            let rates = (0..<features.count).map { Double(features[$0].moments.count) / Double(max(tokens, 1)) }
            let decoderNorms = dictionary.decoderNorms
            for index in 0..<features.count {
                let feature = features[index]
                try writer.write(
                    FeatureEntry(
                        record: feature.record(decoderNorm: decoderNorms[index]),
                        layers: feature.layerRecords(layerNumbers: layers),
                        tokens: feature.tokenRecords(classText: classes.text),
                        linearHistogram: features.histograms.histogram(of: index),
                        contexts: feature.contextEntries(options: settings.options, occurrences: occurrences),
                        cofirings: features.cofirings.sketch(of: index).companions(settings.options.cofirings).map {
                            CofiringRecord(
                                otherIndex: $0.featureIndex, share: $0.share, lift: $0.share / rates[$0.featureIndex])
                        }))
            }
            writer.write(
                layerRouting: layers.indices.map {
                    LayerRoutingRecord(
                        layer: layers[$0], tokenCount: statistics.layerTokens[$0],
                        meanRouterWeight: statistics.layerWeights[$0] / Double(tokens))
                })
            // In the same transaction: an index exists only with a complete run.
            try run.complete()
        }
    }

    /// Writes the lists derived from dictionary and model alone, unless an earlier index has done so.
    private func describe(cancelled: () -> Bool) throws {
        let dictionaryID = dictionary.record.dictionaryID
        let decoder = dictionary.weights.decoder
        // Without an unembedding there is nothing to list.
        let hasLogits = try catalog.hasLogits(dictionaryID: dictionaryID)
        if settings.options.promotedTokens > 0, folder.model.hasUnembedding,
            try !hasLogits || !catalog.hasLogitHistograms(dictionaryID: dictionaryID)
        {
            let lens = PromotedTokens(
                unembedding: folder.model.unembedding, tokenCount: folder.tokenizer.vocabularySize,
                count: settings.options.promotedTokens, workers: workers)
            try lens.compute(
                decoder: decoder, cancelled: cancelled,
                histograms: { [catalog] in try catalog.write(logitHistograms: $0, dictionaryID: dictionaryID) }
            ) {
                // An earlier version listed tokens and kept no histograms; its lists stay.
                if !hasLogits { try catalog.write(logits: $0, dictionaryID: dictionaryID) }
            }
        }
        if settings.options.neighbors > 0, try !catalog.hasNeighbors(dictionaryID: dictionaryID) {
            try NearestFeatures(decoder: decoder, workers: workers).compute(
                count: settings.options.neighbors, cancelled: cancelled
            ) {
                try catalog.write(neighbors: $0, dictionaryID: dictionaryID)
            }
        }
    }
}
