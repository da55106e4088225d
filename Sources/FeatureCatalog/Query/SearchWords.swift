/// Limits the words of a full-text query. SQLite compares every word with every other for each matching text:
/// thousands of them take minutes, during which it cannot be interrupted.
enum SearchWords {
    /// Words that a query may have.
    static let limit = 100
    /// Bytes that a query may have.
    static let byteLimit = 1 << 16

    /// - Throws: `CatalogError` `.refused` for a query of too many words.
    static func check(_ query: String, path: String) throws(CatalogError) {
        guard query.utf8.count <= byteLimit, count(query) <= limit else {
            throw CatalogError(.refused, "\(path): the query has more than \(limit) words; search for fewer")
        }
    }

    /// FTS5's operators, which do not count as words.
    private static let operators: Set<String> = ["AND", "OR", "NOT", "NEAR"]

    /// The number of runs of letters and digits in a query.
    private static func count(_ query: String) -> Int {
        query.unicodeScalars.split { scalar in
            switch scalar.properties.generalCategory {
            case .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .connectorPunctuation,
                .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
                .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
                true
            default: false
            }
        }.count { !operators.contains(String($0)) }
    }
}
