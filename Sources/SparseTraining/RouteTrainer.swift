import CKernels
public import LinearAlgebra
public import SparseCoding

/// Trains one RouteSAE dictionary, a batch a step.
///
/// Only the encode product is dense; decoding, latent slopes and weight gradients touch the k active of m latents.
/// The files beside this one follow a step: `+Forward` (route, encode, decode, slopes), `+DeadLatents` (AuxK),
/// `+Gradients` (biases, router), `+Update` (weight gradients and Adam, fused).
public final class RouteTrainer {
    /// The dictionary's shape and rules.
    public let configuration: RouteConfiguration
    /// How it is trained.
    public let options: RouteTrainingOptions
    /// The weights, updated in place.
    public let weights: RouteWeights
    /// How many steps have been made.
    public package(set) var stepsDone = 0
    /// For each latent the number of tokens since it last fired.
    public package(set) var tokensSinceFired: [Int]

    let workers: Workers
    let encoder: RouteEncoder
    let schedule: LearningRateSchedule
    let firstMoment: RouteWeights
    let secondMoment: RouteWeights

    let routed: RoutedBatch
    let latents: SparseLatents
    /// ∂L/∂û `[tokens × d]`.
    let errorGradient: Matrix
    /// ∂L/∂a of the active latents `[tokens × k]`.
    let slopes: Matrix
    /// ‖û − u‖² of each token.
    let squaredError: Matrix
    /// What a token's û − u was multiplied by to become ∂L/∂û.
    let errorFactor: Matrix
    /// ∂L/∂(router logits) `[tokens × layers]`.
    let logitGradient: Matrix
    let entries: LatentEntries

    /// Columns of a block of a weight update: the sums of one block stay in registers and its rows in the outer cache.
    static let columnBlock = 128

    /// Makes a trainer that starts from the given weights.
    public init(
        configuration: RouteConfiguration,
        options: RouteTrainingOptions,
        weights: RouteWeights,
        workers: Workers
    ) {
        self.configuration = configuration
        self.options = options
        self.weights = weights
        self.workers = workers
        encoder = RouteEncoder(configuration: configuration, weights: weights, workers: workers)
        schedule = LearningRateSchedule(
            steps: options.steps, warmupFraction: options.warmupFraction, decayFraction: options.decayFraction)
        firstMoment = RouteWeights(configuration)
        secondMoment = RouteWeights(configuration)
        tokensSinceFired = Array(repeating: 0, count: configuration.latents)
        let capacity = options.batchTokens
        routed = RoutedBatch(capacity: capacity, configuration: configuration)
        latents = SparseLatents(capacity: capacity, k: configuration.k)
        errorGradient = Matrix(rows: capacity, columns: configuration.dModel)
        slopes = Matrix(rows: capacity, columns: configuration.k)
        squaredError = Matrix(rows: 1, columns: capacity)
        errorFactor = Matrix(rows: 1, columns: capacity)
        logitGradient = Matrix(rows: capacity, columns: configuration.layers.count)
        entries = LatentEntries(latents: configuration.latents, capacity: capacity * configuration.k)
        weights.normaliseDecoder(by: workers)
    }

    /// One step: forward, backward, Adam, and the decoder's norms where they are due.
    ///
    /// - Parameter batch: at most `options.batchTokens` tokens, all of them real.
    /// - Returns: the losses before the update.
    /// - Throws: `SparseCodingError` for activations that do not fit or are not finite,
    ///   `TrainingError.lossNotFinite`; in either case the weights stay as they were.
    @discardableResult
    public func step(_ batch: ActivationBatch) throws -> StepReport {
        precondition(batch.count > 0 && batch.count <= options.batchTokens, "a batch holds 1 … batchTokens tokens")
        // The forward pass of the first step may move b_pre.
        let preBias = stepsDone == 0 ? weights.preBias.copy() : nil
        let forward = try forward(batch)
        let dead = deadLatents()
        let auxiliary = options.auxiliary.flatMap { auxiliaryStep($0, dead: dead, count: batch.count) }
        guard forward.loss.isFinite, forward.balanceLoss.isFinite, (auxiliary?.loss ?? 0).isFinite,
            slopesAreFinite(count: batch.count)
        else {
            if let preBias { weights.preBias.update(from: preBias) }
            throw TrainingError.lossNotFinite(step: stepsDone)
        }
        entries.fill(from: latents, slopes: slopes.pointer, count: batch.count)
        update(count: batch.count, auxiliary: auxiliary)
        noteFirings(count: batch.count)
        if stepsDone % options.normalizeEvery == 0 { weights.normaliseDecoder(by: workers) }
        let report = StepReport(
            step: stepsDone,
            loss: forward.loss,
            auxiliaryLoss: auxiliary?.loss ?? 0,
            balanceLoss: forward.balanceLoss,
            explainedVariance: forward.explainedVariance,
            l0: forward.l0,
            deadShare: Float(dead.count) / Float(configuration.latents),
            layerShares: forward.layerShares)
        stepsDone += 1
        return report
    }

    /// The last act: decoder directions to unit norm.
    public func finish() {
        weights.normaliseDecoder(by: workers)
    }

    /// Whether everything that the weight gradients are sums of is finite: the loss alone does not show it where a
    /// token's ‖u‖² is so small that dividing by it overflows.
    private func slopesAreFinite(count: Int) -> Bool {
        rsae_all_finite(errorGradient.pointer, Int64(count * configuration.dModel)) != 0
            && rsae_all_finite(slopes.pointer, Int64(count * configuration.k)) != 0
            && rsae_all_finite(logitGradient.pointer, Int64(count * configuration.layers.count)) != 0
    }

    private func noteFirings(count: Int) {
        for latent in 0..<configuration.latents {
            let fired = entries.offsets[latent + 1] > entries.offsets[latent]
            tokensSinceFired[latent] = fired ? 0 : tokensSinceFired[latent] + count
        }
    }
}
