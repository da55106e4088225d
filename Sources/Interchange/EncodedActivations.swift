import ActivationPipeline
import LinearAlgebra
import Safetensors
import SparseCoding
import SparseTraining

/// Activations that are encoded: an export's file, or a bare tensor `[tokens, d]` named `activations` or `input`, for a
/// dictionary of one layer.
struct EncodedActivations {
    /// Number of tokens.
    let tokens: Int
    /// The decoder layers of a row.
    let layers: [Int]
    /// Width of the residual stream.
    let dModel: Int
    private let source: Source

    private enum Source {
        case shard(ActivationShard)
        case bare(SafetensorsFile, name: String)
    }

    /// Opens a file.
    ///
    /// - Throws: `SafetensorsError`, `TrainingError.mismatch`; `WorkflowError.badInput` for a file without such a tensor,
    ///   or a bare one that does not fit the dictionary.
    init(path: String, for configuration: DictionaryConfiguration) throws {
        let file = try SafetensorsFile(path: path)
        let names = ["activations", "input"].filter { file.tensors[$0] != nil }
        guard let name = names.first else {
            throw WorkflowError.badInput(
                path: path,
                problem:
                    "has no tensor activations [tokens, layers, d], nor a bare one, activations or input [tokens, d]")
        }
        let shape = try file.tensor(name).shape
        if name == "activations", shape.count == 3 {
            let shard = try ActivationShard(path: path, layers: configuration.layers)
            (tokens, layers, dModel) = (shape[0], shard.layers, shard.dModel)
            source = .shard(shard)
            return
        }
        guard shape.count == 2, shape[0] > 0 else {
            throw WorkflowError.badInput(
                path: path,
                problem: "tensor \(name) has shape \(shape); expected [tokens, d], or activations [tokens, layers, d]")
        }
        guard configuration.layers.count == 1 else {
            throw WorkflowError.badInput(
                path: path,
                problem: "tensor \(name) has shape \(shape), one layer a token; this dictionary reads layers "
                    + "\(configuration.layers), so it needs activations [tokens, layers, d]")
        }
        (tokens, layers, dModel) = (shape[0], configuration.layers, shape[1])
        source = .bare(file, name: name)
        guard dModel == configuration.dModel else {
            throw WorkflowError.badInput(
                path: path, problem: "tensor \(name) has width \(dModel), and the dictionary \(configuration.dModel)")
        }
        guard try file.tensor(name).dtype.isConvertibleToFloat else {
            throw SafetensorsError.wrongDType(
                name: name, path: path, expected: "F64, F32, F16 or BF16", found: try file.tensor(name).dtype)
        }
    }

    /// Reads some tokens. A dictionary that draws its layers draws them from the token's place in the file.
    func batch(_ range: Range<Int>) throws -> ActivationBatch {
        let batch = ActivationBatch(capacity: range.count, layers: layers, dModel: dModel)
        switch source {
        case .shard(let shard):
            try shard.read(range.enumerated().map { (row: $1, destination: batch.values.row($0)) })
        case .bare(let file, let name):
            try file.readFloats(
                name, elements: range.lowerBound * dModel..<range.upperBound * dModel, into: batch.values.pointer)
        }
        for (row, token) in range.enumerated() {
            batch.drawKeys[row] = ActivationBatch.drawKey(document: 0, position: token)
        }
        batch.count = range.count
        return batch
    }
}
