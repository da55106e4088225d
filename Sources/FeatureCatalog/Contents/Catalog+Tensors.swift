import Foundation
import GRDB

extension Catalog {
    /// The weights of a dictionary, without their values, by name.
    package func tensors(dictionaryID: Int64) throws(CatalogError) -> [TensorRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT name, dtype, shape, sha256 FROM dictionary_tensor WHERE dictionary_id = ? ORDER BY name",
                arguments: [dictionaryID]
            ).map { row in
                try TensorRecord(
                    name: row.value(0), dataType: enumeration(row.value(1), "dictionary_tensor.dtype"),
                    shape: integers(row.value(2), "dictionary_tensor.shape"), sha256: row.value(3))
            }
        }
    }

    /// Some rows of a weight, row-major `[rows × values per row]`; only the chunks that hold them are read.
    ///
    /// - Parameter rows: Which rows; nil for all.
    /// - Throws: ``CatalogError`` `.notFound` if there is no such tensor or row, `.damaged` if a chunk does not hold.
    package func readTensorRows(
        dictionaryID: Int64, name: String, rows: Range<Int>? = nil
    ) throws(CatalogError) -> [Float] {
        try read { database in
            let tensor = try storedTensor(dictionaryID: dictionaryID, name: name, database)
            let rows = rows ?? 0..<tensor.shape.rowCount
            guard rows.lowerBound >= 0, rows.upperBound <= tensor.shape.rowCount else {
                throw CatalogError(
                    .notFound,
                    "\(path): tensor \(name) has \(tensor.shape.rowCount) rows, not \(rows)"
                )
            }

            var values: [Float] = []
            try forEachChunk(of: tensor, rows: rows, database) { firstRow, bytes in
                let rowBytes = tensor.shape.rowLength * tensor.dataType.byteCount
                let chunkRows = firstRow..<firstRow + tensor.rowsInChunk(from: firstRow)
                let wanted = rows.clamped(to: chunkRows)
                let slice = bytes[(wanted.lowerBound - firstRow) * rowBytes..<(wanted.upperBound - firstRow) * rowBytes]
                values += TensorValues.decode(slice, as: tensor.dataType)
            }
            return values
        }
    }

    /// A row of `dictionary_tensor` whose numbers have been checked.
    struct StoredTensor {
        let tensorID: Int64
        let name: String
        let dataType: DictionaryTensor.DataType
        let shape: TensorShape
        let rowsPerChunk: Int
        let sha256: String
        let isShuffled: Bool

        func rowsInChunk(from firstRow: Int) -> Int {
            min(rowsPerChunk, shape.rowCount - firstRow)
        }
    }

    func storedTensor(dictionaryID: Int64, name: String, _ database: Database) throws -> StoredTensor {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT tensor_id, dtype, shape, n_rows, row_length, rows_per_chunk, sha256, is_shuffled
                FROM dictionary_tensor WHERE dictionary_id = ? AND name = ?
                """,
            arguments: [dictionaryID, name])
        guard let row else {
            throw CatalogError(.notFound, "\(path): dictionary \(dictionaryID) has no tensor \"\(name)\"")
        }

        let dataType: DictionaryTensor.DataType = try enumeration(row.value(1), "dictionary_tensor.dtype")
        let rowsPerChunk: Int = try row.value(5)
        guard let shape = TensorShape(try integers(row.value(2), "dictionary_tensor.shape"), dataType: dataType),
            try shape.rowCount == row.value(3), try shape.rowLength == row.value(4),
            // Larger chunks than the program writes could only exhaust memory.
            rowsPerChunk >= 1, rowsPerChunk <= shape.rowsPerChunk
        else { throw CatalogError(.damaged, "\(path): the shape of tensor \(name) contradicts itself") }
        return try StoredTensor(
            tensorID: row.value(0), name: name, dataType: dataType, shape: shape, rowsPerChunk: rowsPerChunk,
            sha256: row.value(6), isShuffled: row.value(7))
    }

    /// Calls `body` with the chunks that hold `rows`, in order, decompressed and of the right size.
    func forEachChunk(
        of tensor: StoredTensor, rows: Range<Int>, _ database: Database,
        _ body: (_ firstRow: Int, _ bytes: [UInt8]) throws -> Void
    ) throws {
        guard !rows.isEmpty else { return }
        let statement = try database.makeStatement(
            sql: "SELECT n_rows, \"values\" FROM tensor_chunk WHERE tensor_id = ? AND first_row = ?")
        let start = rows.lowerBound / tensor.rowsPerChunk * tensor.rowsPerChunk
        for firstRow in stride(from: start, to: rows.upperBound, by: tensor.rowsPerChunk) {
            let place = "tensor \(tensor.name), rows from \(firstRow)"
            guard let row = try Row.fetchOne(statement, arguments: [tensor.tensorID, firstRow]),
                try row.value(0) == tensor.rowsInChunk(from: firstRow)
            else { throw CatalogError(.damaged, "\(path): \(place): the chunk is missing or has other rows") }
            let frame = try row.bytes(1)
            let count = tensor.rowsInChunk(from: firstRow) * tensor.shape.rowLength * tensor.dataType.byteCount
            let bytes = try blob(place) { () throws(Zstd.Failure) in
                let bytes = try Zstd.decompress(frame, limit: count)
                guard bytes.count == count else { throw Zstd.Failure(description: "\(bytes.count) bytes of \(count)") }
                return tensor.isShuffled ? ByteShuffle.unshuffled(bytes, width: tensor.dataType.byteCount) : bytes
            }
            try body(firstRow, bytes)
        }
    }

    func add(
        _ tensor: DictionaryTensor, to dictionaryID: Int64, named dictionary: String, _ database: Database,
        _ written: (_ values: Int) throws -> Void
    ) throws {
        let place = "tensor \(tensor.name) of dictionary \(dictionary)"
        guard let shape = TensorShape(tensor.shape, dataType: tensor.dataType) else {
            throw CatalogError(.invalidValue, "\(path): \(place): impossible shape \(tensor.shape)")
        }
        try database.execute(
            sql: """
                INSERT INTO dictionary_tensor (dictionary_id, name, dtype, shape, n_rows, row_length, rows_per_chunk,
                    sha256, is_shuffled)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
                """,
            arguments: [
                dictionaryID, tensor.name, tensor.dataType.rawValue, Self.json(tensor.shape), shape.rowCount,
                shape.rowLength, shape.rowsPerChunk, String(repeating: "0", count: 64),
            ])
        let tensorID = database.lastInsertedRowID
        let insert = try database.makeStatement(
            sql: "INSERT INTO tensor_chunk (tensor_id, first_row, n_rows, \"values\") VALUES (?, ?, ?, ?)")
        var digest = SHA256Digest()
        for firstRow in stride(from: 0, to: shape.rowCount, by: shape.rowsPerChunk) {
            let rows = firstRow..<min(firstRow + shape.rowsPerChunk, shape.rowCount)
            let values = try tensor.rows(rows)
            guard values.count == rows.count * shape.rowLength else {
                throw CatalogError(
                    .invalidValue,
                    "\(path): \(place): \(values.count) values for rows \(rows), not \(rows.count * shape.rowLength)"
                )
            }

            let bytes = TensorValues.encode(values, as: tensor.dataType)
            digest.update(bytes)
            let frame = try frame { () throws(Zstd.Failure) in
                try Zstd.compress(ByteShuffle.shuffled(bytes, width: tensor.dataType.byteCount))
            }
            try insert.execute(arguments: [tensorID, firstRow, rows.count, frame])
            try written(values.count)
        }
        // The digest is known only after all rows have been written.
        try database.execute(
            sql: "UPDATE dictionary_tensor SET sha256 = ? WHERE tensor_id = ?",
            arguments: [digest.hexadecimal(), tensorID])
    }
}
