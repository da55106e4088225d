import LinearAlgebra
import Safetensors
import SparseCoding
import Vocabulary

/// The output of encoding, written piece by piece; see `EncodingRun` for its tensors.
struct EncodingWriter {
    private let writer: SafetensorsWriter
    private let configuration: DictionaryConfiguration
    /// Latents of a sample that are written; nil for all of them.
    private let width: Int?

    /// Samples whose latents are written at once.
    private static let rows = 64

    /// Begins the file.
    ///
    /// - Throws: `SafetensorsError`.
    init(
        path: String, _ encoder: DictionaryEncoder, tokens: Int, width: Int?, overwriting: Bool,
        metadata: [String: String]
    ) throws {
        configuration = encoder.configuration
        self.width = width
        let samples = configuration.samplesPerToken > 1 ? [tokens, configuration.samplesPerToken] : [tokens]
        let parts = configuration.parts > 1 ? [tokens, configuration.parts] : samples
        var tensors: [(name: String, dtype: TensorDType, shape: [Int])] = [
            ("reconstruction", .f32, parts + [configuration.dModel])
        ]
        if let width {
            tensors += [("indices", .i32, samples + [width]), ("values", .f32, samples + [width])]
        } else {
            tensors.append(("latents", .f32, samples + [configuration.latents]))
        }
        if configuration.choosesLayer { tensors.append(("layers", .i32, [tokens])) }
        writer = try SafetensorsWriter(path: path, tensors: tensors, metadata: metadata, overwrite: overwriting)
    }

    /// Adds some tokens.
    func append(_ piece: EncodedPiece) throws {
        let reconstruction = Matrix(scratchRows: piece.samples, columns: configuration.inputWidth)
        let workers = piece.encoder.workers
        workers.forEach(piece.samples, tile: 64) { samples, _ in
            for sample in samples {
                piece.encoder.reconstruct(sample, piece.input, piece.latents, into: reconstruction.row(sample))
            }
        }
        try writer.append(
            "reconstruction",
            floats: UnsafeBufferPointer(start: reconstruction.pointer, count: reconstruction.count))
        for start in stride(from: 0, to: piece.samples, by: Self.rows) {
            try append(piece, start..<min(start + Self.rows, piece.samples))
        }
        if configuration.choosesLayer {
            try writer.append(
                "layers",
                integers: (0..<piece.tokens).map { Int64(configuration.layers[Int(piece.input.selected[$0])]) })
        }
    }

    /// Adds the latents of some samples.
    private func append(_ piece: EncodedPiece, _ samples: Range<Int>) throws {
        guard let width else { return try writer.append("latents", floats: samples.flatMap { piece.dense($0) }) }
        let kept = samples.map { piece.padded($0, to: width) }
        try writer.append("indices", integers: kept.flatMap { $0.indices.map { Int64($0) } })
        try writer.append("values", floats: kept.flatMap(\.values))
    }

    /// Completes the file.
    func finish() throws { try writer.finish() }
}

extension DictionaryConfiguration {
    /// Whether each token is read at one layer of several.
    fileprivate var choosesLayer: Bool { routes || architecture == .random }
}
