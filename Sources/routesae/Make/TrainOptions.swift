import ArgumentParser
import LinearAlgebra
import SparseCoding
import SparseTraining
import Vocabulary

/// The source of training's activations.
struct TrainSourceOptions: ParsableArguments {
    @Option(help: "Folder of a language model in Hugging Face layout.")
    var model: String?
    @Option(help: "What the catalog calls the model, such as org/name; by default what its config.json says.")
    var modelName: String?
    @Option(parsing: .upToNextOption, help: "Text files (.txt, .jsonl) and folders of them.")
    var text: [String] = []
    @Option(
        parsing: .upToNextOption,
        help: "Activation files or folders of them, or - for a stream on standard input, instead of a model and text.")
    var activations: [String] = []
    @Option(help: "What products of the model and the encoder take, f32 or bf16; by default f32.")
    var precision: Precision?
    @Option(help: "The most tokens the model sees at once; by default all its positions, 2048 at most.")
    var context: Int?
    @Option(help: "Starting weights, safetensors with the names of the authors' code; by default seeded ones.")
    var initialWeights: String?
}

/// The dictionary's architecture, sizes and rules.
struct TrainShapeOptions: ParsableArguments {
    @Option(
        help: """
            route, topk, batchtopk, matryoshka, vanilla, gated, jumprelu, crosscoder, mlsae or random; by default route. \
            topk, batchtopk, matryoshka, vanilla, gated and jumprelu read one layer; a crosscoder is TopK with --k and \
            ReLU without.
            """)
    var architecture: ArchitectureName?
    @Option(help: "Decoder layers counted from 0, such as 3-11 or 4; by default those the paper routes over.")
    var layers: LayerList?
    @Option(help: "Number of latents, m.")
    var latents: Int?
    @Option(help: "Number of active latents of a token; none for vanilla, gated and jumprelu.")
    var k: Int?
    @Option(
        help: """
            Of route, random and topk: topk keeps --k latents of every token, batchtopk as many on the mean over a \
            batch; by default topk.
            """)
    var sparsity: ActivationSparsity?
    @Option(help: "hard or soft; by default hard.")
    var routing: RoutingMode?
    @Option(help: "The router's input: sum or mean over the layers; by default sum.")
    var aggregation: RouterAggregation?
    @Option(help: "corrected, or reference: exactly what the authors' code computes; by default corrected.")
    var fidelity: Fidelity?
    @Option(help: "The dictionary's name in the catalog.")
    var name: String?
    @Option(help: "How the catalog stores the weights: f32, f16 or bf16; by default f32.")
    var dtype: String?
}

/// The length of training, and the order of tokens.
struct TrainScheduleOptions: ParsableArguments {
    @Option(help: "Training tokens; or give --steps.")
    var tokens: Int?
    @Option(help: "Steps; or give --tokens.")
    var steps: Int?
    @Option(help: "Tokens of a batch; by default 4096.")
    var batchTokens: Int?
    @Flag(inversion: .prefixedNo, help: "Draw tokens at random, or take them in the order of the text or of the files.")
    var shuffle: Bool?
    @Option(
        help: """
            Tokens in the buffer that batches are drawn from; by default two batches, at least 32768. Activation files \
            are shuffled as a whole unless it is given.
            """)
    var shuffleBuffer: Int?
    @Flag(
        name: .customLong("bos"), inversion: .prefixedNo,
        help: "Learn from BOS tokens; by default only with --fidelity reference, as the authors' code does.")
    var includesBOS: Bool?
    @Option(help: "Seed of weights and order; by default 0.")
    var seed: UInt64?
    @Option(help: "Seed of the order alone; by default that of --seed.")
    var streamSeed: UInt64?
}

/// The hyperparameters; the help of each is where it is declared.
struct HyperparameterOptions: ParsableArguments {
    @Option(help: .of(Hyperparameters.learningRate))
    var learningRate: Float?
    @Option(help: .of(Hyperparameters.adamBeta1))
    var adamBeta1: Float?
    @Option(name: .customLong("warmup"), help: .of(Hyperparameters.warmupFraction))
    var warmupFraction: Double?
    @Option(name: .customLong("decay"), help: .of(Hyperparameters.decayFraction))
    var decayFraction: Double?
    @Option(help: .of(Hyperparameters.gradientClip))
    var gradientClip: Float?
    @Option(help: .of(Hyperparameters.initialBias))
    var initialBias: InitialBias?
    @Option(help: .of(Hyperparameters.normalizeEvery))
    var normalizeEvery: Int?
    @Option(help: .of(Hyperparameters.loadBalance))
    var loadBalance: Float?
    @Option(help: .of(Hyperparameters.routerGradient))
    var routerGradient: RouterGradient?
    @Option(help: .of(Hyperparameters.exploration))
    var exploration: Float?
    @Option(help: .of(Hyperparameters.finalExploration))
    var finalExploration: Float?
    @Option(help: .of(Hyperparameters.routerErrors))
    var routerErrors: RouterErrors?
    @Option(help: .of(Hyperparameters.auxiliaryCoefficient))
    var auxiliaryCoefficient: Float?
    @Option(help: .of(Hyperparameters.auxiliaryK))
    var auxiliaryK: Int?
    @Option(name: .customLong("dead-after"), help: .of(Hyperparameters.deadAfterTokens))
    var deadAfterTokens: Int?
    @Option(help: .of(Hyperparameters.prefixes))
    var prefixes: PrefixList?
    @Option(help: .of(Hyperparameters.lambda))
    var lambda: Float?
    @Option(help: .of(Hyperparameters.lambdaWarmup))
    var lambdaWarmup: Double?
    @Option(help: .of(Hyperparameters.bandwidth))
    var bandwidth: Float?
    @Option(help: .of(Hyperparameters.initialThreshold))
    var initialThreshold: Float?
}

extension ArgumentHelp {
    /// The help from a hyperparameter's declaration.
    fileprivate static func of(_ hyperparameter: Hyperparameter<some Sendable>) -> ArgumentHelp {
        ArgumentHelp(stringLiteral: hyperparameter.help)
    }
}

/// The outputs.
struct TrainOutputOptions: ParsableArguments {
    @Option(help: "Write the weights to a safetensors file as well, with the names of the authors' code.")
    var weightsOutput: String?
}

/// Existing files, checkpoints and resuming.
struct TrainFileOptions: ParsableArguments {
    @Flag(help: "Add to an existing catalog.")
    var append = false
    @Flag(help: "Replace existing output files, and an unfinished training's checkpoint.")
    var force = false
    @Flag(help: "Continue from the checkpoint where there is one; alone, with the settings that it holds.")
    var resume = false
    @Option(help: "Where the checkpoint is kept; by default beside the catalog, as CATALOG.checkpoint.")
    var checkpoint: String?
    @Option(help: "Steps between checkpoints; by default every five minutes. One is taken on a signal as well.")
    var checkpointEvery: Int?
}
