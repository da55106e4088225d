import CKernels
package import LinearAlgebra
package import SparseCoding

/// Trains a dictionary of k active latents: `route`, `topk`, `random`, `mlsae`, or `crosscoder` with k.
///
/// Only the encode product is dense; decoding, latent gradients and weight gradients touch the k active of m latents.
/// The files beside this one follow a step: `+Forward` (encode, decode, latent gradients), `+Router` (backward pass of
/// the router), `+DeadLatents` (AuxK), `+Gradients` (biases, router), `+Update` (weight gradients and Adam, fused).
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
    /// ∂L/∂û `[samples × D]`.
    let errorGradient: Matrix
    /// ∂L/∂a of the active latents `[samples × k]`.
    let slopes: Matrix
    /// ‖û − u‖² of each sample's parts `[samples × parts]`.
    let squaredError: Matrix
    /// Factor from each part's û − u to ∂L/∂û.
    let errorFactor: Matrix
    /// ∂L/∂(router logits) `[tokens × layers]`; no rows without a router.
    let logitGradient: Matrix
    /// The running means of layer errors after the present step `[1 × layers]`.
    let newLayerErrorMeans: Matrix
    let entries: LatentEntries

    /// Columns of a block of a weight update: the sums of one block stay in registers and its rows in the outer cache.
    static let columnBlock = 128

    let configuration: DictionaryConfiguration
    let weights: DictionaryWeights

    /// Makes a trainer that continues from a state.
    ///
    /// - Parameter precision: of the encoder's product.
    /// - Precondition: the state's configuration has a k.
    package init(
        state: TrainerState, options: TrainingOptions, workers: Workers, precision: Precision = .f32
    ) {
        let configuration = state.configuration
        guard let k = configuration.k else { preconditionFailure("\(configuration.architecture) without k") }
        self.state = state
        self.configuration = configuration
        weights = state.weights
        self.options = options
        self.workers = workers
        self.k = k
        width = configuration.inputWidth
        parts = configuration.parts
        encoder = DictionaryEncoder(
            configuration: configuration, weights: state.weights, workers: workers, precision: precision)
        let tokens = options.batchTokens
        let samples = tokens * configuration.samplesPerToken
        input = AutoencoderInput(capacity: tokens, configuration: configuration)
        latents = SparseLatents(capacity: tokens, configuration: configuration)
        errorGradient = Matrix(rows: samples, columns: configuration.inputWidth)
        slopes = Matrix(rows: samples, columns: k)
        squaredError = Matrix(rows: samples, columns: configuration.parts)
        errorFactor = Matrix(rows: samples, columns: configuration.parts)
        logitGradient = Matrix(rows: configuration.routes ? tokens : 0, columns: configuration.layers.count)
        newLayerErrorMeans = state.layerErrorMeans.copy()
        entries = LatentEntries(latents: configuration.latents, capacity: samples * k)
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
        state.layerErrorMeans.update(from: newLayerErrorMeans)
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

    /// Whether all terms of the weight gradients are finite: the loss alone does not show it if a
    /// token's ‖u‖² is so small that dividing by it overflows.
    private func slopesAreFinite(samples: Int) -> Bool {
        rsae_all_finite(errorGradient.pointer, Int64(samples * configuration.inputWidth)) != 0
            && rsae_all_finite(slopes.pointer, Int64(samples * k)) != 0
            && rsae_all_finite(logitGradient.pointer, Int64(logitGradient.count)) != 0
    }
}
