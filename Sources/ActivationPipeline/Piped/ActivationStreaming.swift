import LanguageModel
package import LinearAlgebra
import Safetensors

/// Writes a model's residual streams over text as a stream of bytes: the rows that `ActivationExport` writes to files.
package struct ActivationStreaming: Sendable {
    /// The model, the text, and how its activations are stored; where its files would lie is not used.
    package let export: ActivationExport
    /// The first row to write; rounded down to the beginning of a block.
    package let fromToken: Int
    /// Where the stream goes, an open file descriptor; standard output is 1.
    package let descriptor: Int32

    /// The name that stands for standard output.
    package static let standardOutput = "-"

    /// Describes a stream.
    package init(_ export: ActivationExport, fromToken: Int = 0, descriptor: Int32 = 1) {
        (self.export, self.fromToken, self.descriptor) = (export, fromToken, descriptor)
    }

    /// The result of writing a stream.
    package struct Result: Sendable, Equatable {
        /// The row after the last one written, among those of the whole text.
        package let row: Int
        /// Whether the stream has its end; false where the reader had enough.
        package let isWhole: Bool
        /// Warnings about the text, such as replaced bytes: whole lines.
        package let remarks: [String]
    }

    /// Writes the stream.
    ///
    /// - Parameters:
    ///   - announce: told the header before anything is computed.
    ///   - cancelled: asked before every chunk, and while the reader is slow; once true, the stream breaks off.
    ///   - progress: told the row after the last one computed.
    /// - Throws: `WorkflowError`, and what reading the model and the text throws. The stream then has no end, by which its
    ///   reader knows that it is incomplete.
    package func run(
        workers: Workers, announce: (ActivationStreamHeader) -> Void, cancelled: () -> Bool = { false },
        progress: (_ row: Int) -> Void
    ) throws -> Result {
        try checkOptions()
        let folder = try ModelFolder(path: export.model, workers: workers, precision: export.precision)
        let layers = try folder.checkedLayers(export.layers ?? Array(0..<folder.model.configuration.layerCount))
        let corpus = try TextCorpus(paths: export.text)
        let segmenter = Segmenter(tokenizer: folder.tokenizer, context: try folder.context(export.context))
        let header = ActivationStreamHeader(
            metadata: try export.metadata(folder, layers), layers: layers,
            dModel: folder.model.configuration.dModel, dtype: export.dtype, firstRow: fromToken)
        announce(header)
        let pipe = PipeWriter(descriptor)
        var row = 0
        do {
            // The writer and its sink live no longer than this call.
            try withoutActuallyEscaping(cancelled) { cancelled in
                let writer = try ActivationStreamWriter(header) { try pipe.write($0, stopped: cancelled) }
                defer { row = writer.row }
                try write(corpus, segmenter, folder, header, to: writer, cancelled, progress)
                try writer.finish()
            }
        } catch PipeWriter.Failure.closed {
            return Result(row: row, isWhole: false, remarks: corpus.remarks)
        } catch PipeWriter.Failure.stopped {
            throw stopped(row)
        } catch PipeWriter.Failure.unwritable(let reason) {
            throw WorkflowError.cannotWrite(path: "standard output", problem: "\(reason), after row \(row)")
        }
        return Result(row: row, isWhole: true, remarks: corpus.remarks)
    }

    private func checkOptions() throws(WorkflowError) {
        try export.checkLength()
        if export.shardTokens != nil { throw .usage("`shardTokens` divides files; a stream is one") }
        guard (0...ActivationStreamHeader.mostRows).contains(fromToken) else {
            throw .usage("`fromToken` is \(fromToken); allowed: 0 … \(ActivationStreamHeader.mostRows)")
        }
    }

    private func stopped(_ row: Int) -> WorkflowError {
        .interrupted("the stream was stopped after row \(row); `fromToken` goes on with it")
    }

    /// Writes the rows of the text from the header's first row on.
    private func write(
        _ corpus: TextCorpus, _ segmenter: Segmenter, _ folder: ModelFolder, _ header: ActivationStreamHeader,
        to writer: ActivationStreamWriter, _ cancelled: () -> Bool, _ progress: (Int) -> Void
    ) throws {
        let most = export.maximumTokens ?? .max
        var rows = 0
        var segments: [TokenSegment] = []
        var waiting = 0

        func compute() throws {
            guard !segments.isEmpty else { return }
            if cancelled() { throw stopped(writer.row) }
            let computed = try ExportedRows(of: segments, folder, header.layers, dtype: header.dtype)
            // Of the first segment there may be rows before the first that is asked for.
            let skipped = max(0, writer.row - (rows - waiting))
            try writer.append(
                activations: computed.activations.row(skipped), tokens: Array(computed.tokens[skipped...]),
                documents: Array(computed.documents[skipped...]), isPrefix: Array(computed.isPrefix[skipped...]))
            (segments, waiting) = ([], 0)
            progress(writer.row)
        }

        for document in 0..<corpus.count where rows < most {
            for segment in segmenter.segments(of: try corpus.document(document).text, document: document)
            where rows < most {
                rows += segment.tokens.count
                guard rows > header.firstRow else { continue }
                segments.append(segment)
                waiting += segment.tokens.count
                if waiting >= ModelActivationStream.chunk { try compute() }
            }
            if cancelled() { throw stopped(writer.row) }
        }
        try compute()
        guard rows > 0 else {
            throw WorkflowError.badInput(path: export.text.first ?? "", problem: "the text holds no tokens")
        }
        guard rows >= header.firstRow else {
            throw WorkflowError.usage("`fromToken` is \(fromToken); the text has \(rows) tokens")
        }
    }
}
