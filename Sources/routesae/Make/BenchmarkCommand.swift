import ArgumentParser
import Foundation
@preconcurrency import Glibc
import LinearAlgebra
import TerminalOutput
import Workflows

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measures speed as ratios against the machine's own matrix product.",
        subcommands: [BenchmarkTrainCommand.self, BenchmarkForwardCommand.self])
}

struct BenchmarkTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "A training step against the dense encode product alone: same threads, same run.",
        discussion: """
            Example:
              routesae benchmark train --d-model 2048 --latents 16384 --k 64 --layers 9 --tokens 8192 --format json
            """)

    @Option(help: "Width of the residual stream.") var dModel: Int
    @Option(help: "Number of latents.") var latents: Int
    @Option(help: "Number of active latents of a token.") var k: Int
    @Option(help: "Number of routed layers.") var layers: Int
    @Option(help: "Tokens of a step.") var tokens: Int
    @Option(help: "How often step and product are timed; medians count.") var repeats = 5
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        guard (1...1000).contains(repeats), tokens > 0 else {
            throw WorkflowError.usage("--repeats has to be 1 … 1000 and --tokens from 1")
        }
        let progress = options.progress("timing")
        let result = try TrainingBenchmark(
            dModel: dModel, latents: latents, k: k, layers: layers, tokens: tokens, repeats: repeats
        ).run(workers: options.workers) { done, total in progress.update(done, of: total) }
        progress.finish()
        output.printObject([
            ("step_seconds", .real(result.stepSeconds)),
            ("encode_gemm_seconds", .real(result.encodeGemmSeconds)),
            ("ratio", .real(result.ratio)),
            ("tokens_per_second", .real(result.tokensPerSecond)),
            ("d_model", Cell(dModel)), ("latents", Cell(latents)), ("k", Cell(k)), ("layers", Cell(layers)),
            ("tokens", Cell(tokens)), ("threads", Cell(options.workers.count)),
        ])
    }
}

struct BenchmarkForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "The language model's forward pass: tokens per second and peak resident memory.",
        discussion: """
            Example:
              routesae benchmark forward --model Demo/model --tokens 8192 --last-layer 5 --format json
            """)

    @Option(help: "Folder of a language model in Hugging Face layout.") var model: String
    @Option(help: "Tokens of a pass.") var tokens = 4096
    @Option(help: "Tokens of a sequence.") var context = 256
    @Option(help: "Stops after this decoder layer.") var lastLayer: Int?
    @Option(help: "How often it is timed; the median counts.") var repeats = 3
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        guard (1...1000).contains(repeats) else { throw WorkflowError.usage("--repeats has to be 1 … 1000") }
        let progress = options.progress("timing")
        let result = try ForwardBenchmark(
            model: model, tokens: tokens, context: context, lastLayer: lastLayer, repeats: repeats
        ).run(workers: options.workers) { done, total in progress.update(done, of: total) }
        progress.finish()
        output.printObject([
            ("tokens_per_second", .real(result.tokensPerSecond)),
            ("peak_resident_bytes", Cell(result.peakResidentBytes)),
            ("layers_run", Cell(result.layersRun)), ("tokens", Cell(result.tokens)),
            ("context", Cell(context)), ("threads", Cell(options.workers.count)),
        ])
    }
}
