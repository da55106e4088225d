/// The quality of yes-or-no decisions: balanced accuracy, since always answering "no" looks good if few cases
/// are true (Paulo et al. 2024, arXiv 2410.13928).
package struct DecisionScore: Equatable, Sendable {
    /// Mean of the true-positive and true-negative rates; nil if one kind is missing.
    package let balancedAccuracy: Double?
    /// Of the cases decided true, the fraction that are; nil if there are none.
    package let precision: Double?
    /// Of the true cases, the fraction decided true; nil if there are none.
    package let recall: Double?
    /// The harmonic mean of both; nil if there are neither.
    package let f1: Double?
    /// Cases decided.
    package let count: Int

    /// - Precondition: as many decisions as truths.
    package init(decisions: [Bool], truths: [Bool]) {
        precondition(decisions.count == truths.count, "\(decisions.count) decisions, \(truths.count) truths")
        var counts = [[0, 0], [0, 0]]
        for (decision, truth) in zip(decisions, truths) { counts[truth ? 1 : 0][decision ? 1 : 0] += 1 }
        let (hits, misses, alarms, rejections) = (counts[1][1], counts[1][0], counts[0][1], counts[0][0])
        func share(_ part: Int, _ rest: Int) -> Double? {
            part + rest == 0 ? nil : Double(part) / Double(part + rest)
        }
        recall = share(hits, misses)
        precision = share(hits, alarms)
        f1 = share(2 * hits, alarms + misses)
        balancedAccuracy = recall.flatMap { recall in share(rejections, alarms).map { (recall + $0) / 2 } }
        count = decisions.count
    }
}
