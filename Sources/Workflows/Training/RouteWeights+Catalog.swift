import FeatureCatalog
import LinearAlgebra
import SparseCoding

extension RouteWeights {
    /// The tensors as the catalog stores them. Unlike the reference's files the decoder lies by feature, `[m, d]`, so
    /// that one feature's direction is read alone.
    func tensors(stored dtype: DictionaryTensor.DataType) -> [DictionaryTensor] {
        let named: [(name: String, shape: [Int], matrix: Matrix)] = [
            ("router", [router.rows, router.columns], router),
            ("pre_bias", [preBias.columns], preBias),
            ("latent_bias", [latentBias.columns], latentBias),
            ("encoder", [encoder.rows, encoder.columns], encoder),
            ("decoder", [decoder.rows, decoder.columns], decoder),
        ]
        return named.map { name, shape, matrix in
            let width = shape.count > 1 ? matrix.columns : 1
            return DictionaryTensor(name: name, dataType: dtype, shape: shape) { rows in
                Array(
                    UnsafeBufferPointer(start: matrix.pointer + rows.lowerBound * width, count: rows.count * width))
            }
        }
    }

    /// Reads a dictionary's weights back.
    ///
    /// - Throws: `CatalogError` for missing or damaged tensors, `SparseCodingError.shape` for ones of another shape.
    convenience init(_ configuration: RouteConfiguration, dictionary: Int64, in catalog: Catalog) throws {
        self.init(configuration)
        let (m, d) = (configuration.latents, configuration.dModel)
        for (name, matrix, rows) in [
            ("router", router, configuration.layers.count), ("pre_bias", preBias, d), ("latent_bias", latentBias, m),
            ("encoder", encoder, m), ("decoder", decoder, m),
        ] {
            let values = try catalog.readTensorRows(dictionaryID: dictionary, name: name, rows: 0..<rows)
            guard values.count == matrix.count else {
                throw SparseCodingError.shape(
                    tensor: name, path: catalog.path, found: [values.count], expected: [matrix.count])
            }
            values.withUnsafeBufferPointer { source in
                if let base = source.baseAddress { matrix.pointer.update(from: base, count: source.count) }
            }
        }
    }
}
