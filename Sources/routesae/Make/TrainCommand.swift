import ActivationPipeline
import ArgumentParser
import SparseCoding
package import SparseTraining
import TerminalOutput
import Training
import Vocabulary

extension Architecture: ExpressibleByArgument {}
extension RoutingMode: ExpressibleByArgument {}
extension RouterAggregation: ExpressibleByArgument {}
extension Fidelity: ExpressibleByArgument {}
extension InitialBias: ExpressibleByArgument {}
extension RouterGradient: ExpressibleByArgument {}
extension RouterErrors: ExpressibleByArgument {}
extension ActivationSparsity: ExpressibleByArgument {}

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "train",
        abstract: "Train a dictionary and write it into a catalog.",
        discussion: """
            Reads activations live from a model, from files that 'routesae activations' or another program wrote, or as a \
            stream from standard input. The catalog is made where there is none. Every step's figures go into run_metric; \
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
              python3 -m routesae collect MODEL --text books --layers 3-8 | routesae train c.sqlite --activations - \\
                --latents 2048 --k 32 --tokens 1000000
              routesae train --activations a.safetensors --fidelity reference --initial-weights w.safetensors \\
                --latents 64 --k 4 --batch-tokens 32 --steps 25 --no-shuffle --weights-output out.safetensors \\
                --catalog c.sqlite
              routesae runs c.sqlite 1 --format json > run.json; routesae train d.sqlite --config run.json --seed 2
            """)

    @Argument(help: "The catalog, a SQLite file; the same as --catalog.")
    var catalogArgument: String?
    @Option(name: .customLong("catalog"), help: "The catalog, a SQLite file.")
    var catalogOption: String?

    @Option(
        help: """
            Settings from a file: a training run as 'routesae runs CATALOG ID --format json' prints it. Options given \
            beside it override them.
            """)
    var config: String?
    @OptionGroup(title: "Source") var source: TrainSourceOptions
    @OptionGroup(title: "Dictionary") var shape: TrainShapeOptions
    @OptionGroup(title: "Training") var schedule: TrainScheduleOptions
    @OptionGroup(title: "Hyperparameters") var hyperparameters: HyperparameterOptions
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
            catalog: path, files: files, options: options, weightsOutput: output.weightsOutput, config: config
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

    /// The settings of `--config` with the options merged over them, or those of the options; nil to take the
    /// checkpoint's.
    private func settings() throws -> TrainingSettings? {
        let given = try GivenOptions.document(source, shape, schedule, hyperparameters)
        if config == nil, files.resume, given.isEmpty { return nil }
        guard config != nil || shape.latents != nil || !files.resume else {
            throw WorkflowError.usage("give --resume alone, or with all settings of the run, --latents among them")
        }
        guard config != nil || shape.latents != nil else {
            throw WorkflowError.usage("say how large the dictionary is, with --latents M")
        }
        let settings = try config.map { try TrainingSettings(file: $0, given: given) } ?? TrainingSettings(given: given)
        if let layers = shape.layers, layers.layers == nil, settings.activations.isEmpty {
            throw WorkflowError.usage("--layers all is for activation files; name the layers of a model, such as 0-7")
        }
        if settings.architecture != .route, shape.routing != nil || shape.aggregation != nil {
            throw WorkflowError.usage(
                "--routing and --aggregation are a router's; \(settings.architecture.rawValue) has none")
        }
        return settings
    }
}

extension StepReport {
    /// The fields of the progress line.
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
