import Safetensors
import SparseTraining

extension ActivationStreamHeader {
    /// Reads a header.
    ///
    /// - Parameters:
    ///   - json: without the eight bytes of its length.
    ///   - name: what messages call the stream.
    /// - Throws: `WorkflowError.badInput` naming the rule that it breaks.
    package init(json: [UInt8], name: String) throws(WorkflowError) {
        func bad(_ problem: String) -> WorkflowError { .badInput(path: name, problem: problem) }
        let block: BlockHeader
        do { block = try BlockHeader(json: json) } catch {
            throw bad("the stream's header is damaged: \(error)")
        }
        metadata = block.metadata
        try Self.check(format: metadata["format"], name)

        guard block.tensors.map(\.name) == ["token_ids", "document_ids", "activations", "is_prefix"] else {
            throw bad(
                "the stream's header describes \(block.tensors.map(\.name)); expected token_ids, document_ids, "
                    + "activations and is_prefix, in this order")
        }
        let activations = block.tensors[2]
        guard activations.shape.count == 3, activations.shape.allSatisfy({ $0 > 0 }), activations.shape[2] > 1,
            [.f32, .f16, .bf16].contains(activations.dtype)
        else {
            throw bad(
                "the stream's activations are \(activations.dtype.rawValue) \(activations.shape); expected F32, F16 or "
                    + "BF16 [rows of a block, layers, width], none empty, width above 1")
        }
        (blockRows, dModel, dtype) = (activations.shape[0], activations.shape[2], activations.dtype)
        guard blockRows <= Self.mostBlockRows, block.byteCount <= Self.mostBlockBytes else {
            throw bad(
                "a block of the stream has \(blockRows) rows and \(block.byteCount) bytes; allowed: "
                    + "\(Self.mostBlockRows) rows and 1 GiB")
        }
        for (tensor, dtype) in zip(block.tensors, [TensorDType.i64, .i64, activations.dtype, .u8])
        where tensor.dtype != dtype || tensor.name != "activations" && tensor.shape != [blockRows] {
            throw bad(
                "the stream's \(tensor.name) are \(tensor.dtype.rawValue) \(tensor.shape); expected \(dtype.rawValue) "
                    + "[\(blockRows)]")
        }

        let named = metadata["layers"] ?? ""
        guard let layers = ActivationShard.layers(named: named, count: activations.shape[1]) else {
            throw bad(
                "the stream's layers '\(named)' do not name \(activations.shape[1]) layers in ascending order")
        }
        self.layers = layers
        if let bos = metadata["bos_token_id"], Int32(bos) == nil {
            throw bad("the stream's bos_token_id is '\(bos)'; expected a token id")
        }

        let first = try Self.number("first_row", block.metadata, name) ?? 0
        let total = try Self.number("rows", block.metadata, name)
        guard first.isMultiple(of: blockRows) else {
            throw bad("the stream's first_row is \(first); expected a multiple of a block's rows, \(blockRows)")
        }
        if let total, total < first { throw bad("the stream begins at row \(first) of only \(total)") }
        (firstRow, rows) = (first, total)
    }

    /// A number of rows in the metadata; nil where there is none.
    private static func number(
        _ key: String, _ metadata: [String: String], _ name: String
    ) throws(WorkflowError) -> Int? {
        guard let text = metadata[key] else { return nil }
        guard let value = Int(text), (0...mostRows).contains(value) else {
            throw .badInput(path: name, problem: "the stream's \(key) is '\(text)'; expected a number of rows")
        }
        return value
    }

    private static func check(format: String?, _ name: String) throws(WorkflowError) {
        guard format != Self.format else { return }
        let problem =
            switch format {
            case nil: "is no stream of activations: its header names no format; expected \(Self.format)"
            case "routesae-activations-1"?:
                "is an activation file and no stream; name the file itself with `activations`"
            case let other?:
                "is of format '\(other)'; this program reads \(Self.format)"
            }
        throw .badInput(path: name, problem: problem)
    }
}
