import ActivationPipeline
import FeatureCatalog
import Indexing
import LinearAlgebra
import TestSupport
import Testing
import WorkflowWorlds

@Suite struct SimilarFeaturesTests {
    private let workers = Workers(threads: 2)

    /// By the definition, in double precision.
    private func expected(_ decoder: Matrix, _ feature: Int) -> [Int] {
        func dot(_ i: Int, _ j: Int) -> Double {
            (0..<decoder.columns).reduce(0) { $0 + Double(decoder[i, $1]) * Double(decoder[j, $1]) }
        }

        let cosines = (0..<decoder.rows).map { dot(feature, $0) / (dot($0, $0) * dot(feature, feature)).squareRoot() }
        return (0..<decoder.rows).filter { $0 != feature && !cosines[$0].isNaN }.sorted { cosines[$0] > cosines[$1] }
    }

    @Test("The stored list is used while it suffices") func theListIsUsedAsFarAsItGoes() throws {
        let planted = try PlantedDictionaries(in: TemporaryDirectory())
        let decoder = PlantedDictionaries.random(60, 5, seed: 2)
        let record = try planted.add("d", decoder)
        // A list that the decoder would not give tells where an answer came from.
        try planted.catalog.write(
            neighbors: [9, 8, 7].enumerated().map {
                FeatureNeighbor(featureIndex: 3, rank: $0.offset, neighborIndex: $0.element, cosine: 0.5)
            }, dictionaryID: record.dictionaryID)
        let similar = try SimilarFeatures(to: 3, of: record, in: planted.catalog, workers: workers)
        let truth = expected(decoder, 3)
        #expect(try similar.nearest(2).map(\.featureIndex) == [9, 8])
        #expect(try similar.nearest(1, skipping: 2).map(\.featureIndex) == [7])
        #expect(try similar.nearest(2, among: [9, 7, 1]).map(\.featureIndex) == [9, 7])
        // Too few are listed, or too few are left of them.
        #expect(try similar.nearest(4).map(\.featureIndex) == Array(truth.prefix(4)))
        #expect(try similar.nearest(2, skipping: 2).map(\.featureIndex) == Array(truth[2..<4]))
        #expect(try similar.nearest(nil).map(\.featureIndex) == truth)
        let odd = Set(stride(from: 1, to: 60, by: 2))
        #expect(
            try similar.nearest(5, among: odd).map(\.featureIndex) == Array(truth.filter(odd.contains).prefix(5)))
        #expect(try similar.nearest(9, among: [3]).isEmpty)
    }

    @Test("Cosines descend, and zero rows have none") func cosinesFallAndZerosHaveNone() throws {
        let planted = try PlantedDictionaries(in: TemporaryDirectory())
        let decoder = PlantedDictionaries.random(30, 4, seed: 5)
        for column in 0..<4 { decoder[6, column] = 0 }
        let record = try planted.add("d", decoder)
        let all = try SimilarFeatures(to: 0, of: record, in: planted.catalog, workers: workers).nearest(nil)
        #expect(all.count == 28 && !all.contains { $0.featureIndex == 6 || $0.featureIndex == 0 })
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.cosine >= $1.cosine })
        #expect(try SimilarFeatures(to: 6, of: record, in: planted.catalog, workers: workers).nearest(3).isEmpty)
        for feature in [-1, 30, Int.max] {
            #expect(throws: WorkflowError.self) {
                try SimilarFeatures(to: feature, of: record, in: planted.catalog, workers: workers)
            }
        }
    }
}
