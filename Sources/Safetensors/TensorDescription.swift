/// The header's description of one tensor.
package struct TensorDescription: Sendable, Equatable {
    /// The tensor's key in the header.
    package let name: String
    /// The stored element type.
    package let dtype: TensorDType
    /// The extents, outermost first; elements are stored row-major. Empty for a scalar.
    package let shape: [Int]
    /// Where the elements lie, counted from the beginning of the file (not of the data section).
    package let byteRange: Range<Int>

    /// The product of the shape: 1 for a scalar, 0 if any extent is 0.
    package var elementCount: Int { byteRange.count / dtype.byteCount }

    /// Describes a tensor.
    ///
    /// - Precondition: `byteRange` holds exactly as many bytes as `shape` and `dtype` ask for.
    package init(name: String, dtype: TensorDType, shape: [Int], byteRange: Range<Int>) {
        precondition(
            Self.byteCount(dtype: dtype, shape: shape) == byteRange.count,
            "the byte range of tensor \(name) does not fit its shape"
        )
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.byteRange = byteRange
    }

    /// The bytes that a tensor occupies, or nil if an extent is negative or the product leaves the range of `Int`.
    static func byteCount(dtype: TensorDType, shape: [Int]) -> Int? {
        var product = dtype.byteCount
        for extent in shape {
            guard extent >= 0 else { return nil }
            let (partial, overflow) = product.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            product = partial
        }
        return product
    }
}
