package import JSON
package import LinearAlgebra
package import Safetensors

/// A file of named tensors, whatever its format: what a reader of other tools' dictionaries needs to see.
///
/// Everything that a file claims is checked when it is opened: no later read leaves the file, and element counts are
/// bounded by what it holds. Values can be read by several threads at once. Nothing is memory-mapped and
/// nothing that a file names is run.
package protocol WeightFile: Sendable {
    /// Where the file was opened.
    var path: String { get }
    /// The tensors' names in the order of the file.
    var names: [String] { get }
    /// Plain values beside the tensors, such as a step count or the text of a configuration. Files without any have
    /// none.
    var values: [String: JSONValue] { get }

    /// The description of a tensor, nil if the file has none of this name that can be read.
    func entry(_ name: String) -> WeightEntry?

    /// Some elements of a tensor as `Float`, counted row-major over its shape. Values of `F64`, `I64`, `I32`, `U64` and
    /// `U32` are rounded to the nearest `Float`.
    ///
    /// Tensors whose elements lie row-major in the file are read at the speed of the file. Others, such as
    /// transposed ones, are read right at any range, and fast if a range has 64 rows or more: a single row of one takes a
    /// reading of the file for every element.
    ///
    /// - Parameter target: room for `elements.count` elements.
    /// - Throws: for a name that the file lacks, a range beyond the tensor, an element type that has no `Float` values,
    ///   damaged or shortened files.
    func readFloats(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(WeightFileError)

    /// The value of a tensor of one element, of any shape and any floating-point, integer or boolean type; integers
    /// beyond 2⁵³ are rounded.
    ///
    /// - Throws: as reading, and for a tensor of more or fewer elements.
    func scalar(_ name: String) throws(WeightFileError) -> Double

    /// Why a tensor of this name cannot be read, for `entry` nil.
    func missing(_ name: String) -> WeightFileError
}

/// What a file of weights says of one tensor.
package struct WeightEntry: Sendable, Equatable {
    /// The tensor's name.
    package let name: String
    /// The stored element type.
    package let dtype: TensorDType
    /// The extents, outermost first; empty for a scalar.
    package let shape: [Int]
    /// The product of the shape: 1 for a scalar, 0 if any extent is 0.
    package let elementCount: Int

    /// Describes a tensor; the element count is the product of the shape.
    package init(name: String, dtype: TensorDType, shape: [Int], elementCount: Int) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.elementCount = elementCount
    }
}

extension WeightFile {
    /// The description of a tensor that must be there.
    ///
    /// - Throws: without it, an error that names the tensors that the file has.
    package func required(_ name: String) throws(WeightFileError) -> WeightEntry {
        guard let entry = entry(name) else { throw missing(name) }
        return entry
    }

    /// All elements of a tensor as `Float`, row-major.
    ///
    /// - Parameter target: room for all of them.
    /// - Throws: as reading some of them.
    package func readFloats(
        _ name: String, into target: UnsafeMutablePointer<Float>
    ) throws(WeightFileError) {
        try readFloats(name, elements: 0..<required(name).elementCount, into: target)
    }

    /// All elements of a tensor, row-major.
    ///
    /// - Throws: as reading some of them.
    package func floats(_ name: String) throws(WeightFileError) -> [Float] {
        let count = try required(name).elementCount
        var failure: WeightFileError?
        let floats = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let target = buffer.baseAddress else { return }
            do throws(WeightFileError) {
                try readFloats(name, elements: 0..<count, into: target)
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return floats
    }

    /// A tensor of two dimensions.
    ///
    /// - Throws: for a tensor of other dimensions, and as reading.
    package func matrix(_ name: String) throws(WeightFileError) -> Matrix {
        let entry = try required(name)
        guard entry.shape.count == 2 else {
            let problem = "tensor \(WeightFileError.quoted(name)) has the shape \(entry.shape), expected two dimensions"
            throw WeightFileError(path: path, problem: problem)
        }
        let matrix = Matrix(scratchRows: entry.shape[0], columns: entry.shape[1])
        try readFloats(name, elements: 0..<entry.elementCount, into: matrix.pointer)
        return matrix
    }

    /// The error for a tensor that the file lacks.
    package func missing(_ name: String) -> WeightFileError { absent(name) }

    /// The error for a tensor that the file lacks: which ones it has.
    func absent(_ name: String) -> WeightFileError {
        let there = names.isEmpty ? "it has none" : "it has \(WeightFileError.brief(names))"
        return WeightFileError(path: path, problem: "has no tensor named \(WeightFileError.quoted(name)); \(there)")
    }

    /// Checks a range of elements.
    func check(_ elements: Range<Int>, of entry: WeightEntry) throws(WeightFileError) {
        guard elements.lowerBound >= 0, elements.upperBound <= entry.elementCount else {
            let asked = "elements \(elements.lowerBound)..<\(elements.upperBound)"
            throw WeightFileError(
                path: path,
                problem: "\(asked) of tensor \(WeightFileError.quoted(entry.name)) were asked for, "
                    + "it has \(entry.elementCount)")
        }
    }

    /// Checks that a tensor has values that can be read.
    func checkReadable(_ entry: WeightEntry) throws(WeightFileError) {
        guard ElementConversion.isReadable(entry.dtype) else {
            throw WeightFileError(
                path: path,
                problem:
                    "tensor \(WeightFileError.quoted(entry.name)) is stored as \(entry.dtype.rawValue), whose values "
                    + "cannot be read; save it as float32")
        }
    }

    /// Checks that a tensor has one element.
    func checkScalar(_ entry: WeightEntry) throws(WeightFileError) {
        try checkReadable(entry)
        guard entry.elementCount == 1 else {
            throw WeightFileError(
                path: path,
                problem:
                    "tensor \(WeightFileError.quoted(entry.name)) has the shape \(entry.shape), expected one element")
        }
    }
}
