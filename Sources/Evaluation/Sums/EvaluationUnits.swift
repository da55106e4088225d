/// The sums of an evaluation by document.
struct EvaluationUnits {
    /// Units at most.
    static let limit = DocumentUnits<EvaluationSums>.limit

    private let widths: [Int]
    private var units: DocumentUnits<EvaluationSums>

    init(widths: [Int]) {
        self.widths = widths
        units = DocumentUnits(empty: EvaluationSums(widths: widths))
    }

    /// Changes the sums of a document; documents have to come one after another.
    mutating func update(document: Int, _ body: (inout EvaluationSums) -> Void) {
        units.update(document: document, body)
    }

    /// All sums, centred, and resampled ones.
    ///
    /// - Returns: the sums of the whole text; and of every resample, none if there is only one unit to draw.
    func resampled(_ count: Int, seed: UInt64) -> (whole: EvaluationSums, resamples: [EvaluationSums]) {
        var whole = units.whole
        let means = whole.means
        whole.center(on: means)
        let centered = units.units.map { unit in
            var unit = unit
            unit.center(on: means)
            return unit
        }

        var empty = EvaluationSums(widths: widths)
        empty.center(on: means.map { $0.map { _ in 0 } })
        return (whole, DocumentUnits.resampled(centered, from: empty, count, seed: seed))
    }
}
