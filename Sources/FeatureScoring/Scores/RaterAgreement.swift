/// Agreement of two raters.
package enum RaterAgreement {
    /// Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank.
    ///
    /// - Returns: nil for fewer than two pairs, or if either rater's values are constant.
    package static func spearman(_ one: [Double], _ two: [Double]) -> Double? {
        precondition(one.count == two.count, "\(one.count) and \(two.count) ratings")
        guard one.count > 1 else { return nil }
        let (first, second) = (ranks(one), ranks(two))
        let mean = Double(one.count + 1) / 2
        var (product, firstSquare, secondSquare) = (0.0, 0.0, 0.0)
        for (a, b) in zip(first, second) {
            product += (a - mean) * (b - mean)
            firstSquare += (a - mean) * (a - mean)
            secondSquare += (b - mean) * (b - mean)
        }
        guard firstSquare > 0, secondSquare > 0 else { return nil }
        return product / (firstSquare * secondSquare).squareRoot()
    }

    private static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = Array(repeating: 0.0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }

    /// Cohen's kappa with quadratic weights (Cohen 1968) for ordinal ratings: 1 for full agreement, 0 for agreement by
    /// chance with the same frequencies.
    ///
    /// - Returns: nil without pairs, or if no disagreement is expected by chance.
    package static func weightedKappa(_ one: [Int], _ two: [Int]) -> Double? {
        precondition(one.count == two.count, "\(one.count) and \(two.count) ratings")
        guard !one.isEmpty else { return nil }
        // In doubles, which cannot overflow: a catalog may hold any rating.
        func square(_ a: Int, _ b: Int) -> Double { (Double(a) - Double(b)) * (Double(a) - Double(b)) }
        // The mean squared difference, of the pairs and of all combinations.
        let seen = zip(one, two).reduce(0.0) { $0 + square($1.0, $1.1) } / Double(one.count)
        var expected = 0.0
        for a in one { for b in two { expected += square(a, b) } }
        expected /= Double(one.count * two.count)
        return expected > 0 ? 1 - seen / expected : nil
    }
}
