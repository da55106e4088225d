import ActivationPipeline
package import FeatureCatalog
package import LinearAlgebra

/// Compares two catalogs: what only one of them has, and how the rows of both differ.
///
/// Times, hosts and random identifiers do not count: catalogs made twice from the same inputs, settings and seed are
/// equal.
package struct CatalogComparison {
    let a: Catalog
    let b: Catalog
    let workers: Workers
    let cancelled: () -> Bool
    let progress: (_ what: String, _ done: Int, _ total: Int) -> Void

    /// Features listed with the largest difference in firings.
    static let listedFeatures = 10

    /// Describes a comparison.
    ///
    /// - Parameters:
    ///   - cancelled: polled during the work.
    ///   - progress: told the current step and its progress.
    package init(
        _ a: Catalog, with b: Catalog, workers: Workers, cancelled: @escaping () -> Bool = { false },
        progress: @escaping (_ what: String, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
    ) {
        self.a = a
        self.b = b
        self.workers = workers
        self.cancelled = cancelled
        self.progress = progress
    }

    /// Runs the comparison.
    ///
    /// - Throws: `CatalogError`; `WorkflowError.interrupted`, `.refused` where two dictionaries do not fit into memory.
    package func run() throws -> CatalogDifference {
        var result = CatalogDifference()
        let tables = zip(try digests(of: a), try digests(of: b)).filter { $0.sha256 != $1.sha256 }
        try compareRuns(into: &result)
        try compareModels(into: &result)
        try compareCorpora(into: &result)
        try compareDictionaries(into: &result, changedTables: Set(tables.map(\.0.table)))
        // Tables of an index are compared per index, unless that found nothing.
        let isExplained = !result.isEqual
        for (one, other) in tables where !(isExplained && Self.indexTables.contains(one.table)) {
            result.add(.table, "all", one.table, .text(one.sha256), .text(other.sha256))
        }

        let order = Dictionary(
            uniqueKeysWithValues: CatalogDifference.Section.allCases.enumerated().map { ($1, $0) })
        result.rows = result.rows.enumerated().sorted { one, other in
            (order[one.element.section] ?? 0, one.offset) < (order[other.element.section] ?? 0, other.offset)
        }.map(\.element)
        return result
    }

    /// Tables that hold rows of indexes.
    static let indexTables: Set<String> = [
        "indexing", "feature", "feature_layer", "feature_token", "feature_cofiring", "feature_context",
    ]

    private func digests(of catalog: Catalog) throws -> [(table: String, sha256: String)] {
        if cancelled() { throw WorkflowError.interrupted("the comparison was not finished") }
        return try catalog.contentDigests()
    }

    /// Pairs of equal things, and the positions of those that only one catalog has.
    ///
    /// - Parameter keys: ways to recognise equal things, the most reliable first.
    static func pairs<Thing>(
        _ a: [Thing], _ b: [Thing], by keys: [(Thing) -> String]
    ) -> (both: [(Int, Int)], onlyA: [Int], onlyB: [Int]) {
        var both: [(Int, Int)] = []
        var (onlyA, onlyB) = (Array(a.indices), Array(b.indices))
        for key in keys {
            var waiting = Dictionary(grouping: onlyB) { key(b[$0]) }
            for index in onlyA {
                guard let found = waiting[key(a[index])]?.first else { continue }
                waiting[key(a[index])]?.removeFirst()
                both.append((index, found))
            }

            let (pairedA, pairedB) = (Set(both.map(\.0)), Set(both.map(\.1)))
            onlyA.removeAll { pairedA.contains($0) }
            onlyB.removeAll { pairedB.contains($0) }
        }
        return (both.sorted { $0.0 < $1.0 }, onlyA, onlyB)
    }
}
