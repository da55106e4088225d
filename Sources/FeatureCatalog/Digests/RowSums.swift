import GRDB

/// Sums by table and part.
typealias RowSums = [TablePart: RowSum]

/// Part of a table's rows.
struct TablePart: Hashable {
    /// The table's number in ``DigestedTable/all``.
    let table: Int
    /// Values of the columns that divide it; 0 where there are fewer.
    var first: Int64 = 0
    var second: Int64 = 0

    /// Its row in `table_digest`, whose part is a condition that holds for its rows.
    var key: (table: String, part: String) {
        let table = DigestedTable.all[table]
        return (
            table.name,
            zip(table.partColumns, [first, second]).map { "\($0) = \($1)" }.joined(separator: " AND ")
        )
    }
}

extension RowSums {
    /// Adds these to what `table_digest` says.
    func record(in database: Database) throws {
        for (part, change) in self where !change.isZero {
            let key = part.key
            let row = try Row.fetchOne(
                database, sql: "SELECT n_rows, digest FROM table_digest WHERE table_name = ? AND part = ?",
                arguments: [key.table, key.part])
            var sum = change
            // What is no digest stays wrong, for verification to find.
            if let row { sum += RowSum(rowCount: try row.value(0), hexadecimal: try row.value(1)) ?? RowSum() }
            if sum.isZero {
                try database.execute(
                    sql: "DELETE FROM table_digest WHERE table_name = ? AND part = ?", arguments: [key.table, key.part])
            } else {
                try database.execute(
                    sql: """
                        INSERT INTO table_digest (table_name, part, n_rows, digest) VALUES (?1, ?2, ?3, ?4)
                        ON CONFLICT DO UPDATE SET n_rows = ?3, digest = ?4
                        """,
                    arguments: [key.table, key.part, sum.rowCount, sum.hexadecimal])
            }
        }
    }
}
