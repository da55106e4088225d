import ActivationPipeline
import FeatureCatalog
import Indexing
import JSON

/// Features found by words.
struct SearchPage: Page {
    /// Features of each scope.
    private static let most = 30
    /// Characters of a text between two marks; the middle of more is left out.
    private static let longestRun = 600
    /// Characters of a hit's text that are looked at.
    private static let mostCharacters = 20_000

    private let words: String?
    private let found: [(scope: SearchHit.Scope, hits: Part<[SearchHit]>)]
    /// Addresses by the dictionary's name.
    private let links: [String: DictionaryLinks]
    /// The dictionary that is searched alone, as the address names it.
    private let chosen: String?
    private let isAlone: Bool
    /// What the features found are called, by dictionary.
    private let names: [String: [Int: FeatureName]]

    init(_ visit: Visit) throws {
        words = visit.query["q"]
        isAlone = visit.dictionaries.count < 2
        let catalog = visit.catalog
        let record = try visit.query["dictionary"].map { try StoredDictionary.record(named: $0, in: catalog) }
        chosen = record.map { visit.reference(to: $0) }
        let dictionaryID = record?.dictionaryID
        guard let words, !SearchTerms(words).words.isEmpty else {
            (found, names, links) = ([], [:], [:])
            return
        }
        let terms = SearchTerms(words)
        found = SearchHit.Scope.allCases.map { scope in
            (
                scope,
                Part {
                    switch scope {
                    case .explanations:
                        try catalog.searchExplanations(terms.query, dictionaryID: dictionaryID, limit: Self.most)
                    case .tokens:
                        try catalog.searchPromotedTokens(terms.words, dictionaryID: dictionaryID, limit: Self.most)
                    case .contexts:
                        try catalog.searchContexts(terms.query, dictionaryID: dictionaryID, limit: Self.most)
                    }
                }
            )
        }
        let hits = Dictionary(grouping: found.flatMap { $0.hits.value ?? [] }, by: \.dictionary)
        var names: [String: [Int: FeatureName]] = [:]
        var links: [String: DictionaryLinks] = [:]
        for (name, hits) in hits {
            guard let record = visit.dictionaries.first(where: { $0.name == name }) else { continue }
            links[name] = try visit.links(to: record)
            guard let key = try catalog.indexings(dictionaryID: record.dictionaryID).last?.key else { continue }
            names[name] = try FeatureName.of(hits.map(\.featureIndex), key, in: catalog)
        }
        (self.names, self.links) = (names, links)
    }

    var title: String { words.map { "“\($0)”" } ?? "Search" }
    var address: Address {
        Address(["search"], words.map { [("q", $0)] } ?? []).with("dictionary", chosen)
    }
    var section: Shell.Section { .none }

    var content: HTML {
        guard let words, !found.isEmpty else {
            return """
                <h1>Search</h1><p class="hint">Words in explanations, in the tokens that features promote, and in the \
                text they \
                fire on. Words between quotes are a phrase; <code>begat*</code> is the start of a word.</p>
                """
        }
        let isEmpty = found.allSatisfy { $0.hits.value?.isEmpty ?? false }
        let none: HTML = isEmpty ? "<p class=\"hint\">No text has all of these words.</p>" : ""
        return "<h1>Search <span class=\"of\"><bdi>\(words)</bdi></span></h1>\(none)\(found.map(section))"
    }

    private func section(_ scope: SearchHit.Scope, _ hits: Part<[SearchHit]>) -> HTML {
        let list = hits.drawn { hits in
            guard !hits.isEmpty else { return "" }
            let rows = hits.map { hit -> HTML in
                let target = links[hit.dictionary]?.feature(hit.featureIndex) ?? .catalog
                let several: HTML =
                    isAlone ? "" : "<small class=\"dim\"><bdi>\(hit.dictionary)</bdi></small> "
                let count: HTML =
                    scope == .contexts
                    ? """
                    <small class="n">\(hit.matchCount) \(hit.matchCount == 1 ? "context" : "contexts"), \
                    \(hit.peakCount) on the words</small>
                    """ : ""
                let name = names[hit.dictionary]?[hit.featureIndex]
                let meaning: HTML =
                    scope == .explanations ? "" : "<a class=\"name\" href=\"\(target)\">\(name?.short)</a> "
                return """
                    <li><a class="id" href="\(target)">\(hit.featureIndex)</a><div>\(meaning)\(several)\(count)\
                    <div class="ctx">\(Self.marked(String(hit.text.prefix(Self.mostCharacters))))</div></div></li>
                    """
            }
            // A token is short enough for the line of its feature.
            return scope == .tokens ? "<ol class=\"hits short\">\(rows)</ol>" : "<ol class=\"hits\">\(rows)</ol>"
        }
        guard !list.isEmpty else { return "" }
        let title =
            switch scope {
            case .explanations: "In explanations"
            case .tokens: "In promoted tokens"
            case .contexts: "In contexts"
            }
        return "<section><h2>\(title)</h2>\(list)</section>"
    }

    /// A hit's text: what stands between pairs of asterisks is marked, the peak between guillemets underlined.
    static func marked(_ text: String) -> HTML {
        var html: HTML = ""
        var (isMarked, isPeak) = (false, false)
        var run = ""
        func flush() {
            guard !run.isEmpty else { return }
            let shown = TokenText.shown(run, longest: longestRun)
            switch (isMarked, isPeak) {
            case (true, true): html += "<mark class=\"pk\">\(shown)</mark>"
            case (true, false): html += "<mark>\(shown)</mark>"
            case (false, true): html += "<b class=\"pk\">\(shown)</b>"
            case (false, false): html += "\(shown)"
            }
            run = ""
        }
        var rest = text[...]
        while let character = rest.first {
            if rest.hasPrefix("**") {
                flush()
                isMarked.toggle()
                rest = rest.dropFirst(2)
                continue
            }
            if character == "«" || character == "»" {
                flush()
                isPeak = character == "«"
            } else {
                run.append(character)
            }
            rest = rest.dropFirst()
        }
        flush()
        return html
    }

    var json: JSONValue {
        get throws {
            let hits = try found.flatMap { scope, hits in
                try hits.get().map { hit -> JSONValue in
                    .object([
                        "scope": .string(scope.rawValue), "dictionary": .string(hit.dictionary),
                        "feature_index": JSONValue(hit.featureIndex), "n_matches": JSONValue(hit.matchCount),
                        "n_on_match": JSONValue(hit.peakCount), "text": .string(hit.text),
                    ])
                }
            }
            return .object(["query": JSONValue(words), "hits": .array(hits)])
        }
    }
}
