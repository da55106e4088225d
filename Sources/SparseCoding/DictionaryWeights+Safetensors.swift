import CKernels
import Glibc
import LinearAlgebra
package import Safetensors
import Vocabulary

/// Weight files by the tensor names of the authors' state dicts (`src/model.py`), fp32.
///
/// `pre_bias [D]`, `latent_bias [m]`, `encoder.weight [m, D]`, `decoder.weight [D, m]`; a `route` has these behind `sae.`
/// and `router.weight [L, d]` beside them. Gated has `gate_bias`, `mag_bias` and `r_mag [m]` for `latent_bias`; JumpReLU
/// adds `threshold [m]`, which holds θ whatever the mode. A crosscoder has `encoder.i.weight [m, d]` and
/// `decoder.i.weight [d, m]` for each layer i, and ours, which has biases, `pre_bias` with all layers' one after another.
extension DictionaryWeights {
    /// Reads weights.
    ///
    /// - Parameter prefix: a prefix of all names, for files that hold several sets.
    /// - Throws: `SafetensorsError` for a missing tensor or a damaged file, `SparseCodingError.shape` where a tensor
    ///   does not fit the configuration, `.notFinite` where one holds an infinity or a NaN.
    package convenience init(
        _ configuration: DictionaryConfiguration, reading file: SafetensorsFile, prefix: String = ""
    ) throws {
        self.init(configuration)
        let (d, m) = (configuration.dModel, configuration.latents)
        let inner = prefix + (file.tensors["\(prefix)sae.encoder.weight"] != nil || configuration.routes ? "sae." : "")
        func read(_ name: String, _ shape: [Int], into matrix: Matrix) throws {
            guard matrix.rows > 0 else { return }
            let found = try file.tensor(name).shape
            guard found == shape else {
                throw SparseCodingError.shape(tensor: name, path: file.path, found: found, expected: shape)
            }
            try file.readFloats(name, elements: 0..<matrix.count, into: matrix.pointer)
            guard rsae_all_finite(matrix.pointer, Int64(matrix.count)) != 0 else {
                throw SparseCodingError.notFinite(what: "\(file.path): tensor \(name)")
            }
        }
        try read(prefix + "router.weight", [configuration.layers.count, d], into: router)
        try read(inner + "pre_bias", [configuration.inputWidth], into: preBias)
        for (name, vector) in vectors { try read(inner + name, [vector.columns], into: vector) }
        for (part, names) in DictionaryWeights.parts(configuration).enumerated() {
            let encoderPart = Matrix(rows: m, columns: d)
            let decoderPart = Matrix(rows: d, columns: m)
            try read(inner + names.encoder, [m, d], into: encoderPart)
            try read(inner + names.decoder, [d, m], into: decoderPart)
            let rows = decoderPart.transposed()
            for latent in 0..<m {
                (encoder.row(latent) + part * d).update(from: encoderPart.row(latent), count: d)
                (decoder.row(latent) + part * d).update(from: rows.row(latent), count: d)
            }
        }
        if configuration.thresholdForm == .logarithm { try takeLogarithm(of: threshold, file.path) }
    }

    /// Writes the weights.
    ///
    /// - Throws: `SafetensorsError` where the file exists and `overwrite` is false, or cannot be written.
    package func write(
        _ configuration: DictionaryConfiguration, to path: String, metadata: [String: String] = [:],
        overwrite: Bool = false
    ) throws {
        let (d, m) = (configuration.dModel, configuration.latents)
        let inner = configuration.routes ? "sae." : ""
        var tensors: [(name: String, shape: [Int], values: () -> Matrix)] = []
        if router.rows > 0 { tensors.append(("router.weight", [router.rows, d], { self.router })) }
        if preBias.rows > 0 { tensors.append((inner + "pre_bias", [preBias.columns], { self.preBias })) }
        for (name, vector) in vectors where vector.rows > 0 {
            let isLogarithm = name == "threshold" && configuration.thresholdForm == .logarithm
            tensors.append((inner + name, [vector.columns], { isLogarithm ? vector.exponentials() : vector }))
        }
        for (part, names) in DictionaryWeights.parts(configuration).enumerated() {
            tensors.append((inner + names.encoder, [m, d], { self.encoder.columns(part * d..<(part + 1) * d) }))
            tensors.append(
                (inner + names.decoder, [d, m], { self.decoder.columns(part * d..<(part + 1) * d).transposed() }))
        }

        let writer = try SafetensorsWriter(
            path: path, tensors: tensors.map { (name: $0.name, dtype: .f32, shape: $0.shape) }, metadata: metadata,
            overwrite: overwrite)
        for tensor in tensors {
            let matrix = tensor.values()
            try writer.append(
                tensor.name, floats: UnsafeBufferPointer(start: matrix.pointer, count: matrix.count))
        }
        try writer.finish()
    }

    /// The vectors over the latents by their names in files.
    private var vectors: [(name: String, vector: Matrix)] {
        [
            ("latent_bias", latentBias), ("gate_bias", gateBias), ("mag_bias", magnitudeBias),
            ("r_mag", magnitudeScale), ("threshold", threshold),
        ]
    }

    /// The names of the two big matrices: one pair, or one for each layer of a crosscoder.
    private static func parts(_ configuration: DictionaryConfiguration) -> [(encoder: String, decoder: String)] {
        guard configuration.architecture == .crosscoder else { return [("encoder.weight", "decoder.weight")] }
        return configuration.layers.indices.map { ("encoder.\($0).weight", "decoder.\($0).weight") }
    }

    private func takeLogarithm(of vector: Matrix, _ path: String) throws(SparseCodingError) {
        for index in 0..<vector.count {
            guard vector.pointer[index] > 0 else {
                throw .setting(
                    name: "\(path): threshold of latent \(index)", found: "\(vector.pointer[index])",
                    allowed: "a number above 0")
            }
            vector.pointer[index] = logf(vector.pointer[index])
        }
    }
}

extension Matrix {
    /// A copy of some columns.
    fileprivate func columns(_ range: Range<Int>) -> Matrix {
        guard range.count < columns else { return self }
        let result = Matrix(rows: rows, columns: range.count)
        for index in 0..<rows { result.row(index).update(from: row(index) + range.lowerBound, count: range.count) }
        return result
    }

    /// The elementwise exponential.
    fileprivate func exponentials() -> Matrix {
        let result = Matrix(rows: rows, columns: columns)
        for index in 0..<count { result.pointer[index] = expf(pointer[index]) }
        return result
    }
}
