import ActivationPipeline
package import FeatureCatalog
package import LinearAlgebra

/// The features of a dictionary with decoder rows similar to one feature's.
package struct SimilarFeatures {
    /// The feature.
    package let feature: Int
    private let record: DictionaryRecord
    private let catalog: Catalog
    private let workers: Workers

    /// Selects a feature.
    ///
    /// - Throws: `WorkflowError.usage` where the dictionary has no such feature.
    package init(to feature: Int, of record: DictionaryRecord, in catalog: Catalog, workers: Workers) throws {
        guard (0..<record.latentCount).contains(feature) else {
            throw WorkflowError.usage(
                "there is no feature \(feature); dictionary \"\(record.name)\" has 0 … \(record.latentCount - 1)")
        }
        self.feature = feature
        self.record = record
        self.catalog = catalog
        self.workers = workers
    }

    /// The nearest features: descending cosines, ties by ascending number, never the feature itself.
    ///
    /// They come from the list written by indexing if it is long enough, else from the decoder.
    ///
    /// - Parameters:
    ///   - count: how many at most; nil for all.
    ///   - among: only these; nil for all.
    ///   - offset: how many to skip first.
    /// - Returns: none for a feature without a direction.
    /// - Throws: `CatalogError`, `WorkflowError.refused`.
    package func nearest(
        _ count: Int?, among: Set<Int>? = nil, skipping offset: Int = 0
    ) throws -> [NearestFeatures.Match] {
        func chosen(_ matches: [NearestFeatures.Match]) -> [NearestFeatures.Match] {
            let some = matches.lazy.filter { among?.contains($0.featureIndex) ?? true }.dropFirst(offset)
            return Array(some.prefix(count ?? .max))
        }
        if let count {
            let listed = try catalog.neighbors(dictionaryID: record.dictionaryID, featureIndex: feature)
            let matches = chosen(
                listed.map { NearestFeatures.Match(featureIndex: $0.neighborIndex, cosine: $0.cosine) })
            if matches.count == count { return matches }
        }

        let decoder = try StoredDecoder(of: record, in: catalog).matrix
        let cosines = NearestFeatures(decoder: decoder, workers: workers).cosines(to: feature)
        let sorted = cosines.indices.filter { !cosines[$0].isNaN }.sorted {
            (cosines[$0], $1) > (cosines[$1], $0)
        }
        return chosen(sorted.map { NearestFeatures.Match(featureIndex: $0, cosine: cosines[$0]) })
    }
}
