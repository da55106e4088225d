import ArgumentParser
import SparseCoding
import SparseTraining

/// Where training's activations come from.
struct TrainSourceOptions: ParsableArguments {
    @Option(help: "Folder of a language model in Hugging Face layout.")
    var model: String?
    @Option(help: "What the catalog calls the model, such as org/name; by default what its config.json says.")
    var modelName: String?
    @Option(parsing: .upToNextOption, help: "Text files (.txt, .jsonl) and folders of them.")
    var text: [String] = []
    @Option(parsing: .upToNextOption, help: "Activation files, or folders of them, instead of a model and text.")
    var activations: [String] = []
    @Option(help: "The most tokens the model sees at once; by default all its positions, 2048 at most.")
    var context: Int?
    @Option(help: "Starting weights, safetensors with the names of the authors' code; seeded ones if not given.")
    var initialWeights: String?
    @Option(
        help: "All settings from the JSON that 'routesae runs CATALOG ID --format json' prints; none from here.")
    var config: String?
}

/// The dictionary's shape and rules.
struct TrainShapeOptions: ParsableArguments {
    @Option(
        help: """
            route, topk, vanilla, gated, jumprelu, crosscoder, mlsae or random; route if not given. topk, vanilla, gated \
            and jumprelu read one layer; a crosscoder is TopK with --k and ReLU without.
            """)
    var architecture: Architecture?
    @Option(help: "Decoder layers counted from 0, such as 3-11 or 4; by default those the paper routes over.")
    var layers: LayerList?
    @Option(help: "Number of latents, m.")
    var latents: Int?
    @Option(help: "Number of active latents of a token; none for vanilla, gated and jumprelu.")
    var k: Int?
    @Option(help: "hard or soft; hard if not given.")
    var routing: RoutingMode?
    @Option(help: "The router's input: sum or mean over the layers; sum if not given.")
    var aggregation: RouterAggregation?
    @Option(help: "corrected, or reference: exactly what the authors' code computes; corrected if not given.")
    var fidelity: Fidelity?
    @Option(help: "The dictionary's name in the catalog.")
    var name: String?
}

/// How long and how it is trained.
struct TrainScheduleOptions: ParsableArguments {
    @Option(help: "Training tokens; or give --steps.")
    var tokens: Int?
    @Option(help: "Steps; or give --tokens.")
    var steps: Int?
    @Option(help: "Tokens of a batch; 4096 if not given.")
    var batchTokens: Int?
    @Option(help: "Peak learning rate; by default 5e-4 for reference, 1e-3 · √(16384 / m) for corrected.")
    var learningRate: Float?
    @Option(help: "Part of the steps over which the rate rises; 0.05 if not given.")
    var warmup: Double?
    @Option(help: "Part of the steps over which it falls to 0 at the end; 0.2 if not given.")
    var decay: Double?
    @Option(help: "Norm that the whole gradient does not exceed; not clipped if not given.")
    var gradientClip: Float?
    @Option(help: "Where b_pre starts: zero, mean or geometricMedian of the first batch; mean for corrected.")
    var initialBias: InitialBias?
    @Option(help: "Steps between returns of the decoder to unit norm, where it is held there; 10 if not given.")
    var normalizeEvery: Int?
    @Option(help: "Weight of the load-balance term; 0.01 for a corrected router.")
    var loadBalance: Float?
    @Option(help: "How a corrected hard router learns: layerErrors (what each layer would cost) or straightThrough.")
    var routerGradient: RouterGradient?
    @Option(help: "Weight of the AuxK term; 1/32 for corrected, 0 for reference.")
    var auxiliaryCoefficient: Float?
    @Option(help: "Dead latents a token may use in the AuxK term, if there is one; d/2 if not given.")
    var auxiliaryK: Int?
    @Option(help: "Tokens without firing after which a latent is dead; a tenth of the run, at most 10 million.")
    var deadAfter: Int?
    @Option(
        help: "Weight of the sparsity penalty; 5 · √(d / 4096) for vanilla, gated and crosscoder, 1e-3 for jumprelu.")
    var lambda: Float?
    @Option(help: "Part of the steps over which lambda rises from 0; 0.05 for corrected.")
    var lambdaWarmup: Double?
    @Option(help: "Width of jumprelu's kernel; 0.05 for corrected, 1e-3 for reference.")
    var bandwidth: Float?
    @Option(help: "jumprelu's threshold at the start; 0.05 for corrected, 1e-3 for reference.")
    var initialThreshold: Float?
    @Flag(help: "Takes tokens in the order of the text or of the files.")
    var noShuffle = false
    @Option(help: "Tokens kept waiting to draw batches from, with a model; two batches, 32768 at least.")
    var shuffleBuffer: Int?
    @Flag(inversion: .prefixedNo, help: "Learns from BOS; by default only the reference does, as its code does.")
    var bos: Bool?
    @Option(help: "Seed of weights and order; 0 if not given.")
    var seed: UInt64?
    @Option(help: "Seed of the order alone; that of --seed if not given.")
    var streamSeed: UInt64?

    /// What the trainer is asked for.
    var choices: TrainingOptions.Choices {
        TrainingOptions.Choices(
            learningRate: learningRate, warmupFraction: warmup, decayFraction: decay, gradientClip: gradientClip,
            normalizeEvery: normalizeEvery, initialBias: initialBias, loadBalance: loadBalance,
            routerGradient: routerGradient, auxiliaryCoefficient: auxiliaryCoefficient, auxiliaryK: auxiliaryK,
            deadAfterTokens: deadAfter,
            sparsityCoefficient: lambda, sparsityWarmup: lambdaWarmup, bandwidth: bandwidth,
            initialThreshold: initialThreshold)
    }
}

/// What is written.
struct TrainOutputOptions: ParsableArguments {
    @Option(help: "Writes the weights to a safetensors file as well, with the names of the authors' code.")
    var weightsOutput: String?
    @Option(help: "How the catalog stores the weights: f32, f16 or bf16; f32 if not given.")
    var dtype: String?
}

/// What becomes of files that are there already, and of training that was broken off.
struct TrainFileOptions: ParsableArguments {
    @Flag(help: "Adds to an existing catalog.")
    var append = false
    @Flag(help: "Replaces existing output files, and an unfinished training's checkpoint.")
    var force = false
    @Flag(help: "Goes on from the checkpoint where there is one; alone, with the settings that it holds.")
    var resume = false
    @Option(help: "Where the checkpoint is kept; beside the catalog, CATALOG.checkpoint, if not given.")
    var checkpoint: String?
    @Option(help: "Steps between checkpoints; every five minutes if not given. One is taken on a signal as well.")
    var checkpointEvery: Int?
}
