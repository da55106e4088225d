extension FeatureListing {
    /// The rows, and their number without the limit; nil if that was too expensive to count.
    ///
    /// First the features are found, reading only the columns of conditions and order; then the displayed columns are
    /// read for those few.
    package func rows(in catalog: Catalog) throws(CatalogError) -> (result: QueryResult, total: Int?) {
        var listing = self
        if let tokenClass, !conditions.isEmpty {
            let another = try catalog.rows(
                sql: """
                    SELECT 1 FROM feature_token WHERE dictionary_id = ? AND corpus_id = ? AND token_class = ?
                    LIMIT 1 OFFSET \(mostLookedAt)
                    """,
                arguments: [.integer(key.dictionaryID), .integer(key.corpusID), .text(tokenClass)])
            listing.isTokenFrequent = !another.rows.isEmpty
        }
        guard let limit else { return (try listing.allRows(in: catalog), nil) }
        let chosen = try listing.page(limit, in: catalog)
        let values = try values(of: chosen.features, in: catalog)
        return (
            QueryResult(columns: columns.map(\.name), rows: chosen.features.compactMap { values[$0] }), chosen.total
        )
    }

    /// The number of rows without the limit.
    package func count(in catalog: Catalog) throws(CatalogError) -> Int {
        let sql: String
        if let tokenClass, conditions.isEmpty, features == nil {
            sql = "SELECT count(*) FROM feature_token WHERE dictionary_id = ? AND corpus_id = ? AND token_class = ?"
            return try Self.number(
                catalog.rows(
                    sql: sql, arguments: [.integer(key.dictionaryID), .integer(key.corpusID), .text(tokenClass)]))
        }
        sql = "SELECT count(*) FROM \(source) WHERE \(filter)"
        return try Self.number(catalog.rows(sql: sql, arguments: arguments))
    }

    private func allRows(in catalog: Catalog) throws(CatalogError) -> QueryResult {
        let names = columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let view = "feature_summary"
        return try catalog.rows(
            sql: """
                SELECT \(names) FROM \(view) WHERE \(filter(in: view)) ORDER BY \(sort(in: view)) LIMIT -1 OFFSET ?
                """,
            arguments: arguments + [.integer(Int64(offset))])
    }

    /// The features that satisfy the conditions, without the limit; nil without conditions.
    package func featuresLeft(in catalog: Catalog) throws(CatalogError) -> Set<Int>? {
        guard !conditions.isEmpty || tokenClass != nil else { return nil }
        let result = try catalog.rows(
            sql: "SELECT feature_index FROM feature_summary WHERE \(filter)", arguments: arguments)
        return Set(Self.numbers(result))
    }

    /// The columns of some features, by number.
    package func values(of features: [Int], in catalog: Catalog) throws(CatalogError) -> [Int: [CatalogValue]] {
        var listing = FeatureListing(key: key)
        listing.features = features
        let names = (["feature_index"] + columns.map(\.name)).map { "\"\($0)\"" }.joined(separator: ", ")
        let result = try catalog.rows(
            sql: "SELECT \(names) FROM feature_summary WHERE \(listing.filter)", arguments: listing.arguments)
        return Dictionary(
            result.rows.compactMap { row -> (Int, [CatalogValue])? in
                if case .integer(let index) = row[0] { (Int(index), Array(row.dropFirst())) } else { nil }
            }, uniquingKeysWith: { first, _ in first })
    }

    private static func number(_ result: QueryResult) -> Int {
        guard case .integer(let number)? = result.rows.first?.first else { return 0 }
        return Int(number)
    }

    static func numbers(_ result: QueryResult) -> [Int] {
        result.rows.compactMap { if case .integer(let index) = $0[0] { Int(index) } else { nil } }
    }
}
