import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import Foundation
import Indexing
import LanguageModel
import LinearAlgebra
import SparseCoding
import Steering
import TestSupport
import Testing
import Tokenization
import Vocabulary
import WorkflowWorlds

@Suite struct SteeringRunTests {
    /// A system as a test argument.
    struct System: CustomTestStringConvertible, Sendable {
        let architecture: Architecture
        var routing = RoutingMode.hard
        var fidelity = Fidelity.corrected
        var testDescription: String { "\(architecture) \(routing) \(fidelity)" }

        static let all =
            Architecture.allCases.map { System(architecture: $0) } + [
                System(architecture: .route, routing: .soft), System(architecture: .route, fidelity: .reference),
            ]

        func world() throws -> SteeringWorld {
            try SteeringWorld(architecture, routing: routing, fidelity: fidelity)
        }
    }

    private func edit(_ feature: Int, _ operation: EditOperation, _ strength: Double) -> LatentEdit {
        LatentEdit(feature: feature, operation: operation, strength: strength)
    }

    private func settings(
        _ edits: [LatentEdit], sweep: [Double]? = nil, prompts: [String] = SteeringWorld.prompts, tokens: Int = 10,
        temperature: Double? = nil, topP: Double = 1, replacing: Bool = false, seed: UInt64 = 0
    ) -> SteeringSettings {
        SteeringSettings(
            model: DemoModel.path, edits: edits, sweep: sweep, prompts: prompts, tokens: tokens,
            temperature: temperature, topP: topP, replacing: replacing, seed: seed)
    }

