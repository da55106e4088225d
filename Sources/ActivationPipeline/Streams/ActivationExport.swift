import LanguageModel
package import LinearAlgebra
package import Safetensors
import Tokenization

/// Writes a model's residual streams over text to a safetensors file or several: `activations [tokens, layers, d]`,
/// `token_ids [tokens]`, `document_ids [tokens]` and `is_prefix [tokens]`, one row for every token fed to the model, BOS
/// included, in the order of the text. `is_prefix` is 1 where a token was put before a text, and 0 for the text's own, a
/// BOS among them. The header names model, tokenizer, decoder layers and BOS id.
package struct ActivationExport: Sendable {
    /// The model's folder.
    package var model: String
    /// Text files and folders.
    package var text: [String]
    /// Decoder layers whose outputs are written; nil is all.
    package var layers: [Int]?
    /// Where to write: a file, or what the names of several begin with.
    package var output: String
    /// Stored as f32, f16 or bf16.
    package var dtype: TensorDType
    /// The most tokens the model sees at once; nil takes the model's default.
    package var context: Int?
    /// Stops after this many tokens, at the end of a segment; nil takes all.
    package var maximumTokens: Int?
    /// What the products of the model take; nil means f32.
    package var precision: Precision?
    /// Rows of each file but the last, `OUTPUT-00000-of-00003.safetensors` …; nil writes the one file `output`.
    package var shardTokens: Int?
    /// Whether existing files are replaced.
    package var overwrite: Bool
    /// Bytes free on the disk of a file; nil if unknown.
    package var freeBytes: @Sendable (_ path: String) -> Int? = ActivationFilePlan.freeBytes

    /// Makes an export.
    package init(
        model: String, text: [String], layers: [Int]?, output: String, dtype: TensorDType = .f32, context: Int? = nil,
        maximumTokens: Int? = nil, shardTokens: Int? = nil, overwrite: Bool = false,
        precision: Precision? = nil
    ) {
        self.model = model
        self.text = text
        self.layers = layers
        self.output = output
        self.dtype = dtype
        self.context = context
        self.maximumTokens = maximumTokens
        self.shardTokens = shardTokens
        self.overwrite = overwrite
        self.precision = precision
    }

    /// The result of an export.
    package struct Result: Sendable {
        /// Rows.
        package let tokens: Int
        /// Documents they come from.
        package let documents: Int
        /// Decoder layers.
        package let layers: [Int]
        /// Width of the residual stream.
        package let dModel: Int
        /// The files, in order of their rows.
        package let files: [String]
        /// Bytes of all of them, but for the headers.
        package let bytes: Int
        /// Bytes that were free before; nil where the system does not say.
        package let freeBytes: Int?
        /// Warnings about the text, such as replaced bytes: whole lines.
        package let remarks: [String]
    }

    /// Runs the export.
    ///
    /// - Parameters:
    ///   - announce: told the size before anything is computed.
    ///   - cancelled: asked before every chunk; once true, the export ends.
    ///   - progress: told how many of how many tokens are done.
    /// - Throws: `WorkflowError`, also for activations that are not finite or beyond the stored type; and what reading
    ///   the model, the text and writing the file throw. Nothing is left behind then.
    package func run(
        workers: Workers, announce: (Result) -> Void, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void
    ) throws -> Result {
        try checkOptions()
        let folder = try ModelFolder(path: model, workers: workers, precision: precision)
        let layers = try folder.checkedLayers(self.layers ?? Array(0..<folder.model.configuration.layerCount))
        let corpus = try TextCorpus(paths: text)
        let segmenter = Segmenter(tokenizer: folder.tokenizer, context: try folder.context(context))
        // Two passes over the text: a file's header holds the number of rows, and the size is known before the work.
        let tokens = try countTokens(corpus, segmenter)
        let plan = try ActivationFilePlan(output: output, rows: tokens.rows, shardTokens: shardTokens)
        try plan.check(overwriting: overwrite, inputs: folder.weightFiles + corpus.files.map(\.path))
        let d = folder.model.configuration.dModel
        // A row of activations, its two ids and its mark.
        let rowBytes = layers.count * d * dtype.byteCount + 2 * TensorDType.i64.byteCount + TensorDType.u8.byteCount
        let (bytes, overflow) = tokens.rows.multipliedReportingOverflow(by: rowBytes)
        guard !overflow else { throw WorkflowError.usage("\(output): \(tokens.rows) rows fit no disk") }
        let result = Result(
            tokens: tokens.rows, documents: tokens.documents, layers: layers, dModel: d, files: plan.files.map(\.path),
            bytes: bytes, freeBytes: freeBytes(output), remarks: corpus.remarks)
        announce(result)
        try plan.checkSpace(bytes: bytes + plan.files.count * 4096, free: result.freeBytes)
        let writer = ActivationFileWriter(
            plan, dtype: dtype, layers: layers.count, dModel: d, metadata: try metadata(folder, layers),
            overwrite: overwrite)
        do {
            try write(tokens.rows, of: corpus, segmenter, folder, layers, to: writer, cancelled, progress)
            try writer.finish()
        } catch {
            writer.abandon()
            throw error
        }
        return result
    }

    /// Checks what can be checked before the model is opened and the text read.
    private func checkOptions() throws(WorkflowError) {
        try checkLength()
        // How many files there are depends on the text; for now it is enough that one could be written.
        let first = try ActivationFilePlan(output: output, rows: 1, shardTokens: shardTokens).files[0].path
        try OutputFile.check(first, overwriting: overwrite || shardTokens != nil, inputs: [])
    }

    /// Checks the number of tokens asked for.
    func checkLength() throws(WorkflowError) {
        if let maximumTokens, maximumTokens < 1 {
            throw .usage("`maximumTokens` is \(maximumTokens); allowed: from 1")
        }
    }

    private func countTokens(_ corpus: TextCorpus, _ segmenter: Segmenter) throws -> (rows: Int, documents: Int) {
        var rows = 0
        var documents = 0
        for index in 0..<corpus.count {
            var isEmpty = true
            segmenter.forEachSegment(of: try corpus.document(index).text, document: index) { segment in
                isEmpty = false
                if rows < maximumTokens ?? .max { rows += segment.tokens.count }
            }
            if !isEmpty { documents += 1 }
            if let maximumTokens, rows >= maximumTokens { return (rows, documents) }
        }
        guard rows > 0 else { throw WorkflowError.badInput(path: text[0], problem: "the text holds no tokens") }
        return (rows, documents)
    }

    private func write(
        _ rows: Int, of corpus: TextCorpus, _ segmenter: Segmenter, _ folder: ModelFolder, _ layers: [Int],
        to writer: ActivationFileWriter, _ cancelled: () -> Bool, _ progress: (Int, Int) -> Void
    ) throws {
        var reader = SegmentReader(corpus: corpus, segmenter: segmenter, shuffleSeed: nil)
        var done = 0
        while done < rows {
            if cancelled() {
                throw WorkflowError.interrupted(
                    "the export was stopped after \(done) of \(rows) tokens; no file is left")
            }

            var segments: [TokenSegment] = []
            var count = 0
            while count < ModelActivationStream.chunk, done + count < rows {
                let segment = try reader.next()
                segments.append(segment)
                count += segment.tokens.count
            }

            let computed = try ExportedRows(of: segments, folder, layers, dtype: dtype)
            try writer.append(
                activations: computed.activations.pointer, tokens: computed.tokens, documents: computed.documents,
                isPrefix: computed.isPrefix.map(Int64.init))
            done += count
            progress(done, rows)
        }
    }

    /// The text entries of a header.
    func metadata(_ folder: ModelFolder, _ layers: [Int]) throws -> [String: String] {
        var metadata = [
            "format": "routesae-activations-1",
            "model": folder.name,
            "model_sha256": try folder.weightsDigest(),
            "tokenizer": folder.name,
            "layers": "[" + layers.map(String.init).joined(separator: ",") + "]",
            "context": String(try folder.context(context)),
        ]
        if folder.model.precision != .f32 { metadata["precision"] = folder.model.precision.rawValue }
        if folder.tokenizer.addsBOS { metadata["bos_token_id"] = folder.tokenizer.bosTokenID.map { String($0) } }
        return metadata
    }
}
