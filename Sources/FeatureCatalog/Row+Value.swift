import GRDB

extension Row {
    /// The value of a column. STRICT tables hold what they declare, but a file from elsewhere need not be true to
    /// its own schema, and GRDB's subscripts trap where it is not.
    ///
    /// - Throws: `CatalogError` `.damaged` if the column holds something else.
    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(
        _ index: Int
    ) throws(CatalogError) -> Value {
        do { return try decode(Value.self, atIndex: index) } catch {
            throw CatalogError(.damaged, "column \(Array(columnNames)[index]) holds a value of another type")
        }
    }

    /// The bytes of a column.
    ///
    /// - Throws: `CatalogError` `.damaged` if it holds no blob.
    func bytes(_ index: Int) throws(CatalogError) -> [UInt8] {
        guard let bytes = try optionalBytes(index) else {
            throw CatalogError(.damaged, "column \(Array(columnNames)[index]) is NULL")
        }
        return bytes
    }

    /// The bytes of a column, or nil for NULL.
    func optionalBytes(_ index: Int) throws(CatalogError) -> [UInt8]? {
        do {
            return try withUnsafeData(atIndex: index) { data in data.map { Array($0) } }
        } catch {
            throw CatalogError(.damaged, "column \(Array(columnNames)[index]) holds no blob")
        }
    }
}
