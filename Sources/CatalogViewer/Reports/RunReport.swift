package import FeatureCatalog
package import JSON
import TerminalOutput

/// Everything known about one run.
package struct RunReport {
    /// Points of a curve drawn in one line.
    private static let curvePoints = 32

    /// The one-line summary.
    package let overview: RunOverview
    /// Its configuration.
    package let config: JSONValue
    /// The files it read.
    package let inputs: [RunInput]
    /// Its curves by name.
    package let metrics: [RunCurve]
    /// The points of `loss`, in order of steps.
    package let loss: [RunMetric]

    /// Reads a run.
    ///
    /// - Parameter number: how numbers of the summary are written.
    /// - Throws: `CatalogError` `.notFound`.
    package init(
        _ runID: Int64, in catalog: Catalog, number: (Double) -> String = { Quantities.significant($0) }
    ) throws {
        let record = try catalog.run(runID)
        overview = try RunOverview(record, in: catalog, number: number)
        config = JSONValue(parsing: record.configJSON)
        inputs = try catalog.runInputs(runID)
        loss = try catalog.runMetrics(runID, name: "loss")
        metrics = try catalog.runCurves(runID, stretches: RunReport.curvePoints)
    }

    /// The run as one object, which a command takes as its configuration.
    ///
    /// - Parameter spelling: turns names of settings in messages into what a person types.
    package func json(spelling: (String) -> String) -> JSONValue {
        let run = overview.record
        return .object([
            "run_id": JSONValue(run.runID),
            "uuid": .string(run.uuid),
            "kind": .string(run.kind.rawValue),
            "status": .string(run.status.rawValue),
            "config": config,
            "seed": JSONValue(run.seed),
            "inputs": .array(
                inputs.map { input in
                    .object([
                        "role": .string(input.role), "name": .string(input.name), "sha256": .string(input.sha256),
                        "bytes": JSONValue(input.bytes),
                    ])
                }),
            "software": .object([
                "version": .string(run.software.version), "revision": JSONValue(run.software.revision),
            ]),
            "host": .string(run.host),
            "started_at": .string(run.startedAt),
            "finished_at": JSONValue(run.finishedAt),
            "error": JSONValue(run.error),
            "summary": .string(overview.summary(spelling: spelling)),
            "metrics": .array(
                metrics.map { metric in
                    .object([
                        "name": .string(metric.name), "n_points": JSONValue(metric.count),
                        "last_step": JSONValue(metric.lastStep), "last_value": JSONValue(metric.last),
                    ])
                }),
        ])
    }
}
