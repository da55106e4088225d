import ActivationPipeline
import ArgumentParser
import Benchmarks
import Foundation
@preconcurrency import Glibc
import LinearAlgebra
import SparseCoding
import TerminalOutput
import Vocabulary

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measure speed as ratios to the machine's own matrix product, and the writing of catalogs.",
        subcommands: [
            BenchmarkTrainCommand.self, BenchmarkMemoryCommand.self, BenchmarkIndexCommand.self,
            BenchmarkScoreCommand.self, BenchmarkEvaluateCommand.self, BenchmarkForwardCommand.self,
            BenchmarkDecodeCommand.self, BenchmarkProductsCommand.self, BenchmarkCatalogCommand.self,
            BenchmarkQueriesCommand.self,
        ])
}

/// The sizes of a training benchmark.
struct BenchmarkSizes: ParsableArguments {
    @Option(help: "Which system is trained.") var architecture = Architecture.route
    @Option(help: "Width of the residual stream.") var dModel: Int
    @Option(help: "Number of latents.") var latents: Int
    @Option(help: "Number of active latents of a token; none for an architecture with a penalty.") var k: Int?
    @Option(help: "Number of layers that a token has.") var layers: Int
    @Option(help: "Tokens of a step.") var tokens: Int
    @Option(help: "Share of the latents that never fire, for AuxK.") var deadShare = 0.0
    @Option(help: "Latents that fire on a sample at first, of an architecture with a penalty; by default half of them.")
    var l0: Double?
    @Option(help: "What the encoder's product takes, f32 or bf16.") var precision = Precision.f32
    @Option(help: "Number of steps.") var repeats = 5

    func benchmark() throws -> TrainingBenchmark {
        guard (1...1000).contains(repeats), (1...1 << 24).contains(tokens), (1...1024).contains(layers),
            (0...1).contains(deadShare)
        else {
            throw WorkflowError.usage(
                "--repeats has to be 1 … 1000, --tokens from 1, --layers 1 … 1024, --dead-share 0 … 1")
        }
        return TrainingBenchmark(
            architecture: architecture, dModel: dModel, latents: latents, k: k, layers: layers, tokens: tokens,
            repeats: repeats, deadShare: deadShare, l0: l0, precision: precision)
    }

    /// The sizes as columns; the architecture is included unless it is `route`.
    var columns: [(name: String, value: Cell)] {
        var columns: [(name: String, value: Cell)] = [("d_model", Cell(dModel)), ("latents", Cell(latents))]
        if let k { columns.append(("k", Cell(k))) }
        columns += [("layers", Cell(layers)), ("tokens", Cell(tokens))]
        if precision != .f32 { columns.append(("precision", .text(precision.rawValue))) }
        if architecture != .route { columns.append(("architecture", .text(architecture.rawValue))) }
        return columns
    }
}

struct BenchmarkTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "train",
        abstract: "Time a training step against the dense encode product alone: same threads, same run.",
        discussion: """
            Examples:
              routesae benchmark train --d-model 2048 --latents 16384 --k 64 --layers 9 --tokens 8192 --format json
              routesae benchmark train --architecture vanilla --d-model 256 --latents 4096 --layers 1 --tokens 8192 --l0 64
            """)

    @OptionGroup var sizes: BenchmarkSizes
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        let progress = options.progress("timing")
        let result = try sizes.benchmark().run(workers: options.workers) { progress.update($0, of: $1) }
        progress.finish()
        output.printObject(
            [
                ("step_seconds", .real(result.stepSeconds)),
                ("encode_gemm_seconds", .real(result.encodeGemmSeconds)),
                ("ratio", .real(result.ratio)),
                ("tokens_per_second", .real(result.tokensPerSecond)),
                ("l0", .real(result.l0)),
            ] + sizes.columns + [("threads", Cell(options.workers.count))])
    }
}

struct BenchmarkIndexCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "index",
        abstract: "Time indexing, from the residual streams on, against the dense encode product alone.",
        discussion: """
            Example:
              routesae benchmark index --d-model 2048 --latents 16384 --k 64 --layers 9 --tokens 8192 --format json
            """)

    @OptionGroup var sizes: BenchmarkSizes
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        let progress = options.progress("timing")
        let result = try sizes.benchmark().indexing(workers: options.workers) { progress.update($0, of: $1) }
        progress.finish()
        output.printObject(
            [
                ("batch_seconds", .real(result.batchSeconds)),
                ("encode_gemm_seconds", .real(result.encodeGemmSeconds)),
                ("ratio", .real(result.ratio)),
                ("tokens_per_second", .real(result.tokensPerSecond)),
            ] + sizes.columns + [("threads", Cell(options.workers.count))])
    }
}

struct BenchmarkMemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "memory",
        abstract: "Measure the peak memory of training, and compare it with its formula.",
        discussion: """
            Example:
              routesae benchmark memory --d-model 2048 --latents 131072 --k 64 --layers 1 --tokens 4096 --repeats 2
            """)

    @OptionGroup var sizes: BenchmarkSizes
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        let progress = options.progress("training")
        let result = try sizes.benchmark().memory(workers: options.workers) { progress.update($0, of: $1) }
        progress.finish()
        output.printObject(
            [
                ("peak_resident_bytes", Cell(result.peakResidentBytes)),
                ("predicted_bytes", Cell(result.predictedBytes)),
                ("ratio", .real(Double(result.peakResidentBytes) / Double(result.predictedBytes))),
            ] + sizes.columns + [("threads", Cell(options.workers.count))])
    }
}

struct BenchmarkForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "forward",
        abstract: "Time the language model's forward pass: tokens per second and peak resident memory.",
        discussion: """
            Example:
              routesae benchmark forward --model Demo/model --tokens 8192 --last-layer 11 --format json
            """)

    @Option(help: "Folder of a language model in Hugging Face layout.") var model: String
    @Option(help: "Tokens of a pass.") var tokens = 4096
    @Option(help: "Tokens of a sequence.") var context = 256
    @Option(help: "Stop after this decoder layer.") var lastLayer: Int?
    @Option(help: "What products of the model take, f32 or bf16.") var precision = Precision.f32
    @Option(help: "How often it is timed; the median counts.") var repeats = 3
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        guard (1...1000).contains(repeats) else { throw WorkflowError.usage("--repeats has to be 1 … 1000") }
        let progress = options.progress("timing")
        let result = try ForwardBenchmark(
            model: model, tokens: tokens, context: context, lastLayer: lastLayer, repeats: repeats, precision: precision
        ).run(workers: options.workers) { done, total in progress.update(done, of: total) }
        progress.finish()
        output.printObject([
            ("tokens_per_second", .real(result.tokensPerSecond)),
            ("peak_resident_bytes", Cell(result.peakResidentBytes)),
            ("layers_run", Cell(result.layersRun)), ("precision", .text(precision.rawValue)),
            ("tokens", Cell(result.tokens)),
            ("context", Cell(context)), ("threads", Cell(options.workers.count)),
        ])
    }
}
