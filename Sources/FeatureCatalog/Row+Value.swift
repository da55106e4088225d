import GRDB

/// A column that holds what it cannot; ``CatalogError`` `.damaged`, once the file is known.
struct DamagedColumn: Error, CustomStringConvertible {
    let name: String
    let complaint: String

    var description: String { "column \(name) \(complaint)" }
}

extension Row {
    /// The value of a column. STRICT tables hold what they declare, but a file from elsewhere need not be true to
    /// its own schema, and GRDB's subscripts trap where it is not.
    ///
    /// - Throws: ``DamagedColumn`` if the column holds something else.
    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(
        _ index: Int
    ) throws(DamagedColumn) -> Value {
        do { return try decode(Value.self, atIndex: index) } catch {
            throw damage(index, "holds a value of another type")
        }
    }

    /// How many there are of something that memory holds, or a place among them: 0 ..< 2³¹, which the schema asks for
    /// and a file from elsewhere need not keep to. Ranges and products of two such numbers can be made without a trap.
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

    /// How many tokens or documents a pass met: 0 … 2⁵³, which a Double holds exactly, and of which hundreds can be
    /// added up.
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
