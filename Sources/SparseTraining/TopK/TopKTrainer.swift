import CKernels
package import LinearAlgebra
package import SparseCoding

/// Trains a dictionary of k active latents: `route`, `topk`, `random`, `mlsae`, or `crosscoder` with k; or of k on the
/// mean, chosen in each batch together (`BatchSelection`), whose one threshold is the running mean of the least kept.
///
/// Only the encode product is dense; decoding, latent gradients and weight gradients touch the k active of m latents.
/// The files beside this one follow a step: `+Forward` (encode, decode, latent gradients), `+Router` (backward pass of
/// the router), `+DeadLatents` (AuxK), `+Prefixes` (Matryoshka), `+Gradients` (biases, router), `+Update` (weight gradients and Adam, fused).
package final class TopKTrainer: DictionaryTrainer {
    /// The training options.
    package let options: TrainingOptions
    /// Weights, optimizer moments and counters.
    package let state: TrainerState

    let k: Int
    /// D, the configuration's input width.
    let width: Int
    /// The configuration's parts.
    let parts: Int
    let workers: Workers
    let encoder: DictionaryEncoder

    let input: AutoencoderInput
    let latents: SparseLatents
    /// Chooses the latents of a batch together; nil where every sample keeps k.
    let selection: BatchSelection?
    /// The least activation that the present batch keeps, with a `selection`.
    var leastKept: Float?
    /// m_1 < … < m of a Matryoshka; m alone without.
    let prefixes: [Int]
    /// ∂L/∂û `[samples × D]`, of each group of latents between prefixes: `TopKTrainer+Prefixes`.
    let errorGradients: [Matrix]
    /// ∂L/∂a of the active latents `[samples × k]`, laid out as `latents` are.
    let slopes: Matrix
    /// ‖û − u‖² of each sample's parts `[samples × parts]`.
    let squaredError: Matrix
    /// The same of each prefix `[samples × prefixes]`; no rows without.
    let prefixSquares: Matrix
    /// Factor from each part's û − u to ∂L/∂û; with prefixes to the part of it that is the last one's.
    let errorFactor: Matrix
    /// ∂L/∂(router logits) `[tokens × layers]`; no rows without a router.
    let logitGradient: Matrix
    let entries: LatentEntries
    /// The decoder's rows as the latents of a sample read them.
    let decoderRows: DecoderRows
    /// Copies that weight gradients read, where that is faster; nil with prefixes.
    let blocks: SampleBlocks?

    /// Columns of a block of a weight update: the sums of one block stay in registers and its rows in the outer cache.
    static let columnBlock = 128

    let configuration: DictionaryConfiguration
    let weights: DictionaryWeights

    /// Makes a trainer that continues from a state.
    ///
    /// - Parameter precision: of the encoder's product.
    /// - Precondition: the state's configuration has a k, or the options have one for batches.
    package init(
        state: TrainerState, options: TrainingOptions, workers: Workers, precision: Precision = .f32
    ) {
        let configuration = state.configuration
        guard let k = configuration.k ?? options.batchK else {
            preconditionFailure("\(configuration.architecture) without k")
        }
        self.state = state
        self.configuration = configuration
        weights = state.weights
        self.options = options
        self.workers = workers
        self.k = k
        width = configuration.inputWidth
        parts = configuration.parts
        encoder = DictionaryEncoder(
            configuration: configuration, weights: state.weights, workers: workers, precision: precision,
            packs: true)
        let tokens = options.batchTokens
        let samples = tokens * configuration.samplesPerToken
        input = AutoencoderInput(capacity: tokens, configuration: configuration)
        if options.batchK == nil {
            latents = SparseLatents(capacity: tokens, configuration: configuration)
            selection = nil
        } else {
            latents = SparseLatents(capacity: samples, sharing: samples * k)
            selection = BatchSelection(encoder, k: k, workers: workers)
        }
        prefixes = options.prefixes ?? [configuration.latents]
        errorGradients = prefixes.map { _ in Matrix(rows: samples, columns: configuration.inputWidth) }
        prefixSquares = Matrix(rows: prefixes.count > 1 ? samples : 0, columns: prefixes.count)
        slopes = Matrix(rows: samples, columns: k)
        squaredError = Matrix(rows: samples, columns: configuration.parts)
        errorFactor = Matrix(rows: samples, columns: configuration.parts)
        logitGradient = Matrix(rows: configuration.routes ? tokens : 0, columns: configuration.layers.count)
        entries = LatentEntries(latents: configuration.latents, capacity: samples * k)
        decoderRows = DecoderRows(encoder)
        blocks =
            prefixes.count == 1
                && SampleBlocks.isWorthwhile(
                    capacity: samples, width: width, part: SampleBlocks.columns, precision: precision)
            ? SampleBlocks(capacity: samples, width: width, halved: precision == .bf16) : nil
    }

    /// Makes a trainer that starts from the given weights.
    package convenience init(
        configuration: DictionaryConfiguration, options: TrainingOptions, weights: DictionaryWeights, workers: Workers
    ) {
        self.init(
            state: TrainerState(configuration, options: options, weights: weights, workers: workers), options: options,
            workers: workers)
    }

    /// One step; see `DictionaryTrainer`.
    @discardableResult
    package func step(_ batch: ActivationBatch) throws -> StepReport {
        precondition(batch.count > 0 && batch.count <= options.batchTokens, "a batch holds 1 … batchTokens tokens")
        let samples = batch.count * configuration.samplesPerToken
        // The forward pass of the first step may move b_pre.
        let preBias = state.stepsDone == 0 ? weights.preBias.copy() : nil
        let forward = try forward(batch)
        let dead = state.deadLatents(options)
        let auxiliary = options.auxiliary.flatMap { auxiliaryStep($0, dead: dead, samples: samples) }
        guard forward.loss < TrainerState.largestLoss, forward.balanceLoss.isFinite, (auxiliary?.loss ?? 0).isFinite,
            slopesAreFinite(samples: samples)
        else {
            if let preBias { weights.preBias.update(from: preBias) }
            throw TrainingError.lossNotFinite(step: state.stepsDone)
        }
        entries.fill(from: latents, slopes: slopes.pointer, count: samples, by: workers)
        update(tokens: batch.count, samples: samples, auxiliary: auxiliary)
        if let leastKept { state.moveThreshold(toward: leastKept) }
        let report = StepReport(
            step: state.stepsDone,
            loss: forward.loss,
            auxiliaryLoss: auxiliary?.loss ?? 0,
            balanceLoss: forward.balanceLoss,
            explainedVariance: forward.explainedVariance,
            l0: forward.l0,
            deadShare: Float(dead.count) / Float(configuration.latents),
            layerShares: forward.layerShares)
        state.finishStep(
            options, tokens: batch.count, fired: { entries.offsets[$0 + 1] > entries.offsets[$0] }, workers)
        return report
    }

    /// ∂L/∂û of the first group of latents, which includes what reaches b_pre: all of it without prefixes.
    var errorGradient: Matrix { errorGradients[0] }

    /// ∂L/∂a of one sample's active latents.
    func slopes(of sample: Int) -> UnsafeMutablePointer<Float> { slopes.pointer + latents.offset(of: sample) }

    /// Whether all terms of the weight gradients are finite: the loss alone does not show it if a
    /// token's ‖u‖² is so small that dividing by it overflows.
    private func slopesAreFinite(samples: Int) -> Bool {
        errorGradients.allSatisfy { workers.allFinite($0.pointer, count: samples * configuration.inputWidth) }
            && workers.allFinite(slopes.pointer, count: latents.offset(of: samples))
            && workers.allFinite(logitGradient.pointer, count: logitGradient.count)
    }
}
