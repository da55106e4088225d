import ArgumentParser
import Benchmarks
import LinearAlgebra
import TerminalOutput

struct BenchmarkEvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "evaluate",
        abstract: "Time the evaluation of one RouteSAE, in forward passes of the model over the same tokens.",
        discussion: """
            The dictionary is random: what it costs does not depend on what it knows.

            Example:
              routesae benchmark evaluate --model Demo/model --latents 2048 --k 32 --format json
            """)

    @Option(help: "Folder of a language model in Hugging Face layout.") var model: String
    @Option(help: "Tokens of a pass.") var tokens = 4096
    @Option(help: "Tokens of a sequence.") var context = 256
    @Option(help: "Latents of the dictionary.") var latents = 2048
    @Option(help: "Active latents of a token.") var k = 32
    @Option(help: "How often it is timed; the medians count.") var repeats = 5
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        let progress = options.progress("timing")
        let result = try EvaluationBenchmark(
            model: model, tokens: tokens, context: context, latents: latents, k: k, repeats: repeats
        ).run(workers: options.workers) { progress.update($0, of: $1) }
        progress.finish()
        output.printObject([
            ("ratio", .real(result.ratio)), ("forward_seconds", .real(result.forwardSeconds)),
            ("evaluation_seconds", .real(result.evaluationSeconds)), ("tokens", Cell(tokens)),
            ("context", Cell(context)), ("latents", Cell(latents)), ("k", Cell(k)),
            ("threads", Cell(options.workers.count)),
        ])
    }
}
