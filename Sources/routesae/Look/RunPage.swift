import CatalogViewer
import FeatureCatalog
import JSON
import TerminalOutput

/// One run as a page for people.
struct RunPage {
    private let report: RunReport
    private let style: TerminalStyle

    init(_ report: RunReport, style: TerminalStyle) throws {
        self.report = report
        self.style = style
        config = VisibleText.of(report.config.document(onOneLine: false), keepingLines: true)
    }

    private let config: String

    /// The page.
    var text: String {
        let run = report.overview.record
        var page = PageText(style: style)
        page.title("run \(run.runID): \(run.kind.rawValue), \(run.status.rawValue)")
        page.field("result", report.overview.results)
        page.field("error", OptionNames.spelled(run.error ?? ""), paint: .red)
        page.field("started", run.startedAt)
        page.field("took", report.overview.duration ?? "")
        page.field("by", run.software.version + (run.software.revision.map { " (\($0))" } ?? "") + " on " + run.host)
        page.field("seed", run.seed.map { "\($0)" } ?? "none")
        page.field("uuid", run.uuid)
        page.section("config")
        page.text += config
        if !report.inputs.isEmpty {
            page.section("inputs")
            page.text += RowPrinter.render(
                columns: ["role", "name", "size", "sha256"],
                rows: report.inputs.map { input in
                    [.text(input.role), .text(input.name), .text(Quantities.bytes(input.bytes)), .text(input.sha256)]
                },
                format: .table, style: style)
        }
        drawLoss(on: &page)
        if !report.metrics.isEmpty {
            page.section("metrics")
            page.text += RowPrinter.render(
                columns: ["metric", "points", "first", "last_step", "last", "curve"],
                rows: report.metrics.map { metric in
                    [
                        .text(metric.name), Cell(metric.count), Cell(metric.first), Cell(metric.lastStep),
                        Cell(metric.last), .text(metric.count > 1 ? Sparkline.draw(metric.means) : ""),
                    ]
                },
                format: .table, style: style)
        }
        return page.text
    }

    private func drawLoss(on page: inout PageText) {
        let points = report.loss.compactMap { metric in
            metric.value.map { LineChart.Point(x: Double(metric.step), y: $0) }
        }
        guard points.count > 1 else { return }
        let values = points.map(\.y)
        // A curve that falls by orders of magnitude would lie on the axis.
        let isLogarithmic = values.allSatisfy { $0 > 0 } && (values.max() ?? 0) > 10 * (values.min() ?? 0)
        page.section("loss by step" + (isLogarithmic ? ", logarithmic" : ""))
        let width = min(100, max(20, (style.width ?? 80) - 12))
        page.text += LineChart(points: points, width: width, isLogarithmic: isLogarithmic).draw(style: style)
    }
}
