import GRDB

extension CatalogInspection {
    /// Checks the ranked lists of tokens and neighbours of every feature.
    mutating func checkLists() throws {
        let sizes = vocabularySizes
        try checkList(
            "feature_logit", other: "token_id", value: "value", group: "direction = 'suppressed'"
        ) { dictionary in
            dictionary.languageModelID.flatMap { sizes[$0] }.map { ($0, "tokens of the vocabulary") }
        }
        try checkList("feature_neighbor", other: "neighbor_index", value: "cosine", group: "0") {
            ($0.latentCount, "features")
        }
        try checkLogitHistograms()
        for table in ["intervention", "review"] {
            let rows = try read("SELECT dictionary_id, feature_index FROM \(table)")
            while try rows.next() {
                let (id, feature) = (try rows.integer(0), try rows.integer(1))
                guard let dictionary = dictionaries[Int64(id)], !(0..<dictionary.latentCount).contains(feature) else {
                    continue
                }
                add(table, "feature \(feature) of dictionary \(id), which has \(dictionary.latentCount)")
            }
        }
    }

    /// - Parameters:
    ///   - other: The column with the number of the listed item.
    ///   - value: The column of its value: descending, or ascending within `group`.
    ///   - group: A condition that separates two lists of a feature; where it holds, values ascend.
    ///   - bound: How many items there are, and what they are.
    private mutating func checkList(
        _ table: String, other: String, value: String, group: String,
        bound: (InspectedDictionary) -> (count: Int, what: String)?
    ) throws {
        let key = group == "0" ? "dictionary_id, feature_index" : "dictionary_id, feature_index, direction"
        let rows = try read(
            "SELECT dictionary_id, feature_index, \(group), rank, \(other), \(value) FROM \(table) ORDER BY \(key), rank"
        )
        var list = (dictionary: -1, feature: -1, group: -1)
        var (rank, last) = (0, Double.infinity)
        var dictionary: InspectedDictionary?
        var limit: (count: Int, what: String)?
        var isReported = false
        while try rows.next() {
            let next = (try rows.integer(0), try rows.integer(1), try rows.integer(2))
            if next != list {
                if next.0 != list.dictionary {
                    dictionary = dictionaries[Int64(next.0)]
                    limit = dictionary.flatMap(bound)
                }
                list = next
                (rank, last, isReported) = (0, .infinity, false)
            }

            let number = try rows.integer(4)
            let found = next.2 == 1 ? -(try rows.real(5)) : try rows.real(5)
            defer { (rank, last) = (rank + 1, found) }
            guard !isReported else { continue }
            var reason: String?
            if let dictionary, !(0..<dictionary.latentCount).contains(next.1) {
                reason = "the dictionary has \(dictionary.latentCount) latents"
            } else if let limit, !(0..<limit.count).contains(number) {
                reason = "\(other) is \(number), and there are \(limit.count) \(limit.what)"
            } else if other == "neighbor_index", number == next.1 {
                reason = "it is its own neighbour"
            } else if try rows.integer(3) != rank {
                reason = "rank \(try rows.integer(3)) stands where \(rank) should"
            } else if !(found <= last) {
                reason = "\(value) is not in the order of rank at rank \(rank)"
            }
            if let reason {
                add("\(table) of feature \(next.1) of dictionary \(next.0)", reason)
                isReported = true
            }
        }
    }
}
