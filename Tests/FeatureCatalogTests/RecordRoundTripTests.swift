import FeatureCatalog
import TestSupport
import Testing

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
                    dModel: SampleCatalog.dModel, vocabularySize: 50, configJSON: "{}", sha256: SampleCatalog.digest,
                    tokenizerSHA256: SampleCatalog.digest))
        #expect(try catalog.addLanguageModel(model) == sample.languageModelID)
        let tokens = try catalog.tokens(languageModelID: sample.languageModelID)
        #expect(tokens.count == 50 && tokens[3] == TokenRecord(tokenID: 3, text: "t3"))
        #expect(
            try catalog.tokens(languageModelID: sample.languageModelID, tokenIDs: [7, 99, 2])
                == [TokenRecord(tokenID: 2, text: "t2"), TokenRecord(tokenID: 7, text: "t7", bytes: [0xFF, 0])])
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

    @Test(arguments: DictionaryRecord.Architecture.allCases)
    func dictionaries(architecture: DictionaryRecord.Architecture) throws {
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
        expectCatalogError(.notFound) { try catalog.removeDictionary(dictionaryID) }
    }

    @Test func features() throws {
        #expect(try catalog.features(dictionaryID: sample.dictionaryID) == sample.features)
        #expect(
            try catalog.features(dictionaryID: sample.dictionaryID, range: 3..<7) == Array(sample.features[3..<7]))
        #expect(try catalog.feature(dictionaryID: sample.dictionaryID, featureIndex: 9) == sample.features[9])
        expectCatalogError(.notFound) {
            _ = try catalog.feature(dictionaryID: sample.dictionaryID, featureIndex: .max)
        }
        for feature in 0..<SampleCatalog.latentCount {
            #expect(
                try catalog.featureLayers(dictionaryID: sample.dictionaryID, featureIndex: feature)
                    == sample.featureLayers.filter { $0.featureIndex == feature })
            #expect(
                try catalog.featureTokens(dictionaryID: sample.dictionaryID, featureIndex: feature)
                    == sample.featureTokens.filter { $0.featureIndex == feature }
                    .sorted { ($1.activation1, $0.tokenClass) < ($0.activation1, $1.tokenClass) })
        }
        #expect(try catalog.indexing(dictionaryID: sample.dictionaryID) == sample.indexing)
        #expect(
            try catalog.layerRouting(dictionaryID: sample.dictionaryID, runID: sample.indexRunID).map(\.tokenCount)
                == [1000, 3000])
    }

    @Test func contexts() throws {
        for feature in 0..<SampleCatalog.latentCount {
            let written = sample.contexts.filter { $0.featureIndex == feature }
            let read = try catalog.contexts(dictionaryID: sample.dictionaryID, featureIndex: feature)
            #expect(read.map(\.activations) == written.map(\.activations))
            #expect(read.map(\.excerpt) == written.map(\.excerpt))
            #expect(read.map(\.band) == written.map(\.band) && read.map(\.rank) == written.map(\.rank))
            #expect(read.map(\.split) == written.map(\.split) && read.map(\.segment) == written.map(\.segment))
            #expect(read.map(\.routerWeight) == written.map(\.routerWeight))
            #expect(read.map(\.activation) == written.map(\.activation) && read.map(\.layer) == written.map(\.layer))
            #expect(read.map(\.documentID) == written.map(\.documentID))
            #expect(read.map(\.tokenPosition) == written.map(\.tokenPosition))
            #expect(read.map(\.windowStart) == written.map(\.windowStart))
            let scoring = try catalog.contexts(
                dictionaryID: sample.dictionaryID, featureIndex: feature, band: .top, split: .score)
            #expect(scoring.map(\.excerpt) == written.filter { $0.band == .top && $0.split == .score }.map(\.excerpt))
        }
    }

    @Test func explanationsAndScores() throws {
        let runID = try catalog.beginRun(kind: .explain, config: "{}", seed: 3)
        let key = (runID: runID, dictionaryID: sample.dictionaryID)
        let written = [
            ExplanationRecord(
                runID: key.runID, dictionaryID: key.dictionaryID, featureIndex: 1, method: "n2g", text: "one",
                detailJSON: #"{"trie":[1,2]}"#),
            ExplanationRecord(
                runID: key.runID, dictionaryID: key.dictionaryID, featureIndex: 2, method: "n2g", text: "two"),
        ]
        let keys = try catalog.write(explanations: written)
        let read = try catalog.explanations(dictionaryID: key.dictionaryID)
        #expect(read.map(\.explanationID) == keys && read.map(\.text) == ["one", "two"])
        #expect(read.map(\.detailJSON) == written.map(\.detailJSON))
        #expect(try catalog.explanations(dictionaryID: key.dictionaryID, featureIndex: 2).map(\.text) == ["two"])
        #expect(try catalog.explanations(dictionaryID: key.dictionaryID, method: "llm").isEmpty)

        var scores: [ScoreRecord] = []
        for (method, status) in zip(ScoreRecord.Method.allCases, [ScoreRecord.Status.ok, .failed, .undefined, .ok]) {
            scores.append(
                ScoreRecord(
                    runID: key.runID, dictionaryID: key.dictionaryID, featureIndex: 1, explanationID: keys[0],
                    method: method, status: status, value: status == .ok ? 0.5 : nil, baselineValue: 0.1,
                    reason: status == .ok ? nil : "why", contextCount: 3, tokenCount: 48,
                    metricsJSON: #"{"r2":0.25}"#, detailJSON: #"{"answers":["ä"]}"#))
        }
        let scoreKeys = try catalog.write(scores: scores)
        let readScores = try catalog.scores(dictionaryID: key.dictionaryID, featureIndex: 1)
        #expect(readScores.map(\.scoreID) == scoreKeys)
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
        arguments: [
            (ScoreRecord.Status.ok, nil, nil), (.ok, Double.nan, nil), (.failed, 0.5, "why"), (.failed, nil, nil),
            (.undefined, 0.5, nil), (.ok, 0.5, "why"),
        ] as [(ScoreRecord.Status, Double?, String?)])
    func aFailureIsNeverANumber(status: ScoreRecord.Status, value: Double?, reason: String?) throws {
        expectCatalogError(.invalidValue) {
            try catalog.write(scores: [
                ScoreRecord(
                    runID: sample.trainRunID, dictionaryID: sample.dictionaryID, featureIndex: 0, explanationID: nil,
                    method: .simulation, status: status, value: value, reason: reason, contextCount: 0, tokenCount: 0)
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
        let written = InterventionRecord.Operation.allCases.map {
            InterventionRecord(
                runID: sample.trainRunID, dictionaryID: sample.dictionaryID, featureIndex: 2, operation: $0,
                strength: 8, prompt: "In the", text: " beginning", kl: 0.5, detailJSON: "{}")
        }
        try catalog.write(interventions: written)
        #expect(try catalog.interventions(dictionaryID: sample.dictionaryID) == written)
        #expect(try catalog.interventions(dictionaryID: sample.dictionaryID, featureIndex: 3).isEmpty)
        for verdict in ReviewRecord.Verdict.allCases {
            try catalog.write(
                review: ReviewRecord(
                    dictionaryID: sample.dictionaryID, featureIndex: 2, verdict: verdict, note: "n", reviewer: "r"))
        }
        let reviews = try catalog.reviews(dictionaryID: sample.dictionaryID, featureIndex: 2)
        #expect(reviews.map(\.verdict) == ReviewRecord.Verdict.allCases)
        #expect(reviews.allSatisfy { $0.createdAt?.hasSuffix("Z") == true && $0.note == "n" && $0.reviewer == "r" })
    }
}
