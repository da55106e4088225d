import GRDB

/// Copies additions of other software from one catalog into another: plain tables with their rows, views and indexes.
///
/// None of it is executed: constraints are not checked, and computed columns and expressions are left out.
struct AdditionsCopy {
    let source: Catalog
    let target: Catalog
    let from: Database
    let to: Database
    /// Told what is not copied, a line each.
    let remark: (String) -> Void

    /// Runs outside of a transaction on `to`.
    func run() throws {
        guard let additions = try SchemaCheck.run(from, path: source.path, allowingOlder: false) else { return }
        try to.execute(sql: "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        defer { try? to.execute(sql: "PRAGMA ignore_check_constraints = OFF; PRAGMA foreign_keys = ON") }
        try to.inTransaction {
            var copied: Set<String> = []
            for addition in additions.all where addition.kind != .shadowTable {
                if let reason = try reasonToLeave(addition, additions, copied) {
                    remark("\(source.path): \(addition) is not kept: \(reason)")
                    continue
                }
                try to.makeStatement(sql: addition.sql).execute()
                if addition.kind == .table {
                    copied.insert(addition.name)
                    try copyRows(of: addition.name)
                }
            }
            // The copies have to be valid additions in the target as well.
            try SchemaCheck.run(to, path: target.path, allowingOlder: false)
            return .commit
        }
    }

    private func reasonToLeave(
        _ addition: SchemaAddition, _ additions: SchemaAdditions, _ copied: Set<String>
    ) throws -> String? {
        switch addition.kind {
        case .virtualTable, .shadowTable: return "virtual tables never are"
        case .trigger: return "triggers never are"
        case .table, .view, .index: break
        }

        let isTaken = try Bool.fetchOne(
            to, sql: "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE lower(name) = lower(?))",
            arguments: [addition.name])
        if isTaken == true { return "something of that name is there already" }
        guard addition.sql.uppercased().hasPrefix("CREATE \(addition.kind.rawValue.uppercased()) ") else {
            return "its statement is not plain"
        }
        if addition.kind == .table {
            let isComputed = try Bool.fetchOne(
                from, sql: "SELECT EXISTS (SELECT 1 FROM pragma_table_xinfo(?) WHERE hidden <> 0)",
                arguments: [addition.name])
            if isComputed == true { return "it has generated columns" }
            if let key = try additions.foreignKeys(of: addition).first(where: { additions.isOurs($0.parent) }) {
                return "it refers to rows of \(key.parent), whose keys may change"
            }
        }
        if addition.kind == .index, !additions.isOurs(addition.table) {
            guard copied.contains(where: { $0.lowercased() == addition.table.lowercased() }) else {
                return "its table is not"
            }

            let isComputed = try Bool.fetchOne(
                from,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM pragma_index_xinfo(?1) WHERE cid = -2)
                        OR EXISTS (SELECT 1 FROM pragma_index_list(?2) WHERE name = ?1 AND partial)
                    """,
                arguments: [addition.name, addition.table])
            if isComputed == true { return "it has expressions" }
        }
        return nil
    }

    private func copyRows(of table: String) throws {
        func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
        let columns = try String.fetchAll(from, sql: "SELECT name FROM pragma_table_xinfo(?)", arguments: [table])
        let names = columns.map(quoted).joined(separator: ", ")
        let places = columns.map { _ in "?" }.joined(separator: ", ")
        let insert = try BulkInsert(
            to, path: target.path, sql: "INSERT INTO \(quoted(table)) (\(names)) VALUES (\(places))")
        let rows = try Row.fetchCursor(from, sql: "SELECT \(names) FROM \(quoted(table))")
        while let row = try rows.next() {
            for (index, value) in row.databaseValues.enumerated() { insert.bind(Int32(index + 1), value) }
            try insert.run()
        }
    }
}

extension Catalog {
    /// Copies additions of other software into a catalog under construction.
    ///
    /// - Parameter remark: Told what is not copied, a line each.
    /// - Throws: ``CatalogError`` `.cannotWrite`, `.damaged`.
    package func copyAdditions(to target: Catalog, remark: (String) -> Void) throws {
        try withoutActuallyEscaping(remark) { remark in
            do {
                try read { from in
                    try target.queue.unsafeReentrantWrite { to in
                        try AdditionsCopy(source: self, target: target, from: from, to: to, remark: remark).run()
                    }
                }
            } catch { throw CatalogError(error, path: target.path) }
        }
    }
}
