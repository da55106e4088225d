extension FeatureListing {
    /// The features of a page, in order.
    func page(_ limit: Int, in catalog: Catalog) throws(CatalogError) -> (features: [Int], total: Int?) {
        let end: [CatalogValue] = [.integer(Int64(limit)), .integer(Int64(offset))]
        guard !conditions.isEmpty || tokenClass != nil || features != nil else {
            if order?.name == "explanation" { return (try pageByExplanation(limit, in: catalog), nil) }
            // An index has them in order, or all rows are scanned.
            let result = try catalog.rows(
                sql:
                    "SELECT feature_index FROM \(source) WHERE \(filter) ORDER BY \(sort(in: source)) LIMIT ? OFFSET ?",
                arguments: arguments + end)
            return (Self.numbers(result), nil)
        }
        // Without ORDER BY, SQLite uses the conditions' indexes; otherwise it might scan all
        // features in order to find the few that match.
        let found = Self.numbers(
            try catalog.rows(
                sql: "SELECT feature_index FROM \(source) WHERE \(filter) LIMIT \(fewFeatures + 1)",
                arguments: arguments))
        if found.count <= fewFeatures {
            guard order != nil else {
                return (Array(found.sorted().dropFirst(offset).prefix(limit)), found.count)
            }

            var few = FeatureListing(key: key)
            few.features = found
            few.order = order
            few.isDescending = isDescending
            let result = try catalog.rows(
                sql: """
                    SELECT feature_index FROM \(source) WHERE \(few.filter)
                    ORDER BY \(few.sort(in: source, sign: "+")) LIMIT ? OFFSET ?
                    """,
                arguments: few.arguments + end)
            return (Self.numbers(result), found.count)
        }

        let (last, isOverflow) = offset.addingReportingOverflow(limit)
        if !isOverflow, let first = try firstInOrder(last, in: catalog) {
            return (Array(first.dropFirst(offset)), nil)
        }

        let key = order.map { ", \(Self.expression($0, in: source)) AS sorted" } ?? ""
        let sort = order == nil ? "feature_index" : "sorted \(isDescending ? "DESC" : "ASC") NULLS LAST, feature_index"
        let result = try catalog.rows(
            sql: """
                WITH found AS MATERIALIZED (SELECT feature_index\(key) FROM \(source) WHERE \(filter))
                SELECT feature_index, (SELECT count(*) FROM found) FROM found ORDER BY \(sort) LIMIT ? OFFSET ?
                """,
            arguments: arguments + end)
        guard case .integer(let total)? = result.rows.first?.last else { return ([], nil) }
        return (Self.numbers(result), Int(total))
    }

    /// A page of all features in the order of their explanations. The texts are sorted by themselves, since few features
    /// of a large dictionary have one; the others follow.
    private func pageByExplanation(_ limit: Int, in catalog: Catalog) throws(CatalogError) -> [Int] {
        let explained = """
            FROM explanation AS e CROSS JOIN feature AS f ON f.dictionary_id = e.dictionary_id
                AND f.feature_index = e.feature_index AND f.corpus_id = e.corpus_id
            WHERE e.dictionary_id = ? AND e.corpus_id = ? AND f.explanation_id = e.explanation_id
            """
        let first = Self.numbers(
            try catalog.rows(
                sql: """
                    SELECT f.feature_index \(explained)
                    ORDER BY e.text \(isDescending ? "DESC" : "ASC"), f.feature_index LIMIT ? OFFSET ?
                    """,
                arguments: arguments + [.integer(Int64(limit)), .integer(Int64(offset))]))
        guard first.count < limit else { return first }
        let count = Self.numbers(try catalog.rows(sql: "SELECT count(*) \(explained)", arguments: arguments))[0]
        let others = try catalog.rows(
            sql: """
                SELECT feature_index FROM feature WHERE \(filter) AND explanation_id IS NULL
                ORDER BY feature_index LIMIT ? OFFSET ?
                """,
            arguments: arguments + [.integer(Int64(limit - first.count)), .integer(Int64(max(0, offset - count)))])
        return first + Self.numbers(others)
    }

    /// The first `count` matching features, if they are soon found by scanning in order; nil if not.
    private func firstInOrder(_ count: Int, in catalog: Catalog) throws(CatalogError) -> [Int]? {
        guard features == nil, count <= fewFeatures else { return nil }
        let names = Set(conditions.map(\.column) + ["feature_index"]).sorted().map { "\"\($0)\"" }
        var filter = conditions.map(\.sql)
        var values: [CatalogValue] = [.integer(key.dictionaryID), .integer(key.corpusID)] + conditions.map(\.value)
        if let tokenClass {
            filter.append(
                """
                EXISTS (SELECT 1 FROM feature_token AS t WHERE t.dictionary_id = ? AND t.corpus_id = ?
                    AND t.feature_index = ordered.feature_index AND t.token_class = ?)
                """)
            values += [.integer(key.dictionaryID), .integer(key.corpusID), .text(tokenClass)]
        }

        let result = try catalog.rows(
            sql: """
                SELECT feature_index FROM (
                    SELECT \(names.joined(separator: ", ")) FROM \(source)
                    WHERE dictionary_id = ? AND corpus_id = ? ORDER BY \(sort(in: source)) LIMIT \(mostLookedAt)
                ) AS ordered WHERE \(filter.joined(separator: " AND ")) LIMIT ?
                """,
            arguments: values + [.integer(Int64(count))])
        return result.rows.count == count ? Self.numbers(result) : nil
    }
}
