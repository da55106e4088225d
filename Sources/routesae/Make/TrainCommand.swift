import ActivationPipeline
import ArgumentParser
package import SparseCoding
package import SparseTraining
import TerminalOutput
import Training

extension Architecture: ExpressibleByArgument {}
extension RoutingMode: ExpressibleByArgument {}
extension RouterAggregation: ExpressibleByArgument {}
extension Fidelity: ExpressibleByArgument {}
extension InitialBias: ExpressibleByArgument {}
extension RouterGradient: ExpressibleByArgument {}

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a dictionary and writes it into a catalog.",
        discussion: """
            Reads activations live from a model, or from files that 'routesae activations' or another program wrote. \
            The catalog is made where there is none. Every step's figures go into run_metric; \
            'routesae runs CATALOG ID' draws them.

            A checkpoint is kept beside the catalog until training is over. Stopped by Ctrl-C, a kill or a power cut, \
            it goes on with --resume and ends in the same bits.

            Examples:
              routesae train c.sqlite --model Demo/model --text Demo/text/train --latents 2048 --k 32 --tokens 1000000
              routesae train c.sqlite --model Demo/model --text Demo/text/train --architecture topk --layers 3 \\
                --latents 2048 --k 32 --tokens 1000000 --name topk-3 --append
              routesae train j.sqlite --model Demo/model --text Demo/text/train --architecture jumprelu --layers 3 \\
                --latents 2048 --lambda 1e-3 --tokens 1000000
              routesae train c.sqlite --resume
              routesae train --activations a.safetensors --fidelity reference --initial-weights w.safetensors \\
                --latents 64 --k 4 --batch-tokens 32 --steps 25 --no-shuffle --weights-output out.safetensors \\
                --catalog c.sqlite
              routesae runs c.sqlite 1 --format json > run.json; routesae train d.sqlite --config run.json
            """)

    @Argument(help: "The catalog, a SQLite file; the same as --catalog.")
    var catalogArgument: String?
    @Option(name: .customLong("catalog"), help: "The catalog, a SQLite file.")
    var catalogOption: String?

    @OptionGroup(title: "Source") var source: TrainSourceOptions
    @OptionGroup(title: "Dictionary") var shape: TrainShapeOptions
    @OptionGroup(title: "Training") var schedule: TrainScheduleOptions
    @OptionGroup(title: "Output") var output: TrainOutputOptions
    @OptionGroup(title: "Files") var files: TrainFileOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        guard let path = catalogArgument ?? catalogOption, catalogArgument == nil || catalogOption == nil else {
            throw WorkflowError.usage("name one catalog: routesae train CATALOG …, or --catalog CATALOG")
        }
        if let weights = output.weightsOutput, OutputFile.isSame(weights, path) {
            throw WorkflowError.usage("--weights-output and the catalog are one file, \(path); name two")
        }

        let settings = try settings()
        let outcome = try TrainingLauncher(
            catalog: path, files: files, options: options, weightsOutput: output.weightsOutput, config: source.config
        ).run(settings.map { [$0] })
        for result in outcome?.results ?? [] { summarise(result, path) }
    }

    private func summarise(_ result: TrainingRun.Result, _ path: String) {
        var figures = ""
        if let last = result.reports.last {
            figures = ": " + last.fields.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        }
        options.say("run \(result.runID), dictionary \(result.dictionaryID) \"\(result.name)\" in \(path)\(figures)")
    }

    /// The settings of `--config`, or those the options make; nil where a checkpoint is to say them.
    private func settings() throws -> TrainingSettings? {
        let given = givenSettings
        if let config = source.config {
            // What stands beside it would be passed over in silence.
            if let given = given.first {
                throw WorkflowError.usage("--config holds all settings; \(given) cannot stand beside it")
            }
            return try TrainingSettings(file: config)
        }
        if files.resume, given.isEmpty { return nil }
        if let layers = shape.layers, layers.layers == nil, source.activations.isEmpty {
            throw WorkflowError.usage("--layers all is for activation files; name the layers of a model, such as 0-7")
        }
        if shape.architecture ?? .route != .route, shape.routing != nil || shape.aggregation != nil {
            throw WorkflowError.usage(
                "--routing and --aggregation are a router's; \(shape.architecture?.rawValue ?? "") has none")
        }
        guard let latents = shape.latents else {
            throw WorkflowError.usage("say how large the dictionary is, with --latents M")
        }
        return TrainingSettings(
            name: shape.name, architecture: shape.architecture ?? .route, model: source.model,
            modelName: source.modelName, text: source.text,
            activations: source.activations, layers: shape.layers?.layers, latents: latents, k: shape.k,
            routing: shape.routing ?? .hard, aggregation: shape.aggregation ?? .sum,
            fidelity: shape.fidelity ?? .corrected, batchTokens: schedule.batchTokens ?? 4096, steps: schedule.steps,
            tokens: schedule.tokens, choices: schedule.choices, context: source.context, shuffle: !schedule.noShuffle,
            shuffleBuffer: schedule.shuffleBuffer, includesBOS: schedule.bos, seed: schedule.seed ?? 0,
            streamSeed: schedule.streamSeed,
            initialWeights: source.initialWeights, dtype: output.dtype ?? "f32")
    }

    /// The options on the command line that say what `--config` says.
    private var givenSettings: [String] {
        var given: [String] = []
        func note(_ name: String, _ isGiven: Bool) {
            if isGiven { given.append(name) }
        }
        note("--model", source.model != nil)
        note("--model-name", source.modelName != nil)
        note("--text", !source.text.isEmpty)
        note("--activations", !source.activations.isEmpty)
        note("--context", source.context != nil)
        note("--initial-weights", source.initialWeights != nil)
        note("--architecture", shape.architecture != nil)
        note("--layers", shape.layers != nil)
        note("--latents", shape.latents != nil)
        note("--k", shape.k != nil)
        note("--routing", shape.routing != nil)
        note("--aggregation", shape.aggregation != nil)
        note("--fidelity", shape.fidelity != nil)
        note("--name", shape.name != nil)
        note("--tokens", schedule.tokens != nil)
        note("--steps", schedule.steps != nil)
        note("--batch-tokens", schedule.batchTokens != nil)
        note("--learning-rate", schedule.learningRate != nil)
        note("--warmup", schedule.warmup != nil)
        note("--decay", schedule.decay != nil)
        note("--gradient-clip", schedule.gradientClip != nil)
        note("--initial-bias", schedule.initialBias != nil)
        note("--normalize-every", schedule.normalizeEvery != nil)
        note("--load-balance", schedule.loadBalance != nil)
        note("--router-gradient", schedule.routerGradient != nil)
        note("--auxiliary-coefficient", schedule.auxiliaryCoefficient != nil)
        note("--auxiliary-k", schedule.auxiliaryK != nil)
        note("--dead-after", schedule.deadAfter != nil)
        note("--lambda", schedule.lambda != nil)
        note("--lambda-warmup", schedule.lambdaWarmup != nil)
        note("--bandwidth", schedule.bandwidth != nil)
        note("--initial-threshold", schedule.initialThreshold != nil)
        note("--no-shuffle", schedule.noShuffle)
        note("--shuffle-buffer", schedule.shuffleBuffer != nil)
        note("--bos", schedule.bos != nil)
        note("--seed", schedule.seed != nil)
        note("--stream-seed", schedule.streamSeed != nil)
        note("--dtype", output.dtype != nil)
        return given
    }
}

extension StepReport {
    /// What the progress line shows.
    var fields: [(name: String, value: String)] {
        var fields = [
            ("loss", Quantities.significant(Double(loss))),
            ("EV", Quantities.percentage(Double(explainedVariance))),
            ("L0", Quantities.significant(Double(l0))),
            ("dead", Quantities.percentage(Double(deadShare))),
        ]
        if layerShares.count > 1 {
            fields.append(("routing", Quantities.significant(Double(routingEntropy)) + " nats"))
        }
        return fields
    }
}
