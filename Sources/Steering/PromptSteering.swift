import ActivationPipeline
import LanguageModel
import LinearAlgebra
import SparseCoding
import Tokenization

/// Continues one prompt without and with edits.
///
/// Two sequences with the same tokens run side by side: the unsteered one determines where the dictionary reads each
/// token and the reference distribution, the steered one is edited there, in the prompt and in all that follows. The
/// prefix that the tokenizer puts before a text (BOS) is never edited.
final class PromptSteering {
    /// The text generated under some edits.
    struct Steered {
        let tokens: [TokenID]
        /// KL(unsteered ‖ steered), mean over the generated tokens, nats.
        let divergence: Double
        /// For each list of watched tokens, the change of their mean log-probability, mean over the generated tokens.
        let changes: [Double]
    }

    private let prompt: ModelPrompt
    private let encoder: DictionaryEncoder
    private let choice: TokenChoice
    private let stops: Set<TokenID>
    private let count: Int
    private let seed: UInt64
    private let unsteered: DecodingSession
    /// The prompt in the unsteered model.
    private let start: DecodingSession.Step
    private let cancelled: () -> Bool
    private let stepDone: () -> Void

    /// Reads a prompt.
    ///
    /// - Parameters:
    ///   - stops: tokens that end a text.
    ///   - count: the most tokens generated.
    ///   - seed: of the layers read by a `random` dictionary.
    ///   - cancelled: asked before every token.
    ///   - stepDone: told after every token.
    init(
        _ prompt: ModelPrompt, model: LanguageModel, encoder: DictionaryEncoder, choice: TokenChoice,
        stops: Set<TokenID>, count: Int, seed: UInt64, cancelled: @escaping () -> Bool, stepDone: @escaping () -> Void
    ) throws {
        self.prompt = prompt
        self.encoder = encoder
        self.choice = choice
        self.count = count
        self.seed = seed
        self.cancelled = cancelled
        self.stepDone = stepDone
        self.stops = stops
        unsteered = try DecodingSession(model, capacity: prompt.tokens.count + count)
        start = try unsteered.append(prompt.tokens, layers: encoder.configuration.layers)
    }

    /// The unsteered continuation.
    func continuation() throws -> [TokenID] {
        unsteered.rewind(to: prompt.tokens.count)
        var logits = start.logits
        return try generate { step in
            let token = choice.token(from: logits.elements, step: step)
            return (token, { logits = try self.unsteered.append([token]).logits })
        }
    }

    /// The continuation under an intervention.
    ///
    /// - Parameter watched: lists of tokens whose probabilities are compared.
    func continuation(under intervention: StreamIntervention, watching watched: [[Int]]) throws -> Steered {
        unsteered.rewind(to: prompt.tokens.count)
        let steered = try DecodingSession(unsteered.model, capacity: prompt.tokens.count + count)
        func append(_ tokens: [TokenID], reading plain: DecodingSession.Step) throws -> Matrix {
            // With frequencies that depend on the length, all tokens may be run again, and edited again.
            let first = steered.firstPosition(appending: tokens.count)
            let run = Array(steered.tokens[first...]) + tokens
            let skipped = first == 0 ? prompt.prefix : 0
            let streams = plain.streams.dropFirst(first - plain.firstPosition)
            let batch = batch(of: run, streams, at: first, skipping: skipped)
            let sites = try intervention.sites(of: batch)
            return try steered.append(tokens) { layer, residual in
                try intervention.apply(sites, after: layer, to: residual, firstRow: skipped)
            }.logits
        }

        var plainLogits = start.logits
        var logits = try append(prompt.tokens, reading: start)
        var divergence = 0.0
        var changes = watched.map { _ in 0.0 }
        let tokens = try generate { step in
            let plain = LogProbabilities(logits: plainLogits.elements)
            let edited = LogProbabilities(logits: logits.elements)
            divergence += plain.divergence(to: edited)
            for (place, tokens) in watched.enumerated() {
                changes[place] += edited.mean(of: tokens) - plain.mean(of: tokens)
            }

            let token = choice.token(from: logits.elements, step: step)
            return (
                token,
                {
                    let step = try self.unsteered.append([token], layers: self.encoder.configuration.layers)
                    plainLogits = step.logits
                    logits = try append([token], reading: step)
                }
            )
        }

        let steps = Double(tokens.count)
        return Steered(tokens: tokens, divergence: divergence / steps, changes: changes.map { $0 / steps })
    }

    /// Generates until the token limit or an end token. `next` chooses a token and returns how to read
    /// it, which the last one does not need.
    private func generate(
        _ next: (_ step: Int) throws -> (token: TokenID, read: () throws -> Void)
    ) throws -> [TokenID] {
        var tokens: [TokenID] = []
        while true {
            if cancelled() { throw WorkflowError.interrupted("steering was stopped; nothing was written") }
            let (token, read) = try next(tokens.count)
            tokens.append(token)
            stepDone()
            if tokens.count == count || stops.contains(token) { return tokens }
            try read()
        }
    }

    /// The streams of tokens as the encoder reads them. A token's draw key follows from the seed and its position after
    /// the prefix.
    private func batch(
        of tokens: [TokenID], _ streams: ResidualStreams, at position: Int, skipping skipped: Int
    ) -> ActivationBatch {
        let batch = ActivationBatch(
            capacity: tokens.count - skipped, layers: streams.layers, dModel: streams.dModel)
        for row in skipped..<tokens.count {
            batch.values.row(batch.count).update(from: streams.values.row(row), count: streams.values.columns)
            batch.tokenIDs[batch.count] = tokens[row]
            batch.drawKeys[batch.count] = ActivationBatch.drawKey(
                document: Int(truncatingIfNeeded: seed), position: position + row - prompt.prefix)
            batch.count += 1
        }
        return batch
    }
}
