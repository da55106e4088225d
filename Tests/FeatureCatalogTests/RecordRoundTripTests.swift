import FeatureCatalog
import TestSupport
import Testing
import Vocabulary

@Suite struct RecordRoundTripTests {
    private let directory: TemporaryDirectory
    private let sample: SampleCatalog
    private var catalog: Catalog { sample.catalog }

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleCatalog(at: directory.file("a.catalog"))
    }

    @Test func modelsAndTokens() throws {
        let model = try #require(try catalog.languageModels().first)
        #expect(
            model
                == LanguageModelRecord(
                    languageModelID: sample.languageModelID, name: "tiny", architecture: "llama", layerCount: 8,
                    dModel: SampleCatalog.dModel, vocabularySize: 50, configJSON: SampleCatalog.modelConfig,
                    sha256: SampleCatalog.digest,
                    tokenizerSHA256: SampleCatalog.digest))
        #expect(try catalog.addLanguageModel(model) == sample.languageModelID)
        let tokens = try catalog.tokens(languageModelID: sample.languageModelID)
        #expect(tokens.count == 50 && tokens[3] == TokenRecord(tokenID: 3, text: " t3"))
        #expect(
            try catalog.tokens(languageModelID: sample.languageModelID, tokenIDs: [7, 99, 2])
                == [
                    TokenRecord(tokenID: 2, text: " t2"),
                    TokenRecord(tokenID: 7, text: "\u{FFFD}\u{2400}", bytes: [0xFF, 0]),
                ])
        try catalog.addTokens(
            languageModelID: sample.languageModelID, [TokenRecord(tokenID: 3, text: "a\0b", bytes: [97, 0, 98])])
        #expect(
            try catalog.tokens(languageModelID: sample.languageModelID, tokenIDs: [3])
                == [TokenRecord(tokenID: 3, text: "a␀b", bytes: [97, 0, 98])])
    }

    @Test func documents() throws {
        #expect(try catalog.documentIDs(corpusID: sample.corpusID) == sample.documentIDs)
        for (documentID, written) in zip(sample.documentIDs, sample.documents) {
            let document = try catalog.document(documentID)
            #expect(document.tokenIDs == written.tokenIDs && document.title == written.title)
            #expect(document.ordinal == written.ordinal && document.sha256 == written.sha256)
        }
        #expect(try catalog.addDocuments(corpusID: sample.corpusID, sample.documents) == sample.documentIDs)
        let other = DocumentRecord(
            ordinal: 0, tokenIDs: [.max, 0], sha256: String(repeating: "c", count: 64))
        expectCatalogError(.invalidValue) { _ = try catalog.addDocuments(corpusID: sample.corpusID, [other]) }
        expectCatalogError(.notFound) { _ = try catalog.document(999) }
        let corpus = try #require(try catalog.corpora().first)
        #expect(corpus.name == "held-out" && corpus.source == "made up" && corpus.corpusID == sample.corpusID)
        #expect(try catalog.addCorpus(corpus) == sample.corpusID)
    }

    @Test(arguments: Architecture.allCases)
    func dictionaries(architecture: Architecture) throws {
        let record = DictionaryRecord(
            runID: sample.trainRunID, languageModelID: nil, name: "d", architecture: architecture, dModel: 3,
            latentCount: 5, k: nil, layers: [0], fidelity: .reference, activationThreshold: 0.1,
            relativeThreshold: 0.2, configJSON: "{}")
        let dictionaryID = try catalog.addDictionary(record, tensors: [])
        let read = try catalog.dictionary(dictionaryID)
        #expect(read.architecture == architecture && read.dictionaryID == dictionaryID && read.k == nil)
        #expect(read.aggregation == nil && read.routing == nil && read.layers == [0] && read.trainedTokenCount == nil)
        let main = try catalog.dictionary(named: "main")
        #expect(main.routing == .hard && main.aggregation == .sum && main.layers == SampleCatalog.layers)
        #expect(main.k == 4 && main.relativeThreshold == 1.5 / Double(SampleCatalog.dModel).squareRoot())
        #expect(try catalog.dictionaries().map(\.name) == ["main", "d"])
        expectCatalogError(.invalidValue, containing: "already") { _ = try catalog.addDictionary(record, tensors: []) }
        expectCatalogError(.notFound, containing: "main, d") { _ = try catalog.dictionary(named: "x") }
        try catalog.removeDictionary(dictionaryID)
        expectCatalogError(.notFound) { _ = try catalog.dictionary(dictionaryID) }
    }

    @Test func passages() throws {
        #expect(sample.passageIDs.count == 50 && Set(sample.passageIDs).count == 50)
        // Those that are there are found, whatever is said of their text.
        #expect(try catalog.addPassages(sample.passages) == sample.passageIDs)
        let rows = try catalog.rows(
            sql: "SELECT document_id, segment, first_token, n_tokens, text, token_starts FROM passage ORDER BY 1, 3"
        ).rows
        for (row, passage) in zip(rows, sample.passages) {
            #expect(
                Array(row.prefix(5)) == [
                    .integer(passage.documentID), .integer(Int64(passage.segment)),
                    .integer(Int64(passage.firstToken)), 20, .text(passage.text.text),
                ])
            guard case .text(let starts) = row[5] else { continue }
            // Decimals of equal width, one more than tokens.
            let width = starts.utf8.count / 21
            let numbers = (0...20).map { place in
                Int(starts.dropFirst(place * width).prefix(width)) ?? -1
            }
            #expect(starts.utf8.count == 21 * width && numbers == passage.text.tokenStarts)
            #expect(width == String(passage.text.text.unicodeScalars.count).count)
        }
        expectCatalogError(.invalidValue, containing: "without tokens") {
            _ = try catalog.addPassages([
                PassageRecord(
                    documentID: sample.documentIDs[0], segment: 0, firstToken: 0, text: PassageText(tokenBytes: []))
            ])
        }
        expectCatalogError(.invalidValue) {
            _ = try catalog.addPassages([
                PassageRecord(documentID: 999, segment: 0, firstToken: 0, text: PassageText(tokenBytes: [[97]]))
            ])
        }
    }

    @Test func features() throws {
        #expect(try catalog.features(sample.key) == sample.features)
        #expect(try catalog.features(sample.key, range: 3..<7) == Array(sample.features[3..<7]))
        #expect(try catalog.feature(sample.key, featureIndex: 9) == sample.features[9])
        for index in [-1, SampleCatalog.latentCount, .max, .min] {
            expectCatalogError(.notFound) { _ = try catalog.feature(sample.key, featureIndex: index) }
        }
        for (feature, entry) in sample.entries.enumerated() {
            #expect(try catalog.featureLayers(sample.key, featureIndex: feature) == entry.layers)
            #expect(
                try catalog.featureTokens(sample.key, featureIndex: feature)
                    == entry.tokens.sorted { ($1.activation1, $0.tokenClass) < ($0.activation1, $1.tokenClass) })
            #expect(try catalog.cofirings(sample.key, featureIndex: feature) == entry.cofirings)
        }
        #expect(sample.entries.contains { $0.cofirings.count == 3 })
        #expect(try catalog.indexing(sample.key) == sample.indexing)
        #expect(try catalog.indexings(dictionaryID: sample.dictionaryID) == [sample.indexing])
        #expect(try catalog.indexing(IndexingKey(dictionaryID: sample.dictionaryID, corpusID: 99)) == nil)
        #expect(
            try catalog.layerRouting(dictionaryID: sample.dictionaryID, runID: sample.indexRunID) == [
                LayerRoutingRecord(layer: 2, tokenCount: 1000, meanRouterWeight: 0.25),
                LayerRoutingRecord(layer: 3, tokenCount: 0, meanRouterWeight: nil),
                LayerRoutingRecord(layer: 4, tokenCount: 3000, meanRouterWeight: 0.75),
                LayerRoutingRecord(layer: 5, tokenCount: 0, meanRouterWeight: 0),
            ])
    }

    @Test func meansAndDeviationsFollowFromTheSums() throws {
        let rows = try catalog.rows(
            sql: "SELECT mean_activation, std_activation, min_activation FROM feature ORDER BY feature_index"
        ).rows
        for (row, feature) in zip(rows, sample.features) {
            #expect(feature.firedCount == 0 || (feature.meanActivation == 0.75 && feature.stdActivation == 0.25))
            guard feature.firedCount > 0, let least = feature.minActivation else {
                #expect(feature.meanActivation == nil && feature.stdActivation == nil)
                #expect(row == [nil, nil, nil])
                continue
            }
            #expect(row == [0.75, 0.25, .real(Double(least))])
        }

        let layers = try catalog.rows(sql: "SELECT DISTINCT layer, mean_router_weight FROM feature_layer ORDER BY 1")
        #expect(layers.rows == [[2, 0.5], [3, nil], [4, 0.5], [5, 0.5]])
        #expect(sample.featureLayers.allSatisfy { $0.meanRouterWeight == ($0.layer == 3 ? nil : 0.5) })
        // Round-off that would leave a constant's variance just below 0.
        let constant = FeatureRecord(
            featureIndex: 0, firedCount: 3, sumActivation: 0.3, sumSquare: 0.03.nextDown, minActivation: 0.1,
            maxActivation: 0.1, quantiles: nil, decoderNorm: 1, documentCount: 1, histogram: [])
        #expect(constant.stdActivation == 0)
    }

    @Test func contexts() throws {
        for (feature, entry) in sample.entries.enumerated() {
            let read = try catalog.contexts(sample.key, featureIndex: feature)
            #expect(
                read.map {
                    ContextEntry(
                        band: $0.band, rank: $0.rank, passageID: $0.passageID,
                        position: $0.tokenPosition - (sample.firstToken(of: $0.passageID)), layer: $0.layer,
                        routerWeight: $0.routerWeight, activation: $0.activation, split: $0.split,
                        activations: $0.activations)
                } == entry.contexts)
            for (context, entry) in zip(read, entry.contexts) {
                let passage = try #require(sample.passage(entry.passageID))
                #expect(context.featureIndex == feature)
                #expect(context.documentID == passage.documentID && context.segment == passage.segment)
                let end = min(max(entry.position + 5, 16), 20)
                #expect(context.windowStart == passage.firstToken + end - 16)
                let scalars = Array(passage.text.text.unicodeScalars)
                let starts = passage.text.tokenStarts
                func text(_ range: Range<Int>) -> String {
                    String(String.UnicodeScalarView(scalars[starts[range.lowerBound]..<starts[range.upperBound]]))
                }
                #expect(
                    context.excerpt == text(end - 16..<entry.position)
                        + "«" + text(entry.position..<entry.position + 1) + "»" + text(entry.position + 1..<end))
            }

            let scoring = try catalog.contexts(sample.key, featureIndex: feature, band: .top, split: .score)
            #expect(scoring == read.filter { $0.band == .top && $0.split == .score })
            #expect(scoring.count == (entry.contexts.isEmpty ? 0 : 1))
        }

        let identifiers = try catalog.rows(sql: "SELECT count(*), count(DISTINCT context_id) FROM context").rows[0]
        #expect(identifiers == [324, 324])
    }

    @Test func explanationsAndScores() throws {
        let runID = try catalog.beginRun(kind: .explain, config: "{}", seed: 3)
        let key = (runID: runID, dictionaryID: sample.dictionaryID)
        let written = [
            ExplanationRecord(
                runID: key.runID, dictionaryID: key.dictionaryID, featureIndex: 1,
                corpusID: sample.corpusID, method: "n2g", text: "one",
                detailJSON: #"{"trie":[1,2]}"#),
            ExplanationRecord(
                runID: key.runID, dictionaryID: key.dictionaryID, featureIndex: 2,
                corpusID: sample.corpusID, method: "n2g", text: "two"),
        ]
        let keys = try catalog.write(explanations: written)
        let read = try catalog.explanations(dictionaryID: key.dictionaryID)
        #expect(read.map(\.explanationID) == keys && read.map(\.text) == ["one", "two"])
        #expect(read.allSatisfy { $0.corpusID == sample.corpusID })
        #expect(read.map(\.detailJSON) == written.map(\.detailJSON))
        #expect(try catalog.explanations(dictionaryID: key.dictionaryID, featureIndex: 2).map(\.text) == ["two"])
        #expect(try catalog.explanations(dictionaryID: key.dictionaryID, method: "llm").isEmpty)

        var scores: [ScoreRecord] = []
        for (method, status) in zip(ScoreMethod.allCases, [ScoreRecord.Status.ok, .failed, .undefined, .ok]) {
            scores.append(
                ScoreRecord(
                    runID: key.runID, dictionaryID: key.dictionaryID, featureIndex: 1, corpusID: sample.corpusID,
                    explanationID: keys[0], method: method, status: status, value: status == .ok ? 0.5 : nil,
                    baselineValue: 0.1,
                    reason: status == .ok ? nil : "why", contextCount: 3, tokenCount: 48,
                    metricsJSON: #"{"r2":0.25}"#, detailJSON: #"{"answers":["ä"]}"#))
        }

        let scoreKeys = try catalog.write(scores: scores)
        let readScores = try catalog.scores(dictionaryID: key.dictionaryID, featureIndex: 1)
        #expect(readScores.map(\.scoreID) == scoreKeys)
        #expect(readScores.allSatisfy { $0.corpusID == sample.corpusID })
        #expect(readScores.map(\.status) == scores.map(\.status) && readScores.map(\.value) == scores.map(\.value))
        #expect(readScores.map(\.reason) == scores.map(\.reason) && readScores.map(\.method) == scores.map(\.method))
        #expect(readScores.allSatisfy { $0.detailJSON == #"{"answers":["ä"]}"# && $0.metricsJSON == #"{"r2":0.25}"# })
        #expect(readScores.allSatisfy { $0.baselineValue == 0.1 && $0.contextCount == 3 && $0.tokenCount == 48 })
        #expect(try catalog.scores(dictionaryID: key.dictionaryID, method: .rubric).count == 1)
        #expect(try catalog.scores(dictionaryID: key.dictionaryID, runID: 99).isEmpty)

        // A second explanation by the same run and method takes the place of the first, whose scores go with it.
        try catalog.write(explanations: [written[0]])
        #expect(try catalog.scores(dictionaryID: key.dictionaryID).isEmpty)
        #expect(try catalog.explanations(dictionaryID: key.dictionaryID, featureIndex: 1).count == 1)
    }

    @Test(
        "A failed score is never a number",
        arguments: [
            (ScoreRecord.Status.ok, nil, nil), (.ok, Double.nan, nil), (.failed, 0.5, "why"), (.failed, nil, nil),
            (.undefined, 0.5, nil), (.ok, 0.5, "why"),
        ] as [(ScoreRecord.Status, Double?, String?)])
    func aFailureIsNeverANumber(status: ScoreRecord.Status, value: Double?, reason: String?) throws {
        expectCatalogError(.invalidValue) {
            try catalog.write(scores: [
                ScoreRecord(
                    runID: sample.trainRunID, dictionaryID: sample.dictionaryID, featureIndex: 0,
                    corpusID: sample.corpusID, explanationID: nil, method: .simulation, status: status, value: value,
                    reason: reason, contextCount: 0, tokenCount: 0)
            ])
        }
    }

    @Test func evaluations() throws {
        let figures = [
            EvaluationRecord(
                runID: sample.trainRunID, dictionaryID: sample.dictionaryID, metric: "kl", value: 0.25, low: 0.125,
                high: 0.5, tokenCount: 100),
            EvaluationRecord(
                runID: sample.trainRunID, dictionaryID: sample.dictionaryID, metric: "kl", layer: 3, value: nil,
                tokenCount: 10),
        ]
        try catalog.write(evaluations: figures)
        try catalog.write(evaluations: figures)
        #expect(try catalog.evaluations(dictionaryID: sample.dictionaryID) == figures)
        #expect(try catalog.evaluations(dictionaryID: sample.dictionaryID, runID: 77).isEmpty)
    }

    @Test func logitsAndNeighbors() throws {
        let logits = FeatureLogit.Direction.allCases.flatMap { direction in
            (0..<3).map {
                FeatureLogit(featureIndex: 4, direction: direction, rank: $0, tokenID: $0 + 9, value: Float($0))
            }
        }
        try catalog.write(logits: logits, dictionaryID: sample.dictionaryID)
        try catalog.write(logits: logits, dictionaryID: sample.dictionaryID)
        #expect(try catalog.logits(dictionaryID: sample.dictionaryID, featureIndex: 4) == logits)
        let neighbors = (0..<3).map {
            FeatureNeighbor(featureIndex: 4, rank: $0, neighborIndex: 3 * $0, cosine: 0.5)
        }
        try catalog.write(neighbors: neighbors, dictionaryID: sample.dictionaryID)
        try catalog.write(neighbors: Array(neighbors.prefix(2)), dictionaryID: sample.dictionaryID)
        #expect(
            try catalog.neighbors(dictionaryID: sample.dictionaryID, featureIndex: 4) == Array(neighbors.prefix(2)))
    }

    @Test func interventionsAndReviews() throws {
        let written = EditOperation.allCases.map {
            InterventionRecord(
                runID: sample.trainRunID, dictionaryID: sample.dictionaryID, featureIndex: 2, operation: $0,
                strength: 8, prompt: "In the", text: " beginning", kl: 0.5, detailJSON: "{}")
        }
        try catalog.write(interventions: written)
        #expect(try catalog.interventions(dictionaryID: sample.dictionaryID) == written)
        #expect(try catalog.interventions(dictionaryID: sample.dictionaryID, featureIndex: 3).isEmpty)
        for verdict in ReviewRecord.verdicts {
            try catalog.write(
                review: ReviewRecord(
                    dictionaryID: sample.dictionaryID, featureIndex: 2, verdict: verdict, category: .highLevel,
                    note: "n",
                    reviewer: "r"))
        }

        let reviews = try catalog.reviews(dictionaryID: sample.dictionaryID, featureIndex: 2)
        #expect(reviews.map(\.verdict) == Array(ReviewRecord.verdicts))
        #expect(reviews.allSatisfy { $0.category == .highLevel })
        expectCatalogError(.invalidValue) {
            try catalog.write(
                review: ReviewRecord(dictionaryID: sample.dictionaryID, featureIndex: 2, verdict: 6))
        }
        #expect(reviews.allSatisfy { $0.createdAt?.hasSuffix("Z") == true && $0.note == "n" && $0.reviewer == "r" })
    }

    @Test func exchanges() throws {
        let exchange = ExchangeRecord(
            endpoint: "https://example.org/v1", llm: "judge", request: Array(#"{"q":1}"#.utf8), reply: [0xFF, 0, 10],
            promptTokenCount: 12, completionTokenCount: nil)
        #expect(try catalog.exchange(sha256: exchange.sha256) == nil)
        try catalog.write(exchange: exchange)
        // The first answer stays: scores rest on it.
        try catalog.write(
            exchange: ExchangeRecord(
                endpoint: exchange.endpoint, llm: "judge", request: exchange.request, reply: [1],
                promptTokenCount: nil, completionTokenCount: nil))
        #expect(try catalog.exchange(sha256: exchange.sha256) == exchange)
        #expect(exchange.sha256 == "39bb6de771d11ef5a439718f99238c5d5fbee9492fc789cd986a6c45b68f3e00")
        expectCatalogError(.invalidValue) {
            try catalog.write(
                exchange: ExchangeRecord(
                    endpoint: "e", llm: "m", request: [], reply: Array(repeating: 0, count: (1 << 24) + 1),
                    promptTokenCount: nil, completionTokenCount: nil))
        }
        #expect(try catalog.verify() == [])
    }
}
