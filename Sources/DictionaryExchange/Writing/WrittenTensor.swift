import LinearAlgebra
import Safetensors
import SparseCoding

/// One tensor of a file to be written in another program's names and arrangement.
struct WrittenTensor {
    /// Where its values come from.
    enum Values {
        /// These values.
        case vector([Float])
        /// A matrix of ours `[latents × width]`, row j multiplied by factor j; nil leaves every value as it is.
        case rows(of: String, factors: [Double]?)
        /// The transpose `[width × latents]` of the same.
        case columns(of: String, factors: [Double]?)
    }

    /// Its name in the file.
    let name: String
    /// Its stored type.
    let dtype: TensorDType
    /// Its extents, outermost first.
    let shape: [Int]
    /// Its values.
    let values: Values
}

extension WrittenTensor {
    /// A vector of ours, unchanged, in its own type.
    ///
    /// - Throws: as `DictionaryToExport.vector`.
    init(_ name: String, vector tensor: String, count: Int, of dictionary: DictionaryToExport) throws {
        self.init(
            name: name, dtype: try dictionary.dtype(of: tensor), shape: [count],
            values: .vector(try dictionary.vector(tensor, count: count)))
    }

    /// A vector of new values, in 32 bits.
    init(_ name: String, _ values: [Float]) {
        self.init(name: name, dtype: .f32, shape: [values.count], values: .vector(values))
    }

    /// A matrix of ours, row j multiplied by factor j: in its own type if unchanged, else in 32 bits.
    ///
    /// - Throws: as `DictionaryToExport.dtype(of:)`.
    init(
        _ name: String, rowsOf tensor: String, factors: [Double]? = nil, of dictionary: DictionaryToExport
    ) throws(ExportRefusal) {
        let stored = try dictionary.dtype(of: tensor)
        self.init(
            name: name, dtype: factors == nil ? stored : .f32,
            shape: [dictionary.configuration.latents, dictionary.configuration.inputWidth],
            values: .rows(of: tensor, factors: factors))
    }

    /// The transpose of the same.
    ///
    /// - Throws: as `DictionaryToExport.dtype(of:)`.
    init(
        _ name: String, columnsOf tensor: String, factors: [Double]? = nil, of dictionary: DictionaryToExport
    ) throws(ExportRefusal) {
        let stored = try dictionary.dtype(of: tensor)
        self.init(
            name: name, dtype: factors == nil ? stored : .f32,
            shape: [dictionary.configuration.inputWidth, dictionary.configuration.latents],
            values: .columns(of: tensor, factors: factors))
    }

    /// The router `[layers × d]`, in its own type.
    ///
    /// - Throws: as `DictionaryToExport.matrix`.
    init(_ name: String, routerOf dictionary: DictionaryToExport) throws {
        let shape = [dictionary.configuration.layers.count, dictionary.configuration.dModel]
        let router = try dictionary.matrix("router", rows: shape[0], columns: shape[1])
        self.init(
            name: name, dtype: try dictionary.dtype(of: "router"), shape: shape, values: .vector(router.elements))
    }

    /// The same tensor in 32 bits.
    var widened: WrittenTensor { WrittenTensor(name: name, dtype: .f32, shape: shape, values: values) }
}
