import ActivationPipeline
import FeatureCatalog
import Foundation
import GRDB
import Indexing
import Interchange
import JSON
import LinearAlgebra
import TestSupport
import Testing
import Training
import Vocabulary
import WorkflowWorlds

@Suite struct FeatureExportTests {
    private static let user = "clkht01d40000jv08hvalcvly"
    private let world: ExplainedCatalog

    init() throws { world = try ExplainedCatalog() }

    private func neuronpedia(
        _ folder: String, model: String? = "tiny-model", creator: String? = user, set: String? = nil,
        release: String? = nil, cancelled: () -> Bool = { false }
    ) throws -> FeatureExportResult {
        try world.tiny.open(world.path) { catalog in
            try NeuronpediaExport(
                dictionary: nil, folder: world.file(folder), modelID: model, creatorID: creator, sourceSet: set,
                release: release
            ).run(from: catalog, cancelled: cancelled)
        }
    }

    /// Every source's folder by its layer.
    private func sources(_ folder: String) throws -> [(layer: Int, path: String)] {
        let model = world.file(folder) + "/tiny-model"
        return try FileManager.default.contentsOfDirectory(atPath: model).sorted().map { name in
            #expect(name.hasSuffix("-d"))
            return (Int(name.prefix { $0 != "-" }) ?? -1, model + "/" + name)
        }
    }

