import CKernels
import Glibc
import LinearAlgebra
import SparseCoding

/// One step of Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1, in PyTorch's order of operations).
struct AdamStep {
    /// The kernels' settings.
    let settings: rsae_adam
    private let state: TrainerState

    /// The next step of a state.
    ///
    /// - Parameter scale: factor of every gradient: below 1 if it is clipped.
    init(_ state: TrainerState, _ options: TrainingOptions, scale: Float = 1) {
        self.state = state
        let schedule = LearningRateSchedule(
            steps: options.steps, warmupFraction: options.warmupFraction, decayFraction: options.decayFraction)
        let t = Double(state.stepsDone + 1)
        settings = rsae_adam(
            rate: options.learningRate * schedule.factor(at: state.stepsDone),
            beta1: options.betas[0],
            beta2: options.betas[1],
            epsilon: options.epsilon,
            correction1: Float(1 - pow(Double(options.betas[0]), t)),
            root_correction2: Float((1 - pow(Double(options.betas[1]), t)).squareRoot()),
            scale: scale)
    }

    /// Updates one tensor. The two big matrices are updated where their gradients are computed.
    func apply(_ gradient: Matrix, to tensor: KeyPath<DictionaryWeights, Matrix>) {
        let parameter = state.weights[keyPath: tensor]
        rsae_adam_step(
            parameter.pointer, state.firstMoment[keyPath: tensor].pointer,
            state.secondMoment[keyPath: tensor].pointer, gradient.pointer, Int64(parameter.count), settings)
    }
}

/// The factor that clips a gradient of norm `norm` (PyTorch's `clip_grad_norm_`).
func clipScale(norm: Double, clip: Float) -> Float {
    min(1, Float(Double(clip) / (norm + 1e-6)))
}
