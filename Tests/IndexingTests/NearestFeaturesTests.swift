import ActivationPipeline
import FeatureCatalog
import Indexing
import LinearAlgebra
import Testing

@Suite struct NearestFeaturesTests {
    private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
        var generator = CounterGenerator(seed: seed, stream: "nearest features")
        return Matrix(
            rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in 2 * generator.uniform() - 1 })
    }

    /// Rows with one element ±1, ±2 or ±4 or two equal ones, so that all cosines are exact but for one common factor and
    /// ties are many; some rows are zeros.
    private func simple(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
        var generator = CounterGenerator(seed: seed, stream: "simple rows")
        let matrix = Matrix(rows: rows, columns: columns)
        for row in 0..<rows where generator.index(below: 7) > 0 {
            let size = Float(1 << generator.index(below: 3))
            matrix[row, generator.index(below: columns)] = generator.index(below: 2) == 0 ? size : -size
        }
        return matrix
    }

    private func cosine(_ a: Matrix, _ i: Int, _ b: Matrix, _ j: Int) -> Double? {
        func dot(_ a: Matrix, _ i: Int, _ b: Matrix, _ j: Int) -> Double {
            (0..<a.columns).reduce(0) { $0 + Double(a[i, $1]) * Double(b[j, $1]) }
        }

        let squares = dot(a, i, a, i) * dot(b, j, b, j)
        return squares > 0 ? dot(a, i, b, j) / squares.squareRoot() : nil
    }

    /// The definition, in double precision, by sorting all rows.
    private func expected(_ a: Matrix, _ i: Int, in b: Matrix, but excluded: Int?, count: Int) -> [NearestFeatures
        .Match]
    {
        (0..<b.rows).filter { $0 != excluded }.compactMap { j in cosine(a, i, b, j).map { (j, $0) } }
            .sorted { ($0.1, $1.0) > ($1.1, $0.0) }.prefix(count)
            .map { NearestFeatures.Match(featureIndex: $0.0, cosine: Float($0.1)) }
    }

    private func neighbors(_ decoder: Matrix, count: Int = 10, threads: Int = 2) throws -> [FeatureNeighbor] {
        var all: [FeatureNeighbor] = []
        try NearestFeatures(decoder: decoder, workers: Workers(threads: threads)).compute(count: count) { all += $0 }
        return all
    }

    private func expectedNeighbors(_ decoder: Matrix, count: Int = 10) -> [FeatureNeighbor] {
        (0..<decoder.rows).flatMap { feature -> [FeatureNeighbor] in
            guard (0..<decoder.columns).contains(where: { decoder[feature, $0] != 0 }) else { return [] }
            return expected(decoder, feature, in: decoder, but: feature, count: count).enumerated().map { rank, match in
                FeatureNeighbor(
                    featureIndex: feature, rank: rank, neighborIndex: match.featureIndex, cosine: match.cosine)
            }
        }
    }

    @Test(arguments: [
        (1, 1), (2, 1), (3, 2), (10, 3), (11, 4), (15, 3), (16, 3), (17, 5), (33, 4), (100, 7), (511, 3), (512, 3),
        (513, 3), (530, 8), (1030, 4),
    ])
    func exactCosinesGiveTheDefinition(rows: Int, columns: Int) throws {
        let decoder = simple(rows, columns, seed: UInt64(rows))
        for count in [1, 3, 10] {
            #expect(try neighbors(decoder, count: count) == expectedNeighbors(decoder, count: count))
        }
    }

    @Test(arguments: [(700, 24), (520, 130)]) func roundedCosinesAreClose(rows: Int, columns: Int) throws {
        let decoder = random(rows, columns, seed: 1)
        // Norms of very different sizes do not matter.
        for row in 0..<rows { for i in 0..<columns { decoder[row, i] *= row % 3 == 0 ? 1e-6 : 1e5 } }
        let actual = try neighbors(decoder)
        let exact = expectedNeighbors(decoder)
        try #require(actual.count == rows * 10 && exact.count == rows * 10)
        for (actual, exact) in zip(actual, exact) {
            #expect(actual.featureIndex == exact.featureIndex && actual.rank == exact.rank)
            #expect(abs(actual.cosine - exact.cosine) < 1e-5)
        }
        #expect(zip(actual, exact).filter { $0.neighborIndex != $1.neighborIndex }.count < rows / 20)
        // A pair's cosine is one number, seen from either side.
        var cosines: [[Int]: Float] = [:]
        for neighbor in actual {
            let pair = [neighbor.featureIndex, neighbor.neighborIndex].sorted()
            #expect(cosines[pair] ?? neighbor.cosine == neighbor.cosine)
            cosines[pair] = neighbor.cosine
        }
    }

    @Test func bitsDoNotDependOnTheThreads() throws {
        let decoder = random(2700, 20, seed: 2)
        let one = try neighbors(decoder, threads: 1)
        #expect(one.count == 27_000)
        for threads in [2, 3] {
            #expect(try neighbors(decoder, threads: threads) == one)
            let nearest = NearestFeatures(decoder: decoder, workers: Workers(threads: threads))
            let single = NearestFeatures(decoder: decoder, workers: Workers(threads: 1))
            #expect(nearest.nearest(to: 77) == single.nearest(to: 77))
            let other = random(1100, 20, seed: 3)
            #expect(try nearest.matches(ofRowsOf: other) == single.matches(ofRowsOf: other))
        }
    }

    @Test func rowsWithoutADirectionTakeNoPart() throws {
        let decoder = random(40, 5, seed: 4)
        for i in 0..<5 {
            decoder[3, i] = 0
            decoder[20, i] = .nan
            decoder[21, i] = .infinity
            decoder[22, i] = 1e-20
            decoder[39, i] = 0
        }

        let without: Set<Int> = [3, 20, 21, 22, 39]
        let nearest = NearestFeatures(decoder: decoder, workers: Workers(threads: 2))
        let all = try neighbors(decoder, count: 50)
        #expect(Set(all.map(\.featureIndex)) == Set(0..<40).subtracting(without))
        #expect(all.allSatisfy { !without.contains($0.neighborIndex) && $0.neighborIndex != $0.featureIndex })
        #expect(all.count == 35 * 34)
        for feature in without { #expect(nearest.nearest(to: feature).isEmpty) }
        #expect(nearest.nearest(to: [Float](repeating: 0, count: 5)).isEmpty)
        let matches = try nearest.matches(ofRowsOf: decoder)
        for feature in 0..<40 { #expect(matches[feature]?.featureIndex == (without.contains(feature) ? nil : feature)) }
        // None has a direction.
        let zeros = Matrix(rows: 30, columns: 5)
        #expect(try neighbors(zeros).isEmpty)
        #expect(
            try NearestFeatures(decoder: zeros, workers: Workers()).matches(ofRowsOf: decoder).allSatisfy { $0 == nil })
    }

    @Test("A query finds its own row in the table") func aQueryFindsWhatTheTableHolds() throws {
        let decoder = simple(700, 6, seed: 5)
        let nearest = NearestFeatures(decoder: decoder, workers: Workers(threads: 3))
        for feature in [0, 1, 300, 699] where cosine(decoder, feature, decoder, feature) != nil {
            let exact = expected(decoder, feature, in: decoder, but: feature, count: 10)
            #expect(nearest.nearest(to: feature) == exact)
            let row = (0..<6).map { decoder[feature, $0] }
            #expect(nearest.nearest(to: row, count: 7) == expected(decoder, feature, in: decoder, but: nil, count: 7))
            #expect(nearest.nearest(to: row.map { -$0 }, count: 1).first?.cosine == 1)
        }
        #expect(nearest.nearest(to: 0, count: 1000).allSatisfy { abs($0.cosine) <= 1 && $0.featureIndex != 0 })
    }

    @Test(arguments: [(1, 1), (5, 700), (700, 5), (513, 1025), (512, 512), (2, 8300), (16_400, 3)])
    func everyRowFindsItsNearest(rows: Int, features: Int) throws {
        let decoder = simple(features, 5, seed: 6)
        let other = simple(rows, 5, seed: 7)
        let matches = try NearestFeatures(decoder: decoder, workers: Workers(threads: 2)).matches(ofRowsOf: other)
        #expect(matches == (0..<rows).map { expected(other, $0, in: decoder, but: nil, count: 1).first })
    }

    /// Another dictionary that holds the same features in another order, each with a little noise.
    @Test("Features in another order are matched") func shuffledFeaturesAreFoundAgain() throws {
        let decoder = random(900, 32, seed: 8)
        var generator = CounterGenerator(seed: 9)
        var order = Array(0..<900)
        generator.shuffle(&order)
        let other = Matrix(rows: 900, columns: 32)
        for row in 0..<900 {
            for i in 0..<32 { other[row, i] = 3 * decoder[order[row], i] + 0.05 * (generator.uniform() - 0.5) }
        }

        let matches = try NearestFeatures(decoder: decoder, workers: Workers(threads: 2)).matches(ofRowsOf: other)
        #expect(matches.map { $0?.featureIndex } == order.map { Optional($0) })
        #expect(matches.allSatisfy { ($0?.cosine ?? 0) > 0.999 && ($0?.cosine ?? 2) <= 1 })
    }

    @Test("Progress reaches its end, and a stop is obeyed") func progressReachesItsEndAndAStopIsHeeded() throws {
        let decoder = random(9000, 1, seed: 10)
        let nearest = NearestFeatures(decoder: decoder, workers: Workers(threads: 2))
        var steps: [[Int]] = []
        var pieces: [Int] = []
        try nearest.compute(count: 2, progress: { steps.append([$0, $1]) }) { pieces.append($0.count) }
        // 18 tiles: 171 pairs of them.
        #expect(steps == [[128, 171], [171, 171]])
        #expect(pieces.reduce(0, +) == 18_000 && pieces.max() == 2048)
        var asked = 0
        func stop() -> Bool {
            asked += 1
            return asked == 2
        }
        #expect(throws: WorkflowError.self) {
            try nearest.compute(cancelled: stop) { _ in Issue.record("nothing is to be delivered") }
        }
        #expect(asked == 2)
        #expect(throws: WorkflowError.self) { try nearest.matches(ofRowsOf: decoder, cancelled: { true }) }
        steps = []
        _ = try nearest.matches(ofRowsOf: random(20_000, 1, seed: 11), progress: { steps.append([$0, $1]) })
        // 20 000 rows in two steps by 9000 features in two.
        #expect(steps == [[1, 4], [2, 4], [3, 4], [4, 4]])
    }
}
