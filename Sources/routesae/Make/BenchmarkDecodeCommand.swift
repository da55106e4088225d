import ActivationPipeline
import ArgumentParser
import Benchmarks
import LinearAlgebra
import TerminalOutput

struct BenchmarkDecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "decode",
        abstract: "Time decoding token by token, against reading once the weights that a token needs.",
        discussion: """
            ratio is the time of a token over the time in which all threads read an array as large as the weights it \
            needs (weight_bytes). Weights that fit in the processor's cache are read from there, by both.

            Example:
              routesae benchmark decode --model Demo/model --format json
            """)

    @Option(help: "Folder of a language model in Hugging Face layout.") var model: String
    @Option(help: "Tokens of the prompt.") var prompt = 16
    @Option(help: "Tokens decoded after it.") var tokens = 32
    @Option(help: "What products of the model take, f32 or bf16.") var precision = Precision.f32
    @Option(help: "How often it is timed; the median counts.") var repeats = 5
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        guard (1...1000).contains(repeats) else { throw WorkflowError.usage("--repeats has to be 1 … 1000") }
        let progress = options.progress("timing")
        let result = try DecodeBenchmark(
            model: model, prompt: prompt, tokens: tokens, repeats: repeats, precision: precision
        ).run(workers: options.workers) { done, total in progress.update(done, of: total) }
        progress.finish()
        output.printObject([
            ("tokens_per_second", .real(result.tokensPerSecond)),
            ("seconds_per_token", .real(result.secondsPerToken)), ("prompt_seconds", .real(result.promptSeconds)),
            ("weight_bytes", Cell(result.weightBytes)), ("read_seconds", .real(result.readSeconds)),
            ("read_bytes_per_second", .real(result.bytesPerSecond)), ("ratio", .real(result.ratio)),
            ("precision", .text(precision.rawValue)), ("prompt", Cell(prompt)), ("tokens", Cell(tokens)),
            ("threads", Cell(options.workers.count)),
        ])
    }
}