    @Test func neuronpediaHasEveryFeatureInTheLayersWhereItFires() throws {
        let result = try neuronpedia("out")
        let found = try sources("out")
        #expect(found.map(\.layer) == result.layers)
        var features: [[Int]] = []
        for (layer, folder) in found {
            let lines = try lines(folder + "/features/batch-0.jsonl.gz")
            for line in lines {
                #expect(line.members.map(\.name) == lines[0].members.map(\.name))
                let feature = Int(text(line["index"])) ?? -1
                features.append([feature, layer])
                let row = try #require(
                    try world.rows(
                        """
                        SELECT l.n_fired, l.max_activation, f.n_fired, f.min_activation, f.max_activation, i.n_tokens
                        FROM feature_layer AS l JOIN feature AS f USING (dictionary_id, feature_index, corpus_id)
                        JOIN indexing AS i USING (dictionary_id, corpus_id)
                        WHERE feature_index = \(feature) AND layer = \(layer)
                        """
                    ).first)
                let (rate, largest) = (line["frac_nonzero"]?.double, line["maxActApprox"]?.double)
                #expect(abs((rate ?? 0) - (row[0] as Double) / (row[5] as Double)) < 1e-4)
                #expect(abs((largest ?? 0) - row[1]) < 1e-4)
                let heights = numbers(line["freq_hist_data_bar_heights"])
                let centers = numbers(line["freq_hist_data_bar_values"])
                #expect(heights.count == 50 && centers.count == 50 && heights.reduce(0, +) == row[2])
                let (low, high) = (row[3] as Double, row[4] as Double)
                if low < high {
                    #expect(abs((centers.first ?? 0) - (low + (high - low) / 100)) < 2e-4 * max(1, high))
                    #expect(abs((centers.last ?? 0) - (high - (high - low) / 100)) < 2e-4 * max(1, high))
                }
                let logits = numbers(line["logits_hist_data_bar_heights"])
                let tokens: Double = try world.rows("SELECT count(*) FROM token")[0][0]
                #expect(logits.count == 50 && logits.reduce(0, +) == tokens)
                #expect(
                    strings(line["pos_str"])
                        == (try world.rows(
                            """
                            SELECT token FROM logit_token WHERE feature_index = \(feature) AND direction = 'promoted'
                            ORDER BY rank
                            """
                        ).map { $0[0] as String }))
            }
        }
        let expected = try world.rows("SELECT feature_index, layer FROM feature_layer").map {
            [$0[0] as Int, $0[1] as Int]
        }
        #expect(Set(features) == Set(expected) && features.count == expected.count)
    }

    @Test func neuronpediaHasEveryTextOnce() throws {
        _ = try neuronpedia("out")
        var ids: Set<String> = []
        var places: Set<String> = []
        var count = 0
        for (layer, folder) in try sources("out") {
            let known = Set(try lines(folder + "/features/batch-0.jsonl.gz").map { text($0["index"]) })
            for line in try lines(folder + "/activations/batch-0.jsonl.gz") {
                count += 1
                let (tokens, values) = (strings(line["tokens"]), numbers(line["values"]))
                let peak = line["qualifyingTokenIndex"]?.wholeNumber ?? -1
                try #require(tokens.count == values.count && values.indices.contains(peak))
                #expect(known.contains(text(line["index"])))
                #expect(line["maxValue"]?.double == values.max() && line["minValue"]?.double == values.min())
                #expect(values[line["maxValueTokenIndex"]?.wholeNumber ?? 0] == values.max())
                let (low, high) = (line["binMin"]?.double ?? 0, line["binMax"]?.double ?? 0)
                let share = line["binContains"]?.double ?? 2
                #expect(low == -1 ? share == -1 : share > 0 && share <= 1)
                #expect(values[peak] >= low - 1e-4 && values[peak] <= high + 1e-4)
                places.insert("\(text(line["index"]))/\(layer)/\(tokens.joined())")
                ids.insert(text(line["id"]))
            }
            for line in try lines(folder + "/activations/batch-0.jsonl.gz") {
                #expect(line["id"].map(text)?.wholeMatch(of: /c[0-9a-z]{24}/) != nil)
                #expect(text(line["creatorId"]) == Self.user && text(line["modelId"]) == "tiny-model")
                #expect(text(line["layer"]) == "\(layer)-d")
            }
        }
        #expect(ids.count == count)
        #expect(try world.rows("SELECT count(*) FROM feature_context WHERE band < 2")[0][0] == count)
        // The tokens of every window, as the catalog has them.
        try world.tiny.open(world.path) { catalog in
            let vocabulary = try catalog.tokens(languageModelID: 1).map(\.text)
            let key = try #require(try catalog.indexings(dictionaryID: 1).first).key
            for feature in 0..<32 {
                for context in try catalog.contexts(key, featureIndex: feature) where context.band != .quiet {
                    let all = try catalog.document(context.documentID).tokenIDs
                    let window = all[context.windowStart..<context.windowStart + context.activations.count]
                    let shown = window.map { vocabulary[Int($0)] }.joined()
                    #expect(places.contains("\(feature)/\(context.layer)/\(shown)"))
                }
            }
        }
    }

    @Test func neuronpediaHasExplanationsWithTheirScores() throws {
        _ = try neuronpedia("out")
        let layers = Set(try world.rows("SELECT layer FROM feature_layer WHERE feature_index = 0").map { $0[0] as Int })
        try #require(!layers.isEmpty)
        for (layer, folder) in try sources("out") {
            let file = folder + "/explanations/batch-0.jsonl.gz"
            guard layers.contains(layer) else {
                #expect(!FileManager.default.fileExists(atPath: file))
                continue
            }
            let lines = try lines(file)
            #expect(lines.map { text($0["description"]) } == ["first \"x\"", "second \"x\""])
            #expect(lines.map { text($0["notes"]) } == ["first", "second; simulation 0.25"])
            #expect(lines.allSatisfy { $0["typeName"] == .null && text($0["authorId"]) == Self.user })
        }
    }

    @Test func theFourLinesReferToEachOther() throws {
        _ = try neuronpedia("out", set: "my-set", release: "my-release")
        for layer in try world.rows("SELECT DISTINCT layer FROM feature_layer").map({ $0[0] as Int }) {
            let folder = world.file("out") + "/tiny-model/\(layer)-my-set"
            func line(_ name: String) throws -> JSONObject {
                let all = try lines("\(folder)/\(name).jsonl")
                #expect(all.count == 1)
                return all[0]
            }
            let (release, model) = (try line("release"), try line("model"))
            let (set, source) = (try line("sourceset"), try line("source"))
            #expect(text(release["name"]) == "my-release" && text(set["releaseName"]) == "my-release")
            #expect(text(model["id"]) == "tiny-model" && text(set["modelId"]) == "tiny-model")
            #expect(text(set["name"]) == "my-set" && text(source["setName"]) == "my-set")
            #expect(text(source["id"]) == "\(layer)-my-set" && text(source["modelId"]) == "tiny-model")
            for object in [release, model, set, source] {
                #expect(text(object["creatorId"]) == Self.user)
                #expect(!object.members.contains { $0.value == .null })
            }
        }
    }

    @Test func theSameIsWrittenAgain() throws {
        _ = try neuronpedia("one")
        _ = try neuronpedia("two")
        let names = try FileManager.default.subpathsOfDirectory(atPath: world.file("one")).sorted()
        #expect(try FileManager.default.subpathsOfDirectory(atPath: world.file("two")).sorted() == names)
        for name in names where name.contains("json") {
            let (one, two) = (
                URL(filePath: world.file("one") + "/" + name), URL(filePath: world.file("two") + "/" + name)
            )
            #expect(try Data(contentsOf: one) == Data(contentsOf: two), "\(name)")
        }
    }

    @Test(
        arguments: [
            ("Tiny", "u", nil, nil, "`modelId` is \"Tiny\""), ("a b", "u", nil, nil, "`modelId`"),
            ("", "u", nil, nil, "`modelId`"), ("a/../b", "u", nil, nil, "`modelId`"),
            (nil, "u", nil, nil, "`modelId` is needed"),
            ("m", nil, nil, nil, "`creatorId` is needed"), ("m", "u v", nil, nil, "`creatorId`"),
            ("m", "", nil, nil, "`creatorId`"),
            ("m", "u", "a_b", nil, "`sourceSet`"), ("m", "u", "é", nil, "`sourceSet`"),
            ("m", "u", nil, "r/s", "`release`"),
            (String(repeating: "a", count: 129), "u", nil, nil, "`modelId`"),
        ] as [(String?, String?, String?, String?, String)])
    func namesThatNeuronpediaRefusesAreRefused(
        model: String?, creator: String?, set: String?, release: String?, problem: String
    ) throws {
        #expect {
            _ = try neuronpedia("out", model: model, creator: creator, set: set, release: release)
        } throws: {
            guard case WorkflowError.usage(let line) = $0 else { return false }
            return line.contains(problem) && !line.contains("\n")
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: world.tiny.directory.path).allSatisfy {
                !$0.hasPrefix("out")
            }
        )
    }

    @Test func aSetIsNamedAfterTheDictionary() throws {
        let names = try NeuronpediaNames(modelID: "m", creatorID: "u", dictionary: "  my dict_2/é! ")
        #expect(names.sourceSet == "my-dict-2" && names.release == "my-dict-2")
        #expect(names.sourceID(layer: 3) == "3-my-dict-2")
        #expect(throws: WorkflowError.self) {
            try NeuronpediaNames(modelID: "m", creatorID: "u", dictionary: "***")
        }
    }

    @Test func whatIsRefusedLeavesNothing() throws {
        try FileManager.default.createDirectory(atPath: world.file("there"), withIntermediateDirectories: false)
        #expect(throws: WorkflowError.self) { try neuronpedia("there") }
        #expect(throws: WorkflowError.self) { try neuronpedia("no/where") }
        var asked = 0
        #expect(throws: WorkflowError.self) {
            try neuronpedia(
                "stopped",
                cancelled: {
                    asked += 1
                    return asked > 5
                })
        }
        let bare = try world.tiny.catalog("bare.sqlite", indexed: false)
        try world.tiny.open(bare) { catalog in
            #expect {
                _ = try NeuronpediaExport(dictionary: nil, folder: world.file("bare"), modelID: "m", creatorID: "u")
                    .run(from: catalog)
            } throws: { "\($0)".contains("has no statistics yet") }
            #expect(throws: WorkflowError.self) {
                try CircuitTracerExport(dictionary: nil, folder: world.file("bare")).run(from: catalog)
            }
        }
        // Documents without their tokens: found while the folder is filled.
        try world.execute("DELETE FROM token WHERE token_id = (SELECT max(token_id) FROM token)")
        try world.execute("DELETE FROM token WHERE token_id > 3")
        #expect(throws: CatalogError.self) { try neuronpedia("damaged") }
        let left = try FileManager.default.contentsOfDirectory(atPath: world.tiny.directory.path)
        for name in ["stopped", "damaged", "no", "bare."] {
            #expect(left.filter { $0.hasPrefix(name) && !$0.hasSuffix(".sqlite") && !$0.contains("checkpoint") } == [])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.file("there")) == [])
    }

    @Test func anIndexOfAnEarlierVersionIsExportedWithARemark() throws {
        try world.execute("DELETE FROM feature_linear_histogram; DELETE FROM feature_logit_histogram")
        let result = try neuronpedia("out")
        #expect(result.remarks.contains { $0.contains("drawn from logarithmic bins") })
        #expect(result.remarks.contains { $0.contains("no histogram of logits") })
        for (_, folder) in try sources("out") {
            for line in try lines(folder + "/features/batch-0.jsonl.gz") {
                let fired: Double = try world.rows(
                    "SELECT n_fired FROM feature WHERE feature_index = \(text(line["index"]))")[0][0]
                #expect(numbers(line["freq_hist_data_bar_heights"]).reduce(0, +) == fired)
                #expect(line["logits_hist_data_bar_heights"] == .array([]))
            }
        }
    }
}
