import RandomNumbers

/// Sums over tokens that are kept by document and added up.
protocol DocumentSums {
    /// Adds other sums, as often as they were drawn.
    mutating func add(_ other: Self, times: Double)
}

/// Sums by document, the unit of the bootstrap: tokens of one text are not independent. With more
/// documents than `limit`, neighbours form one unit, so memory does not grow with the text.
struct DocumentUnits<Sums: DocumentSums> {
    /// Units at most; a power of two.
    static var limit: Int { 256 }

    /// The sums of each unit, in the order of the text.
    private(set) var units: [Sums] = []
    private let empty: Sums
    /// Documents of a unit.
    private var span = 1
    private var documents = 0
    private var lastDocument: Int?

    /// - Parameter empty: sums of nothing.
    init(empty: Sums) {
        self.empty = empty
    }

    /// Changes the sums of a document; documents have to come one after another.
    mutating func update(document: Int, _ body: (inout Sums) -> Void) {
        if document != lastDocument {
            lastDocument = document
            if documents % span == 0 {
                if units.count == Self.limit { join() }
                if documents % span == 0 { units.append(empty) }
            }
            documents += 1
        }
        body(&units[units.count - 1])
    }

    private mutating func join() {
        units = stride(from: 0, to: units.count, by: 2).map { first in
            var sums = units[first]
            if first + 1 < units.count { sums.add(units[first + 1], times: 1) }
            return sums
        }
        span *= 2
    }

    /// The sums of the whole text.
    var whole: Sums {
        var whole = empty
        for unit in units { whole.add(unit, times: 1) }
        return whole
    }

    /// Sums of resampled documents; none if there is only one unit to draw.
    func resampled(_ count: Int, seed: UInt64) -> [Sums] { Self.resampled(units, from: empty, count, seed: seed) }

    /// Sums of units drawn with replacement, as many as there are; none if there is only one to draw.
    static func resampled(_ units: [Sums], from empty: Sums, _ count: Int, seed: UInt64) -> [Sums] {
        guard units.count > 1 else { return [] }
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            var draws = Array(repeating: 0.0, count: units.count)
            for _ in units.indices { draws[generator.next(below: units.count)] += 1 }
            var sums = empty
            for (unit, times) in zip(units, draws) where times > 0 { sums.add(unit, times: times) }
            return sums
        }
    }
}

/// Sums without any structure of their own.
struct PlainSums: DocumentSums {
    /// The sums.
    var values: [Double]

    /// - Parameter count: how many sums.
    init(count: Int) {
        values = Array(repeating: 0, count: count)
    }

    mutating func add(_ other: PlainSums, times: Double) {
        for index in values.indices { values[index] += times * other.values[index] }
    }
}
