import GRDB

/// Row sums by table and part.
typealias RowSums = [TablePart: RowSum]

/// Part of a table's rows.
struct TablePart: Hashable, Comparable {
    /// The table's number in ``DigestedTable/all``.
    let table: Int
    /// Values of the part columns; 0 if there are fewer.
    var first: Int64 = 0
    var second: Int64 = 0

    static func < (one: TablePart, two: TablePart) -> Bool {
        (one.table, one.first, one.second) < (two.table, two.first, two.second)
    }

    /// Its row in `table_digest`; `part` is a condition on the table's rows.
    var key: (table: String, part: String) {
        let table = DigestedTable.all[table]
        return (
            table.name,
            zip(table.partColumns, [first, second]).map { "\($0) = \($1)" }.joined(separator: " AND ")
        )
    }
}

extension RowSums {
    /// Adds these to the sums in `table_digest`.
    func record(in database: Database) throws {
        for (part, change) in self where !change.isZero {
            let key = part.key
            let row = try Row.fetchOne(
                database, sql: "SELECT n_rows, digest FROM table_digest WHERE table_name = ? AND part = ?",
                arguments: [key.table, key.part])
            var sum = change
            // A malformed digest stays, for verification to report.
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

extension RowSums {
    /// The parts whose sums, computed from the rows, differ from `table_digest`, in the tables' order.
    func differences(_ database: Database) throws -> [VerificationProblem] {
        var kept: [String: [String: (rows: Int, digest: String)]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT table_name, part, n_rows, digest FROM table_digest") {
            kept[try row.value(0), default: [:]][try row.value(1)] = (try row.value(2), try row.value(3))
        }

        var found: [VerificationProblem] = []
        for (part, sum) in sorted(by: { $0.key < $1.key }) {
            let (table, name) = part.key
            let known = kept[table]?.removeValue(forKey: name)
            if known?.rows != sum.rowCount || known?.digest != sum.hexadecimal {
                found.append(Self.difference(table, name, written: known?.rows ?? 0, found: sum.rowCount))
            }
        }
        for (table, parts) in kept.sorted(by: { $0.key < $1.key }) {
            for (name, known) in parts.sorted(by: { $0.key < $1.key }) {
                found.append(Self.difference(table, name, written: known.rows, found: 0))
            }
        }
        return found
    }

    private static func difference(_ table: String, _ part: String, written: Int, found: Int) -> VerificationProblem {
        VerificationProblem(
            place: part.isEmpty ? table : "\(table), \(part)",
            reason: written == found
                ? "its rows are not those that were written: something else has changed them"
                : "\(written) rows were written, and \(found) are there: something else has changed them")
    }
}
