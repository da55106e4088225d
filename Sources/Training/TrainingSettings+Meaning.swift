import ActivationPipeline
import SparseCoding
import SparseTraining

extension TrainingSettings {
    /// What the trainer is asked for.
    var choices: TrainingOptions.Choices {
        TrainingOptions.Choices(
            learningRate: learningRate, warmupFraction: warmupFraction, decayFraction: decayFraction,
            gradientClip: gradientClip, normalizeEvery: normalizeEvery,
            removesParallelGradient: removesParallelGradient, initialBias: initialBias, loadBalance: loadBalance,
            routerGradient: routerGradient, auxiliaryCoefficient: auxiliaryCoefficient, auxiliaryK: auxiliaryK,
            deadAfterTokens: deadAfterTokens,
            sparsityCoefficient: lambda, sparsityWarmup: lambdaWarmup, bandwidth: bandwidth,
            initialThreshold: initialThreshold)
    }

    /// Whether the stream holds BOS.
    var readsBOS: Bool { includesBOS ?? (fidelity == .reference) }

    /// Seed of the stream's order; nil for the text's or the files' own.
    var shuffleSeed: UInt64? { shuffle ? streamSeed ?? seed : nil }

    /// Rows that a live stream's buffer is kept filled to.
    var bufferLevel: Int {
        ModelActivationStream.level(
            batchTokens: batchTokens,
            shuffleBuffer: shuffle
                ? shuffleBuffer ?? ModelActivationStream.defaultShuffleBuffer(batchTokens: batchTokens) : nil)
    }

    /// The number of steps.
    ///
    /// - Throws: `WorkflowError.usage` where neither `steps` nor `tokens` says it, where both do, or where a number is
    ///   out of range.
    func stepCount() throws(WorkflowError) -> Int {
        guard (1...1 << 24).contains(batchTokens) else {
            throw .usage("--batch-tokens is \(batchTokens); allowed: 1 … 16777216")
        }
        if let shuffleBuffer {
            guard (1...1 << 30).contains(shuffleBuffer) else {
                throw .usage("--shuffle-buffer is \(shuffleBuffer); allowed: 1 … 1073741824 tokens")
            }
            guard shuffleBuffer >= batchTokens else {
                throw .usage("--shuffle-buffer is \(shuffleBuffer); a batch of \(batchTokens) does not fit into it")
            }
            guard shuffle, model != nil else {
                throw .usage(
                    "--shuffle-buffer goes with a model and shuffling; rows of files are shuffled over all of them")
            }
        }
        guard shuffle || streamSeed == nil || streamSeed == seed else {
            throw .usage("--stream-seed is the seed of the order, which --no-shuffle leaves as it is")
        }
        if let steps {
            guard tokens == nil else { throw .usage("--steps and --tokens exclude each other: both say how long") }
            guard (1...1 << 31).contains(steps) else { throw .usage("--steps is \(steps); allowed: from 1") }
            return steps
        }
        guard let tokens else { throw .usage("say how long to train, with --tokens N or --steps S") }
        guard tokens > 0 else { throw .usage("--tokens is \(tokens); allowed: from 1") }
        return max(tokens / batchTokens, 1)
    }

    /// Whether two dictionaries can learn from one stream.
    func sharesStream(with other: TrainingSettings) -> Bool {
        model == other.model && text == other.text && activations == other.activations
            && batchTokens == other.batchTokens && steps == other.steps && tokens == other.tokens
            && context == other.context && shuffleSeed == other.shuffleSeed && bufferLevel == other.bufferLevel
            && readsBOS == other.readsBOS
    }

    /// A name made of architecture and sizes.
    var defaultName: String {
        var parts = [architecture.rawValue]
        if architecture.readsOneLayer, let layer = layers?.first { parts.append("l\(layer)") }
        parts.append("m\(latents)")
        if let k { parts.append("k\(k)") } else if let lambda { parts.append("lambda\(lambda)") }
        return parts.joined(separator: "-")
    }
}
