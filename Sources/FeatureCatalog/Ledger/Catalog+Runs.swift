import Foundation
import GRDB

extension Catalog {
    /// Opens a run in the ledger.
    ///
    /// - Parameters:
    ///   - kind: Its kind.
    ///   - config: Its whole configuration, a JSON object.
    ///   - seed: The seed of its generator, if it has one.
    ///   - inputs: The files it reads; of several of one name the second gets a number, `a.txt (2)`.
    ///   - software: The software that runs it.
    ///   - uuid: Its name among all runs of all catalogs; a new one if not given.
    /// - Returns: Its key.
    /// - Throws: ``CatalogError`` `.invalidValue` if `config` is not JSON.
    package func beginRun(
        kind: RunRecord.Kind, config: String, seed: UInt64?, inputs: [RunInput] = [],
        software: SoftwareIdentity = .unknown, uuid: String? = nil
    ) throws(CatalogError) -> Int64 {
        try checkJSON(config, "config of a run")
        return try write { database in
            let process = ProcessIdentity.current
            try database.execute(
                sql: """
                    INSERT INTO run (uuid, kind, status, config, seed, software_version, source_revision, host,
                        process_id, process_started, boot_id, started_at)
                    VALUES (?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    uuid ?? UUID().uuidString.lowercased(), kind.rawValue, config, seed.map { Int64(bitPattern: $0) },
                    software.version, software.revision, process.host, process.processID, process.startedTicks,
                    process.bootID, Timestamp.now(),
                ])
            let runID = database.lastInsertedRowID
            try Self.add(inputs, runID: runID, to: database)
            return runID
        }
    }

    private static func add(_ inputs: [RunInput], runID: Int64, to database: Database) throws {
        // Files of one name in different folders are told apart by a number.
        var taken: Set<[String]> = []
        var counts: [[String]: Int] = [:]
        for input in inputs {
            var name: String
            repeat {
                let number = counts[[input.role, input.name], default: 0] + 1
                counts[[input.role, input.name]] = number
                name = number == 1 ? input.name : "\(input.name) (\(number))"
            } while !taken.insert([input.role, name]).inserted
            try database.execute(
                sql: "INSERT INTO run_input (run_id, role, name, sha256, bytes) VALUES (?, ?, ?, ?, ?)",
                arguments: [runID, input.role, name, input.sha256, input.bytes])
        }
    }

    /// Resumes a run that was interrupted or failed: it is `running` again, by this process.
    ///
    /// - Parameter inputs: Replace the recorded inputs; nil keeps them.
    /// - Throws: ``CatalogError`` `.notFound`; `.refused` if it is complete or running in another process.
    package func resumeRun(_ runID: Int64, inputs: [RunInput]? = nil) throws(CatalogError) {
        try write { database in
            let process = ProcessIdentity.current
            guard
                let status = try String.fetchOne(
                    database, sql: "SELECT status FROM run WHERE run_id = ?", arguments: [runID])
            else { throw CatalogError(.notFound, "\(path): no run \(runID)") }
            guard status == "interrupted" || status == "failed" else {
                throw CatalogError(.refused, "\(path): run \(runID) is \(status), so it cannot be resumed")
            }
            try database.execute(
                sql: """
                    UPDATE run SET status = 'running', finished_at = NULL, error = NULL, host = ?, process_id = ?,
                        process_started = ?, boot_id = ?
                    WHERE run_id = ?
                    """,
                arguments: [process.host, process.processID, process.startedTicks, process.bootID, runID])
            guard let inputs else { return }
            try database.execute(sql: "DELETE FROM run_input WHERE run_id = ?", arguments: [runID])
            try Self.add(inputs, runID: runID, to: database)
        }
    }

    /// Adds points to a run's curves; a point of the same name and step is replaced.
    package func recordMetrics(runID: Int64, _ metrics: [RunMetric]) throws(CatalogError) {
        try write { database in
            let statement = try database.makeStatement(
                sql: "INSERT OR REPLACE INTO run_metric (run_id, name, step, value) VALUES (?, ?, ?, ?)")
            for metric in metrics {
                try statement.execute(arguments: [runID, metric.name, metric.step, metric.value])
            }
        }
    }

    /// Ends a run.
    ///
    /// - Parameters:
    ///   - status: How it ended; not `running`.
    ///   - error: Why it did not complete, in one line; a long one is shortened.
    package func finishRun(
        _ runID: Int64, status: RunRecord.Status, error: String? = nil
    ) throws(CatalogError) {
        precondition(status != .running, "a run that ends is not running")
        try write { database in
            try database.execute(
                sql: "UPDATE run SET status = ?, finished_at = ?, error = ? WHERE run_id = ?",
                arguments: [
                    status.rawValue, Timestamp.now(),
                    status == .complete ? nil : error.map { CatalogError(.failed, $0).message }, runID,
                ])
            guard database.changesCount == 1 else { throw CatalogError(.notFound, "\(path): no run \(runID)") }
        }
    }

    /// All runs, oldest first; one recorded as `running` by a process that has ended is returned as `interrupted`.
    package func runs() throws(CatalogError) -> [RunRecord] {
        try read { database in
            try Row.fetchAll(database, sql: Self.runColumns + " ORDER BY run_id").map(runRecord)
        }
    }

    /// One run, as in ``runs()``.
    ///
    /// - Throws: ``CatalogError`` `.notFound`.
    package func run(_ runID: Int64) throws(CatalogError) -> RunRecord {
        try read { database in
            guard let row = try Row.fetchOne(database, sql: Self.runColumns + " WHERE run_id = ?", arguments: [runID])
            else { throw CatalogError(.notFound, "\(path): no run \(runID)") }
            return try runRecord(row)
        }
    }

    /// The run of a uuid; nil where there is none.
    package func runID(uuid: String) throws(CatalogError) -> Int64? {
        try read { try Int64.fetchOne($0, sql: "SELECT run_id FROM run WHERE uuid = ?", arguments: [uuid]) }
    }

    /// The files a run read, by role and name.
    package func runInputs(_ runID: Int64) throws(CatalogError) -> [RunInput] {
        try read { database in
            try Row.fetchAll(
                database, sql: "SELECT role, name, sha256, bytes FROM run_input WHERE run_id = ? ORDER BY role, name",
                arguments: [runID]
            ).map { try RunInput(role: $0.value(0), name: $0.value(1), sha256: $0.value(2), bytes: $0.value(3)) }
        }
    }

    /// A run's curves, by name and step; one of them if `name` is given.
    package func runMetrics(_ runID: Int64, name: String? = nil) throws(CatalogError) -> [RunMetric] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT step, name, value FROM run_metric
                    WHERE run_id = :run AND (:name IS NULL OR name = :name) ORDER BY name, step
                    """,
                arguments: ["run": runID, "name": name]
            ).map { try RunMetric(step: $0.value(0), name: $0.value(1), value: $0.value(2)) }
        }
    }

