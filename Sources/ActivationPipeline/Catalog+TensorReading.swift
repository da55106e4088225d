package import FeatureCatalog

extension Catalog {
    /// Rows of a tensor that are read at a time.
    private static let slice = 4096

    /// Reads rows of a dictionary's tensor, a few thousand at a time.
    ///
    /// - Parameters:
    ///   - width: values of a row; 1 for a vector.
    ///   - target: room for `rows.count · width` values.
    /// - Throws: `CatalogError`, also `.damaged` for a tensor of other rows.
    package func read(
        _ tensor: String, of dictionaryID: Int64, rows: Range<Int>, width: Int,
        into target: UnsafeMutablePointer<Float>
    ) throws(CatalogError) {
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.slice) {
            let wanted = first..<min(first + Self.slice, rows.upperBound)
            let values = try readTensorRows(dictionaryID: dictionaryID, name: tensor, rows: wanted)
            guard values.count == wanted.count * width else {
                throw CatalogError(
                    .damaged,
                    "\(path): rows \(wanted) of tensor \(tensor) hold \(values.count) values, not "
                        + "\(wanted.count) times \(width)")
            }
            values.withUnsafeBufferPointer { source in
                if let base = source.baseAddress {
                    (target + (first - rows.lowerBound) * width).update(from: base, count: source.count)
                }
            }
        }
    }
}
