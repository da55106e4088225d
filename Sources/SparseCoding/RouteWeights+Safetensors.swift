import CKernels
import LinearAlgebra
public import Safetensors

extension RouteWeights {
    /// Reads weights by the reference's tensor names: `router.weight [L, d]`, `sae.pre_bias [d]`,
    /// `sae.latent_bias [m]`, `sae.encoder.weight [m, d]`, `sae.decoder.weight [d, m]`. For a single layer the names
    /// without `sae.` and without a router are taken as well.
    ///
    /// - Throws: `SafetensorsError` for a missing tensor or a damaged file, `SparseCodingError.shape` where a tensor
    ///   does not fit the configuration, `.notFinite` where one holds an infinity or a NaN.
    public convenience init(_ configuration: RouteConfiguration, reading file: SafetensorsFile) throws {
        self.init(configuration)
        let d = configuration.dModel
        let m = configuration.latents
        let prefix = file.tensors["sae.encoder.weight"] != nil || configuration.layers.count > 1 ? "sae." : ""
        func read(_ name: String, _ shape: [Int], into matrix: Matrix) throws {
            let found = try file.tensor(name).shape
            guard found == shape else {
                throw SparseCodingError.shape(tensor: name, path: file.path, found: found, expected: shape)
            }
            try file.readFloats(name, elements: 0..<matrix.count, into: matrix.pointer)
            guard rsae_all_finite(matrix.pointer, Int64(matrix.count)) != 0 else {
                throw SparseCodingError.notFinite(what: "\(file.path): tensor \(name)")
            }
        }
        if configuration.layers.count > 1 || file.tensors["router.weight"] != nil {
            try read("router.weight", [configuration.layers.count, d], into: router)
        }
        try read(prefix + "pre_bias", [d], into: preBias)
        try read(prefix + "latent_bias", [m], into: latentBias)
        try read(prefix + "encoder.weight", [m, d], into: encoder)
        let stored = Matrix(rows: d, columns: m)
        try read(prefix + "decoder.weight", [d, m], into: stored)
        decoder.update(from: stored.transposed())
    }

    /// Writes the weights in fp32 by the reference's tensor names; see `init(_:reading:)`.
    ///
    /// - Throws: `SafetensorsError` where the file exists and `overwrite` is false, or cannot be written.
    public func write(to path: String, metadata: [String: String] = [:], overwrite: Bool = false) throws {
        let tensors: [(name: String, shape: [Int], matrix: Matrix)] = [
            ("router.weight", [router.rows, router.columns], router),
            ("sae.pre_bias", [preBias.columns], preBias),
            ("sae.latent_bias", [latentBias.columns], latentBias),
            ("sae.encoder.weight", [encoder.rows, encoder.columns], encoder),
            ("sae.decoder.weight", [decoder.columns, decoder.rows], decoder.transposed()),
        ]
        let writer = try SafetensorsWriter(
            path: path, tensors: tensors.map { (name: $0.name, dtype: .f32, shape: $0.shape) }, metadata: metadata,
            overwrite: overwrite)
        for tensor in tensors {
            try writer.append(
                tensor.name, floats: UnsafeBufferPointer(start: tensor.matrix.pointer, count: tensor.matrix.count))
        }
        try writer.finish()
    }
}
