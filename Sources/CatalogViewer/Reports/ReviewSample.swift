package import ActivationPipeline
package import FeatureCatalog
import FeatureScoring

/// The features that a person judges blind, in the order in which they are shown.
package struct ReviewSample: Sendable {
    /// The index whose contexts are shown.
    package let index: IndexedDictionary
    /// The features, judged or not.
    package let features: [Int]

    /// Draws features among those with an explanation, or among all that fire where there is none.
    ///
    /// - Parameters:
    ///   - count: how many at most.
    ///   - seed: of the draw. A smaller sample is the beginning of a larger one.
    /// - Throws: `WorkflowError.refused` for a dictionary in which no feature fires; `CatalogError`.
    package init(of index: IndexedDictionary, count: Int, seed: UInt64, in catalog: Catalog) throws {
        var candidates = try catalog.explainedFeatures(index.key)
        if candidates.isEmpty { candidates = try catalog.firingFeatures(index.key) }
        guard !candidates.isEmpty else {
            throw WorkflowError.refused("dictionary \"\(index.record.name)\" has no feature that fires")
        }
        self.index = index
        features = SeededPermutation.permutation(count: candidates.count, seed: seed).prefix(count)
            .map { candidates[$0] }
    }

    /// Takes exactly these features.
    ///
    /// - Throws: `WorkflowError.usage` for one that is not there.
    package init(of index: IndexedDictionary, features: [Int]) throws(WorkflowError) {
        if let wrong = features.first(where: { !(0..<index.record.latentCount).contains($0) }) {
            throw .usage("there is no feature \(wrong); the dictionary has 0 … \(index.record.latentCount - 1)")
        }
        self.index = index
        self.features = features
    }

    /// The features that a person has not judged yet.
    ///
    /// - Throws: `CatalogError`.
    package func pending(for reviewer: String, in catalog: Catalog) throws -> [Int] {
        let judged = try catalog.reviewedFeatures(dictionaryID: index.key.dictionaryID, reviewer: reviewer)
        return features.filter { !judged.contains($0) }
    }

    /// Contexts shown of the strongest, unless another number is asked for.
    package static let contextCount = 10

    /// Contexts shown of those drawn uniformly, beside `count` of the strongest: half as many.
    package static func sampledContextCount(beside count: Int) -> Int { (count + 1) / 2 }
}
