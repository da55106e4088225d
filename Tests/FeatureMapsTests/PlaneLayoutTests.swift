import FeatureMaps
import LinearAlgebra
import TestSupport
import Testing

@Suite struct PlaneLayoutTests {
    private static let planted = PlantedDirections(groups: 8, each: 40, columns: 48, spread: 0.9)
    private static let pairs = planted.pairs(10)

    private static func layout(threads: Int, _ pairs: [(feature: Int, neighbor: Int)] = pairs) -> Matrix {
        let workers = Workers(threads: threads)
        return PlaneLayout(NeighborGraph(count: planted.rows.rows, pairs: pairs)).positions(
            from: PrincipalPlane(of: planted.rows, workers: workers).coordinates, workers: workers)
    }

    @Test func theBitsDoNotDependOnTheNumberOfThreadsOrTheOrderOfPairs() {
        let one = Self.layout(threads: 1).elements.map(\.bitPattern)
        for threads in [2, 3, 7] { #expect(Self.layout(threads: threads).elements.map(\.bitPattern) == one) }
        #expect(Self.layout(threads: 2, Self.pairs.reversed()).elements.map(\.bitPattern) == one)
    }

    @Test func plantedGroupsComeApart() {
        let positions = Self.layout(threads: 2)
        let groups = Self.planted.groups
        // Of each feature's ten nearest in the plane nearly all are of its group.
        var own = 0
        for feature in groups.indices {
            let nearest = groups.indices.filter { $0 != feature }.sorted {
                Self.distance(positions, feature, $0) < Self.distance(positions, feature, $1)
            }
            own += nearest.prefix(10).count { groups[$0] == groups[feature] }
        }
        #expect(Double(own) / Double(10 * groups.count) > 0.95, "\(own) of \(10 * groups.count)")
    }

    @Test func moreNeighboursStayNearThanByPrincipalComponents() throws {
        let workers = Workers(threads: 2)
        let plane = PrincipalPlane(of: Self.planted.rows, workers: workers).coordinates
        let before = try #require(NeighborShare.share(of: Self.pairs, at: plane, nearest: 30, workers: workers))
        let after = try #require(
            NeighborShare.share(of: Self.pairs, at: Self.layout(threads: 2), nearest: 30, workers: workers))
        #expect(after > 1.3 * before, "\(after) beside \(before)")
        #expect(after > 0.8, "\(after)")
    }

    @Test func theShareOfNeighboursIsThatOfALoop() throws {
        let positions = Self.layout(threads: 1)
        let pairs = Array(Self.pairs.prefix(400))
        var found = 0
        for pair in pairs {
            let nearest = (0..<positions.columns).filter { $0 != pair.feature }.sorted {
                let (one, two) = (
                    Self.distance(positions, pair.feature, $0), Self.distance(positions, pair.feature, $1)
                )
                return (one, $0) < (two, $1)
            }
            if nearest.prefix(12).contains(pair.neighbor) { found += 1 }
        }
        let share = try #require(
            NeighborShare.share(of: pairs, at: positions, nearest: 12, workers: Workers(threads: 2)))
        #expect(abs(share - Double(found) / 400) < 1e-9, "\(share), \(found)")
        #expect(NeighborShare.share(of: [], at: positions, nearest: 12, workers: Workers(threads: 1)) == nil)
    }

    /// With no square taken for a point, the tree's sums are those over all pairs: one step from both is the same but
    /// for round-off.
    @Test func theTreeApproximatesTheSumOverAllPairs() {
        var exact = PlaneLayout.Settings()
        (exact.earlySteps, exact.steps, exact.accuracy) = (3, 0, 0)
        var near = exact
        near.accuracy = 0.7
        let graph = NeighborGraph(count: Self.planted.rows.rows, pairs: Self.pairs)
        let workers = Workers(threads: 2)
        let start = Self.layout(threads: 2)
        let one = PlaneLayout(graph, settings: exact).positions(from: start, workers: workers)
        let two = PlaneLayout(graph, settings: near).positions(from: start, workers: workers)
        let size = one.elements.map(abs).max() ?? 0
        let worst = zip(one.elements, two.elements).map { abs($0 - $1) }.max() ?? 1
        #expect(worst > 0 && worst < 0.1 * size, "\(worst) of \(size)")
    }

    @Test func aGraphCountsEachPairOnceAndNothingThatIsNotThere() {
        let graph = NeighborGraph(
            count: 4,
            pairs: [(0, 1), (0, 1), (0, 2), (1, 0), (2, 2), (3, 9), (-1, 0), (0, -7), (3, 1)])
        #expect(graph.starts == [0, 2, 4, 5, 6])
        #expect(graph.ends == [1, 2, 0, 3, 0, 1])
        // 0 gives a half each to 1 and 2, 1 all to 0, 3 all to 1; divided by twice four.
        let eighths: [Float] = [1.5, 0.5, 1.5, 1, 0.5, 1]
        #expect(graph.weights.map { $0 * 8 } == eighths)
    }

    @Test(arguments: [0, 1, 2, 3]) func fewFeaturesAndFeaturesInOnePointEndAtFinitePlaces(count: Int) {
        let pairs = (0..<count).flatMap { one in (0..<count).map { (feature: one, neighbor: $0) } }
        let positions = PlaneLayout(NeighborGraph(count: count, pairs: pairs)).positions(
            from: Matrix(rows: 2, columns: count), workers: Workers(threads: 2))
        #expect(!positions.elements.contains { !$0.isFinite })
        if count > 1 { #expect(Self.distance(positions, 0, 1) > 0) }
    }

    private static func distance(_ positions: Matrix, _ one: Int, _ other: Int) -> Float {
        let (dx, dy) = (positions[0, one] - positions[0, other], positions[1, one] - positions[1, other])
        return dx * dx + dy * dy
    }
}
