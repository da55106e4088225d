import JSON

/// Prints rows in any of the formats, one after another.
///
/// All formats but tables are written row by row, so a million rows need no memory; a table is written at the
/// end, when the widths are known. What each format does with difficult values:
///
/// | | null | real | text | blob |
/// |---|---|---|---|---|
/// | table | empty | 4 significant digits | on one line, made visible | `<n bytes>` |
/// | json, jsonl | `null` | in full, `null` unless finite | escaped, control characters too | `{"bytes":n}` |
/// | csv | empty | in full | quoted where needed, `""` if empty | `<n bytes>` |
/// | tsv | empty | in full | `\t`, `\n`, `\r`, `\\` | `<n bytes>` |
/// | markdown | empty | in full | on one line, made visible, `\|` | `<n bytes>` |
///
/// Piped or redirected data is unchanged. On a terminal no format lets a control character through.
package struct RowPrinter {
    /// The names of the columns; repeated ones are numbered, as an object's keys must differ.
    package let columns: [String]
    /// The form of the output.
    package let format: OutputFormat
    /// The output's capabilities.
    package let style: TerminalStyle

    private let write: (String) -> Void
    private var rowCount = 0
    private var buffered: [[Cell]] = []

    /// Bytes of rows held until the output is finished: those of a table, none in other formats.
    package private(set) var heldByteCount = 0
    private var isFinished = false

    /// Starts the output, with a header in the formats that have one.
    ///
    /// - Parameters:
    ///   - columns: the names of the columns, in order.
    ///   - format: the form of the output.
    ///   - style: the output's capabilities.
    ///   - write: takes the pieces of the output, each ending with a line where the format does.
    package init(columns: [String], format: OutputFormat, style: TerminalStyle, write: @escaping (String) -> Void) {
        self.columns = Self.distinct(columns)
        self.format = format
        self.style = style
        self.write = write
        switch format {
        case .table, .jsonl: break
        case .json: write("[")
        case .csv: write(DelimitedText.csvLine(self.columns.map { .text($0) }, style: style))
        case .tsv: write(DelimitedText.tsvLine(self.columns.map { .text($0) }, style: style))
        case .markdown: write(MarkdownTable.header(self.columns))
        }
    }

    /// Prints one row.
    ///
    /// - Precondition: there are as many cells as columns, and `finish()` has not been called.
    package mutating func append(_ row: [Cell]) {
        precondition(row.count == columns.count, "a row of \(row.count) cells for \(columns.count) columns")
        precondition(!isFinished, "the output is finished")
        switch format {
        case .table:
            buffered.append(row)
            heldByteCount += row.reduce(64) { $0 + $1.byteCount }
        case .json: write((rowCount == 0 ? "\n  " : ",\n  ") + json(row))
        case .jsonl: write(json(row) + "\n")
        case .csv: write(DelimitedText.csvLine(row, style: style))
        case .tsv: write(DelimitedText.tsvLine(row, style: style))
        case .markdown: write(MarkdownTable.line(row))
        }
        rowCount += 1
    }

    private func json(_ row: [Cell]) -> String { JSONWriter.row.text(.object(JSONObject(columns: columns, row: row))) }

    /// Ends the output. Does nothing the second time.
    package mutating func finish() {
        guard !isFinished else { return }
        isFinished = true
        switch format {
        case .table: TableDrawing(columns: columns, rows: buffered, style: style).draw(write)
        case .json: write(rowCount == 0 ? "]\n" : "\n]\n")
        case .jsonl, .csv, .tsv, .markdown: break
        }
        buffered = []
        heldByteCount = 0
    }

    /// The rows as one text.
    package static func render(
        columns: [String],
        rows: some Sequence<[Cell]>,
        format: OutputFormat,
        style: TerminalStyle = .plain
    ) -> String {
        var text = ""
        withoutActuallyEscaping({ text += $0 }) { write in
            var printer = RowPrinter(columns: columns, format: format, style: style, write: write)
            for row in rows { printer.append(row) }
            printer.finish()
        }
        return text
    }

    /// Numbers the repetitions of a name: `a`, `a_2`, `a_3`.
    private static func distinct(_ columns: [String]) -> [String] {
        var taken = Set(columns)
        var seen: Set<String> = []
        return columns.map { column in
            if seen.insert(column).inserted { return column }
            var number = 2
            while !taken.insert("\(column)_\(number)").inserted { number += 1 }
            return "\(column)_\(number)"
        }
    }
}
