package import LinearAlgebra
package import SparseCoding
import Vocabulary

/// Trains a dictionary with a sparsity penalty: `vanilla`, `gated`, `jumprelu`, or `crosscoder` without k.
///
/// Early in training such a dictionary fires half its latents on every token, so everything is a dense product:
/// encode, decode, latent gradients and both weight gradients; a gated one adds decode and gradients of its gate. Once the
/// share of latents that matter to a sample is small, only the encode is, as with k latents. The batch itself decides,
/// so that a resumed run decides as the interrupted one. The files beside this one follow a step: `+Forward` (with all
/// latents), `+Reached` (with those within reach), `PenaltySlope` (backward pass and sparsity term), `+Update`.
package final class PenaltyTrainer: DictionaryTrainer {
    /// The training options.
    package let options: TrainingOptions
    /// Weights, optimizer moments and counters.
    package let state: TrainerState

    let penalty: SparsityPenalty
    let workers: Workers
    let encoder: DictionaryEncoder

    let input: AutoencoderInput
    /// Room for the latents of a step that follows all of them; nil after one that does not.
    var dense: DenseLatents?
    /// Room for those of a step that follows those within reach; likewise.
    var reached: ReachedLatents?
    /// The decoder's rows as the latents within reach read them.
    let decoderRows: DecoderRows
    /// The largest share of latents within reach, in the first tile of a batch, with which a step follows only them.
    let largestShare: Double
    /// ∂L/∂û `[samples × D]`.
    let errorGradient: Matrix
    /// ‖û − u‖² of each sample's parts `[samples × parts]`.
    let squaredError: Matrix
    /// Likewise of a gated dictionary's reconstruction from its gate.
    let gateError: Matrix

    /// Samples of a tile: its sums are added up by themselves, so bits depend on this number, which is never changed.
    static let tile = 256

    /// The default of `largestShare`: with a little more, dense products are as fast.
    package static let largestShare = 1.0 / 8

    /// Whether the last step followed only the latents within reach.
    package var followsReached: Bool { reached != nil }

    var configuration: DictionaryConfiguration { state.configuration }
    var weights: DictionaryWeights { state.weights }

    /// Makes a trainer that continues from a state.
    ///
    /// - Parameters:
    ///   - precision: of the encoder's product.
    ///   - largestShare: the largest share of latents within reach with which a step follows only them; it changes no
    ///     result beyond round-off.
    /// - Precondition: the state's configuration has no k and the options have a penalty.
    package init(
        state: TrainerState, options: TrainingOptions, workers: Workers, precision: Precision = .f32,
        largestShare: Double = PenaltyTrainer.largestShare
    ) {
        let configuration = state.configuration
        guard configuration.k == nil, let penalty = options.sparsity else {
            preconditionFailure("\(configuration.architecture) without a penalty")
        }
        self.state = state
        self.options = options
        self.penalty = penalty
        self.workers = workers
        encoder = DictionaryEncoder(
            configuration: configuration, weights: state.weights, workers: workers, precision: precision,
            packs: true)
        decoderRows = DecoderRows(encoder)
        let samples = options.batchTokens
        input = AutoencoderInput(capacity: samples, configuration: configuration)
        self.largestShare = largestShare
        errorGradient = Matrix(rows: samples, columns: configuration.inputWidth)
        squaredError = Matrix(rows: samples, columns: configuration.parts)
        gateError = Matrix(rows: configuration.architecture == .gated ? samples : 0, columns: 1)
    }

    /// One step; see `DictionaryTrainer`.
    @discardableResult
    package func step(_ batch: ActivationBatch) throws -> StepReport {
        precondition(batch.count > 0 && batch.count <= options.batchTokens, "a batch holds 1 … batchTokens tokens")
        // The forward pass of the first step may move b_pre.
        let preBias = state.stepsDone == 0 ? weights.preBias.copy() : nil
        let forward = try forward(batch)
        guard forward.summary.loss < TrainerState.largestLoss, forward.sparsityLoss.isFinite,
            workers.allFinite(errorGradient.pointer, count: batch.count * configuration.inputWidth),
            slopesAreFinite(forward.latents, samples: batch.count),
            workers.allFinite(forward.sums.pointer, count: forward.sums.count)
        else {
            if let preBias { weights.preBias.update(from: preBias) }
            throw TrainingError.lossNotFinite(step: state.stepsDone)
        }
        update(forward, samples: batch.count)
        let dead = state.deadLatents(options).count
        let report = StepReport(
            step: state.stepsDone,
            loss: forward.summary.loss,
            sparsityLoss: forward.sparsityLoss,
            explainedVariance: forward.summary.explainedVariance,
            l0: forward.summary.l0,
            deadShare: Float(dead) / Float(configuration.latents),
            layerShares: forward.summary.layerShares)
        state.finishStep(
            options, tokens: batch.count, fired: { forward.sums[PenaltySum.fired.rawValue, $0] > 0 }, workers)
        return report
    }

    private func slopesAreFinite(_ latents: PenaltyLatents, samples: Int) -> Bool {
        switch latents {
        case .all(let dense): workers.allFinite(dense.slopes.pointer, count: samples * configuration.latents)
        case .reached(let reached): workers.allFinite(reached.entries.slopes, count: reached.entries.count)
        }
    }
}
