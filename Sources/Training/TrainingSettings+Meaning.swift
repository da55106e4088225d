import ActivationPipeline
package import LinearAlgebra
import SparseCoding
import SparseTraining
import Vocabulary

extension TrainingSettings {
    /// What products take.
    package var productPrecision: Precision { stream.precision ?? .f32 }

    /// Whether the stream holds BOS.
    var readsBOS: Bool { stream.includesBOS ?? (shape.fidelity == .reference) }

    /// Seed of the stream's order; nil for the text's or the files' own.
    var shuffleSeed: UInt64? { stream.shuffle ? stream.streamSeed ?? shape.seed : nil }

    /// Whether the activations come through a pipe.
    package var readsPipe: Bool { stream.activations.contains(PipedActivations.standardInput) }

    /// Whether batches are drawn from a buffer: always from a model and a pipe, from files where its size is given.
    var drawsFromBuffer: Bool {
        shuffleSeed != nil && (stream.model != nil || readsPipe || stream.shuffleBuffer != nil)
    }

    /// Rows of the buffer that batches are drawn from; nil where they are not.
    package var windowSize: Int? { drawsFromBuffer ? bufferLevel : nil }

    /// Rows of the buffer that batches are drawn from.
    var bufferLevel: Int {
        ModelActivationStream.level(
            batchTokens: stream.batchTokens,
            shuffleBuffer: stream.shuffle
                ? stream.shuffleBuffer
                    ?? ModelActivationStream.defaultShuffleBuffer(batchTokens: stream.batchTokens) : nil)
    }

    /// The number of steps.
    ///
    /// - Throws: `WorkflowError.usage` if neither or both of `steps` and `tokens` are given, or a number is
    ///   out of range.
    func stepCount() throws(WorkflowError) -> Int {
        let (batchTokens, seed) = (stream.batchTokens, shape.seed)
        try Allowed.upTo(1 << 24).check(batchTokens, of: "batchTokens")
        if let shuffleBuffer = stream.shuffleBuffer {
            try Allowed.within(1...1 << 30, "tokens").check(shuffleBuffer, of: "shuffleBuffer")
            guard shuffleBuffer >= batchTokens else {
                throw .usage("`shuffleBuffer` is \(shuffleBuffer); a batch of \(batchTokens) does not fit into it")
            }
            guard stream.shuffle, stream.model != nil || !stream.activations.isEmpty else {
                throw .usage("`shuffleBuffer` goes with shuffling, of what a model, files or a stream deliver")
            }
        }
        guard stream.shuffle || stream.streamSeed == nil || stream.streamSeed == seed else {
            throw .usage("`streamSeed` is the seed of the order, which `noShuffle` leaves as it is")
        }
        if let steps = stream.steps {
            guard stream.tokens == nil else {
                throw .usage("`steps` and `tokens` exclude each other: both say how long")
            }
            guard (1...1 << 31).contains(steps) else { throw .usage("`steps` is \(steps); allowed: from 1") }
            return steps
        }
        guard let tokens = stream.tokens else { throw .usage("say how long to train, with `tokens` N or `steps` S") }
        try Allowed.from(1).check(tokens, of: "tokens")
        return max(tokens / batchTokens, 1)
    }

    /// Whether two dictionaries can learn from one stream, in either spelling of its settings.
    func sharesStream(with other: TrainingSettings) -> Bool {
        effectiveStream == other.effectiveStream
    }

    private var effectiveStream: StreamSettings {
        var effective = stream
        effective.modelName = nil
        effective.precision = productPrecision
        effective.shuffle = shuffleSeed != nil
        effective.streamSeed = shuffleSeed
        effective.shuffleBuffer = windowSize
        effective.includesBOS = readsBOS
        return effective
    }

    /// What is trained, by the names that `architecture` takes: `topk`, `batchtopk`, `route`, `route-matryoshka`.
    package var kind: String {
        let keepsByBatch = shape.sparsity == .batchtopk
        let nested = keepsByBatch ? "matryoshka" : "matryoshka-topk"
        let kind = choices.prefixes != nil ? nested : keepsByBatch ? ActivationSparsity.batchtopk.rawValue : nil
        guard let kind else { return shape.architecture.rawValue }
        return shape.architecture == .topk ? kind : "\(shape.architecture.rawValue)-\(kind)"
    }

    /// A name made of architecture and sizes.
    var defaultName: String {
        var parts = [kind]
        if shape.architecture.readsOneLayer, let layer = shape.layers?.first { parts.append("l\(layer)") }
        parts.append("m\(shape.latents)")
        if let k = shape.k {
            parts.append("k\(k)")
        } else if let lambda = choices.lambda {
            parts.append("lambda\(lambda)")
        }
        return parts.joined(separator: "-")
    }
}
