import ActivationPipeline
import CatalogMaintenance
import Indexing
import LinearAlgebra
import TestSupport
import Testing
import WorkflowWorlds

@Suite struct FeatureMatchingTests {
    private let workers = Workers(threads: 2)

    @Test(arguments: [(1, 3), (40, 8), (700, 16)]) func aPermutedCopyMatchesOneToOne(rows: Int, columns: Int) throws {
        let decoder = PlantedDictionaries.random(rows, columns, seed: 3)
        let (copy, order) = PlantedDictionaries.permuted(decoder, seed: 4)
        let matching = try FeatureMatching(copy, with: decoder, workers: workers)
        #expect(matching.forward.map { $0?.featureIndex } == order)
        #expect(matching.backward.enumerated().allSatisfy { order[$0.element?.featureIndex ?? 0] == $0.offset })
        #expect((matching.forward + matching.backward).allSatisfy { abs(($0?.cosine ?? 0) - 1) < 1e-5 })
        #expect(matching.mutualCount == rows)
        let summary = FeatureMatching.summary(of: matching.forward)
        #expect(summary.count == rows)
        #expect(abs((summary.meanCosine ?? 0) - 1) < 1e-5)
        #expect(summary.shares == [1, 1, 1])
        #expect(summary.histogram.last == rows && summary.histogram.reduce(0, +) == rows)
    }

    /// Unit vectors of a plane, by angle in degrees: cosines are known.
    @Test("Matching scores equal their definitions") func figuresAreThoseOfTheDefinition() throws {
        let one = Matrix(rows: 4, columns: 2, elements: [1, 0, 0, 1, -1, 0, 0, 0])
        // 30° and 60° from the first axis.
        let other = Matrix(rows: 2, columns: 2, elements: [0.8660254, 0.5, 0.5, 0.8660254])
        let matching = try FeatureMatching(one, with: other, workers: workers)
        #expect(matching.forward.map { $0?.featureIndex } == [0, 1, 1, nil])
        expectClose(matching.forward.prefix(3).map { $0?.cosine ?? .nan }, [0.8660254, 0.8660254, -0.5])
        let summary = FeatureMatching.summary(of: matching.forward)
        #expect(summary.count == 3)
        #expect(abs((summary.meanCosine ?? 0) - (2 * 0.8660254 - 0.5) / 3) < 1e-6)
        #expect(summary.shares == [0, 2.0 / 3, 2.0 / 3])
        // (−0.5 + 1) / 2 · 40 = 10, and (0.866 + 1) / 2 · 40 = 37.3.
        #expect(summary.histogram[10] == 1 && summary.histogram[37] == 2 && summary.histogram.reduce(0, +) == 3)
        #expect(matching.mutualCount == 2)
        #expect(!matching.isMutual(2) && !matching.isMutual(3))
        #expect(matching.ranked(farthestFirst: false) == [0, 1, 2])
        #expect(matching.ranked(farthestFirst: true) == [2, 0, 1])
        #expect(matching.ranked(farthestFirst: true, among: [1, 2, 3]) == [2, 1])
        let some = FeatureMatching.summary(of: matching.forward, among: [2, 3])
        #expect(some.count == 1 && some.shares == [0, 0, 0])
        #expect(FeatureMatching.summary(of: [nil]).meanCosine == nil)
    }

    @Test("Decoders of different widths cannot be matched") func widthsHaveToAgree() throws {
        let planted = try PlantedDictionaries(in: TemporaryDirectory())
        let one = try planted.add("narrow", PlantedDictionaries.random(5, 4, seed: 1))
        let other = try planted.add("wide", PlantedDictionaries.random(5, 6, seed: 1))
        #expect(throws: WorkflowError.self) {
            try FeatureMatching(one, in: planted.catalog, with: other, in: planted.catalog, workers: workers)
        }
    }

    @Test func itCanBeStopped() {
        let decoder = PlantedDictionaries.random(20, 4, seed: 1)
        #expect(throws: WorkflowError.self) {
            try FeatureMatching(decoder, with: decoder, workers: workers, cancelled: { true })
        }
    }
}