    /// The same tokens as full passes without any cache, and a divergence close to theirs.
    @Test("Steered text equals that of full passes", arguments: System.all)
    func equalsFullPasses(_ system: System) throws {
        let world = try system.world()
        let dictionary = try world.dictionary()
        let model = world.folder.model
        for edits in [[edit(7, .set, 9), edit(11, .multiply, 0)], [edit(20, .add, 6)]] {
            let result = try world.steer(settings(edits, tokens: 6, seed: 4))
            let naive = NaiveSteering(
                model: model, configuration: dictionary.configuration, weights: dictionary.weights, edits: edits,
                seed: 4)
            for (prompt, outcome) in zip(SteeringWorld.prompts, result.outcomes) {
                let expected = try naive.greedy(
                    world.tokens(prompt), count: 6, stops: Set(model.configuration.endOfSequence))
                #expect(outcome.tokens == expected.tokens.map(Int.init))
                #expect(
                    abs(outcome.divergence - expected.divergence) < 1e-4 + 2e-3 * expected.divergence,
                    "\(outcome.divergence), expected \(expected.divergence)")
                #expect(outcome.divergence > 1e-3)
                let plain = try model.greedy(
                    prompt: world.tokens(prompt), count: 6, stopTokens: Set(model.configuration.endOfSequence))
                #expect(outcome.unsteeredText == world.folder.tokenizer.decode(plain, skipSpecialTokens: true))
            }
        }
    }

    /// A model whose rotary frequencies change with every token beyond the prompt: all are run and edited again.
    @Test(
        "Steered text equals that of full passes where frequencies depend on the length",
        arguments: [Architecture.route, .topk])
    func equalsFullPassesWithChangingFrequencies(_ architecture: Architecture) throws {
        let directory = try TemporaryDirectory()
        for name in try FileManager.default.contentsOfDirectory(atPath: DemoModel.path) where name != "config.json" {
            try FileManager.default.createSymbolicLink(
                atPath: directory.file(name), withDestinationPath: DemoModel.path + "/" + name)
        }
        let bytes = try Data(contentsOf: URL(filePath: DemoModel.path + "/config.json"))
        var config = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        config["max_position_embeddings"] = 10
        config["rope_parameters"] = nil
        config["rope_scaling"] = ["rope_type": "dynamic", "factor": 60.0]
        try JSONSerialization.data(withJSONObject: config).write(to: URL(filePath: directory.file("config.json")))

        let world = try SteeringWorld(architecture, model: directory.path)
        let dictionary = try world.dictionary()
        let model = world.folder.model
        let edits = [edit(7, .set, 9), edit(11, .multiply, 0)]
        var asked = settings(edits, sweep: nil, tokens: 6, seed: 4)
        asked.model = directory.path
        let result = try world.steer(asked)
        let naive = NaiveSteering(
            model: model, configuration: dictionary.configuration, weights: dictionary.weights, edits: edits, seed: 4)
        for (prompt, outcome) in zip(SteeringWorld.prompts, result.outcomes) {
            let stops = Set(model.configuration.endOfSequence)
            let expected = try naive.greedy(world.tokens(prompt), count: 6, stops: stops)
            #expect(outcome.tokens == expected.tokens.map(Int.init))
            #expect(
                abs(outcome.divergence - expected.divergence) < 1e-4 + 2e-3 * expected.divergence,
                "\(outcome.divergence), expected \(expected.divergence)")
        }
    }

    /// Strength 0 of add and 1 of multiply change not one bit, so the divergence is 0.
    @Test("`--add 0` reproduces the unsteered text exactly", arguments: System.all)
    func nothingChangedIsUnsteered(_ system: System) throws {
        let world = try system.world()
        for edits in [[edit(7, .add, 0)], [edit(7, .multiply, 1), edit(8, .multiply, 1), edit(9, .add, 0)]] {
            for temperature in [nil, 1.0] {
                let result = try world.steer(settings(edits, temperature: temperature))
                for outcome in result.outcomes {
                    #expect(outcome.divergence == 0)
                    #expect(outcome.text == outcome.unsteeredText)
                }
            }
        }
    }

    /// A latent ablated wherever it is active: exactly its contribution is removed.
    @Test("Ablating a latent removes exactly its contribution") func ablation() throws {
        let world = try SteeringWorld(.topk)
        let all = (0..<96).map { edit($0, .multiply, 0) }
        let strong = try world.steer(settings(all)).outcomes
        let sets = try world.steer(settings((0..<96).map { edit($0, .set, 0) })).outcomes
        for (one, other) in zip(strong, sets) {
            #expect(one.divergence > 0.01)
            #expect(one.tokens == other.tokens && one.divergence == other.divergence)
        }
        // What the latents alone say is not what the model thought.
        let replaced = try world.steer(settings([edit(0, .multiply, 1)], replacing: true)).outcomes
        #expect(replaced.allSatisfy { $0.divergence > 0.01 })
    }

    @Test("The same seed gives the same text on any number of threads")
    func sameSeedSameTextWhateverTheThreads() throws {
        let world = try SteeringWorld(.random)
        func run(_ threads: Int, seed: UInt64) throws -> [SteeringRun.Outcome] {
            try world.steer(
                settings([edit(5, .set, 5)], sweep: [0, 5], temperature: 0.9, topP: 0.95, seed: seed), threads: threads
            ).outcomes
        }

        let first = try run(1, seed: 3)
        #expect(first.count == 4 && first.map { $0.edits[0].strength } == [0, 5, 0, 5])
        for threads in [1, 2, 3] {
            let again = try run(threads, seed: 3)
            #expect(again.map(\.tokens) == first.map(\.tokens))
            #expect(again.map(\.divergence) == first.map(\.divergence))
            #expect(again.map(\.unsteeredText) == first.map(\.unsteeredText))
        }
        #expect(try run(2, seed: 4).map(\.tokens) != first.map(\.tokens))
    }

    @Test("Every result is stored") func everythingIsWritten() throws {
        let world = try SteeringWorld(.route)
        let asked = settings([edit(7, .set, 0), edit(9, .multiply, 2)], sweep: [1, 4], tokens: 5, seed: 2)
        let result = try world.steer(asked, saving: true)
        let runID = try #require(result.runID)
        try world.open(.readOnly) { catalog in
            let run = try catalog.run(runID)
            #expect(run.kind == .steer && run.status == .complete && run.seed == 2)
            #expect(try JSONDecoder().decode(SteeringSettings.self, from: Data(run.configJSON.utf8)) == asked)
            #expect(
                Set(try catalog.runInputs(runID).map(\.name))
                    == ["config.json", "generation_config.json", "tokenizer.json", "weights"])
            let rows = try catalog.interventions(dictionaryID: result.dictionaryID, featureIndex: 7)
            #expect(rows.map(\.strength) == [1, 4, 1, 4] && rows.allSatisfy { $0.operation == .set })
            #expect(rows.map(\.prompt) == SteeringWorld.prompts.flatMap { [$0, $0] })
            #expect(rows.map(\.text) == result.outcomes.map(\.text))
            #expect(rows.map(\.kl) == result.outcomes.map(\.divergence))
            let json = Data(try #require(rows[1].detailJSON).utf8)
            let detail = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
            let edits = try #require(detail["edits"] as? [[String: Any]])
            #expect(edits.map { $0["feature"] as? Int } == [7, 9])
            #expect(edits.map { $0["operation"] as? String } == ["set", "multiply"])
            #expect(detail["tokens"] as? [Int] == result.outcomes[1].tokens)
            #expect(detail["unsteered"] as? String == result.outcomes[1].unsteeredText)
        }
        #expect(try world.steer(asked).runID == nil)
        #expect(try world.open(.readOnly) { try $0.interventions(dictionaryID: 1).count } == 4)
    }

    /// Promoted tokens are known once the dictionary is indexed; holding a feature high makes its own more probable.
    @Test func promotedTokensBecomeMoreProbable() throws {
        let world = try SteeringWorld(.topk)
        let asked = settings([edit(7, .set, 10)])
        #expect(try world.steer(asked).outcomes.allSatisfy { $0.promotedChanges == [nil] })
        try world.open { catalog in
            _ = try IndexingRun(
                settings: IndexingSettings(
                    model: DemoModel.path, text: [repositoryFile("Demo/text/heldout/bible.jsonl")],
                    options: IndexingOptions(maximumTokens: 500, context: 64)), workers: Workers(threads: 2)
            ).run(on: catalog)
        }
        for feature in [7, 20, 40] {
            let weak = try world.steer(settings([edit(feature, .set, 2)])).outcomes[0].promotedChanges[0]
            let strong = try world.steer(settings([edit(feature, .set, 20)])).outcomes[0].promotedChanges[0]
            #expect((strong ?? -1) > (weak ?? 1), "feature \(feature)")
        }
    }

    @Test(
        "Steering runs reproduce bit for bit", arguments: [System(architecture: .route), System(architecture: .random)])
    func isReproducedToTheBit(_ system: System) throws {
        let world = try system.world()
        let runID = try #require(
            try world.steer(
                settings([edit(7, .set, 6)], sweep: [0, 6], temperature: 0.8, seed: 8), threads: 1, saving: true
            ).runID)
        let comparisons = try world.open(.readOnly) {
            try Reproduction(settings: Reproduction.Settings(runID: runID), workers: Workers(threads: 3)).run(on: $0)
        }
        #expect(comparisons.map(\.what) == ["intervention text", "intervention kl"])
        for comparison in comparisons { #expect(comparison.isSame, "\(comparison)") }
    }

    @Test("A stopped run is marked as interrupted") func whatIsStoppedIsMarkedSo() throws {
        let world = try SteeringWorld(.topk)
        var asked = 0
        #expect(throws: WorkflowError.self) {
            try world.steer(settings([edit(1, .set, 1)]), saving: true) {
                asked += 1
                return asked > 4
            }
        }
        try world.open(.readOnly) { catalog in
            let run = try #require(try catalog.runs().last)
            #expect(run.kind == .steer && run.status == .interrupted)
            #expect(try catalog.interventions(dictionaryID: 1).isEmpty)
        }
    }

    @Test("Invalid settings are refused") func whatMakesNoSenseIsRefused() throws {
        let world = try SteeringWorld(.topk)
        func isUsage(_ settings: SteeringSettings) -> Bool {
            do {
                _ = try world.steer(settings, saving: true)
                return false
            } catch WorkflowError.usage { return true } catch SparseCodingError.setting { return true } catch {
                return false
            }
        }

        let fine = [edit(1, .set, 1)]
        #expect(isUsage(settings([])))
        #expect(isUsage(settings([edit(96, .set, 1)])))
        #expect(isUsage(settings([edit(1, .set, 1), edit(1, .multiply, 2)])))
        #expect(isUsage(settings([edit(1, .add, 1), edit(1, .add, 2)])))
        #expect(isUsage(settings([edit(1, .add, .nan)])))
        #expect(isUsage(settings(fine, sweep: [1, .infinity])))
        #expect(isUsage(settings(fine, sweep: [])))
        #expect(isUsage(settings(fine, prompts: [])))
        #expect(isUsage(settings(fine, tokens: 0)))
        #expect(isUsage(settings(fine, tokens: 512)))
        #expect(isUsage(settings(fine, temperature: 0)))
        #expect(isUsage(settings(fine, temperature: 1, topP: 0)))
        #expect(isUsage(settings(fine, topP: 0.5)))
        // Nothing of it is in the ledger but the training.
        #expect(try world.open(.readOnly) { try $0.runs().count } == 1)
        // BOS stands before an empty prompt, so there is something to continue.
        #expect(try world.steer(settings(fine, prompts: [""], tokens: 3)).outcomes[0].tokens.count == 3)
    }

    /// A tokenizer without BOS: an empty prompt has nothing to continue, and the first token of
    /// another is edited like all others.
    @Test func withoutBOS() throws {
        let directory = try TemporaryDirectory()
        let copy = directory.file("plain")
        try FileManager.default.copyItem(atPath: DemoModel.path, toPath: copy)
        let file = URL(filePath: copy + "/tokenizer.json")
        var tokenizer = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        tokenizer["post_processor"] = nil
        try FileManager.default.removeItem(at: file)
        try JSONSerialization.data(withJSONObject: tokenizer).write(to: file)
        let world = try SteeringWorld(.topk, model: copy)
        var asked = settings([edit(1, .set, 20)], prompts: [""], tokens: 1)
        asked.model = copy
        #expect(throws: WorkflowError.self) { try world.steer(asked) }
        asked.prompts = ["King"]
        #expect(try world.steer(asked).outcomes[0].divergence > 0.001)
        // With BOS, an empty prompt has nothing to edit.
        asked = settings([edit(1, .set, 20)], prompts: [""], tokens: 1)
        #expect(try SteeringWorld(.topk).steer(asked).outcomes[0].divergence == 0)
    }

    @Test func anotherModelIsRefused() throws {
        let world = try SteeringWorld(.topk)
        let copy = world.directory.file("other")
        try DemoModel.copyOtherwise(to: copy)
        var asked = settings([edit(1, .set, 1)])
        asked.model = copy
        #expect {
            try world.steer(asked)
        } throws: { error in
            if case WorkflowError.refused = error { true } else { false }
        }
    }
}
