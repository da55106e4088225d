import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import Foundation
import LanguageModel
import LinearAlgebra
import SparseCoding
import Steering
import TestSupport
import Testing
import Tokenization
import Vocabulary
import WorkflowWorlds

/// Prompts that go through a chat template, on the shipped model with a template put beside it.
@Suite struct ChatSteeringTests {
    private static let template = """
        {{- bos_token }}
        {%- for message in messages %}
        {{ '<' ~ message.role ~ '>' }} {{ message.content | trim }}
        {% endfor %}
        {% if add_generation_prompt %}<assistant {{ strftime_now('%d %b %Y') }}>{% endif %}
        """
    private static let rendered =
        "<|begin_of_text|><system> Be brief.\n<user> And the king said\n<assistant 26 Jul 2024>"

    private let world: SteeringWorld
    private let model: String

    init() throws {
        world = try SteeringWorld(.topk)
        model = world.directory.file("chat")
        try FileManager.default.copyItem(atPath: DemoModel.path, toPath: model)
    }

    private func write(_ text: String, to name: String = "chat_template.jinja") throws {
        try? FileManager.default.removeItem(atPath: model + "/" + name)
        try text.write(toFile: model + "/" + name, atomically: true, encoding: .utf8)
    }

    private func settings(_ prompt: String = " And the king said\n", system: String? = "Be brief.") -> SteeringSettings
    {
        SteeringSettings(
            model: model, edits: [LatentEdit(feature: 7, operation: .set, strength: 9)], prompts: [prompt],
            chat: ChatSettings(system: system), tokens: 6)
    }

    private func problem(_ settings: SteeringSettings) throws -> WorkflowError? {
        do {
            _ = try world.steer(settings, saving: true)
            return nil
        } catch let error as WorkflowError {
            return error
        }
    }

    /// The text is the template's, BOS included, which is not edited; nothing is put before or behind it.
    @Test func equalsFullPassesOverTheRenderedText() throws {
        try write(Self.template)
        let outcome = try world.steer(settings()).outcomes[0]
        #expect(outcome.prompt == " And the king said\n" && outcome.rendered == Self.rendered)
        let rest = String(Self.rendered.dropFirst("<|begin_of_text|>".count))
        let tokens =
            [try #require(world.folder.tokenizer.bosTokenID)]
            + world.folder.tokenizer.encode(rest, addSpecialTokens: false)
        #expect(tokens == world.folder.tokenizer.encode(Self.rendered, addSpecialTokens: false))
        let dictionary = try world.dictionary()
        let languageModel = world.folder.model
        let expected = try NaiveSteering(
            model: languageModel, configuration: dictionary.configuration, weights: dictionary.weights,
            edits: settings().edits, seed: 0
        ).greedy(tokens, count: 6, stops: [try #require(world.folder.tokenizer.eosTokenID)])
        #expect(outcome.tokens == expected.tokens.map(Int.init))
        #expect(abs(outcome.divergence - expected.divergence) < 1e-4 + 2e-3 * expected.divergence)
    }

    @Test("A chat prompt is stored and reproduced") func isKeptAndReproduced() throws {
        try write(Self.template)
        var asked = settings()
        asked.chat?.date = "2025-02-03"
        let runID = try #require(try world.steer(asked, saving: true).runID)
        try world.open(.readOnly) { catalog in
            let run = try catalog.run(runID)
            #expect(try JSONDecoder().decode(SteeringSettings.self, from: Data(run.configJSON.utf8)) == asked)
            let inputs = Set(try catalog.runInputs(runID).map(\.name))
            #expect(inputs.isSuperset(of: ["chat_template.jinja", "tokenizer_config.json", "generation_config.json"]))
            let row = try #require(try catalog.interventions(dictionaryID: 1, featureIndex: 7).last)
            #expect(row.prompt == " And the king said\n")
            let json = Data(try #require(row.detailJSON).utf8)
            let detail = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
            #expect(
                detail["rendered"] as? String
                    == Self.rendered.replacingOccurrences(of: "26 Jul 2024", with: "03 Feb 2025"))
        }

        func reproduce() throws -> [Reproduction.Comparison] {
            try world.open(.readOnly) {
                try Reproduction(settings: .init(runID: runID), workers: Workers(threads: 1)).run(on: $0)
            }
        }
        #expect(try reproduce().allSatisfy(\.isSame))
        // Another template is another run.
        try write(Self.template + " ")
        #expect(throws: WorkflowError.self) { try reproduce() }
    }

    /// As earlier versions stored them.
    @Test func settingsWithoutAChat() throws {
        var asked = settings()
        asked.chat = nil
        let data = try JSONEncoder().encode(asked)
        #expect(!String(decoding: data, as: UTF8.self).contains("chat\":"))
        #expect(try JSONDecoder().decode(SteeringSettings.self, from: data) == asked)
        #expect(try world.steer(asked).outcomes[0].rendered == nil)
    }

    /// A chat model ends its turn with another token than its texts.
    @Test("Generation ends at the generation configuration's end tokens")
    func endsWhereTheGenerationConfigurationSays() throws {
        try write(Self.template)
        let free = try world.steer(settings()).outcomes[0].tokens
        try #require(free.count > 2)
        let usual = try #require(world.folder.tokenizer.eosTokenID)
        try write("{\"eos_token_id\": [\(usual), \(free[2])]}", to: "generation_config.json")
        let end = try #require(free.firstIndex(of: free[2]))
        #expect(try world.steer(settings()).outcomes[0].tokens == Array(free[...end]))
    }

    @Test func whatCannotBeRenderedIsOneLine() throws {
        guard case .usage(let absent)? = try problem(settings()) else { throw CocoaError(.fileNoSuchFile) }
        #expect(
            absent == "`chat`: chat has no chat template, neither in chat_template.jinja nor in tokenizer_config.json")
        try write("{{ raise_exception('no\nsystem') if messages[0].role == 'system' }}{{ messages[0].content }}")
        guard case .usage(let refused)? = try problem(settings()) else { throw CocoaError(.fileNoSuchFile) }
        #expect(refused == "`chat`: the chat template of chat refuses the messages: no system")
        #expect(try problem(settings(system: nil)) == nil)
        for (source, found) in [
            ("\n{% if %}", "line 2"), ("{{ 1 + 'x' }}", "line 1"), ("{{ 1|nonsense }}", "'nonsense'"),
        ] {
            try write(source)
            guard case .badInput(let path, let problem)? = try problem(settings()) else {
                Issue.record("\(source) is taken")
                continue
            }
            #expect(path == model + "/chat_template.jinja" && problem.contains(found), "\(problem)")
        }

        var asked = settings()
        asked.chat?.date = "yesterday"
        guard case .usage? = try problem(asked) else { throw CocoaError(.fileNoSuchFile) }
    }
}
