public import ArgumentParser
import FeatureCatalog
import Foundation
import LinearAlgebra
public import SparseCoding
import SparseTraining
import TerminalOutput
import Workflows

extension RoutingMode: ExpressibleByArgument {}
extension RouterAggregation: ExpressibleByArgument {}
extension Fidelity: ExpressibleByArgument {}

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a dictionary and writes it into a catalog.",
        discussion: """
            Reads activations live from a model, or from files that 'routesae activations' or another program wrote. \
            The catalog is made where there is none. Every step's loss goes into run_metric.

            Examples:
              routesae train c.sqlite --model Demo/model --text Demo/text/train --latents 2048 --k 32 --tokens 1000000
              routesae train c.sqlite --model Demo/model --text Demo/text/train --architecture topk --layers 3 \\
                --latents 2048 --k 32 --tokens 1000000 --name topk-3
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
    @OptionGroup var options: RunOptions

    func run() throws {
        guard let path = catalogArgument ?? catalogOption, catalogArgument == nil || catalogOption == nil else {
            throw WorkflowError.usage("name one catalog: routesae train CATALOG …, or --catalog CATALOG")
        }
        let settings = try settings()
        if let weights = output.weightsOutput, OutputFile.isSame(weights, path) {
            throw WorkflowError.usage("--weights-output and the catalog are one file, \(path); name two")
        }
        Interruption.watch()
        // Everything that can be refused is, before a catalog appears.
        let training = TrainingRun(settings: settings, workers: options.workers)
        let plan = try training.prepare(weightsOutput: output.weightsOutput, overwritingWeights: output.force)
        let existed = FileManager.default.fileExists(atPath: path)
        if existed, !output.append, !output.force {
            throw WorkflowError.cannotWrite(
                path: path, problem: "exists already; --append adds to it, --force replaces it")
        }
        let catalog =
            existed && output.append
            ? try Catalog.open(at: path, mode: .readWrite)
            : try Catalog.create(at: path, replacing: output.force, software: Software.identity)
        let result = try CatalogFile.write(catalog) { catalog in
            let progress = options.progress("training")
            defer { progress.finish() }
            return try training.run(plan, into: catalog, cancelled: { Interruption.isRequested }) { report, _ in
                progress.update(report.step + 1, of: plan.steps, fields: report.fields)
            }
        }
        summarise(result, path)
    }

    private func summarise(_ result: TrainingRun.Result, _ path: String) {
        guard let last = result.reports.last else { return }
        options.say(
            """
            run \(result.runID), dictionary \(result.dictionaryID) in \(path): loss \
            \(Quantities.significant(Double(last.loss))), explained variance \
            \(Quantities.percentage(Double(last.explainedVariance))), L0 \(Quantities.significant(Double(last.l0))), \
            dead \(Quantities.percentage(Double(last.deadShare)))
            """)
    }

    /// The settings of `--config`, or those the options make.
    private func settings() throws -> TrainingSettings {
        if let config = source.config {
            // What stands beside it would be passed over in silence.
            if let given = givenSettings.first {
                throw WorkflowError.usage("--config holds all settings; \(given) cannot stand beside it")
            }
            return try TrainingSettings(file: config)
        }
        guard let latents = shape.latents, let k = shape.k else {
            throw WorkflowError.usage("say how large the dictionary is, with --latents M and --k K")
        }
        return TrainingSettings(
            name: shape.name, architecture: shape.architecture ?? "route", model: source.model, text: source.text,
            activations: source.activations, layers: shape.layers?.layers, latents: latents, k: k,
            routing: shape.routing ?? .hard, aggregation: shape.aggregation ?? .sum,
            fidelity: shape.fidelity ?? .corrected, batchTokens: schedule.batchTokens ?? 4096, steps: schedule.steps,
            tokens: schedule.tokens,
            learningRate: schedule.learningRate, normalizeEvery: schedule.normalizeEvery,
            loadBalance: schedule.loadBalance, auxiliaryCoefficient: schedule.auxiliaryCoefficient,
            auxiliaryK: schedule.auxiliaryK, deadAfterTokens: schedule.deadAfter, context: source.context,
            shuffle: !schedule.noShuffle, seed: schedule.seed ?? 0, initialWeights: source.initialWeights,
            dtype: output.dtype ?? "f32")
    }

    /// The options on the command line that say what `--config` says.
    private var givenSettings: [String] {
        let given: [(name: String, isGiven: Bool)] = [
            ("--model", source.model != nil), ("--text", !source.text.isEmpty),
            ("--activations", !source.activations.isEmpty), ("--context", source.context != nil),
            ("--initial-weights", source.initialWeights != nil), ("--architecture", shape.architecture != nil),
            ("--layers", shape.layers != nil), ("--latents", shape.latents != nil), ("--k", shape.k != nil),
            ("--routing", shape.routing != nil), ("--aggregation", shape.aggregation != nil),
            ("--fidelity", shape.fidelity != nil), ("--name", shape.name != nil),
            ("--tokens", schedule.tokens != nil), ("--steps", schedule.steps != nil),
            ("--batch-tokens", schedule.batchTokens != nil), ("--learning-rate", schedule.learningRate != nil),
            ("--normalize-every", schedule.normalizeEvery != nil), ("--load-balance", schedule.loadBalance != nil),
            ("--auxiliary-coefficient", schedule.auxiliaryCoefficient != nil),
            ("--auxiliary-k", schedule.auxiliaryK != nil), ("--dead-after", schedule.deadAfter != nil),
            ("--no-shuffle", schedule.noShuffle), ("--seed", schedule.seed != nil), ("--dtype", output.dtype != nil),
        ]
        return given.filter(\.isGiven).map(\.name)
    }
}

extension StepReport {
    /// What the progress line shows.
    var fields: [(name: String, value: String)] {
        [
            ("loss", Quantities.significant(Double(loss))),
            ("EV", Quantities.percentage(Double(explainedVariance))),
            ("L0", Quantities.significant(Double(l0))),
            ("dead", Quantities.percentage(Double(deadShare))),
            ("routing", Quantities.significant(Double(routingEntropy)) + " nats"),
        ]
    }
}
