import ArgumentParser
import Safetensors
import TerminalOutput
import Workflows

struct ActivationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activations",
        abstract: "Writes a model's residual streams over text to a safetensors file.",
        discussion: """
            activations [tokens, layers, d], token_ids [tokens], document_ids [tokens]: one row for every token fed to \
            the model, BOS included, in the order of the text. Layer l is the output of decoder layer l, counted from \
            0, before the final norm.

            Examples:
              routesae activations --model Demo/model --text Demo/text/heldout --layers 1-5 --output a.safetensors
              routesae activations --model llama --text book.txt --layers all --dtype bf16 --output a.safetensors
            """)

    @Option(help: "Folder of a language model in Hugging Face layout.")
    var model: String
    @Option(parsing: .upToNextOption, help: "Text files (.txt, .jsonl) and folders of them.")
    var text: [String]
    @Option(help: "Decoder layers counted from 0: 3-11, 3,5,7 or all.")
    var layers: LayerList
    @Option(help: "The file to write.")
    var output: String
    @Option(help: "How activations are stored: f32, f16 or bf16.")
    var dtype = "f32"
    @Option(help: "The most tokens the model sees at once; by default all its positions, 2048 at most.")
    var context: Int?
    @Option(help: "Stops after this many tokens, at the end of a segment.")
    var maxTokens: Int?
    @Flag(help: "Replaces an existing file.")
    var force = false
    @OptionGroup var options: RunOptions

    func run() throws {
        Interruption.watch()
        let types: [String: TensorDType] = ["f32": .f32, "f16": .f16, "bf16": .bf16]
        guard let type = types[dtype] else { throw WorkflowError.usage("--dtype is \(dtype); allowed: f32, f16, bf16") }
        let export = ActivationExport(
            model: model, text: text, layers: layers.layers, output: output, dtype: type, context: context,
            maximumTokens: maxTokens, overwrite: force)
        let progress = options.progress("writing")
        let result = try export.run(
            workers: options.workers,
            announce: { plan in
                options.say(
                    """
                    \(Quantities.count(plan.tokens)) tokens of \(Quantities.count(plan.documents)) documents, \
                    \(plan.layers.count) layers: \(Quantities.bytes(plan.bytes))
                    """)
            },
            cancelled: { Interruption.isRequested },
            progress: { done, total in progress.update(done, of: total) })
        progress.finish()
        options.say("\(output): activations [\(result.tokens), \(result.layers.count), \(result.dModel)] \(dtype)")
    }
}
