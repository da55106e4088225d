import ActivationPipeline
import ArgumentParser
package import FeatureCatalog
import Foundation
import TerminalOutput

extension SearchHit.Scope: ExpressibleByArgument {}

struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "search",
        abstract: "Find features by words: in explanations, in promoted tokens, in the text they fire on.",
        discussion: """
            All terms have to occur in one text. A term of several words, quoted for the shell, is a phrase; one that \
            ends in * is the start of a word. Case and accents make no difference. The best features come first: \
            those with a matching explanation, those that promote a token with one of the words, then those that fire \
            in text that matches, on the words themselves before beside them. n_matches counts a feature's texts \
            that match among the best passages (24, or fewer that hold thousands of contexts), n_on_match those in which it fires on the words. Words that match \
            stand between **, the token that a feature fires on between « and ».

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
    @Option(help: "What to look through: explanations, tokens or contexts; by default all.")
    var scope: SearchHit.Scope?
    @Flag(name: .customLong("fts"), help: "Take the terms as an FTS5 query, with AND, OR, NOT and NEAR.")
    var isQuery = false
    @Option(help: "How many features at most, of each scope; 0 for all.")
    var limit = 20
    @Option(help: "Seconds after which it is stopped, printing included.")
    var timeLimit = ReadingBounds.defaultSeconds
    @OptionGroup var output: OutputOptions

    func validate() throws {
        try ReadingBounds.check(seconds: timeLimit)
        if limit < 0 { throw ValidationError("--limit is \(limit); allowed: from 1, or 0 for all") }
        if terms.allSatisfy({ $0.allSatisfy(\.isWhitespace) }) { throw ValidationError("say what to look for") }
    }

    func run() throws {
        try ReadingBounds.run(seconds: timeLimit, path: catalog.catalog) { deadline in
            let hits = try catalog.read { catalog in
                try catalog.bounded(seconds: deadline.remaining) { try find(in: catalog) }
            }

            let held = HeldOutput()
            output.print(
                columns: ["scope", "dictionary", "feature_index", "n_matches", "n_on_match", "text"],
                rows: hits.map { hit in
                    [
                        .text(hit.scope.rawValue), .text(hit.dictionary), Cell(hit.featureIndex), Cell(hit.matchCount),
                        hit.scope == .contexts ? Cell(hit.peakCount) : .null, shown(hit.text),
                    ]
                }, on: held)
            deadline.lift()
            held.release()
            if hits.isEmpty, output.format == .table { StandardStreams.remark("no text has all of these terms") }
        }
    }

    private func find(in catalog: Catalog) throws -> [SearchHit] {
        let dictionaryID = try dictionary.map { try StoredDictionary.record(named: $0, in: catalog).dictionaryID }
        // Repeated terms are redundant.
        var said: Set<String> = []
        let terms = isQuery ? terms : terms.filter { said.insert($0).inserted }
        let query = (isQuery ? terms : terms.map(Self.phrase)).joined(separator: " ")
        let count = limit == 0 ? Int(Int32.max) : limit
        return try (scope.map { [$0] } ?? SearchHit.Scope.allCases).flatMap { scope in
            switch scope {
            case .explanations:
                try catalog.searchExplanations(query, dictionaryID: dictionaryID, limit: count)
            case .tokens:
                try catalog.searchPromotedTokens(
                    isQuery ? [] : terms.map { $0.hasSuffix("*") ? String($0.dropLast()) : $0 },
                    dictionaryID: dictionaryID, limit: count)
            case .contexts: try catalog.searchContexts(query, dictionaryID: dictionaryID, limit: count)
            }
        }
    }

    /// A text; on a terminal, which cuts it, starting shortly before the first match.
    private func shown(_ text: String) -> Cell {
        let style = TerminalStyle.standardOutput()
        guard output.format == .table, let width = style.width, DisplayWidth.of(text) > width / 2,
            let place = text.range(of: "**")?.lowerBound
        else { return .text(text) }
        let start = text.index(place, offsetBy: -16, limitedBy: text.startIndex) ?? text.startIndex
        return .text((start > text.startIndex ? "…" : "") + text[start...])
    }

    /// A literal FTS5 term: in quotes, with the asterisk of a prefix behind them.
    private static func phrase(_ term: String) -> String {
        let isPrefix = term.hasSuffix("*")
        let words = (isPrefix ? String(term.dropLast()) : term).replacing("\"", with: "\"\"")
        return "\"\(words)\"" + (isPrefix ? " *" : "")
    }
}
