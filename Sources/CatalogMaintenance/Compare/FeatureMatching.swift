package import ActivationPipeline
package import FeatureCatalog
package import Indexing
package import LinearAlgebra

/// Features of two dictionaries matched by the cosine of their decoder rows: for each feature its best match in the
/// other dictionary.
///
/// The mean of the largest cosines is the field's measure of how much two dictionaries have in common (mean max cosine
/// similarity: Sharkey, Braun and Millidge 2022, "Taking features out of superposition with sparse autoencoders").
package struct FeatureMatching: Sendable {
    /// For each feature of the first dictionary its best match in the second; nil without a direction.
    package let forward: [NearestFeatures.Match?]
    /// For each feature of the second its best match in the first.
    package let backward: [NearestFeatures.Match?]

    /// Cosine thresholds of the summary.
    package static let thresholds: [Double] = [0.9, 0.7, 0.5]

    /// Summary of one direction.
    package struct Summary: Sendable, Equatable {
        /// Features that have a match.
        package let count: Int
        /// The mean of their largest cosines; nil if there are none.
        package let meanCosine: Double?
        /// The share of them whose largest cosine is above each of `FeatureMatching.thresholds`.
        package let shares: [Double]
        /// How many largest cosines lie in each of equally wide bins from −1 to 1.
        package let histogram: [Int]

        /// Bins of a histogram.
        package static let bins = 40
    }

    /// Matches.
    ///
    /// - Parameters:
    ///   - progress: told how many of how many steps are done.
    ///   - cancelled: asked now and then.
    /// - Throws: `WorkflowError.refused` if the rows are of different widths or do not fit into memory, `.interrupted`;
    ///   `CatalogError`.
    /// - Complexity: 2 · features · features · D.
    package init(
        _ one: DictionaryRecord, in catalog: Catalog, with other: DictionaryRecord, in otherCatalog: Catalog,
        workers: Workers, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        let widths = (StoredDecoder.width(of: one), StoredDecoder.width(of: other))
        guard widths.0 == widths.1 else {
            throw WorkflowError.refused(
                "features of \"\(one.name)\" have \(widths.0) elements and those of \"\(other.name)\" \(widths.1): "
                    + "they cannot be compared")
        }
        try MemoryBudget.machine.check(
            floats: (Double(one.latentCount) + Double(other.latentCount)) * (Double(widths.0) + 4),
            for: "comparing \"\(one.name)\" with \"\(other.name)\"", advice: "use a machine with more")
        try self.init(
            try StoredDecoder(of: one, in: catalog).matrix, with: try StoredDecoder(of: other, in: otherCatalog).matrix,
            workers: workers, cancelled: cancelled, progress: progress)
    }

    /// Matches rows.
    ///
    /// - Precondition: both have equally many columns.
    package init(
        _ one: Matrix, with other: Matrix, workers: Workers, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(WorkflowError) {
        // The steps of the two ways need not be as many, so each counts as half of the work; one step alone is soon done.
        forward = try NearestFeatures(decoder: other, workers: workers).matches(
            ofRowsOf: one, cancelled: cancelled, progress: { if $1 > 1 { progress(500 * $0 / $1, 1000) } })
        backward = try NearestFeatures(decoder: one, workers: workers).matches(
            ofRowsOf: other, cancelled: cancelled, progress: { if $1 > 1 { progress(500 + 500 * $0 / $1, 1000) } })
    }

    /// The number of mutual best matches.
    package var mutualCount: Int {
        forward.indices.reduce(0) { $0 + (isMutual($1) ? 1 : 0) }
    }

    /// Whether a feature of the first dictionary is the best match of its best match.
    package func isMutual(_ feature: Int) -> Bool {
        guard let match = forward[feature] else { return false }
        return backward[match.featureIndex]?.featureIndex == feature
    }

    /// Summary of one direction.
    ///
    /// - Parameter among: only these features; nil for all.
    package static func summary(
        of matches: [NearestFeatures.Match?], among: Set<Int>? = nil
    ) -> Summary {
        let cosines = matches.enumerated().compactMap { number, match in
            among?.contains(number) ?? true ? match.map { Double($0.cosine) } : nil
        }

        let count = Double(max(cosines.count, 1))
        var histogram = Array(repeating: 0, count: Summary.bins)
        for cosine in cosines {
            histogram[min(Summary.bins - 1, max(0, Int((cosine + 1) / 2 * Double(Summary.bins))))] += 1
        }
        return Summary(
            count: cosines.count, meanCosine: cosines.isEmpty ? nil : cosines.reduce(0, +) / count,
            shares: thresholds.map { limit in Double(cosines.reduce(0) { $0 + ($1 > limit ? 1 : 0) }) / count },
            histogram: histogram)
    }

    /// Features of the first dictionary by their best match, the nearest first or the farthest; equals by number, and
    /// features without a direction left out.
    package func ranked(farthestFirst: Bool, among: Set<Int>? = nil) -> [Int] {
        let matched = forward.indices.filter { forward[$0] != nil && among?.contains($0) ?? true }
        func cosine(_ feature: Int) -> Float { forward[feature]?.cosine ?? 0 }
        return matched.sorted { one, other in
            let (a, b) = (cosine(one), cosine(other))
            return a == b ? one < other : farthestFirst ? a < b : a > b
        }
    }
}
