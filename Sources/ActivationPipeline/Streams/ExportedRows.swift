import CKernels
import LanguageModel
import LinearAlgebra
import Safetensors

/// The rows of some segments in one run of the model, one for every token fed, checked to be finite and to stay so.
struct ExportedRows {
    /// Activations, row-major `[rows, layers · d]`.
    let activations: Matrix
    /// The vocabulary id of each row.
    let tokens: [Int64]
    /// The document of each row.
    let documents: [Int64]
    /// 1 for a token put before a text, 0 for the text's own.
    let isPrefix: [UInt8]

    /// Runs the model.
    ///
    /// - Parameter dtype: the type that the activations will be stored in.
    /// - Throws: `WorkflowError.badInput` for activations that are not finite, or beyond the stored type.
    init(of segments: [TokenSegment], _ folder: ModelFolder, _ layers: [Int], dtype: TensorDType) throws {
        activations = try folder.model.residualStreams(
            of: TokenBatch(sequences: segments.map(\.tokens)), layers: layers
        ).values
        tokens = segments.flatMap { $0.tokens.map(Int64.init) }
        documents = segments.flatMap { Array(repeating: Int64($0.document), count: $0.tokens.count) }
        isPrefix = segments.flatMap { segment in segment.tokens.indices.map { $0 < segment.prefix ? 1 : 0 } }
        try check(folder, layers, dtype)
    }

    private func check(_ folder: ModelFolder, _ layers: [Int], _ dtype: TensorDType) throws(WorkflowError) {
        let count = tokens.count * activations.columns
        let place = Int(rsae_first_non_finite(activations.pointer, Int64(count)))
        if place >= 0 {
            let layer = layers[place % activations.columns / folder.model.configuration.dModel]
            throw .badInput(
                path: folder.path,
                problem: "the model's activations are not finite: layer \(layer), document "
                    + "\(documents[place / activations.columns]); its weights may be damaged")
        }
        guard dtype == .f16 else { return }
        // 65504 is the largest finite half; from 65520 on numbers are rounded to infinity.
        let elements = UnsafeBufferPointer(start: activations.pointer, count: count)
        if let large = elements.first(where: { abs($0) >= 65_520 }) {
            throw .badInput(
                path: folder.path, problem: "an activation of \(large) does not fit f16; store it as bf16 or f32")
        }
    }
}
