import ActivationPipeline
import ArgumentParser
@preconcurrency import Glibc
import LinearAlgebra
import Safetensors
import TerminalOutput

struct ActivationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "activations",
        abstract: "Write a model's residual streams over text to safetensors files, or as a stream.",
        discussion: """
            activations [tokens, layers, d], token_ids [tokens], document_ids [tokens], is_prefix [tokens]: one row for \
            every token fed to the model, BOS included, in the order of the text. is_prefix is 1 for a BOS that was put \
            before a text and 0 for the text's own tokens, a BOS among them. Layer l is the output of decoder layer l, counted from \
            0, before the final norm. With --shard-tokens there are several files, PREFIX-00000-of-00003.safetensors \
            and so on; they appear together once all are complete.

            With --output - the same rows go to standard output as a stream, which 'routesae train --activations -' reads; \
            nothing is kept on disk.

            For models that routesae does not run itself, encoders such as BERT among them, tools/export_activations.py \
            writes the same files with PyTorch.

            Examples:
              routesae activations --model Demo/model --text Demo/text/heldout --layers 3-11 --output a.safetensors
              routesae activations --model llama --text books --layers 8,16 --shard-tokens 1000000 --output out/llama
              routesae activations --model llama --text books --layers 8 --output - | routesae train c.sqlite \\
                --activations - --architecture topk --latents 16384 --k 64 --tokens 10000000
            """)

    @Option(help: "Folder of a language model in Hugging Face layout.")
    var model: String
    @Option(help: "What products of the model take, f32 or bf16; by default f32.")
    var precision: Precision?
    @Option(parsing: .upToNextOption, help: "Text files (.txt, .jsonl) and folders of them.")
    var text: [String]
    @Option(help: "Decoder layers counted from 0: 3-11, 3,5,7 or all.")
    var layers: LayerList
    @Option(help: "The file to write, or - for standard output; with --shard-tokens what the files' names begin with.")
    var output: String
    @Option(help: "How activations are stored: bf16, f16 or f32.")
    var dtype = "bf16"
    @Option(help: "The most tokens the model sees at once; by default all its positions, 2048 at most.")
    var context: Int?
    @Option(help: "Stop after this many tokens, at the end of a segment.")
    var tokens: Int?
    @Option(help: "Tokens of each file; by default one file for all.")
    var shardTokens: Int?
    @Option(help: "Begin a stream with the block that holds this token, to resume training on it.")
    var fromToken: Int?
    @Flag(help: "Replace existing files.")
    var force = false
    @OptionGroup var options: RunOptions

    func run() throws {
        Interruption.watch()
        let types: [String: TensorDType] = ["f32": .f32, "f16": .f16, "bf16": .bf16]
        guard let type = types[dtype] else { throw WorkflowError.usage("--dtype is \(dtype); allowed: bf16, f16, f32") }
        let export = ActivationExport(
            model: model, text: text, layers: layers.layers, output: output, dtype: type, context: context,
            maximumTokens: tokens, shardTokens: shardTokens, overwrite: force, precision: precision)
        guard output != ActivationStreaming.standardOutput else { return try stream(export) }
        guard fromToken == nil else {
            throw WorkflowError.usage("--from-token goes with --output -, a stream; files are written whole")
        }
        let progress = options.progress("writing")
        let result = try export.run(
            workers: options.workers,
            announce: { plan in
                plan.remarks.forEach(StandardStreams.remark)
                let free = plan.freeBytes.map { ", \(Quantities.bytes($0)) are free" } ?? ""
                options.say(
                    """
                    \(Quantities.count(plan.tokens)) tokens of \(Quantities.count(plan.documents)) documents, \
                    \(plan.layers.count) layers: \(Quantities.bytes(plan.bytes)) of \(dtype) in \
                    \(plan.files.count == 1 ? "1 file" : "\(Quantities.count(plan.files.count)) files")\(free)
                    """)
            },
            cancelled: { Interruption.isRequested },
            progress: { done, total in progress.update(done, of: total) })
        progress.finish()
        let files = result.files.count == 1 ? result.files[0] : "\(result.files[0]) and \(result.files.count - 1) more"
        options.say("\(files): activations [\(result.tokens), \(result.layers.count), \(result.dModel)] \(dtype)")
    }

    /// Writes the stream to standard output, and everything else to standard error.
    private func stream(_ export: ActivationExport) throws {
        guard !force else { throw WorkflowError.usage("--force is for files, not for --output -, a stream") }
        guard isatty(STDOUT_FILENO) == 0 else {
            throw WorkflowError.usage(
                "--output - writes bytes, and standard output is a terminal; add a pipe or a file")
        }
        let progress = options.progress("streaming")
        let result = try ActivationStreaming(export, fromToken: fromToken ?? 0).run(
            workers: options.workers,
            announce: { header in
                options.say(
                    "\(header.layers.count) layers of width \(header.dModel) in \(dtype), "
                        + "\(Quantities.bytes(header.rowBytes)) a token, from token \(header.firstRow) on")
            },
            cancelled: { Interruption.isRequested },
            progress: { progress.update($0, of: tokens) })
        progress.finish()
        result.remarks.forEach(StandardStreams.remark)
        options.say(
            result.isWhole
                ? "the stream is complete: \(Quantities.count(result.row)) tokens"
                : "the reader closed the stream at token \(Quantities.count(result.row))")
    }
}
