import ActivationPipeline
import ArgumentParser
import CatalogViewer
import FeatureCatalog
import JSON
import TerminalOutput

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "runs",
        abstract: "List the runs of a catalog, or show one with its settings, inputs and curves.",
        discussion: """
            Without a number, a row for every run. With one, all that is known of it; its JSON is what --config takes.

            Examples:
              routesae runs c.sqlite
              routesae runs c.sqlite 1
              routesae runs c.sqlite 1 --format json > run.json
              routesae train d.sqlite --config run.json
              routesae runs c.sqlite 1 --metrics loss --format csv > loss.csv
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: ArgumentHelp("A run's number.", valueName: "run"))
    var number: Int64?
    @Option(help: ArgumentHelp("Print the points of this curve: rows of step and value.", valueName: "name"))
    var metrics: String?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if metrics != nil, number == nil { throw ValidationError("--metrics needs the number of a run") }
    }

    func run() throws {
        try catalog.read { catalog in
            guard let number else {
                let runs = try catalog.runs().map { try RunOverview($0, in: catalog) }
                if runs.isEmpty, output.format == .table { StandardStreams.remark("nothing has been done yet") }
                return show(runs)
            }
            if let metrics { return try printCurve(metrics, of: number, in: catalog) }
            switch output.format {
            case .table:
                let page = try RunPage(RunReport(number, in: catalog), style: .standardOutput())
                StandardStreams.write(page.text)
            case .json, .jsonl:
                let report = try RunReport(number, in: catalog)
                StandardStreams.write(
                    report.json(spelling: OptionNames.spelled).document(onOneLine: output.format == .jsonl))
            case .csv, .tsv, .markdown:
                show([try RunOverview(try catalog.run(number), in: catalog)])
            }
        }
    }

    private func show(_ runs: [RunOverview]) {
        guard output.format == .table else {
            return output.print(
                columns: ["run_id", "kind", "status", "started_at", "duration_seconds", "seed", "summary"],
                rows: runs.map { row($0, started: $0.record.startedAt, duration: Cell($0.seconds)) })
        }
        output.print(
            columns: ["run", "kind", "status", "started (UTC)", "duration", "seed", "summary"],
            rows: runs.map { row($0, started: $0.start, duration: Cell($0.duration)) })
    }

    private func row(_ run: RunOverview, started: String, duration: Cell) -> [Cell] {
        [
            .integer(run.record.runID), .text(run.record.kind.rawValue), .text(run.record.status.rawValue),
            .text(started), duration, run.seed, .text(run.summary(spelling: OptionNames.spelled)),
        ]
    }

    private func printCurve(_ name: String, of number: Int64, in catalog: Catalog) throws {
        let points = try catalog.runMetrics(number, name: name)
        if points.isEmpty {
            let known = try RunReport(number, in: catalog).metrics.map(\.name)
            throw WorkflowError.usage(
                known.isEmpty
                    ? "run \(number) has no metrics"
                    : "run \(number) has no metric '\(name)'; there are \(known.joined(separator: ", "))")
        }
        output.print(columns: ["step", "value"], rows: points.lazy.map { [Cell($0.step), Cell($0.value)] })
    }
}
