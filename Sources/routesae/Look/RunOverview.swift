import FeatureCatalog
import Foundation
import TerminalOutput

/// A run in one line.
struct RunOverview {
    /// Its row.
    let record: RunRecord
    /// How long it took, or has been going on; whole seconds, as the ledger keeps them.
    let seconds: Double?
    /// What came of it; empty where nothing did.
    let results: String

    init(_ record: RunRecord, in catalog: Catalog) throws {
        self.record = record
        let start = try? Date(record.startedAt, strategy: .iso8601)
        let end =
            record.finishedAt.map { try? Date($0, strategy: .iso8601) } ?? (record.status == .running ? Date() : nil)
        seconds = start.flatMap { start in end.map { max(0, $0.timeIntervalSince(start).rounded()) } }
        results = try Self.results(of: record, in: catalog)
    }

    /// What came of it, and why it did not come to its end.
    var summary: String {
        [results, record.error ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// How long it took, for people.
    var duration: String? {
        seconds.map { $0 < 1 ? "< 1 s" : $0 < 60 ? "\(Int($0)) s" : Quantities.duration(seconds: $0) }
    }

    /// When it began, for people: UTC to the minute.
    var start: String {
        String(record.startedAt.prefix(16)).replacing("T", with: " ")
    }

    /// The seed; as text if it does not fit a column of whole numbers.
    var seed: Cell {
        guard let seed = record.seed else { return .null }
        return Int64(exactly: seed).map { .integer($0) } ?? .text("\(seed)")
    }

    private static func results(of run: RunRecord, in catalog: Catalog) throws -> String {
        func rows(_ sql: String) throws -> [[CatalogValue]] {
            try catalog.rows(sql: sql, arguments: [.integer(run.runID)]).rows
        }
        switch run.kind {
        case .train, .import, .merge:
            let names = try rows("SELECT name FROM dictionary WHERE run_id = ? ORDER BY dictionary_id")
            let loss = try rows(
                "SELECT value, step FROM run_metric WHERE run_id = ? AND name = 'loss' ORDER BY step DESC LIMIT 1")
            let parts = names.map { describe($0[0]) }
            guard let last = loss.first, case .integer(let step) = last[1] else { return parts.joined(separator: ", ") }
            // Steps are counted from 0.
            let end = "loss \(describe(last[0])) after \(Quantities.count(Int(clamping: step) &+ 1)) steps"
            return (parts + [end]).joined(separator: ", ")
        case .index:
            return try rows(
                """
                SELECT d.name, i.n_tokens, i.n_documents, c.name
                FROM indexing AS i JOIN dictionary AS d USING (dictionary_id) JOIN corpus AS c USING (corpus_id)
                WHERE i.run_id = ? ORDER BY d.dictionary_id
                """
            ).map {
                "\(describe($0[0])) on \(describe($0[1])) tokens of \(describe($0[2])) documents of \(describe($0[3]))"
            }
            .joined(separator: ", ")
        case .explain, .score:
            return try rows(
                """
                SELECT d.name, s.method, count(s.value), avg(s.value), avg(s.baseline_value),
                    sum(s.status = 'undefined'), sum(s.status = 'failed')
                FROM score AS s JOIN dictionary AS d USING (dictionary_id)
                WHERE s.run_id = ? GROUP BY d.dictionary_id, s.method
                """
            ).map { row in
                let chance = row[4] == .null ? "" : ", by chance \(describe(row[4]))"
                let mean = row[3] == .null ? "" : ": mean \(describe(row[3]))\(chance)"
                let rest = zip(row[5...], ["undefined", "failed"]).filter { $0.0 != .integer(0) }.map { count, what in
                    ", \(describe(count)) \(what)"
                }

                let scores =
                    row[2] == .integer(0)
                    ? "no \(describe(row[1])) score" : "\(describe(row[2])) \(describe(row[1])) scores"
                return "\(describe(row[0])), \(scores)\(mean)\(rest.joined())"
            }.joined(separator: ", ")
        case .evaluate:
            return try rows(
                """
                SELECT d.name, count(*), max(iif(e.metric = 'kl' AND e.layer IS NULL, e.value, NULL)),
                    max(iif(e.metric = 'recovered' AND e.layer IS NULL, e.value, NULL))
                FROM evaluation AS e JOIN dictionary AS d USING (dictionary_id) WHERE e.run_id = ?
                GROUP BY d.dictionary_id
                """
            ).map { row in
                let effect =
                    row[2] == .null ? "" : ": KL \(describe(row[2])) nats, recovered \(describe(row[3]))"
                return "\(describe(row[0])), \(describe(row[1])) figures\(effect)"
            }.joined(separator: ", ")
        case .steer:
            return try rows(
                """
                SELECT d.name, count(*), avg(i.kl) FROM intervention AS i JOIN dictionary AS d USING (dictionary_id)
                WHERE i.run_id = ? GROUP BY d.dictionary_id
                """
            ).map { row in
                let divergence = row[2] == .null ? "" : ": mean KL \(describe(row[2])) nats"
                return "\(describe(row[0])), \(describe(row[1])) texts\(divergence)"
            }.joined(separator: ", ")
        }
    }

    private static func describe(_ value: CatalogValue) -> String {
        switch value {
        case .null, .blob: "?"
        case .integer(let number): Quantities.count(Int(number))
        case .real(let number): Quantities.significant(number)
        case .text(let text): text
        }
    }
}
