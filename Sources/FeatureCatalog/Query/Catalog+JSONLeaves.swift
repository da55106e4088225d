extension Catalog {
    /// The values of a JSON document by path, such as `model.layers`, in alphabetical order; arrays are values, and a
    /// text that is not JSON is a string. The path of a top-level value is empty.
    package func jsonLeaves(of json: String) throws(CatalogError) -> [(path: String, value: CatalogValue)] {
        try rows(
            sql: """
                SELECT substr(fullkey, 3), CASE type WHEN 'array' THEN value WHEN 'true' THEN 'true'
                    WHEN 'false' THEN 'false' ELSE atom END
                FROM json_tree(CASE WHEN json_valid(?1) THEN ?1 ELSE json_quote(?1) END)
                WHERE type <> 'object' AND fullkey NOT LIKE '%[%' ORDER BY fullkey
                """,
            arguments: [.text(json)]
        ).rows.compactMap { row in row[0].string.map { ($0, row[1]) } }
    }
}
