import ArgumentParser
import FeatureCatalog
@preconcurrency import Glibc
package import TerminalOutput

extension OutputFormat: ExpressibleByArgument {}

/// How rows are printed; shared by every command that prints rows.
struct OutputOptions: ParsableArguments {
    @Option(help: "How rows are printed: table, json, jsonl, csv, tsv or markdown.")
    var format: OutputFormat = .table

    /// Prints rows on standard output one by one.
    func printer(columns: [String]) -> RowPrinter {
        RowPrinter(columns: columns, format: format, style: .standardOutput()) { fputs($0, stdout) }
    }

    /// Prints rows to held output.
    func printer(columns: [String], on held: HeldOutput) -> RowPrinter {
        RowPrinter(columns: columns, format: format, style: .standardOutput(), write: held.write)
    }

    /// Prints rows on standard output.
    func print(columns: [String], rows: some Sequence<[Cell]>) {
        var printer = printer(columns: columns)
        for row in rows { printer.append(row) }
        printer.finish()
    }

    /// Prints rows to held output.
    func print(columns: [String], rows: some Sequence<[Cell]>, on held: HeldOutput) {
        var printer = printer(columns: columns, on: held)
        for row in rows { printer.append(row) }
        printer.finish()
    }

    /// Prints one row; as JSON a plain object instead of an array of one.
    func printObject(_ fields: [(name: String, value: Cell)]) {
        if format == .json {
            var printer = RowPrinter(columns: fields.map(\.name), format: .jsonl, style: .standardOutput()) {
                fputs($0, stdout)
            }
            printer.append(fields.map(\.value))
            printer.finish()
        } else {
            print(columns: fields.map(\.name), rows: [fields.map(\.value)])
        }
    }

    /// Prints a query's result.
    func print(_ result: QueryResult) {
        print(columns: result.columns, rows: result.rows.lazy.map { $0.map(Cell.init) })
    }
}

extension Cell {
    /// A value of the catalog.
    init(_ value: CatalogValue) {
        self =
            switch value {
            case .null: .null
            case .integer(let number): .integer(number)
            case .real(let number): .real(number)
            case .text(let text): .text(text)
            case .blob(let bytes): .blob(byteCount: bytes.count)
            }
    }
}
