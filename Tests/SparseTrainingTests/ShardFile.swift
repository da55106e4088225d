import Safetensors
import TestSupport

/// Writes activation shards for the stream's tests.
struct ShardFile {
    var rows = 5
    var layers = 2
    var dModel = 3
    /// Added to every row's number, which is its activations' whole part.
    var firstRow = 0
    var metadata = ["model": "m", "layers": "[1,4]"]
    var shape: [Int]?
    var tokenIDs: [Int64]?
    var documentIDs: [Int64]?
    var isPrefix: [Int64]?
    var dtype = TensorDType.f32

    /// Row r, layer l, column c holds r + l/4 + c/16, exact even in bfloat16 for few rows.
    @discardableResult
    func write(to path: String) throws -> String {
        let shape = shape ?? [rows, layers, dModel]
        var tensors: [(name: String, dtype: TensorDType, shape: [Int])] = [("activations", dtype, shape)]
        if let tokenIDs { tensors.append(("token_ids", .i64, [tokenIDs.count])) }
        if let documentIDs { tensors.append(("document_ids", .i64, [documentIDs.count])) }
        if let isPrefix { tensors.append(("is_prefix", .u8, [isPrefix.count])) }
        let writer = try SafetensorsWriter(path: path, tensors: tensors, metadata: metadata)
        var values: [Float] = []
        for row in firstRow..<firstRow + rows {
            for layer in 0..<layers {
                for column in 0..<dModel { values.append(Float(row) + Float(layer) / 4 + Float(column) / 16) }
            }
        }
        try writer.append("activations", floats: Array(values.prefix(shape.reduce(1, *))))
        if let tokenIDs { try writer.append("token_ids", integers: tokenIDs) }
        if let documentIDs { try writer.append("document_ids", integers: documentIDs) }
        if let isPrefix { try writer.append("is_prefix", integers: isPrefix) }
        try writer.finish()
        return path
    }
}
