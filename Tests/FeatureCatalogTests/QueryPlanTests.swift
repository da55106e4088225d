import FeatureCatalog
import GRDB
import TestSupport
import Testing
import Vocabulary

/// Statements of the program never scan a large table: they use indexes, whatever the size of the catalog.
@Suite struct QueryPlanTests {
    private let directory: TemporaryDirectory
    private let sample: SampleCatalog
    private var catalog: Catalog { sample.catalog }

    /// Tables that grow with features, tokens or text.
    private static let large: Set = [
        "feature", "feature_context", "feature_token", "feature_layer", "feature_cofiring", "passage",
        "feature_logit", "feature_neighbor", "explanation", "score", "document",
        "tensor_chunk", "run_metric",
    ]

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleCatalog(at: directory.file("a.catalog"))
    }

    /// The large tables that a statement may scan, by its SQLite program: a cursor on
    /// a table, or on an index of it, that is rewound instead of positioned by a key.
    private func walked(_ sql: String, _ database: Database) throws -> Set<String> {
        let names = Dictionary(
            try Row.fetchAll(database, sql: "SELECT rootpage, tbl_name FROM sqlite_schema WHERE rootpage > 0").map {
                ($0[0] as Int, $0[1] as String)
            }, uniquingKeysWith: { first, _ in first })
        let statement = try database.makeStatement(sql: "EXPLAIN \(sql)")
        statement.setUncheckedArguments(StatementArguments())
        let steps = try Row.fetchAll(statement).map { (code: $0["opcode"] as String, row: $0) }
        var found: Set<String> = []
        // Triggers are programs of their own behind the main one, each with its own cursors.
        var cursors: [Int: String] = [:]
        var started: Set<Int> = []
        for step in steps {
            let cursor: Int = step.row["p1"] ?? -1
            switch step.code {
            case "OpenRead", "OpenWrite", "ReopenIdx":
                cursors[cursor] = names[step.row["p2"] ?? 0] ?? ""
                started.remove(cursor)
            case "OpenEphemeral", "OpenAutoindex", "OpenPseudo", "SorterOpen", "VOpen": cursors[cursor] = nil
            case "Rewind", "Last": started.insert(cursor)
            case "Next", "Prev":
                if started.contains(cursor), let name = cursors[cursor], Self.large.contains(name) {
                    found.insert(name)
                }
            case "Count": if let name = cursors[cursor], Self.large.contains(name) { found.insert(name) }
            default: break
            }
        }
        return found
    }

    /// Expects statements to scan no large table.
    private func expectNoWalk(_ statements: [(label: String, sql: String)]) throws {
        try catalog.close()
        let queue = try DatabaseQueue(path: catalog.path)
        try queue.writeWithoutTransaction { database in
            for (label, sql) in statements {
                let tables = try walked(sql, database)
                #expect(tables.isEmpty, "\(label) walks \(tables.sorted()): \(sql)")
            }
        }
        try queue.close()
    }

    @Test("The test notices a table scan") func aWalkIsNoticed() throws {
        try catalog.close()
        let queue = try DatabaseQueue(path: catalog.path)
        try queue.read { database in
            for (sql, tables) in [
                ("SELECT * FROM feature", ["feature"]), ("SELECT count(*) FROM feature_token", ["feature_token"]),
                ("SELECT 1 FROM context WHERE layer = ?", ["feature_context"]),
                ("SELECT * FROM feature WHERE n_documents = 1", ["feature"]),
                ("SELECT text FROM explanation ORDER BY text", ["explanation"]),
                ("SELECT * FROM dictionary AS d JOIN feature AS f ON f.n_fired > d.k", ["feature"]),
                ("SELECT * FROM dictionary", []), ("SELECT * FROM feature WHERE dictionary_id = ?", []),
            ] as [(String, Set<String>)] {
                let found = try walked(sql, database)
                #expect(found == tables, "\(sql)")
            }
        }
    }

    /// Typical queries with one dictionary and one corpus.
    @Test(
        "Queries that name nothing use indexes",
        arguments: [
            ("SELECT * FROM feature_summary WHERE feature_index = 7", "SEARCH f USING PRIMARY KEY"),
            ("SELECT * FROM context WHERE feature_index = 7 AND band = 'top'", "SEARCH c USING PRIMARY KEY"),
            ("SELECT * FROM feature_token WHERE feature_index = 7", "SEARCH feature_token USING PRIMARY KEY"),
            ("SELECT * FROM feature_layer WHERE feature_index = 7", "SEARCH feature_layer USING PRIMARY KEY"),
            ("SELECT * FROM cofiring_pair WHERE feature_index = 7", "SEARCH p USING PRIMARY KEY"),
            (
                "SELECT * FROM feature_summary ORDER BY max_activation DESC LIMIT 9",
                "SCAN f USING INDEX feature_strongest"
            ),
            (
                "SELECT * FROM feature_summary ORDER BY simulation_score DESC LIMIT 9",
                "SCAN f USING INDEX feature_best_explained"
            ),
            // What narrows nothing down goes along the table, not along an index that leads to all of its rows.
            ("SELECT p10 FROM feature_summary", "SCAN f"),
            ("SELECT p10 FROM feature_summary WHERE n_documents > 4", "SCAN f"),
            ("SELECT p10 FROM feature_summary WHERE dictionary_id = 1", "SEARCH f USING PRIMARY KEY (dictionary_id=?)"),
            (
                "SELECT p10 FROM feature WHERE dictionary_id = 1 AND corpus_id = 1 AND n_documents > 4",
                "SEARCH feature USING PRIMARY KEY (dictionary_id=?)"
            ),
            (
                "SELECT * FROM feature_summary WHERE firing_rate < 0.01 ORDER BY firing_rate LIMIT 9",
                "SEARCH f USING INDEX feature_most_frequent"
            ),
        ])
    func questionsWithoutNamesGoByIndexes(sql: String, step: String) throws {
        try catalog.close()
        // Forty features would be sorted faster than looked up; these are the demo's two thousand.
        let statistics = try DatabaseQueue(path: catalog.path)
        try statistics.write {
            let columns = "substr(stat, instr(stat, ' '))"
            try $0.execute(
                sql: """
                    UPDATE sqlite_stat1 SET stat = iif(idx = tbl, 2048, 4096) || replace(\(columns), ' 40', ' 1001')
                    WHERE tbl = 'feature'
                    """)
            #expect($0.changesCount > 10)
        }
        try statistics.close()
        let queue = try DatabaseQueue(path: catalog.path)
        let plan = try queue.read { database in
            try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(sql)").map { $0["detail"] as String }
        }
        try queue.close()
        #expect(plan.contains { $0.hasPrefix(step) && ($0 == step || step != "SCAN f") }, "\(plan)")
        #expect(!plan.contains { $0.contains("TEMP B-TREE") || $0.contains("AUTOMATIC") }, "\(plan)")
    }

    /// Every reading call of the library, as SQLite sees it.
    @Test("Reading calls use indexes") func readingCallsGoByIndexes() throws {
        let key = sample.key
        let runID = sample.trainRunID
        let dictionaryID = sample.dictionaryID
        let statements = try catalog.statements {
            _ = try catalog.features(key, range: 3..<9)
            _ = try catalog.feature(key, featureIndex: 4)
            _ = try catalog.featureLayers(key, featureIndex: 4)
            _ = try catalog.featureTokens(key, featureIndex: 4)
            _ = try catalog.cofirings(key, featureIndex: 4)
            _ = try catalog.contexts(key, featureIndex: 4)
            _ = try catalog.contextTexts(key, featureIndex: 4, band: .top, limit: 3)
            _ = try catalog.runCurve(runID, name: "loss", stretches: 8)
            _ = try catalog.logits(dictionaryID: dictionaryID, featureIndex: 4)
            _ = try catalog.neighbors(dictionaryID: dictionaryID, featureIndex: 4)
            _ = try catalog.explanations(dictionaryID: dictionaryID)
            _ = try catalog.explanations(dictionaryID: dictionaryID, featureIndex: 4, method: "n2g")
            _ = try catalog.scores(dictionaryID: dictionaryID)
            _ = try catalog.scores(dictionaryID: dictionaryID, featureIndex: 4, method: .simulation, runID: runID)
            _ = try catalog.reviews(dictionaryID: dictionaryID, featureIndex: 4)
            _ = try catalog.interventions(dictionaryID: dictionaryID, featureIndex: 4)
            _ = try catalog.evaluations(dictionaryID: dictionaryID)
            _ = try catalog.indexing(key)
            _ = try catalog.layerRouting(dictionaryID: dictionaryID, runID: runID)
            _ = try catalog.countInterpretable(key)
            _ = try catalog.runs()
            _ = try catalog.runInputs(runID)
            _ = try catalog.runMetrics(runID, name: "loss")
            _ = try catalog.dictionaries()
            _ = try catalog.tensors(dictionaryID: dictionaryID)
            _ = try catalog.readTensorRows(dictionaryID: dictionaryID, name: "decoder", rows: 3..<4)
            _ = try catalog.documentIDs(corpusID: sample.corpusID)
            _ = try catalog.document(sample.documentIDs[0])
            _ = try catalog.tokens(languageModelID: sample.languageModelID, tokenIDs: [3, 4])
            _ = try catalog.searchExplanations("word")
            _ = try catalog.searchExplanations("word", dictionaryID: dictionaryID)
            _ = try catalog.searchPromotedTokens(["t4", "t5"])
            _ = try catalog.searchPromotedTokens(["t4"], dictionaryID: dictionaryID)
            _ = try catalog.searchContexts("t4")
            _ = try catalog.searchContexts("t4", dictionaryID: dictionaryID)
        }
        #expect(statements.count > 40)
        for part in ["FROM feature_context", "FROM context ", "passage_text MATCH", "counted_below"] {
            #expect(statements.contains { $0.contains(part) }, "\(part) has not been recorded")
        }
        // Transactions, and settings, are no queries.
        let queries = Set(statements.filter { $0.hasPrefix("SELECT") || $0.hasPrefix("WITH") }).sorted()
        #expect(queries.count > 30)
        try expectNoWalk(queries.map { ("the library", $0) })
    }

    /// Every writing call of the library, with its triggers and cascading deletes.
    @Test("Writing calls use indexes") func writingCallsGoByIndexes() throws {
        let other = try sample.addCorpus(named: "other")
        let statements = try catalog.statements {
            _ = try catalog.addDocuments(corpusID: sample.corpusID, sample.documents)
            _ = try catalog.addPassages(sample.passages)
            try sample.writeIndex(sample.entries(of: other), sample.indexing(of: other.corpusID))
            try sample.writeIndex(replacing: true)
            let runID = try catalog.beginRun(kind: .explain, config: "{}", seed: nil)
            let keys = try catalog.write(explanations: [
                ExplanationRecord(
                    runID: runID, dictionaryID: sample.dictionaryID, featureIndex: 3, corpusID: sample.corpusID,
                    method: "n2g", text: "x")
            ])
            try catalog.write(scores: [
                ScoreRecord(
                    runID: runID, dictionaryID: sample.dictionaryID, featureIndex: 3, corpusID: sample.corpusID,
                    explanationID: keys[0], method: .simulation, status: .ok, value: 0.5, contextCount: 1,
                    tokenCount: 1)
            ])
            try catalog.write(
                logits: [FeatureLogit(featureIndex: 3, direction: .promoted, rank: 0, tokenID: 1, value: 1)],
                dictionaryID: sample.dictionaryID)
            try catalog.write(
                neighbors: [FeatureNeighbor(featureIndex: 3, rank: 0, neighborIndex: 1, cosine: 1)],
                dictionaryID: sample.dictionaryID)
            try catalog.recordMetrics(runID: runID, [RunMetric(step: 0, name: "x", value: 1)])
            try catalog.finishRun(runID, status: .failed, error: "x")
            try catalog.dropRun(runID)
            try catalog.removeDictionary(sample.dictionaryID)
        }

        let kinds = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"]
        let queries = Set(statements.filter { sql in kinds.contains { sql.hasPrefix($0) } }).sorted()
        #expect(queries.count > 35)
        #expect(queries.contains { $0.hasPrefix("DELETE FROM run ") })
        // The bare look for keys; what is under them depends on the rest of this test.
        try expectNoWalk(queries.map { ("the library", $0) })
    }

    /// Listings with every kind of condition, in every order, by every strategy.
    private func listings() throws -> [FeatureListing] {
        let columns = try SummaryColumns(of: catalog)
        func condition(
            _ column: String, _ comparison: FeatureCondition.Comparison, _ value: CatalogValue
        ) throws -> FeatureCondition {
            FeatureCondition(try #require(columns[column]), comparison, value)
        }

        let conditions = [
            [], try [condition("is_dead", .equal, 0)], try [condition("explanation", .like, "%a%")],
            try [condition("peak_layer", .equal, 4), condition("simulation_score", .greaterOrEqual, 0.5)],
        ]
        return conditions.flatMap { conditions in
            [nil, "class 1"].flatMap { tokenClass in
                ([nil] + columns.sortable).flatMap { order in
                    [true, false].flatMap { isDescending in
                        [(nil, 1024, 4096), (3, 1024, 4096), (3, 1, 1), (3, 4, 12)].map { limit, few, most in
                            var listing = FeatureListing(key: sample.key)
                            listing.conditions = conditions
                            listing.tokenClass = tokenClass
                            listing.columns = columns.all
                            listing.order = order
                            listing.isDescending = isDescending
                            listing.limit = limit
                            listing.fewFeatures = few
                            listing.mostLookedAt = most
                            return listing
                        }
                    }
                }
            }
        }
    }

    /// The statements of the verb `features`.
    @Test("Feature listings use indexes") func listingsGoByIndexes() throws {
        let listings = try listings()
        let statements = try catalog.statements {
            for listing in listings {
                _ = try listing.rows(in: catalog)
                _ = try listing.count(in: catalog)
                _ = try listing.featuresLeft(in: catalog)
            }
        }
        let queries = Set(statements.filter { $0.hasPrefix("SELECT") || $0.hasPrefix("WITH") }).sorted()
        #expect(queries.count > 300)
        for part in ["LIMIT -1 OFFSET", "MATERIALIZED", "AS ordered", "EXISTS", "json_each", "count(*)", "IN (\n"] {
            #expect(queries.contains { $0.contains(part) }, "\(part) has not been recorded")
        }
        try expectNoWalk(queries.map { ("features", $0) })
    }

    /// Queries of the other verbs.
    @Test("Commands use indexes") func verbsGoByIndexes() throws {
        let key = sample.key
        let dictionaryID = sample.dictionaryID
        let runID = sample.trainRunID
        let statements = try catalog.statements {
            _ = try catalog.featureSummary(key, featureIndex: 4)
            _ = try catalog.chanceScores(runID: runID, dictionaryID: dictionaryID, method: .simulation, limit: 9)
            _ = try catalog.topTokens(key)
            _ = try catalog.largestActivations(key)
            _ = try catalog.firedCounts(key)
            _ = try catalog.firingFeatures(key)
            _ = try catalog.firingFeatures(dictionaryID: dictionaryID)
            _ = try catalog.explainedFeatures(key)
            _ = try catalog.scoredFeatures(runID: runID)
            _ = try catalog.reviewedFeatures(dictionaryID: dictionaryID, reviewer: "ada")
            _ = try catalog.reviewPairs(key)
            _ = try catalog.featureCounts(key, minimumFirings: 1)
            _ = try catalog.candidates(key, minimumFirings: 1, conditions: [])
            _ = try catalog.layerProfile(key)
            _ = try catalog.layerSpans(key)
            _ = try catalog.lastPeakLayer(key, firingRateBelow: 0.01, count: 1)
            _ = try catalog.runCurves(runID, stretches: 4)
            _ = try catalog.dictionaryNames(ofRun: runID)
            _ = try catalog.lastLoss(ofRun: runID)
            _ = try catalog.indexes(ofRun: runID)
            _ = try catalog.scores(ofRun: runID)
            _ = try catalog.evaluations(ofRun: runID)
            _ = try catalog.interventions(ofRun: runID)
            _ = try catalog.runID(uuid: "x")
            _ = try catalog.briefScores(key, method: .simulation, withPeakLayers: true)
            _ = try catalog.briefScores(key, method: .simulation, withPeakLayers: false)
            _ = try catalog.explanationSources(scoredBy: runID)
            _ = try catalog.judgeFailures(dictionaryID: dictionaryID)
            _ = try catalog.dictionarySummaries()
            _ = try catalog.dictionarySummaries(dictionaryID: dictionaryID)
        }
        let queries = Set(statements.filter { $0.hasPrefix("SELECT") || $0.hasPrefix("WITH") }).sorted()
        #expect(queries.count >= 30)
        try expectNoWalk([("count --print-sql", Catalog.countingSQL)] + queries.map { ("a verb", $0) })
    }

    /// Typical first queries in any SQLite tool.
    @Test("Views use indexes") func theViewsGoByIndexes() throws {
        try expectNoWalk([
            (
                "the example question",
                "SELECT feature_index FROM feature_summary WHERE peak_layer = 4 AND firing_rate < 0.01"
            ),
            ("a token's features", "SELECT feature_index FROM feature_summary WHERE top_token = 'begat'"),
            ("a feature's contexts", "SELECT * FROM context WHERE dictionary_id = 1 AND feature_index = 3"),
            ("a passage's contexts", "SELECT * FROM context WHERE passage_id = 3"),
            ("contexts of one index", "SELECT count(*) FROM context WHERE dictionary_id = 1 AND corpus_id = 1"),
            ("the dictionaries", "SELECT * FROM dictionary_summary"), ("the layers", "SELECT * FROM layer_profile"),
            ("a layer", "SELECT * FROM layer_profile WHERE layer = 4"),
        ])
    }
}
