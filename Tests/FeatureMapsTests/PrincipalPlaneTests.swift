import FeatureMaps
import LinearAlgebra
import TestSupport
import Testing

@Suite struct PrincipalPlaneTests {
    /// The covariance of centred unit rows, and its two strongest eigenvectors by power iteration in double precision.
    private static func oracle(_ rows: Matrix) -> [[Double]] {
        let d = rows.columns
        var units = (0..<rows.rows).compactMap { row -> [Double]? in
            let values = (0..<d).map { Double(rows[row, $0]) }
            let size = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return size > 0 ? values.map { $0 / size } : nil
        }
        for column in 0..<d {
            let mean = units.reduce(0) { $0 + $1[column] } / Double(units.count)
            for row in units.indices { units[row][column] -= mean }
        }
        var found: [[Double]] = []
        for axis in 0..<2 {
            var vector = (0..<d).map { Double(($0 * 7 + axis * 3) % 11) - 5 }
            for _ in 0..<3000 {
                var next = [Double](repeating: 0, count: d)
                for unit in units {
                    let share = zip(unit, vector).reduce(0) { $0 + $1.0 * $1.1 }
                    for column in 0..<d { next[column] += share * unit[column] }
                }
                for other in found {
                    let share = zip(next, other).reduce(0) { $0 + $1.0 * $1.1 }
                    for column in 0..<d { next[column] -= share * other[column] }
                }
                let size = next.reduce(0) { $0 + $1 * $1 }.squareRoot()
                vector = next.map { $0 / size }
            }
            found.append(vector)
        }
        return found
    }

    @Test func theComponentsAreTheStrongestEigenvectorsOfTheCovariance() {
        let planted = PlantedDirections(groups: 5, each: 30, columns: 20, spread: 0.4)
        let plane = PrincipalPlane(of: planted.rows, workers: Workers(threads: 2))
        for (axis, expected) in Self.oracle(planted.rows).enumerated() {
            let cosine = (0..<20).reduce(0.0) { $0 + Double(plane.components[axis, $1]) * expected[$1] }
            #expect(abs(abs(cosine) - 1) < 1e-4, "component \(axis): cosine \(cosine)")
        }
    }

    @Test func coordinatesAreThoseOfCentredUnitRowsAlongTheComponents() {
        let planted = PlantedDirections(groups: 3, each: 9, columns: 12, spread: 0.5)
        for column in 0..<12 { planted.rows[4, column] = 0 }
        let plane = PrincipalPlane(of: planted.rows, workers: Workers(threads: 1))
        #expect(plane.coordinates[0, 4] == 0 && plane.coordinates[1, 4] == 0)
        let with = (0..<27).filter { $0 != 4 }
        func unit(_ row: Int, _ column: Int) -> Double {
            let size = (0..<12).reduce(0.0) { $0 + Double(planted.rows[row, $1]) * Double(planted.rows[row, $1]) }
            return Double(planted.rows[row, column]) / size.squareRoot()
        }
        for axis in 0..<2 {
            for row in with {
                let expected = (0..<12).reduce(0.0) { sum, column in
                    let mean = with.reduce(0.0) { $0 + unit($1, column) } / Double(with.count)
                    return sum + (unit(row, column) - mean) * Double(plane.components[axis, column])
                }
                #expect(abs(Double(plane.coordinates[axis, row]) - expected) < 1e-5)
            }
        }
    }

    @Test(arguments: [Float.nan, .infinity]) func aRowThatIsNotFiniteIsARowOfZeros(value: Float) {
        let (one, other) = (
            PlantedDirections(groups: 3, each: 9, columns: 12, spread: 0.5).rows,
            PlantedDirections(groups: 3, each: 9, columns: 12, spread: 0.5).rows
        )
        for column in 0..<12 { one[4, column] = 0 }
        other[4, 7] = value
        let planes = [one, other].map { PrincipalPlane(of: $0, workers: Workers(threads: 2)).coordinates.elements }
        #expect(planes[0] == planes[1])
        #expect(planes[0].contains { $0 != 0 })
    }

    @Test(arguments: [(0, 4), (1, 4), (3, 1), (2, 2)])
    func fewRowsOrColumnsHaveAPlaneAsWell(rows: Int, columns: Int) {
        let matrix = Matrix(rows: rows, columns: columns)
        for place in 0..<rows * columns { matrix.pointer[place] = Float(place + 1) }
        let plane = PrincipalPlane(of: matrix, workers: Workers(threads: 2))
        #expect(plane.coordinates.columns == rows)
        #expect(!plane.coordinates.elements.contains { !$0.isFinite })
    }
}
