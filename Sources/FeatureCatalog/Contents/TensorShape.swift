/// The rows and chunks of a tensor, checked against overflow.
struct TensorShape {
    /// Approximate size of a chunk: small enough to read one feature's row quickly.
    private static let chunkByteCount = 1 << 16

    let rowCount: Int
    let rowLength: Int
    let rowsPerChunk: Int

    /// - Returns: nil if the shape has negative parts or more values than can be addressed.
    init?(_ shape: [Int], dataType: DictionaryTensor.DataType) {
        guard shape.allSatisfy({ $0 >= 0 }), shape.first ?? 1 <= 1 << 40 else { return nil }
        rowCount = shape.first ?? 1
        var length = 1
        for extent in shape.dropFirst() {
            let (product, overflow) = length.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            length = product
        }

        let (rowBytes, rowOverflow) = length.multipliedReportingOverflow(by: dataType.byteCount)
        let (_, totalOverflow) = rowBytes.multipliedReportingOverflow(by: rowCount)
        // A chunk holds one row at least, and SQLite's values end at a billion bytes.
        guard !rowOverflow, !totalOverflow, rowBytes <= 1 << 29 else { return nil }
        rowLength = length
        rowsPerChunk = max(1, Self.chunkByteCount / max(1, rowBytes))
    }
}
