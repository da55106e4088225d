import GRDB

/// A column with an invalid value; becomes ``CatalogError`` `.damaged` with the file's path.
struct DamagedColumn: Error, CustomStringConvertible {
    let name: String
    let complaint: String

    var description: String { "column \(name) \(complaint)" }
}

extension Row {
    /// The value of a column. STRICT tables hold what they declare, but a file from elsewhere may violate
    /// its own schema, and GRDB's subscripts would trap.
    ///
    /// - Throws: ``DamagedColumn`` if the column holds something else.
    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(
        _ index: Int
    ) throws(DamagedColumn) -> Value {
        do { return try decode(Value.self, atIndex: index) } catch {
            throw damage(index, "holds a value of another type")
        }
    }

    /// A count or an index of things in memory: 0 ..< 2³¹, which the schema requires
    /// and a file from elsewhere may violate. Ranges and products of two such numbers cannot trap.
    ///
    /// - Throws: ``DamagedColumn`` if the column holds something else.
    func number(_ index: Int) throws(DamagedColumn) -> Int {
        try checked(value(index), 0...Int(Int32.max), index)
    }

    /// As the other `number`, or nil for NULL.
    func number(_ index: Int) throws(DamagedColumn) -> Int? {
        guard let number: Int = try value(index) else { return nil }
        return try checked(number, 0...Int(Int32.max), index)
    }

    /// A count of tokens or documents: 0 … 2⁵³, which a Double holds exactly, and of which hundreds can be
    /// summed.
    ///
    /// - Throws: ``DamagedColumn`` if the column holds something else.
    func tally(_ index: Int) throws(DamagedColumn) -> Int {
        try checked(value(index), 0...1 << 53, index)
    }

    /// As the other `tally`, or nil for NULL.
    func tally(_ index: Int) throws(DamagedColumn) -> Int? {
        guard let tally: Int = try value(index) else { return nil }
        return try checked(tally, 0...1 << 53, index)
    }

    private func checked(_ value: Int, _ range: ClosedRange<Int>, _ index: Int) throws(DamagedColumn) -> Int {
        guard range.contains(value) else {
            throw damage(index, "holds \(value)")
        }
        return value
    }

    /// The bytes of a column.
    ///
    /// - Throws: ``DamagedColumn`` if it holds no blob.
    func bytes(_ index: Int) throws(DamagedColumn) -> [UInt8] {
        guard let bytes = try optionalBytes(index) else {
            throw damage(index, "is NULL")
        }
        return bytes
    }

    /// The bytes of a column, or nil for NULL.
    func optionalBytes(_ index: Int) throws(DamagedColumn) -> [UInt8]? {
        do {
            return try withUnsafeData(atIndex: index) { data in data.map { Array($0) } }
        } catch {
            throw damage(index, "holds no blob")
        }
    }

    private func damage(_ index: Int, _ complaint: String) -> DamagedColumn {
        DamagedColumn(name: Array(columnNames)[index], complaint: complaint)
    }
}
