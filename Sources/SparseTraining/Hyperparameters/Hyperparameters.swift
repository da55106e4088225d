import SparseCoding
import Vocabulary

/// The hyperparameters of training. Nil takes the default of architecture and fidelity; in the documents
/// of runs and sweeps the keys are the properties' names.
package struct Hyperparameters: Sendable, Codable, Equatable {
    /// Peak learning rate.
    package var learningRate: Float?
    /// Adam's decay of the first moment, β₁.
    package var adamBeta1: Float?
    /// Part of the steps over which the rate warms up.
    package var warmupFraction: Double?
    /// Fraction of the steps over which it decays.
    package var decayFraction: Double?
    /// The maximum norm of the whole gradient.
    package var gradientClip: Float?
    /// Steps between normalisations of the decoder.
    package var normalizeEvery: Int?
    /// Whether a decoder direction's gradient is projected orthogonal to the direction.
    package var removesParallelGradient: Bool?
    /// The initial b_pre.
    package var initialBias: InitialBias?
    /// Weight of the load-balance term.
    package var loadBalance: Float?
    /// The gradient of a corrected hard router.
    package var routerGradient: RouterGradient?
    /// Share of the tokens that a corrected hard router reads at a drawn layer, in training.
    package var exploration: Float?
    /// That share at the last step.
    package var finalExploration: Float?
    /// The errors that a corrected hard router descends.
    package var routerErrors: RouterErrors?
    /// α of the AuxK term; 0 is none.
    package var auxiliaryCoefficient: Float?
    /// k_aux.
    package var auxiliaryK: Int?
    /// Tokens without firing after which a latent is dead.
    package var deadAfterTokens: Int?
    /// m_1 < … of a Matryoshka.
    package var prefixes: [Int]?
    /// λ of the sparsity penalty.
    package var lambda: Float?
    /// Fraction of the steps over which λ rises from 0.
    package var lambdaWarmup: Double?
    /// ε of a JumpReLU.
    package var bandwidth: Float?
    /// Initial θ of a JumpReLU.
    package var initialThreshold: Float?

    /// Makes hyperparameters set by a closure.
    package init(_ choose: (inout Hyperparameters) -> Void = { _ in }) {
        choose(&self)
    }

    /// Checks that every chosen hyperparameter applies to a dictionary.
    ///
    /// - Throws: `SparseCodingError.setting` naming the first that does not.
    func check(suit configuration: DictionaryConfiguration) throws(SparseCodingError) {
        try Self.auxiliaryCoefficient.checkPlace(auxiliaryCoefficient, in: configuration)
        try Self.auxiliaryK.checkPlace(auxiliaryK, in: configuration)
        try Self.prefixes.checkPlace(prefixes, in: configuration)
        try Self.lambda.checkPlace(lambda, in: configuration)
        try Self.lambdaWarmup.checkPlace(lambdaWarmup, in: configuration)
        try Self.bandwidth.checkPlace(bandwidth, in: configuration)
        try Self.initialThreshold.checkPlace(initialThreshold, in: configuration)
        try Self.loadBalance.checkPlace(loadBalance, in: configuration)
        try Self.routerGradient.checkPlace(routerGradient, in: configuration)
        try Self.exploration.checkPlace(exploration, in: configuration)
        try Self.finalExploration.checkPlace(finalExploration, in: configuration)
        try Self.routerErrors.checkPlace(routerErrors, in: configuration)
        try Self.removesParallelGradient.checkPlace(removesParallelGradient, in: configuration)
        try Self.initialBias.checkPlace(initialBias, in: configuration)
    }
}

extension Hyperparameters {
    package static let learningRate = Hyperparameter<Float>(
        "learningRate", "Peak learning rate; by default 5e-4 for reference, 1e-3 · √(16384 / m) for corrected.",
        .aboveZero
    ) {
        // The rule of EleutherAI/sparsify, 2e-4 · √(2¹⁴ / m), times 5 for shorter runs.
        $0.corrected ? 1e-3 * (16_384 / Float($0.configuration.latents)).squareRoot() : 5e-4
    }

    package static let adamBeta1 = Hyperparameter<Float>(
        "adamBeta1", "Adam's decay of the first moment, from 0, below 1; 0.9 by default.",
        Allowed("from 0, below 1") { $0 >= 0 && $0 < 1 }
    ) { _ in 0.9 }

    package static let warmupFraction = Hyperparameter<Double>(
        "warmupFraction", "Share of the steps over which the rate warms up; 0.05 by default.", .share
    ) { _ in 0.05 }

    package static let decayFraction = Hyperparameter<Double>(
        "decayFraction", "Share of the steps over which the rate decays to 0 at the end; 0.2 by default.", .share
    ) { _ in 0.2 }

    package static let gradientClip = Hyperparameter<Float>(
        "gradientClip", "Clip the norm of the whole gradient to this; not clipped by default.", .aboveZero)

    package static let normalizeEvery = Hyperparameter<Int>(
        "normalizeEvery",
        "Steps between normalizations of the decoder, where it has unit norm; 10 by default.", .upTo()
    ) { _ in 10 }

    package static let removesParallelGradient = Hyperparameter<Bool>(
        "removesParallelGradient",
        "Remove the part of a decoder direction's gradient that is parallel to it; by default where corrected and unit norm.",
        .anything,
        place: .unless {
            $0 && DecoderNorm(of: $1) != .unit ? "its decoder directions do not have unit norm" : nil
        }
    ) { $0.corrected && DecoderNorm(of: $0.configuration) == .unit }

