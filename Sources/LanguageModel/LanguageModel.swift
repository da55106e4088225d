package import LinearAlgebra
internal import Synchronization

/// Reads the residual stream `[tokens × dModel]` after a decoder layer (counted from 0) and may change it in place for
/// the layers behind. The matrix is the model's own: it is valid only during the call.
package typealias ResidualEdit = (_ layer: Int, _ residual: Matrix) throws -> Void

/// A decoder of one of the families of `ModelFamily` in Hugging Face layout, computed in fp32, or with its products
/// in bf16 (sums, softmax and norms in fp32).
///
/// Several threads may use one model; each call has scratch space of its own and uses all of the model's workers.
///
/// Results do not depend on the number of workers, bit for bit, nor on whether the weights are resident. The result
/// of a sequence depends on that sequence alone, whatever else is in the batch.
package final class LanguageModel: Sendable {
    /// The configuration in `config.json`.
    package let configuration: LanguageModelConfiguration
    /// The model's directory as it was given.
    package let directory: String
    /// Whether the weights are in memory (`.resident`) or read from the file layer by layer (`.streamed`).
    package var residency: WeightResidency { weights.isResident ? .resident : .streamed }
    /// What products take.
    package var precision: Precision { weights.precision }

    let weights: ModelWeights
    let workers: Workers
    /// Scratch memory of the last pass.
    private let idleScratch = Mutex<ForwardScratch?>(nil)

    /// Opens a model directory: `config.json` with `model.safetensors` or its shards and their index.
    ///
    /// Everything is checked first: that the configuration describes a model that is computed here and that every tensor
    /// is there in the shape that it calls for; only the unembedding may be missing as long as no logits are asked for.
    /// Infinities and NaNs in weights are found by the pass that reads them, in embedding and unembedding row by
    /// row.
    ///
    /// - Parameter precision: of products. In bf16, weights stored as such are used as they are;
    ///   others are rounded, except an unembedding.
    /// - Throws: `.missing`, `.notAModel`, `.unreadable`, `.malformedConfiguration`, `.unsupportedConfiguration`,
    ///   `.weights`, `.tensorShape`.
    package init(
        directory: String, workers: Workers, residency: WeightResidency = .automatic, precision: Precision = .f32
    ) throws(LanguageModelError) {
        try ModelDirectory.check(directory)
        self.directory = directory
        self.workers = workers
        let configuration = try LanguageModelConfiguration(path: directory + "/config.json")
        self.configuration = configuration
        weights = try ModelWeights(
            directory: directory, configuration: configuration, workers: workers, residency: residency,
            precision: precision)
    }

    /// Runs a batch through the layers `0..<layers` and passes the result to `finish`.
    ///
    /// - Parameters:
    ///   - start: continues after this layer, with this residual stream `[tokens × dModel]`, instead of the embeddings.
    ///   - afterLayer: called after each layer's edit.
    func forward<Result>(
        _ batch: TokenBatch, layers: Int, startingAfter start: (layer: Int, residual: Matrix)? = nil,
        editing: ResidualEdit?, afterLayer: (Int, DecoderPass) -> Void = { _, _ in },
        finish: (DecoderPass) throws -> Result
    ) throws -> Result {
        try batch.check(against: configuration)
        let scratch = takeScratch(for: batch)
        defer { idleScratch.withLock { $0 = scratch } }
        let pass = DecoderPass(model: configuration, batch: batch, workers: workers, scratch: scratch)
        if let start {
            pass.residual.pointer.update(
                from: start.residual.pointer, count: batch.tokens.count * configuration.dModel)
        } else {
            try weights.embed(batch.tokens, at: pass.positions, into: pass.residual)
        }
        for layer in (start.map { $0.layer + 1 } ?? 0)..<layers {
            let layerWeights = try weights.layer(layer, scratch: &scratch.layerBuffer)
            pass.run(layerWeights, layer: configuration.layers[layer])
            try weights.checkMappedFiles()
            try editing?(layer, pass.residual)
            afterLayer(layer, pass)
        }
        return try finish(pass)
    }

    /// The scratch space of the last pass if it fits, otherwise new.
    private func takeScratch(for batch: TokenBatch) -> ForwardScratch {
        let idle = idleScratch.withLock { idle in
            defer { idle = nil }
            return idle
        }

        let longest = batch.longestSequence
        if let idle, idle.tokens == batch.tokens.count, idle.positions >= longest { return idle }
        let fresh = ForwardScratch(
            model: configuration, tokens: batch.tokens.count, positions: longest, precision: precision,
            residency: residency, workers: workers.count)
        fresh.layerBuffer = idle?.layerBuffer
        return fresh
    }
}
