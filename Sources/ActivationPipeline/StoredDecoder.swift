package import FeatureCatalog
package import LinearAlgebra
import Vocabulary

/// The decoder rows of a dictionary, read from a catalog without the other weights.
package struct StoredDecoder {
    /// Decoder rows, `[features × D]`, row-major.
    package let matrix: Matrix

    /// Rows that are read at a time.
    private static let slice = 4096

    /// The width D of a dictionary's decoder rows: d, or L·d for a crosscoder.
    package static func width(of record: DictionaryRecord) -> Int {
        record.architecture == .crosscoder ? record.layers.count * record.dModel : record.dModel
    }

    /// Reads the decoder.
    ///
    /// - Throws: `CatalogError` where they are missing or damaged, `WorkflowError.refused` where they do not fit into
    ///   memory.
    package init(of record: DictionaryRecord, in catalog: Catalog) throws {
        let (rows, columns) = (record.latentCount, StoredDecoder.width(of: record))
        let found = try catalog.tensors(dictionaryID: record.dictionaryID).first { $0.name == "decoder" }
        guard let found else {
            throw CatalogError(.notFound, "\(catalog.path): dictionary \"\(record.name)\" has no decoder")
        }
        guard found.shape == [rows, columns] else {
            throw CatalogError(
                .damaged,
                "\(catalog.path): the decoder of dictionary \"\(record.name)\" has shape \(found.shape), not "
                    + "\([rows, columns])")
        }
        try MemoryBudget.machine.check(
            floats: Double(rows) * Double(columns), for: "the decoder of \"\(record.name)\"",
            advice: "use a machine with more")
        matrix = Matrix(scratchRows: rows, columns: columns)
        for first in stride(from: 0, to: rows, by: StoredDecoder.slice) {
            let wanted = first..<min(first + StoredDecoder.slice, rows)
            let values = try catalog.readTensorRows(
                dictionaryID: record.dictionaryID, name: "decoder", rows: wanted)
            guard values.count == wanted.count * columns else {
                throw CatalogError(
                    .damaged, "\(catalog.path): rows \(wanted) of the decoder of \"\(record.name)\" are not whole")
            }
            values.withUnsafeBufferPointer { source in
                if let base = source.baseAddress { matrix.row(first).update(from: base, count: source.count) }
            }
        }
    }
}
