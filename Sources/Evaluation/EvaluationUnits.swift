import FeatureScoring
import RandomNumbers

/// Sums by document, the unit of the bootstrap: tokens of one text are not independent. With more
/// documents than `limit`, neighbours form one unit, so memory does not grow with the text.
struct EvaluationUnits {
    /// Units at most; a power of two.
    static let limit = 256

    private let widths: [Int]
    private var units: [EvaluationSums] = []
    /// Documents of a unit.
    private var span = 1
    private var documents = 0
    private var lastDocument: Int?

    init(widths: [Int]) {
        self.widths = widths
    }

    /// Changes the sums of a document; documents have to come one after another.
    mutating func update(document: Int, _ body: (inout EvaluationSums) -> Void) {
        if document != lastDocument {
            lastDocument = document
            if documents % span == 0 {
                if units.count == Self.limit { join() }
                if documents % span == 0 { units.append(EvaluationSums(widths: widths)) }
            }
            documents += 1
        }
        body(&units[units.count - 1])
    }

    private mutating func join() {
        units = stride(from: 0, to: units.count, by: 2).map { first in
            var sums = units[first]
            if first + 1 < units.count { sums.add(units[first + 1]) }
            return sums
        }
        span *= 2
    }

    /// All sums, centred, and resampled ones.
    ///
    /// - Returns: the sums of the whole text; and of every resample, none if there is only one unit to draw.
    func resampled(_ count: Int, seed: UInt64) -> (whole: EvaluationSums, resamples: [EvaluationSums]) {
        var whole = EvaluationSums(widths: widths)
        for unit in units { whole.add(unit) }
        let means = whole.means
        whole.center(on: means)
        guard units.count > 1 else { return (whole, []) }
        let centered = units.map { unit in
            var unit = unit
            unit.center(on: means)
            return unit
        }

        var empty = EvaluationSums(widths: widths)
        empty.center(on: means.map { $0.map { _ in 0 } })
        var generator = SplitMix64(seed: seed)
        let resamples = (0..<count).map { _ in
            var draws = Array(repeating: 0.0, count: centered.count)
            for _ in centered.indices { draws[generator.next(below: centered.count)] += 1 }
            var sums = empty
            for (unit, times) in zip(centered, draws) where times > 0 { sums.add(unit, times: times) }
            return sums
        }
        return (whole, resamples)
    }
}
