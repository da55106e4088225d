import FeatureCatalog

/// All that is known of one run.
struct RunReport {
    /// A curve in brief.
    struct Metric {
        /// Its name.
        let name: String
        /// How many points it has.
        let count: Int
        /// The first of them.
        let first: Double?
        /// The step of the last.
        let lastStep: Int
        /// The last of them.
        let last: Double?
        /// The means of `curvePoints` stretches of it at most.
        let curve: [Double]
    }

    /// Points of a curve that is drawn in a line.
    private static let curvePoints = 32

    /// The run in one line.
    let overview: RunOverview
    /// Its configuration.
    let config: JSONValue
    /// The files it read.
    let inputs: [RunInput]
    /// Its curves by name.
    let metrics: [Metric]
    /// The points of `loss`, in order of steps.
    let loss: [RunMetric]

    /// - Throws: `CatalogError` `.notFound`.
    init(_ runID: Int64, in catalog: Catalog) throws {
        let record = try catalog.run(runID)
        overview = try RunOverview(record, in: catalog)
        config = JSONValue(parsing: record.configJSON)
        inputs = try catalog.runInputs(runID)
        loss = try catalog.runMetrics(runID, name: "loss")
        let curves = try RunReport.curves(of: runID, in: catalog)
        metrics = try catalog.rows(
            sql: """
                SELECT m.name, m.n, f.value, m.last_step, l.value
                FROM (
                    SELECT run_id, name, count(*) AS n, min(step) AS first_step, max(step) AS last_step
                    FROM run_metric WHERE run_id = ? GROUP BY run_id, name
                ) AS m
                JOIN run_metric AS f ON f.run_id = m.run_id AND f.name = m.name AND f.step = m.first_step
                JOIN run_metric AS l ON l.run_id = m.run_id AND l.name = m.name AND l.step = m.last_step
                ORDER BY m.name
                """,
            arguments: [.integer(runID)]
        ).rows.compactMap { row -> Metric? in
            guard case .text(let name) = row[0], case .integer(let count) = row[1], case .integer(let step) = row[3]
            else { return nil }
            let (first, last) = (row[2], row[4])
            return Metric(
                name: name, count: Int(count), first: first.number, lastStep: Int(step), last: last.number,
                curve: curves[name] ?? [])
        }
    }

    /// Every metric's curve, cut into stretches of equally many steps.
    private static func curves(of runID: Int64, in catalog: Catalog) throws -> [String: [Double]] {
        var curves: [String: [Double]] = [:]
        let stretches = try catalog.rows(
            sql: """
                SELECT m.name, (m.step - e.first) * ? / (e.last - e.first + 1) AS stretch, avg(m.value)
                FROM run_metric AS m
                JOIN (
                    SELECT name, min(step) AS first, max(step) AS last FROM run_metric WHERE run_id = ? GROUP BY name
                ) AS e ON e.name = m.name
                WHERE m.run_id = ? GROUP BY m.name, stretch ORDER BY m.name, stretch
                """,
            arguments: [.integer(Int64(curvePoints)), .integer(runID), .integer(runID)])
        for row in stretches.rows {
            guard case .text(let name) = row[0] else { continue }
            curves[name, default: []].append(row[2].number ?? .nan)
        }
        return curves
    }

    /// The run as one object, which `--config` takes.
    var json: JSONValue {
        let run = overview.record
        return .object([
            "run_id": .integer(run.runID),
            "uuid": .text(run.uuid),
            "kind": .text(run.kind.rawValue),
            "status": .text(run.status.rawValue),
            "config": config,
            "seed": run.seed.map { .unsigned($0) } ?? .null,
            "inputs": .array(
                inputs.map { input in
                    .object([
                        "role": .text(input.role), "name": .text(input.name), "sha256": .text(input.sha256),
                        "bytes": JSONValue(input.bytes),
                    ])
                }),
            "software": .object([
                "version": .text(run.software.version), "revision": JSONValue(run.software.revision),
            ]),
            "host": .text(run.host),
            "started_at": .text(run.startedAt),
            "finished_at": JSONValue(run.finishedAt),
            "error": JSONValue(run.error),
            "summary": .text(overview.summary),
            "metrics": .array(
                metrics.map { metric in
                    .object([
                        "name": .text(metric.name), "n_points": JSONValue(metric.count),
                        "last_step": JSONValue(metric.lastStep), "last_value": JSONValue(metric.last),
                    ])
                }),
        ])
    }
}

extension CatalogValue {
    /// The value as a number, if it is one.
    var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .real(let number): number
        case .null, .text, .blob: nil
        }
    }
}