    /// Marks runs whose process has ended as interrupted.
    func markInterruptedRuns() throws(CatalogError) {
        try write { database in
            let rows = try Row.fetchAll(
                database,
                sql: "SELECT run_id, host, boot_id, process_id, process_started FROM run WHERE status = 'running'")
            for row in rows where try process(row, from: 1).isGone {
                try database.execute(
                    sql: "UPDATE run SET status = 'interrupted', finished_at = ?, error = ? WHERE run_id = ?",
                    arguments: [Timestamp.now(), Self.processEnded, row.value(0) as Int64])
            }
        }
    }

    private static let processEnded = "the process ended without finishing the run"

    /// The process in columns `host`, `boot_id`, `process_id`, `process_started` of a row.
    private func process(_ row: Row, from column: Int) throws -> ProcessIdentity {
        try ProcessIdentity(
            host: row.value(column), bootID: row.value(column + 1), processID: row.value(column + 2) ?? 0,
            startedTicks: row.value(column + 3))
    }

    private static let runColumns = """
        SELECT run_id, uuid, kind, status, config, seed, software_version, source_revision, host, started_at,
            finished_at, error, host, boot_id, process_id, process_started
        FROM run
        """

    private func runRecord(_ row: Row) throws -> RunRecord {
        let status: RunRecord.Status = try enumeration(row.value(3), "run.status")
        let isGone = try status == .running && process(row, from: 12).isGone
        return try RunRecord(
            runID: row.value(0), uuid: row.value(1), kind: enumeration(row.value(2), "run.kind"),
            status: isGone ? .interrupted : status, configJSON: row.value(4),
            seed: (row.value(5) as Int64?).map { UInt64(bitPattern: $0) },
            software: SoftwareIdentity(version: row.value(6), revision: row.value(7)), host: row.value(8),
            startedAt: row.value(9), finishedAt: row.value(10),
            error: isGone ? Self.processEnded : row.value(11) as String?)
    }
}
