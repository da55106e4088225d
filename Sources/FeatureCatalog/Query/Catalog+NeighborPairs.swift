extension Catalog {
    /// All features of a dictionary with their neighbours by decoder vectors, as indexing listed them; none where it did
    /// not.
    package func neighborPairs(dictionaryID: Int64) throws(CatalogError) -> [(feature: Int, neighbor: Int)] {
        // A text for each feature takes a tenth of the memory of a row for each pair.
        try rows(
            sql: """
                SELECT feature_index, group_concat(neighbor_index, ' ') FROM feature_neighbor WHERE dictionary_id = ?
                GROUP BY feature_index ORDER BY feature_index
                """,
            arguments: [.integer(dictionaryID)]
        ).rows.flatMap { row -> [(feature: Int, neighbor: Int)] in
            guard let feature = row[0].wholeNumber, let list = row[1].string else { return [] }
            return list.split(separator: " ").compactMap { Int($0) }.map { (feature, $0) }
        }
    }
}
