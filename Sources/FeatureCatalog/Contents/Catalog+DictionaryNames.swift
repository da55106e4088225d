extension Catalog {
    /// A name that no dictionary has: the one wanted, or that with the first free number behind it, `NAME-2` …
    ///
    /// - Parameter reserved: names that are about to be given.
    package func freeDictionaryName(_ wanted: String, besides reserved: Set<String> = []) throws(CatalogError) -> String
    {
        let taken = Set(try dictionaries().map(\.name)).union(reserved)
        var name = wanted
        var number = 2
        while taken.contains(name) {
            name = "\(wanted)-\(number)"
            number += 1
        }
        return name
    }
}
