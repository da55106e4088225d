public import ArgumentParser
public import FeatureCatalog
import Foundation
import TerminalOutput
import Workflows

extension Catalog.SearchScope: ExpressibleByArgument {}

struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Finds features by words in their explanations and contexts.",
        discussion: """
            All terms have to occur in one text. A term of several words, quoted for the shell, is a phrase; one that \
            ends in * is the start of a word. Case and accents make no difference. The best features come first, \
            explanations before contexts, with how many of a feature's texts match and the best of them.

            Examples:
              routesae search c.sqlite king
              routesae search c.sqlite 'the son of' --scope contexts --limit 50
              routesae search c.sqlite --fts 'NEAR(begat son) NOT king' --format jsonl
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: "Words and phrases.")
    var terms: [String]
    @Option(help: "Only this dictionary's features, by name or number; all dictionaries if not named.")
    var dictionary: String?
    @Option(help: "What to look through: contexts or explanations; both if not said.")
    var scope: Catalog.SearchScope?
    @Flag(name: .customLong("fts"), help: "The terms are a query in FTS5's own language, with AND, OR, NOT and NEAR.")
    var isQuery = false
    @Option(help: "How many features at most, of each scope; 0 for all.")
    var limit = 20
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit is \(limit); allowed: from 1, or 0 for all") }
        if terms.allSatisfy({ $0.allSatisfy(\.isWhitespace) }) { throw ValidationError("say what to look for") }
    }

    func run() throws {
        try catalog.read { catalog in
            let dictionaryID = try dictionary.map { try StoredDictionary.record(named: $0, in: catalog).dictionaryID }
            let text = (isQuery ? terms : terms.map(Self.phrase)).joined(separator: " ")
            let scopes = scope.map { [$0] } ?? [.explanations, .contexts]
            var columns: [String] = []
            var rows: [[Cell]] = []
            for scope in scopes {
                let result = try catalog.search(
                    text, in: scope, dictionaryID: dictionaryID, limit: limit == 0 ? Int(Int32.max) : limit)
                columns = ["scope"] + result.columns
                rows += result.rows.map { row in [.text(scope.rawValue)] + row.dropLast().map(Cell.init) + [shown(row)]
                }
            }
            output.print(columns: columns, rows: rows)
            if rows.isEmpty, output.format == .table { StandardStreams.remark("no text has all of these terms") }
        }
    }

    /// The text of a row, the last of its values. On a terminal, which cuts it, it begins shortly before the first term.
    private func shown(_ row: [CatalogValue]) -> Cell {
        guard case .text(let text)? = row.last else { return .null }
        let style = TerminalStyle.standardOutput()
        guard output.format == .table, let width = style.width, DisplayWidth.of(text) > width / 2 else {
            return .text(text)
        }
        let words = terms.flatMap { $0.split { !($0.isLetter || $0.isNumber) } }
        let places = words.compactMap { text.range(of: $0, options: .caseInsensitive)?.lowerBound }
        guard let place = places.min() else { return .text(text) }
        let start = text.index(place, offsetBy: -16, limitedBy: text.startIndex) ?? text.startIndex
        return .text((start > text.startIndex ? "…" : "") + text[start...])
    }

    /// A term as FTS5 takes it literally: in quotes, the asterisk of a prefix behind them.
    private static func phrase(_ term: String) -> String {
        let isPrefix = term.hasSuffix("*")
        let words = (isPrefix ? String(term.dropLast()) : term).replacing("\"", with: "\"\"")
        return "\"\(words)\"" + (isPrefix ? " *" : "")
    }
}
