import Foundation

/// Logistic regression on a few features.
///
/// Minimises Σ log(1 + exp(−s (b + w·x))) + ½ ‖w‖² over examples x with s = ±1 by Newton's method. Features should have
/// variance 1, so that the penalty treats them alike.
package struct LogisticProbe {
    /// w.
    package let weights: [Double]
    /// b.
    package let intercept: Double
    /// Scores of at least this say yes: the bound with the highest F1 on the examples.
    package let bound: Double

    /// Fits.
    ///
    /// - Parameters:
    ///   - examples: row-major `[examples × features]`.
    ///   - labels: whether each is of the class; some are and some are not.
    package init(_ examples: [Double], features: Int, labels: [Bool]) {
        let n = features + 1
        var theta = Array(repeating: 0.0, count: n)
        for _ in 0..<50 {
            var gradient = theta.enumerated().map { $0.offset < features ? $0.element : 0 }
            var hessian = Array(repeating: 0.0, count: n * n)
            for column in 0..<features { hessian[column * n + column] = 1 }
            for (row, label) in labels.enumerated() {
                let x = row * features
                var score = theta[features]
                for column in 0..<features { score += theta[column] * examples[x + column] }
                let p = 1 / (1 + exp(-score))
                let slope = p - (label ? 1 : 0)
                let curvature = max(p * (1 - p), 1e-12)
                for column in 0..<n {
                    let one = column < features ? examples[x + column] : 1
                    guard one != 0 else { continue }
                    gradient[column] += slope * one
                    for other in 0...column {
                        hessian[column * n + other] += curvature * one * (other < features ? examples[x + other] : 1)
                    }
                }
            }
            let step = Self.solved(hessian, gradient)
            // A long step may overshoot where the classes are far apart.
            let longest = step.map(abs).max() ?? 0
            let scale = longest > 5 ? 5 / longest : 1
            for column in 0..<n { theta[column] -= scale * step[column] }
            if longest < 1e-9 { break }
        }
        let (w, b) = (Array(theta[..<features]), theta[features])
        (weights, intercept) = (w, b)
        bound = Self.bound(
            of: labels.indices.map { Self.score(w, b, examples, from: $0 * features) }, labels: labels)
    }

    /// b + w·x of the example that begins at an index.
    func score(_ examples: [Double], from start: Int) -> Double {
        Self.score(weights, intercept, examples, from: start)
    }

    private static func score(_ weights: [Double], _ intercept: Double, _ examples: [Double], from start: Int) -> Double
    {
        var score = intercept
        for column in weights.indices { score += weights[column] * examples[start + column] }
        return score
    }

    /// The bound with the highest F1, halfway between the scores that it parts; of equally good ones the highest. None,
    /// −∞, where saying yes to all is best.
    static func bound(of scores: [Double], labels: [Bool]) -> Double {
        let order = scores.indices.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
        let positives = Double(labels.count { $0 })
        var (truePositives, said) = (0.0, 0.0)
        var best = (f1: -1.0, bound: Double.infinity)
        for (place, example) in order.enumerated() {
            said += 1
            if labels[example] { truePositives += 1 }
            // Equal scores fall on the same side.
            if place + 1 < order.count, scores[order[place + 1]] == scores[example] { continue }
            let f1 = 2 * truePositives / (said + positives)
            guard f1 > best.f1 else { continue }
            let isLast = place + 1 == order.count
            best = (f1, isLast ? -.infinity : (scores[example] + scores[order[place + 1]]) / 2)
        }
        return best.bound
    }

    /// Solves a symmetric positive definite system of which the lower half is given, by Cholesky's method.
    private static func solved(_ matrix: [Double], _ right: [Double]) -> [Double] {
        let n = right.count
        var (l, y) = (matrix, right)
        for column in 0..<n {
            for row in column..<n {
                var sum = l[row * n + column]
                for k in 0..<column { sum -= l[row * n + k] * l[column * n + k] }
                l[row * n + column] = row == column ? max(sum, 1e-12).squareRoot() : sum / l[column * n + column]
            }
        }
        for row in 0..<n {
            for k in 0..<row { y[row] -= l[row * n + k] * y[k] }
            y[row] /= l[row * n + row]
        }
        for row in (0..<n).reversed() {
            for k in row + 1..<n { y[row] -= l[k * n + row] * y[k] }
            y[row] /= l[row * n + row]
        }
        return y
    }
}
