/// A histogram of equal bins while it is checked.
struct InspectedHistogram {
    /// Nil for a row that is none.
    private let histogram: LinearHistogram?

    /// Reads a row's `bin_width`, `first_bin` and `counts`, which are columns in a row.
    init(_ rows: BulkRead, column: Int32) throws(CatalogError) {
        let counts = try rows.withText(column + 2) { FeatureFigures.counts(json: $0) }
        let (width, first) = (try rows.real(column), try rows.integer(column + 1))
        histogram = counts.flatMap { LinearHistogram(binWidth: width, firstBin: first, counts: $0) }
    }

    /// What is wrong, as the rest of a sentence; nil if nothing is.
    ///
    /// - Parameters:
    ///   - totals: how many values there may be, the most called `name`.
    ///   - smallest: the smallest value; nil if it is not known.
    ///   - largest: the largest, likewise.
    func contradiction(
        totals: ClosedRange<Int>, of name: String, from smallest: Double?, through largest: Double?
    ) -> String? {
        guard let histogram else { return "is not one of equal bins" }
        guard histogram.isNarrowest else { return "has wider bins than its values need" }
        if !totals.contains(histogram.total) {
            return "adds up to \(histogram.total), and \(name) is \(totals.upperBound)"
        }
        let last = Double(histogram.firstBin + histogram.counts.count - 1)
        if let smallest, histogram.bin(of: smallest) != Double(histogram.firstBin) {
            return "does not begin at \(FeatureFigures.shown(smallest))"
        }
        if let largest, histogram.bin(of: largest) != last { return "does not end at \(FeatureFigures.shown(largest))" }
        return nil
    }
}

extension CatalogInspection {
    /// Checks the histograms of changes of logits against the two ends that `feature_logit` lists.
    mutating func checkLogitHistograms() throws {
        let rows = try read(
            """
            SELECT h.dictionary_id, h.feature_index, h.bin_width, h.first_bin, h.counts,
                (SELECT value FROM feature_logit AS l WHERE l.dictionary_id = h.dictionary_id
                    AND l.feature_index = h.feature_index AND l.direction = 'suppressed' AND l.rank = 0),
                (SELECT value FROM feature_logit AS l WHERE l.dictionary_id = h.dictionary_id
                    AND l.feature_index = h.feature_index AND l.direction = 'promoted' AND l.rank = 0)
            FROM feature_logit_histogram AS h ORDER BY h.dictionary_id, h.feature_index
            """)
        while try rows.next() {
            let (id, feature) = (try rows.integer(0), try rows.integer(1))
            let dictionary = dictionaries[Int64(id)]
            let place = "feature_logit_histogram of feature \(feature) of dictionary \(id)"
            if let dictionary, !(0..<dictionary.latentCount).contains(feature) {
                add(place, "the dictionary has \(dictionary.latentCount) latents")
                continue
            }
            let tokens = dictionary?.languageModelID.flatMap { vocabularySizes[$0] }
            let reason = try InspectedHistogram(rows, column: 2).contradiction(
                totals: 1...max(tokens ?? .max, 1), of: "vocab_size", from: try rows.optionalReal(5),
                through: try rows.optionalReal(6))
            if let reason { add(place, reason) }
        }
    }
}
