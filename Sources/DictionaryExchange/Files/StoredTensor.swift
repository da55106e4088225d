import Safetensors

/// Where the elements of a tensor lie in a file that states strides: PyTorch's, or NumPy's in Fortran order.
///
/// Its strides were checked against its storage, so no element lies outside.
struct StoredTensor: Sendable {
    /// The most dimensions that PyTorch and NumPy have.
    static let mostDimensions = 64
    /// The most elements of a tensor whose elements share places, as expanded ones do: its size is not bounded by its
    /// storage's.
    static let mostExpandedElements = 1 << 20

    let entry: WeightEntry
    /// Of each dimension, the elements between neighbours in the storage; none is negative.
    let strides: [Int]
    /// The offset of the first element in the file, in bytes.
    let start: Int

    /// Checks a tensor against the storage that it lies in.
    ///
    /// - Parameters:
    ///   - offset: of the first element in the storage, in elements.
    ///   - storage: the storage's bytes in the file.
    /// - Throws: for extents or strides that are negative, too many, or reach beyond the storage, and for an expanded
    ///   tensor of more than `mostExpandedElements` elements.
    init(
        name: String, dtype: TensorDType, shape: [Int], strides: [Int], offset: Int, storage: Range<Int>, path: String
    ) throws(WeightFileError) {
        func refusal(_ problem: String) -> WeightFileError {
            WeightFileError(path: path, problem: "tensor \(WeightFileError.quoted(name)) \(problem)")
        }
        guard shape.count == strides.count, shape.count <= Self.mostDimensions else {
            throw refusal(
                "has \(shape.count) extents and \(strides.count) strides, expected equally many, "
                    + "at most \(Self.mostDimensions)")
        }
        guard offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else {
            throw refusal("has a negative extent, stride or offset")
        }
        guard let count = Self.product(shape) else { throw refusal("has too many elements: its shape is \(shape)") }
        let held = storage.count / dtype.byteCount
        guard count == 0 ? offset <= held : Self.lastElement(shape, strides, offset).map({ $0 < held }) == true else {
            throw refusal(
                "reaches beyond its storage of \(held) elements: shape \(shape), strides \(strides), offset \(offset); "
                    + "the file is damaged")
        }
        guard count <= Self.mostExpandedElements || Self.placesDiffer(shape, strides) else {
            throw refusal(
                "claims \(count) elements that share places in a storage of \(held), at most "
                    + "\(Self.mostExpandedElements) are read; save it with .contiguous()")
        }
        entry = WeightEntry(name: name, dtype: dtype, shape: shape, elementCount: count)
        self.strides = strides
        start = storage.lowerBound + (count == 0 ? 0 : offset) * dtype.byteCount
    }

    /// The product of the extents, nil beyond `Int`.
    static func product(_ shape: [Int]) -> Int? {
        var product = 1
        for extent in shape {
            let (partial, overflow) = product.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            product = partial
        }
        return product
    }

    /// The strides of elements that lie row-major.
    ///
    /// - Precondition: the product of the shape is an `Int`.
    static func rowMajor(_ shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.reversed().dropFirst() {
            // A shape with an extent of 0 has no elements, so that its strides say nothing.
            strides[axis] = strides[axis + 1].multipliedReportingOverflow(by: shape[axis + 1]).partialValue
        }
        return strides
    }

    /// The place of the last element in its storage, nil beyond `Int`.
    private static func lastElement(_ shape: [Int], _ strides: [Int], _ offset: Int) -> Int? {
        var last = offset
        for (extent, stride) in zip(shape, strides) {
            let (reach, tooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, overflow) = last.addingReportingOverflow(reach)
            guard !tooFar, !overflow else { return nil }
            last = sum
        }
        return last
    }

    /// Whether the strides alone show that no two elements share a place: each is beyond the reach of all smaller ones.
    private static func placesDiffer(_ shape: [Int], _ strides: [Int]) -> Bool {
        var reach = 0
        for (stride, extent) in zip(strides, shape).filter({ $0.1 > 1 }).sorted(by: { $0.0 < $1.0 }) {
            guard stride > reach else { return false }
            reach += (extent - 1) * stride
        }
        return true
    }

    /// Whether the elements lie row-major without gaps.
    var isRowMajor: Bool {
        entry.elementCount == 0
            || zip(entry.shape, zip(strides, Self.rowMajor(entry.shape))).allSatisfy { $0 == 1 || $1.0 == $1.1 }
    }

    /// Some elements as `Float`, counted row-major over the shape.
    ///
    /// - Precondition: the tensor has these elements, and their type is readable.
    /// - Throws: if the file cannot be read or has become shorter.
    func readFloats(
        _ elements: Range<Int>, from file: ReadableFile, into target: UnsafeMutablePointer<Float>
    ) throws(SafetensorsError) {
        guard !elements.isEmpty else { return }
        guard isRowMajor else {
            var reader = StridedReader(self, file: file)
            return try reader.read(elements, into: target)
        }
        let size = entry.dtype.byteCount
        let first = start + elements.lowerBound * size
        if entry.dtype == .f32 {
            return try file.read(
                at: first, into: UnsafeMutableRawBufferPointer(start: target, count: elements.count * size))
        }
        try file.forEachPiece(of: first..<first + elements.count * size) { piece, offset in
            ElementConversion.floats(piece, dtype: entry.dtype, into: target + offset / size)
        }
    }

    /// The value of the only element.
    ///
    /// - Precondition: there is one, and its type is readable.
    /// - Throws: as `readFloats`.
    func scalar(from file: ReadableFile) throws(SafetensorsError) -> Double {
        let bytes = try file.bytes(start..<start + entry.dtype.byteCount)
        return bytes.withUnsafeBytes { ElementConversion.double($0, dtype: entry.dtype) }
    }
}
