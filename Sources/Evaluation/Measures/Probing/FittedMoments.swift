/// Means and deviations of latents over the examples that are fitted on, and within each class.
struct FittedMoments {
    /// The standard deviation of each latent; 1 for one that is constant.
    let deviations: [Double]
    /// Σ z of each latent.
    private let sums: [Double]
    /// The same within each class `[classes][latents]`.
    private let classSums: [[Double]]
    /// Examples of each class.
    private let classCounts: [Int]
    private let count: Int

    init(_ examples: ProbeExamples, _ classes: [Int32]) {
        let m = examples.rows.latents
        let place = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
        var (sums, squares) = (Array(repeating: 0.0, count: m), Array(repeating: 0.0, count: m))
        var classSums = classes.map { _ in Array(repeating: 0.0, count: m) }
        var classCounts = classes.map { _ in 0 }
        examples.rows.withRows { rows in
            for example in 0..<examples.fitted {
                let own = place[examples.classes[example]]
                if let own { classCounts[own] += 1 }
                for entry in rows[example] {
                    let (latent, z) = (Int(rows.indices[entry]), Double(rows.activations[entry]))
                    sums[latent] += z
                    squares[latent] += z * z
                    if let own { classSums[own][latent] += z }
                }
            }
        }
        let n = Double(max(examples.fitted, 1))
        deviations = zip(sums, squares).map { sum, square in
            let variance = square / n - (sum / n) * (sum / n)
            return variance > 0 ? variance.squareRoot() : 1
        }
        (self.sums, self.classSums, self.classCounts, count) = (sums, classSums, classCounts, examples.fitted)
    }

    /// The latents with the largest difference of means inside and outside a class, relative to their deviations; the
    /// largest first, of equal ones the lower number.
    func ranked(_ place: Int, count wanted: Int) -> [Int] {
        let inside = Double(classCounts[place])
        let outside = Double(count) - inside
        let differences = sums.indices.map { latent in
            abs(classSums[place][latent] / inside - (sums[latent] - classSums[place][latent]) / outside)
                / deviations[latent]
        }
        let order = sums.indices.sorted {
            differences[$0] == differences[$1] ? $0 < $1 : differences[$0] > differences[$1]
        }
        return Array(order.prefix(wanted))
    }
}
