package import ActivationPipeline
package import FeatureCatalog
import JSON
import LanguageModel
package import LinearAlgebra
package import SparseCoding
import Tokenization

/// Generates text with features set, raised or scaled, beside the unsteered text, and records it.
package struct SteeringRun {
    /// The settings.
    package let settings: SteeringSettings
    /// Workers that run it.
    package let workers: Workers

    /// Watched tokens of each edited feature: those it promotes most.
    static let promotedTokens = 10

    /// Describes a run.
    package init(settings: SteeringSettings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// One prompt under one set of edits.
    package struct Outcome: Sendable {
        /// The prompt, before rendering.
        package let prompt: String
        /// The prompt rendered by the chat template; nil without one.
        package let rendered: String?
        /// The edits.
        package let edits: [LatentEdit]
        /// The unsteered text.
        package let unsteeredText: String
        /// The steered text.
        package let text: String
        /// The tokens of `text`, including the end token.
        package let tokens: [Int]
        /// KL(unsteered ‖ steered), mean over the generated tokens, nats.
        package let divergence: Double
        /// For each edit, the change of the mean log-probability of the ten tokens its feature promotes most; nil if
        /// the catalog does not list them.
        package let promotedChanges: [Double?]
    }

    /// The result of steering.
    package struct Result: Sendable {
        /// The run's number in the catalog; nil if nothing was saved.
        package let runID: Int64?
        /// The dictionary's number in the catalog.
        package let dictionaryID: Int64
        /// One for each prompt and strength.
        package let outcomes: [Outcome]
    }

    /// Generates the texts.
    ///
    /// - Parameters:
    ///   - saving: whether a run of kind `steer` and its interventions are written.
    ///   - cancelled: asked before every token; once true, the run ends as interrupted and writes no interventions.
    ///   - progress: told how many of how many tokens are done; a text that ends early counts for all of its tokens.
    /// - Throws: `WorkflowError`: `.usage` for settings out of range, a prompt without tokens, or one that exceeds the
    ///   model's context together with the tokens to generate, a model without a chat template where one is asked
    ///   for or messages that it refuses, `.badInput` for a template that cannot be rendered, `.refused` for another model than the
    ///   dictionary's; `SparseCodingError` for edits that cannot be made; `CatalogError`, `LanguageModelError`.
    package func run(
        on catalog: Catalog, saving: Bool = true, cancelled: @escaping () -> Bool = { false },
        progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Result {
        try settings.validate()
        let dictionary = try StoredDictionary(named: settings.dictionary, in: catalog)
        let encoder = DictionaryEncoder(
            configuration: dictionary.configuration, weights: dictionary.weights, workers: workers,
            precision: settings.precision ?? .f32)
        let interventions = try interventions(encoder)
        let folder = try ModelFolder.decoding(
            path: settings.model, workers: workers, precision: settings.precision)
        let texts = try texts(under: interventions, encoder, dictionary, folder, in: catalog)

        func steer(_ run: RunContext?) throws -> Result {
            let outcomes = try outcomes(of: texts, cancelled: cancelled, progress: progress)
            if let run {
                try catalog.write(
                    interventions: try outcomes.map {
                        try $0.record(runID: run.runID, dictionaryID: dictionary.record.dictionaryID)
                    })
            }
            return Result(runID: run?.runID, dictionaryID: dictionary.record.dictionaryID, outcomes: outcomes)
        }
        guard saving else { return try steer(nil) }
        return try catalog.withRun(
            .steer, settings: settings, seed: settings.seed, inputs: try folder.inputs(steering: settings),
            cancelled: cancelled, steer)
    }

    /// Generates the texts with a model and a dictionary that are open, whatever the settings call them, and writes
    /// nothing.
    ///
    /// - Parameter cancelled: asked before every token.
    /// - Returns: one outcome for each prompt and strength.
    /// - Throws: as ``run(on:saving:cancelled:progress:)``; `WorkflowError.interrupted` where `cancelled` says so.
    package func outcomes(
        through reader: TextReader, in catalog: Catalog, cancelled: @escaping () -> Bool
    ) throws -> [Outcome] {
        try settings.validate()
        let texts = try texts(
            under: try interventions(reader.encoder), reader.encoder, reader.dictionary, reader.folder, in: catalog)
        return try outcomes(of: texts, cancelled: cancelled, progress: { _, _ in })
    }

    /// What texts are generated from, checked.
    private struct Texts {
        let prompts: [ModelPrompt]
        /// Tokens that end a text.
        let stops: Set<TokenID>
        let interventions: [StreamIntervention]
        let encoder: DictionaryEncoder
        let folder: ModelFolder
        /// For each edit, the tokens that its feature promotes; nil if the catalog does not list them.
        let watched: [[Int]?]
    }

    private func interventions(_ encoder: DictionaryEncoder) throws -> [StreamIntervention] {
        try settings.variants.map {
            try StreamIntervention(encoder: encoder, edits: $0, replacing: settings.replacing)
        }
    }

    private func texts(
        under interventions: [StreamIntervention], _ encoder: DictionaryEncoder, _ dictionary: StoredDictionary,
        _ folder: ModelFolder, in catalog: Catalog
    ) throws -> Texts {
        try dictionary.check(folder, in: catalog)
        try folder.model.checkUnembedding()
        let chat = try settings.chat.map { try ChatPrompts($0, folder: folder) }
        let vocabulary = 0..<folder.model.configuration.vocabularySize
        return Texts(
            prompts: try settings.prompts.map { try checked(try chat?.prompt($0) ?? plain($0, folder), folder) },
            stops: try folder.model.configuration.endOfSequence(in: folder.path), interventions: interventions,
            encoder: encoder, folder: folder,
            watched: try settings.edits.map {
                try promoted(by: $0.feature, of: dictionary.record, in: catalog, vocabulary)
            })
    }

    /// Generates every prompt's continuations, unsteered and under every intervention.
    private func outcomes(
        of texts: Texts, cancelled: @escaping () -> Bool, progress: @escaping (_ done: Int, _ total: Int) -> Void
    ) throws -> [Outcome] {
        let folder = texts.folder
        let choice = TokenChoice(
            temperature: settings.temperature, topP: settings.topP,
            vocabularySize: folder.tokenizer.vocabularySize, seed: settings.seed)
        let total = texts.prompts.count * (texts.interventions.count + 1) * settings.tokens
        var (done, tokens) = (0, 0)
        func finishText() {
            (done, tokens) = (done + 1, 0)
            progress(done * settings.tokens, total)
        }

        var outcomes: [Outcome] = []
        for (text, prompt) in zip(settings.prompts, texts.prompts) {
            let steering = try PromptSteering(
                prompt, model: folder.model, encoder: texts.encoder, choice: choice, stops: texts.stops,
                count: settings.tokens, seed: settings.seed, cancelled: cancelled
            ) {
                tokens += 1
                progress(done * settings.tokens + tokens, total)
            }

            let plain = folder.tokenizer.decode(try steering.continuation(), skipSpecialTokens: true)
            finishText()
            for (edits, intervention) in zip(settings.variants, texts.interventions) {
                let steered = try steering.continuation(
                    under: intervention, watching: texts.watched.map { $0 ?? [] })
                outcomes.append(
                    Outcome(
                        prompt: text, rendered: prompt.rendered, edits: edits, unsteeredText: plain,
                        text: folder.tokenizer.decode(steered.tokens, skipSpecialTokens: true),
                        tokens: steered.tokens.map(Int.init), divergence: steered.divergence,
                        promotedChanges: zip(texts.watched, steered.changes).map { $0 == nil ? nil : $1 }))
                finishText()
            }
        }
        return outcomes
    }

    /// A text's tokens, with the tokenizer's special tokens before it.
    private func plain(_ text: String, _ folder: ModelFolder) -> ModelPrompt {
        let prefix = folder.tokenizer.addsBOS ? folder.tokenizer.bosTokenID.map { [$0] } ?? [] : []
        let tokens = prefix + folder.tokenizer.encode(text, addSpecialTokens: false)
        return ModelPrompt(tokens: tokens, prefix: prefix.count)
    }

    /// Checks that a prompt is not empty and fits the context.
    private func checked(_ prompt: ModelPrompt, _ folder: ModelFolder) throws -> ModelPrompt {
        guard !prompt.tokens.isEmpty else {
            throw WorkflowError.usage(
                "a prompt is empty, and this tokenizer puts nothing before a text; give the model something to continue"
            )
        }

        let most = folder.model.configuration.maximumPositions
        guard prompt.tokens.count + settings.tokens <= most else {
            throw WorkflowError.usage(
                "a prompt of \(prompt.tokens.count) tokens and \(settings.tokens) to generate (`tokens`) are more than "
                    + "\(folder.name) takes: \(most)")
        }
        return prompt
    }

    /// The tokens that a feature promotes most; nil if the catalog does not list them.
    private func promoted(
        by feature: Int, of dictionary: DictionaryRecord, in catalog: Catalog, _ vocabulary: Range<Int>
    ) throws -> [Int]? {
        let tokens = try catalog.logits(dictionaryID: dictionary.dictionaryID, featureIndex: feature)
            .filter { $0.direction == .promoted && vocabulary.contains($0.tokenID) }
            .prefix(SteeringRun.promotedTokens).map(\.tokenID)
        return tokens.isEmpty ? nil : tokens
    }
}
