import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import Foundation
import SparseCoding
import SparseTraining
import TerminalOutput
import Training
import Vocabulary

/// The stream of a sweep, in place of its file's.
struct SweepStreamOptions: ParsableArguments {
    @Option(help: "Folder of a language model; overrides the file's.") var model: String?
    @Option(parsing: .upToNextOption, help: "Text files and folders; override the file's.") var text: [String] = []
    @Option(
        parsing: .upToNextOption,
        help: "Activation files or folders, or - for a stream on standard input; override the file's.")
    var activations: [String] = []
    @Option(help: "Training tokens; override the file's.") var tokens: Int?
    @Option(help: "Steps; override the file's.") var steps: Int?
}

struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "sweep",
        abstract: "Train any number of dictionaries side by side on one stream of activations.",
        discussion: """
            All of them learn from the same batches in the same order, and the language model runs once for each batch, \
            so that ten dictionaries cost little more than one. Each becomes what it would have become alone.

            The file is JSON. Its keys are those of a training run's config; beside 'dictionaries' they hold for all. A \
            list where one value is expected stands for a dictionary with each of its values. 'layers' is a layer \
            or a list of them, so a list of lists stands for several dictionaries:

              {
                "model": "Demo/model", "text": ["Demo/text/train"], "tokens": 1000000, "latents": 2048,
                "dictionaries": [
                  {"architecture": "route", "k": [16, 32], "seed": [0, 1]},
                  {"architecture": "topk", "layers": [[1], [2], [3]], "k": 32},
                  {"architecture": "vanilla", "layers": 3, "lambda": [1, 5]}
                ]
              }

            Examples:
              routesae sweep all.sqlite --config sweep.json
              routesae sweep all.sqlite --config sweep.json --dry-run
              routesae sweep all.sqlite --resume
            """)

    @Argument(help: "The catalog, a SQLite file.") var catalog: String
    @Option(help: "The sweep, a JSON file.") var config: String?
    @OptionGroup var stream: SweepStreamOptions
    @Flag(help: "Print the dictionaries that would be trained, and train none.") var dryRun = false
    @OptionGroup(title: "Files") var files: TrainFileOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        let settings = try settings()
        if dryRun {
            guard let settings else { throw WorkflowError.usage("--dry-run goes with --config") }
            return printPlan(settings)
        }
        guard
            let outcome = try TrainingLauncher(
                catalog: catalog, files: files, options: options, config: config
            ).run(settings)
        else { return }
        output.print(
            columns: [
                "dictionary", "run", "name", "architecture", "layers", "k", "loss", "explained_variance", "l0",
                "dead_share",
            ],
            rows: outcome.results.map { result in
                let last = result.reports.last
                func figure(_ value: Float?) -> Cell { value.map { .real(Double($0)) } ?? .null }
                return [
                    Cell(Int(result.dictionaryID)), Cell(Int(result.runID)), .text(result.name),
                    .text(result.configuration.architecture.rawValue), .text(list(result.configuration.layers)),
                    result.configuration.k.map { Cell($0) } ?? .null, figure(last?.loss),
                    figure(last?.explainedVariance), figure(last?.l0), figure(last?.deadShare),
                ]
            })
        // Also with --quiet: it explains the exit status.
        for failure in outcome.failures { StandardStreams.remark("\(failure.name): dropped out, \(failure.reason)") }
        // The exit status of a single training.
        if !outcome.failures.isEmpty { throw ExitCode(65) }
    }

    private func settings() throws -> [TrainingSettings]? {
        let given = try GivenOptions.document(stream)
        if let config { return try SweepSettings.read(file: config, given: given) }
        guard files.resume, given.isEmpty else {
            throw WorkflowError.usage("name the sweep with --config FILE, or go on with one by --resume alone")
        }
        return nil
    }

    private func printPlan(_ settings: [TrainingSettings]) {
        output.print(
            columns: ["name", "architecture", "layers", "latents", "k", "lambda", "fidelity", "seed"],
            rows: settings.map { one in
                [
                    .text(one.name ?? ""), .text(one.kind),
                    .text(one.layers.map(list) ?? "the model's middle half"), Cell(one.latents),
                    one.k.map { Cell($0) } ?? .null, one.choices.lambda.map { .real(Double($0)) } ?? .null,
                    .text(one.fidelity.rawValue), .text("\(one.seed)"),
                ]
            })
    }

    private func list(_ layers: [Int]) -> String { layers.map(String.init).joined(separator: ",") }
}
