import ArgumentParser
import FeatureCatalog
import Foundation
import TerminalOutput
import Workflows

struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql",
        abstract: "Asks the catalog in SQL; it can only be read.",
        discussion: """
            One SELECT, on a connection that refuses everything else: no writing, no ATTACH, no extensions. The tables \
            and views are described in schema/README.md.

            Examples:
              routesae sql c.sqlite 'SELECT * FROM dictionary_summary'
              routesae sql c.sqlite 'SELECT peak_layer, count(*) FROM feature GROUP BY 1'
              routesae sql c.sqlite - --format csv --limit 0 < query.sql > result.csv
              routesae sql c.sqlite 'SELECT name, type FROM sqlite_schema' --format jsonl
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: "The statement; '-', or none, reads it from standard input.")
    var query: String?
    @Option(help: "Seconds after which it is stopped.")
    var timeLimit = 10.0
    @Option(help: "How many rows at most; 0 for all.")
    var limit = 10_000
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard timeLimit > 0, timeLimit <= 1_000_000 else {
            throw ValidationError("--time-limit is \(timeLimit); allowed: seconds above 0, up to 1000000")
        }
        if limit < 0 { throw ValidationError("--limit is \(limit); allowed: from 1, or 0 for all") }
    }

    func run() throws {
        try catalog.read { catalog in
            let result = try catalog.runReadOnly(
                sql: try statement(), timeLimit: timeLimit, rowLimit: limit == 0 ? Int.max : limit)
            output.print(result)
            guard result.isTruncated else { return }
            StandardStreams.remark(
                result.rows.count == limit
                    ? "only the first \(Quantities.count(limit)) rows; --limit 0 gives all"
                    : "only the first \(Quantities.count(result.rows.count)) rows, which are as many as memory holds")
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
