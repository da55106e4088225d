import ArgumentParser
import Interchange
import TerminalOutput

struct EncodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "encode",
        abstract: "Run activations of a file through a dictionary, and write latents and reconstructions.",
        discussion: """
            Reads a file of routesae activations, or any safetensors file with one tensor [tokens, d] named \
            activations or input, for a dictionary of one layer. Writes reconstruction [tokens, d], and indices and \
            values [tokens, k] of the active latents, or with --dense latents [tokens, m]; layers [tokens] of a dictionary \
            that chooses a layer for each token. Where no k is fixed, tokens are filled up with latents of value 0.

            Examples:
              routesae encode c.sqlite --activations a.safetensors --output z.safetensors
              routesae encode c.sqlite --dictionary sae --activations x.safetensors --output z.safetensors --dense
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var dictionary: DictionaryOption
    @Option(help: "A safetensors file of activations.")
    var activations: String
    @Option(help: "The safetensors file to write.")
    var output: String
    @Flag(help: "Write all latents of every token, instead of the active ones.")
    var dense = false
    @Flag(help: "Replace an existing file.")
    var force = false
    @OptionGroup var options: RunOptions

    func run() throws {
        Interruption.watch()
        let job = EncodingRun(
            dictionary: dictionary.dictionary, activations: activations, output: output, isDense: dense,
            overwriting: force)
        let progress = options.progress("encoding tokens")
        defer { progress.finish() }
        let result = try catalog.read(atOnce: false) { catalog in
            try job.run(
                on: catalog, workers: options.workers, cancelled: { Interruption.isRequested },
                progress: { done, total in progress.update(done, of: total) })
        }
        progress.finish()
        options.say(
            """
            \(output): \(Quantities.count(result.tokens)) tokens by "\(result.name)", \
            \(Quantities.significant(result.meanActive)) latents active of each
            """)
    }
}
