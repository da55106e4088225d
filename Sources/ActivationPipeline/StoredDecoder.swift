package import FeatureCatalog
package import LinearAlgebra
import Vocabulary

/// The decoder rows of a dictionary, read from a catalog without the other weights.
package struct StoredDecoder {
    /// Decoder rows, `[features × D]`, row-major.
    package let matrix: Matrix

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
        try catalog.read("decoder", of: record.dictionaryID, rows: 0..<rows, width: columns, into: matrix.pointer)
    }
}
