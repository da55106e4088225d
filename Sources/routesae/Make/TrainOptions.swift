import ArgumentParser
import SparseCoding

/// Where training's activations come from.
struct TrainSourceOptions: ParsableArguments {
    @Option(help: "Folder of a language model in Hugging Face layout.")
    var model: String?
    @Option(parsing: .upToNextOption, help: "Text files (.txt, .jsonl) and folders of them.")
    var text: [String] = []
    @Option(parsing: .upToNextOption, help: "Activation files instead of a model and text.")
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
    @Option(help: "route, or topk for a single layer; route if not given.")
    var architecture: String?
    @Option(help: "Decoder layers counted from 0, such as 3-11 or 4; by default those the paper routes over.")
    var layers: LayerList?
    @Option(help: "Number of latents, m.")
    var latents: Int?
    @Option(help: "Number of active latents of a token.")
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
    @Option(help: "Steps between returns of the decoder to unit norm; 10 if not given.")
    var normalizeEvery: Int?
    @Option(help: "Weight of the load-balance term; 0.01 for corrected, 0 for reference.")
    var loadBalance: Float?
    @Option(help: "Weight of the AuxK term; 1/32 for corrected, 0 for reference.")
    var auxiliaryCoefficient: Float?
    @Option(help: "Dead latents a token may use in the AuxK term; d/2 if not given.")
    var auxiliaryK: Int?
    @Option(help: "Tokens without firing after which a latent is dead; a tenth of the run, at most 10 million.")
    var deadAfter: Int?
    @Flag(help: "Takes tokens in the order of the text or of the files.")
    var noShuffle = false
    @Option(help: "Seed of weights and order; 0 if not given.")
    var seed: UInt64?
}

/// What is written.
struct TrainOutputOptions: ParsableArguments {
    @Option(help: "Writes the weights to a safetensors file as well, with the names of the authors' code.")
    var weightsOutput: String?
    @Option(help: "How the catalog stores the weights: f32, f16 or bf16; f32 if not given.")
    var dtype: String?
    @Flag(help: "Adds to an existing catalog.")
    var append = false
    @Flag(help: "Replaces existing output files.")
    var force = false
}
