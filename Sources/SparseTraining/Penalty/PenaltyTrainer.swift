import CKernels
package import LinearAlgebra
package import SparseCoding
import Vocabulary

/// Trains a dictionary with a sparsity penalty: `vanilla`, `gated`, `jumprelu`, or `crosscoder` without k.
///
/// Early in training such a dictionary fires half its latents on every token, so everything is a dense product:
/// encode, decode, latent gradients and both weight gradients; a gated one adds decode and gradients of its gate. The
/// files beside this one follow a step: `+Forward`, `PenaltySlope` (backward pass and sparsity
/// term), `+Update`.
package final class PenaltyTrainer: DictionaryTrainer {
    /// The training options.
    package let options: TrainingOptions
    /// Weights, optimizer moments and counters.
    package let state: TrainerState

    let penalty: SparsityPenalty
    let workers: Workers
    let encoder: DictionaryEncoder

    let input: AutoencoderInput
    /// z `[samples × latents]`.
    let activations: Matrix
    /// ∂L/∂π `[samples × latents]`, with π the encoder's product.
    let slopes: Matrix
    /// ∂L/∂û `[samples × D]`.
    let errorGradient: Matrix
    /// ‖û − u‖² of each sample's parts `[samples × parts]`.
    let squaredError: Matrix
    /// Likewise of a gated dictionary's reconstruction from its gate.
    let gateError: Matrix

    var configuration: DictionaryConfiguration { state.configuration }
    var weights: DictionaryWeights { state.weights }

    /// Makes a trainer that continues from a state.
    ///
    /// - Parameter precision: of the encoder's product.
    /// - Precondition: the state's configuration has no k and the options have a penalty.
    package init(
        state: TrainerState, options: TrainingOptions, workers: Workers, precision: Precision = .f32
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
            configuration: configuration, weights: state.weights, workers: workers, precision: precision)
        let samples = options.batchTokens
        input = AutoencoderInput(capacity: samples, configuration: configuration)
        activations = Matrix(rows: samples, columns: configuration.latents)
        slopes = Matrix(rows: samples, columns: configuration.latents)
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
            rsae_all_finite(errorGradient.pointer, Int64(batch.count * configuration.inputWidth)) != 0,
            rsae_all_finite(slopes.pointer, Int64(batch.count * configuration.latents)) != 0,
            rsae_all_finite(forward.sums.pointer, Int64(forward.sums.count)) != 0
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
}
