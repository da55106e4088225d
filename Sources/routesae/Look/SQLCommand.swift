import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import Foundation
import TerminalOutput

struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "sql",
        abstract: "Run a read-only SQL query on the catalog.",
        discussion: """
            One SELECT, on a connection that refuses everything else: no writing, no ATTACH, no extensions. The tables \
            and views are described in schema/README.md. Rows are printed as they come; a table, whose columns are \
            measured first, shows as many as fit into 32 MiB. Short results are printed once the statement has ended, \
            long ones by and by: a statement that is stopped may have printed a part.

            Examples:
              routesae sql c.sqlite 'SELECT * FROM dictionary_summary'
              routesae sql c.sqlite 'SELECT peak_layer, count(*) FROM feature GROUP BY 1'
              routesae sql c.sqlite - --format csv --limit 0 < query.sql > result.csv
              routesae sql c.sqlite 'SELECT name, type FROM sqlite_schema' --format jsonl
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: "The statement; '-', or none, reads it from standard input.")
    var query: String?
    @Option(help: "Seconds after which it is stopped, printing included.")
    var timeLimit = ReadingBounds.defaultSeconds
    @Option(help: "How many rows at most; 0 for all.")
    var limit = 10_000
    @OptionGroup var output: OutputOptions

    func validate() throws {
        try ReadingBounds.check(seconds: timeLimit)
        if limit < 0 { throw ValidationError("--limit is \(limit); allowed: from 1, or 0 for all") }
    }

    func run() throws {
        let sql = try statement()
        try ReadingBounds.run(seconds: timeLimit, path: catalog.catalog) { deadline in
            var printer: RowPrinter?
            let held = HeldOutput()
            var rowCount = 0
            let isTruncated = try catalog.read(atOnce: false) { catalog in
                try catalog.streamReadOnly(
                    sql: sql, timeLimit: deadline.remaining, rowLimit: limit == 0 ? Int.max : limit
                ) {
                    printer = output.printer(columns: $0, on: held)
                } row: { row in
                    guard printer?.heldByteCount ?? 0 <= ReadingBounds.tableByteCount else { return false }
                    printer?.append(row.map(Cell.init))
                    rowCount += 1
                    return true
                }
            }
            printer?.finish()
            deadline.lift()
            held.release()
            guard isTruncated else { return }
            StandardStreams.remark(
                rowCount == limit
                    ? "only the first \(Quantities.count(limit)) rows; --limit 0 gives all"
                    : "only the first \(Quantities.count(rowCount)) rows, which are as many as a table shows; "
                        + "--format csv gives all")
        }
    }

    private func statement() throws -> String {
        if let query, query != "-" { return query }
        if query == nil, isatty(0) == 1 {
            throw WorkflowError.usage("say what to ask: routesae sql CATALOG 'SELECT …', or - for standard input")
        }
        // The catalog refuses statements longer than this, so there is no need to read on.
        let data = try FileHandle.standardInput.read(upToCount: 1 << 21) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}
