import ActivationPipeline
import ArgumentParser
import ChatTemplate
import Foundation
import JSON
import LanguageModel
import LinearAlgebra
import Safetensors
import TerminalOutput
import Tokenization

struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "model",
        abstract: "Show what a model's folder holds, and whether it runs here.",
        discussion: """
            A row for every property: family, sizes, positions, the layers that a router reads by default, tokenizer, chat \
            template, memory, and the tokens per second that are expected of this machine. Each row named problem is a \
            reason why the model is refused; the exit status is then 1, unless the model ran as asked. Of the weights only \
            the small ones are read.

            With --continue or --ids the model runs: it continues a text, or a list of token ids, with the most likely \
            token each time. --output writes what it computed for the text or the ids itself: token_ids [tokens], \
            residual [layers, tokens, d] after each decoder layer, logits [tokens, vocabulary], all f32. --encode shows \
            how the tokenizer cuts the texts of a JSON list.

            Examples:
              routesae model Demo/model
              routesae model Demo/model --continue "And the king said" --tokens 16
              routesae model Demo/model --ids 1,5,9 --tokens 0 --output outputs.safetensors --format json
            """)

    @Argument(help: "Folder of a language model in Hugging Face layout.")
    var folder: String
    @Option(name: .customLong("continue"), help: "Continue this text.")
    var prompt: String?
    @Option(help: "Continue these token ids, such as 1,5,9; no tokenizer is needed.")
    var ids: String?
    @Option(help: "The most tokens added.")
    var tokens = 32
    @Option(help: "Write residual streams and logits of the text or the ids to this safetensors file.")
    var output: String?
    @Flag(help: "Replace an existing file.")
    var force = false
    @Option(help: "Encode the texts of this file, a JSON list of strings.")
    var encode: String?
    @OptionGroup var rows: OutputOptions
    @OptionGroup var options: RunOptions

    func run() throws {
        guard (0...1_000_000).contains(tokens) else {
            throw WorkflowError.usage("--tokens is \(tokens); allowed: 0 … 1000000")
        }
        guard prompt == nil || ids == nil else {
            throw WorkflowError.usage("--continue and --ids both say what the model reads; give one of them")
        }
        guard output == nil || prompt != nil || ids != nil else {
            throw WorkflowError.usage("--output needs a text (--continue) or token ids (--ids) to run the model on")
        }
        var inspection = try ModelInspection(path: folder, workers: options.workers)
        if let template = inspection.tokenizer?.chatTemplate {
            do { _ = try ChatTemplate(template) } catch { inspection.note("\(folder): its chat template: \(error)") }
        }
        var report = ModelReport(inspection, workers: options.workers)
        let isRun = prompt != nil || ids != nil
        if isRun { try run(in: inspection, to: &report) }
        if let encode { report.encodings = try encodings(of: encode) }
        report.print(rows)
        guard inspection.problems.isEmpty || isRun else { throw ExitCode(1) }
    }

    /// Runs the model on a text or on ids.
    private func run(in inspection: ModelInspection, to report: inout ModelReport) throws {
        try inspection.checkMemory()
        let tokenizer = try prompt.map { _ in try Tokenizer(directory: folder) }
        let model = try LanguageModel(directory: folder, workers: options.workers)
        let read = try tokenizer.map { $0.encode(prompt ?? "") } ?? parsedIDs()
        guard !read.isEmpty else {
            throw WorkflowError.usage(
                ids == nil
                    ? "--continue is empty, and the tokenizer puts nothing before a text; give a text"
                    : "--ids names no token; give token ids such as 1,5,9")
        }
        if let output { try write(read, of: model, to: output) }
        let added = try model.greedy(
            prompt: read, count: tokens, stopTokens: model.configuration.endOfSequence(in: folder))
        report.continuation = ModelReport.Continuation(
            read: read, added: added, text: (tokenizer ?? inspection.tokenizer)?.decode(added))
    }

    private func parsedIDs() throws -> [TokenID] {
        guard let ids, !ids.isEmpty else { return [] }
        return try ids.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let id = TokenID(part.trimmingCharacters(in: .whitespaces)), id >= 0 else {
                throw WorkflowError.usage("--ids has \"\(part)\"; give token ids such as 1,5,9")
            }
            return id
        }
    }

    private func write(_ ids: [TokenID], of model: LanguageModel, to path: String) throws {
        let configuration = model.configuration
        let layers = Array(0..<configuration.layerCount)
        let batch = try TokenBatch(sequences: [ids])
        var shapes: [(name: String, dtype: TensorDType, shape: [Int])] = [
            ("token_ids", .i64, [ids.count]),
            ("residual", .f32, [layers.count, ids.count, configuration.dModel]),
        ]
        if model.hasUnembedding { shapes.append(("logits", .f32, [ids.count, configuration.vocabularySize])) }
        let streams = try model.residualStreams(of: batch, layers: layers)
        let writer = try SafetensorsWriter(path: path, tensors: shapes, overwrite: force)
        try writer.append("token_ids", integers: ids.map(Int64.init))
        for layer in layers {
            try writer.append("residual", floats: ids.indices.flatMap { streams.stream(token: $0, slot: layer) })
        }
        // Some rows at a time: all logits of a long text are many gigabytes.
        for first in stride(from: 0, to: model.hasUnembedding ? ids.count : 0, by: 64) {
            let rows = min(64, ids.count - first)
            let last = Matrix(rows: rows, columns: configuration.dModel)
            for row in 0..<rows {
                let stream = streams.stream(token: first + row, slot: layers.count - 1)
                for place in stream.indices { last[row, place] = stream[place] }
            }
            let logits = try model.unembed(last, applyingFinalNorm: true)
            try writer.append(
                "logits", floats: UnsafeBufferPointer(start: UnsafePointer(logits.pointer), count: logits.count))
            withExtendedLifetime(logits) {}
        }
        try writer.finish()
    }

    private func encodings(of path: String) throws -> [ModelReport.Encoding] {
        let tokenizer = try Tokenizer(directory: folder)
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw WorkflowError.missing(path: path, what: "file of texts")
        }
        guard case .array(let texts)? = try? JSONParser.parse(bytes, rules: .lenient) else {
            throw WorkflowError.badInput(path: path, problem: "is not a JSON list of strings")
        }
        return try texts.map { text in
            guard case .string(let text) = text else {
                throw WorkflowError.badInput(path: path, problem: "is not a JSON list of strings")
            }
            let ids = tokenizer.encode(text)
            return ModelReport.Encoding(ids: ids, decoded: tokenizer.decode(ids))
        }
    }
}
