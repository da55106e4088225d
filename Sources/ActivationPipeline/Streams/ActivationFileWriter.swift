import Foundation
import Glibc
import Safetensors

/// Writes the files of an export one after the other. They are renamed to their final names together at the end, so an
/// export exists as a whole or not at all.
final class ActivationFileWriter {
    private let plan: ActivationFilePlan
    private let width: Int
    private let tensors: (_ rows: Int) -> [(name: String, dtype: TensorDType, shape: [Int])]
    private let metadata: [String: String]
    private let overwrite: Bool
    /// The file being written, and its rows so far.
    private var writer: SafetensorsWriter?
    private var rowsWritten = 0
    /// Complete files under their partial names, and files under their final names.
    private var complete: [(path: String, name: String)] = []

    /// - Parameters:
    ///   - layers, dModel: the extents of a row.
    ///   - metadata: of every header; where there are several files, `shard` and `shards` are added.
    init(
        _ plan: ActivationFilePlan, dtype: TensorDType, layers: Int, dModel: Int, metadata: [String: String],
        overwrite: Bool
    ) {
        self.plan = plan
        self.metadata = metadata
        self.overwrite = overwrite
        width = layers * dModel
        tensors = { rows in
            [
                (name: "activations", dtype: dtype, shape: [rows, layers, dModel]),
                (name: "token_ids", dtype: .i64, shape: [rows]),
                (name: "document_ids", dtype: .i64, shape: [rows]),
                (name: "is_prefix", dtype: .u8, shape: [rows]),
            ]
        }
    }

    deinit { abandon() }

    /// Appends rows: `activations [rows × layers·d]`, the ids of each, and whether it is of what was fed before a text.
    ///
    /// - Throws: `SafetensorsError.cannotWrite`.
    func append(
        activations: UnsafePointer<Float>, tokens: [Int64], documents: [Int64], isPrefix: [Int64]
    ) throws {
        precondition(
            tokens.count == documents.count && tokens.count == isPrefix.count, "every row has a token and a document")
        var start = 0
        while start < tokens.count {
            let writer = try writer ?? openNext()
            let file = plan.files[complete.count]
            let end = min(tokens.count, start + file.rows - rowsWritten)
            try writer.append(
                "activations",
                floats: UnsafeBufferPointer(start: activations + start * width, count: (end - start) * width))
            try writer.append("token_ids", integers: Array(tokens[start..<end]))
            try writer.append("document_ids", integers: Array(documents[start..<end]))
            try writer.append("is_prefix", integers: Array(isPrefix[start..<end]))
            rowsWritten += end - start
            start = end
            if rowsWritten == file.rows { try close(writer) }
        }
    }

    /// Gives all files their names.
    ///
    /// - Throws: `WorkflowError.cannotWrite`; the files that had got their names are removed then.
    func finish() throws(WorkflowError) {
        precondition(writer == nil && complete.count == plan.files.count, "rows are missing")
        for index in complete.indices where complete[index].path != complete[index].name {
            if !overwrite, FileManager.default.fileExists(atPath: complete[index].name) {
                throw .cannotWrite(
                    path: complete[index].name, problem: "exists already; add `overwriting` to replace it")
            }
            guard rename(complete[index].path, complete[index].name) == 0 else {
                throw .cannotWrite(path: complete[index].name, problem: String(cString: strerror(errno)))
            }
            complete[index].path = complete[index].name
        }
        complete = []
    }

    /// Removes what was written, unless it is finished.
    func abandon() {
        writer?.abandon()
        writer = nil
        for file in complete { unlink(file.path) }
        complete = []
    }

    private func openNext() throws -> SafetensorsWriter {
        let index = complete.count
        precondition(index < plan.files.count, "more rows than were planned")
        let file = plan.files[index]
        var metadata = metadata
        if plan.files.count > 1 {
            metadata["shard"] = String(index)
            metadata["shards"] = String(plan.files.count)
        }
        // An existing partial file was left by a run that was stopped.
        let opened = try SafetensorsWriter(
            path: file.path + ".partial", tensors: tensors(file.rows), metadata: metadata, overwrite: true)
        rowsWritten = 0
        writer = opened
        return opened
    }

    private func close(_ writer: SafetensorsWriter) throws {
        try writer.finish()
        self.writer = nil
        complete.append((path: writer.path, name: plan.files[complete.count].path))
    }
}