    package static let initialBias = Hyperparameter<InitialBias>(
        "initialBias",
        "Where b_pre starts: zero, mean or geometricMedian of the first batch; mean for corrected.", .anything,
        place: .unless { $0 != .zero && !$1.hasPreBias ? "the authors' has no biases" : nil }
    ) { $0.corrected ? .mean : .zero }

    package static let loadBalance = Hyperparameter<Float>(
        "loadBalance", "Weight of the load-balance term; 0.01 for a corrected router.", .fromZero,
        place: .unless { $0 != 0 && !$1.routes ? "it has no router" : nil }
    ) { $0.corrected && $0.configuration.routes ? 0.01 : 0 }

    package static let routerGradient = Hyperparameter<RouterGradient>(
        "routerGradient",
        "How a corrected hard router learns: layerErrors (what each layer would cost) or straightThrough.", .anything,
        place: .routerChoice()
    ) { _ in .layerErrors }

    package static let exploration = Hyperparameter<Float>(
        "exploration",
        "Share of the tokens that a corrected hard router, in training, reads at a layer drawn uniformly; falls from 1 to 0 by default.",
        Allowed("0 … 1") { 0...1 ~= $0 }, place: .routerChoice { $0 != 0 }
    ) { _ in 1 }

    package static let finalExploration = Hyperparameter<Float>(
        "finalExploration",
        "The share explored at the last step, reached linearly; by default that of the first, if given, or 0.",
        Allowed("0 … 1") { 0...1 ~= $0 }, place: .routerChoice { $0 != 0 }
    ) { _ in 0 }

    package static let routerErrors = Hyperparameter<RouterErrors>(
        "routerErrors",
        "What a hard router makes small: its reconstruction's error as all routed layers (spanning, the default) or as its own.",
        .anything, place: .routerChoice { $0 != .own }
    ) { _ in .spanning }

    package static let auxiliaryCoefficient = Hyperparameter<Float>(
        "auxiliaryCoefficient", "Weight of the AuxK term; 1/32 for corrected, 0 for reference.", .fromZero,
        place: .unless { $0 != 0 && !$1.keepsByCount ? "AuxK goes with TopK" : nil }
    ) { $0.corrected ? 1 / 32 : 0 }

    package static let auxiliaryK = Hyperparameter<Int>(
        "auxiliaryK", "Dead latents a token may use in the AuxK term, if there is one; by default d/2.", .upTo(),
        place: .unless { !$1.keepsByCount ? "AuxK goes with TopK" : nil }
    ) { max($0.configuration.dModel / 2, 1) }

    package static let deadAfterTokens = Hyperparameter<Int>(
        "deadAfterTokens",
        "Tokens without firing after which a latent is dead; a tenth of the run, at most 10 million.", .upTo()
    ) { setup in
        let (total, overflow) = setup.batchTokens.multipliedReportingOverflow(by: setup.steps)
        return min(10_000_000, max((overflow ? .max : total) / 10, 1))
    }

    package static let prefixes = Hyperparameter<[Int]>(
        "prefixes",
        "Prefixes of the latents that each reconstruct alone, such as 256,512,1024 (Matryoshka); none by default.",
        Allowed("ascending numbers from 1") {
            $0.first.map { $0 > 0 } == true && zip($0, $0.dropFirst()).allSatisfy(<)
        },
        place: .unless {
            !$1.keepsByCount || $1.parts > 1 || $1.fidelity == .reference
                ? "prefixes go with TopK and BatchTopK, corrected" : nil
        })

    /// The default: a sum of activations grows with the norm of the inputs, √d, and the squared error with its square,
    /// so λ is scaled by √d from the 5 of Anthropic's update of April 2024, taken to belong to d = 4096. A JumpReLU's λ
    /// of 1e-3 is its paper's (arXiv 2407.14435); the reference's is that of its code.
    package static let lambda = Hyperparameter<Float>(
        "lambda",
        "Weight of the sparsity penalty; 5 · √(d / 4096) for vanilla, gated and crosscoder, 1e-3 for jumprelu.",
        .fromZero, place: .unless { $1.keepsByCount ? "k keeps it sparse" : nil }
    ) { setup in
        guard setup.corrected else { return 5e-4 }
        guard setup.configuration.architecture != .jumprelu else { return 1e-3 }
        return 5 * (Float(setup.configuration.dModel) / 4096).squareRoot()
    }

    package static let lambdaWarmup = Hyperparameter<Double>(
        "lambdaWarmup", "Share of the steps over which lambda rises from 0; 0.05 for corrected.", .share,
        place: .unless { $1.keepsByCount ? "k keeps it sparse" : nil }
    ) { $0.corrected ? 0.05 : 0 }

    /// The default of 1e-3 belongs to inputs of unit norm; to it 0.05 corresponds here (at d = 2500, whose standardised
    /// inputs have norm 50).
    package static let bandwidth = Hyperparameter<Float>(
        "bandwidth", "Width of jumprelu's kernel; 0.05 for corrected, 1e-3 for reference.", .aboveZero,
        place: .unless { $1.architecture != .jumprelu || $1.keepsByCount ? "only jumprelu has one" : nil }
    ) { $0.corrected ? 0.05 : 1e-3 }

    package static let initialThreshold = Hyperparameter<Float>(
        "initialThreshold", "jumprelu's threshold at the start; 0.05 for corrected, 1e-3 for reference.", .aboveZero,
        place: .unless { $1.architecture != .jumprelu || $1.keepsByCount ? "only jumprelu has one" : nil }
    ) { $0.corrected ? 0.05 : 1e-3 }
}
