import FeatureCatalog
import Foundation
import TestSupport
import Testing
import Vocabulary

@Suite struct ViewTests {
    private let directory: TemporaryDirectory
    private let sample: SampleCatalog
    private var catalog: Catalog { sample.catalog }

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleCatalog(at: directory.file("a.catalog"))
    }

    /// The features of the example question, worked out from the records.
    private var rareInLayerFour: [Int] {
        sample.features.map(\.featureIndex).filter { feature in
            let layers = sample.entries[feature].layers
            guard let most = layers.map(\.firedCount).max() else { return false }
            let peak = layers.first { $0.firedCount == most }?.layer
            return peak == 4 && Double(sample.features[feature].firedCount) / 4000 < 0.1
        }
    }

    @Test func theExampleQuestion() throws {
        #expect(!rareInLayerFour.isEmpty && rareInLayerFour.count < SampleCatalog.latentCount)
        let listing = try FeatureListing(
            "feature_index", of: sample.key, in: catalog,
            where: [("peak_layer", .equal, 4), ("firing_rate", .less, 0.1)])
        #expect(try listing.rows(in: catalog).result.rows == rareInLayerFour.map { [.integer(Int64($0))] })
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/sqlite3"), "no sqlite3 shell here"))
    func theExampleQuestionInTheShell() throws {
        try catalog.close()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/sqlite3")
        process.arguments = [
            "-readonly", catalog.path,
            "SELECT feature_index FROM feature_summary WHERE peak_layer = 4 AND firing_rate < 0.1 ORDER BY 1",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.start()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(String(decoding: data, as: UTF8.self).split(separator: "\n").map { Int($0) } == rareInLayerFour)
    }

    @Test func sortingFilteringAndPaging() throws {
        func indexes(_ listing: FeatureListing) throws -> [CatalogValue] {
            try listing.rows(in: catalog).result.rows.map { $0[0] }
        }

        let alive = sample.features.filter { $0.firedCount > 0 }
        let byMaximum = alive.sorted { ($0.maxActivation ?? 0) > ($1.maxActivation ?? 0) }.map(\.featureIndex)
        let dead = sample.features.filter { $0.firedCount == 0 }.map(\.featureIndex)
        var listing = try FeatureListing(
            "feature_index", of: sample.key, in: catalog, order: "max_activation", isDescending: true)
        #expect(try indexes(listing) == (byMaximum + dead).map { .integer(Int64($0)) })
        listing.limit = 5
        listing.offset = 3
        #expect(try indexes(listing) == byMaximum[3..<8].map { .integer(Int64($0)) })
        let silent = try FeatureListing(
            "feature_index", of: sample.key, in: catalog, where: [("peak_layer", .equal, nil)])
        #expect(try indexes(silent) == dead.map { .integer(Int64($0)) })
        let like = try FeatureListing(
            "top_token", of: sample.key, in: catalog,
            where: [("top_token", .like, "CLASS 1"), ("is_dead", .notEqual, 1)])
        #expect(try indexes(like).allSatisfy { $0 == "class 1" })
        #expect(try SummaryColumns(of: catalog).all.map(\.name) == catalog.columns(of: "feature_summary"))
        let nowhere = IndexingKey(dictionaryID: 99, corpusID: sample.corpusID)
        #expect(try indexes(FeatureListing("feature_index", of: nowhere, in: catalog)).isEmpty)
    }

    /// Every search strategy finds the same features in the same order.
    @Test("Every search strategy finds the same features", arguments: [1, 7, 1000], [1, 12, 1000])
    func everyWayOfFindingFindsTheSame(fewFeatures: Int, mostLookedAt: Int) throws {
        for order in ["max_activation", "n_fired", "top_token", "explanation", "feature_index"] {
            for isDescending in [false, true] {
                var listing = try FeatureListing(
                    "feature_index", of: sample.key, in: catalog, where: [("is_dead", .equal, 0)], order: order,
                    isDescending: isDescending)
                for tokenClass in [nil, "class 1"] {
                    listing.tokenClass = tokenClass
                    listing.limit = nil
                    listing.offset = 0
                    let all = try listing.rows(in: catalog).result.rows
                    #expect(all.count > 4)
                    #expect(try listing.count(in: catalog) == all.count)
                    listing.fewFeatures = fewFeatures
                    listing.mostLookedAt = mostLookedAt
                    for offset in [0, 2, all.count - 1] {
                        listing.limit = 3
                        listing.offset = offset
                        let (page, total) = try listing.rows(in: catalog)
                        #expect(page.rows == Array(all.dropFirst(offset).prefix(3)))
                        #expect(total == nil || total == all.count)
                    }
                }
            }
        }
    }

    /// A page of all features, in any order, is the part of the whole list; few have an explanation.
    @Test func pagesOfAllFeaturesArePartsOfTheList() throws {
        let runID = try catalog.beginRun(kind: .explain, config: "{}", seed: nil)
        try catalog.write(
            explanations: [(2, "b"), (5, "a"), (7, "b"), (6, "c")].map { feature, text in
                ExplanationRecord(
                    runID: runID, dictionaryID: sample.dictionaryID, featureIndex: feature, corpusID: sample.corpusID,
                    method: "other", text: text)
            })
        for order in try SummaryColumns(of: catalog).sortable.map(\.name) {
            for isDescending in [false, true] {
                var listing = try FeatureListing(
                    "feature_index", of: sample.key, in: catalog, order: order, isDescending: isDescending)
                let all = try listing.rows(in: catalog).result.rows
                #expect(all.count == sample.features.count)
                for limit in [1, 3, all.count, all.count + 5] {
                    for offset in [0, 1, 3, 4, 5, all.count - 1, all.count, all.count + 9] {
                        (listing.limit, listing.offset) = (limit, offset)
                        let page = try listing.rows(in: catalog).result.rows
                        #expect(
                            page == Array(all.dropFirst(offset).prefix(limit)),
                            "\(order) \(isDescending) \(limit) \(offset)")
                    }
                }
            }
        }
    }

    @Test func onlyColumnsOfTheViewAreTaken() throws {
        let columns = try SummaryColumns(of: catalog)
        #expect(columns["x\" FROM run --"] == nil && columns["rate"] == nil && columns["firing_rate"] != nil)
    }

    @Test("Only statements that read give rows") func onlyReadingStatementsGiveRows() {
        expectCatalogError(.refused) { _ = try catalog.rows(sql: "DELETE FROM run") }
        expectCatalogError(.invalidSQL) { _ = try catalog.rows(sql: "SELECT * FROM nothing") }
    }

    @Test func theNewestExplanationAndItsScores() throws {
        let runIDs = try (0..<2).map { _ in try catalog.beginRun(kind: .explain, config: "{}", seed: nil) }
        let keys = try catalog.write(
            explanations: runIDs.enumerated().map { index, runID in
                ExplanationRecord(
                    runID: runID, dictionaryID: sample.dictionaryID, featureIndex: 3,
                    corpusID: sample.corpusID, method: "n2g", text: "text \(index)")
            })
        func score(_ explanation: Int?, _ method: ScoreMethod, _ value: Double?) -> ScoreRecord {
            ScoreRecord(
                runID: runIDs[0], dictionaryID: sample.dictionaryID, featureIndex: 3,
                corpusID: sample.corpusID, explanationID: explanation.map { keys[$0] }, method: method,
                status: value == nil ? .failed : .ok,
                value: value, baselineValue: value.map { $0 / 2 }, reason: value == nil ? "why" : nil,
                contextCount: 1, tokenCount: 1)
        }

        func summary() throws -> [CatalogValue] {
            try FeatureListing(
                "explanation", "simulation_score", "simulation_baseline", "detection_score", "rubric_score",
                of: sample.key, in: catalog, where: [("feature_index", .equal, 3)]
            ).rows(in: catalog).result.rows[0]
        }
        try catalog.write(scores: [score(0, .simulation, 0.75), score(nil, .rubric, 4)])
        // The score of an older explanation is not the newest one's.
        #expect(try summary() == ["text 1", nil, nil, nil, 4.0])
        try catalog.write(scores: [score(1, .simulation, 0.5), score(1, .detection, 0.25), score(1, .simulation, nil)])
        #expect(try summary() == ["text 1", 0.5, 0.25, 0.25, 4.0])
        let dictionary = try catalog.rows(
            sql: "SELECT mean_simulation_score, n_explained, final_loss, n_dead, n_alive FROM dictionary_summary"
        ).rows
        #expect(dictionary == [[0.5, 1, 0.25, 4, 36]])
        // A score of the explanation itself that is worked out again takes the place of the older one.
        try catalog.write(scores: [score(1, .simulation, 0.125), score(1, .fuzzing, 1), score(nil, .rubric, 2)])
        #expect(try summary() == ["text 1", 0.125, 0.0625, 0.25, 2.0])
        // Without the newest explanation, the one before is the newest again, and so are its scores.
        try catalog.finishRun(runIDs[1], status: .failed, error: "x")
        try catalog.dropRun(runIDs[1])
        #expect(try summary() == ["text 0", 0.75, 0.375, nil, 2.0])
        #expect(try catalog.verify().isEmpty)
    }

    @Test func layerProfile() throws {
        let rows = try catalog.rows(
            sql: """
                SELECT layer, n_tokens, token_share, mean_router_weight, n_peak_features, n_features, n_fired,
                    mean_activation, max_activation
                FROM layer_profile ORDER BY layer
                """
        ).rows
        #expect(rows.count == SampleCatalog.layers.count)
        var peaks = 0
        for (layer, row) in zip(SampleCatalog.layers, rows) {
            let parts = sample.featureLayers.filter { $0.layer == layer }
            #expect(row[0] == .integer(Int64(layer)))
            #expect(row[5] == .integer(Int64(parts.count)))
            #expect(row[6] == .integer(Int64(parts.map(\.firedCount).reduce(0, +))))
            #expect(
                Array(row[1...3])
                    == [
                        2: [1000, 0.25, 0.25], 3: [0, 0.0, nil], 4: [3000, 0.75, 0.75], 5: [0, 0.0, 0.0],
                    ][layer])
            let sum = parts.map(\.sumActivation).reduce(0, +)
            let fired = parts.map(\.firedCount).reduce(0, +)
            guard case .real(let mean) = row[7] else {
                Issue.record("no mean in layer \(layer)")
                continue
            }
            #expect(abs(mean - sum / Double(fired)) < 1e-12)
            #expect(row[8] == (parts.map(\.maxActivation).max().map { .real(Double($0)) } ?? .null))
            if case .integer(let count) = row[4] { peaks += Int(count) }
        }
        #expect(peaks == 36)
    }

    @Test func dictionarySummary() throws {
        let unindexed = try catalog.addDictionary(
            SampleCatalog.dictionaryRecord(runID: sample.trainRunID, languageModelID: nil, name: "bare"), tensors: [])
        let rows = try catalog.rows(
            sql: """
                SELECT dictionary_id, n_tokens_indexed, n_documents_indexed, n_alive, n_dead, n_contexts, corpus_id,
                    corpus, mean_active_per_token
                FROM dictionary_summary ORDER BY dictionary_id
                """
        ).rows
        let fired = sample.features.map(\.firedCount).reduce(0, +)
        #expect(
            rows == [
                [1, 4000, 5, 36, 4, 324, 1, "held-out", .real(Double(fired) / 4000)],
                [.integer(unindexed), nil, nil, nil, nil, nil, nil, nil, nil],
            ])
    }

    @Test func promotedTokensAreInTheSummary() throws {
        try catalog.write(
            logits: (0..<7).map {
                FeatureLogit(featureIndex: 3, direction: .promoted, rank: $0, tokenID: 10 + $0, value: Float(9 - $0))
            }, dictionaryID: sample.dictionaryID)
        let rows = try catalog.rows(
            sql: "SELECT promoted_tokens FROM feature_summary WHERE feature_index IN (3, 4) ORDER BY feature_index")
        #expect(rows.rows == [[" t10  t11  t12  t13  t14"], [nil]])
    }
}
