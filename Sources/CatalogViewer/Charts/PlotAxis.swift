import Foundation
import TerminalOutput

/// A scale with its marks: even, or by ratios where values span more than a factor of five.
struct PlotAxis {
    /// Whether it goes by ratios.
    let isLogarithmic: Bool
    private let low: Double
    private let high: Double
    /// The values marked, ascending.
    let marks: [Double]

    /// Chooses a scale that holds the values with a little room around them.
    ///
    /// - Parameter values: finite.
    init(_ values: [Double]) {
        let least = values.min() ?? 0
        let greatest = values.max() ?? 1
        isLogarithmic = least > 0 && greatest > 5 * least
        if isLogarithmic {
            let room = (log(greatest) - log(least)) * 0.08
            (low, high) = (log(least) - room, log(greatest) + room)
            let powers = Int(floor(low / log(10)))...Int(ceil(high / log(10)))
            let factors: [Double] = powers.count > 6 ? [1] : powers.count > 3 ? [1, 3] : [1, 2, 5]
            let (low, high) = (low, high)
            marks = powers.flatMap { power in factors.map { $0 * pow(10, Double(power)) } }
                .filter { log($0) >= low && log($0) <= high }
        } else {
            let span = greatest > least ? greatest - least : max(abs(least), 1)
            let bottom = least - span * 0.12
            (low, high) = (least >= 0 ? max(0, bottom) : bottom, greatest + span * 0.12)
            let rough = (high - low) / 5
            let power = pow(10, floor(log10(rough)))
            let step = power * ([1, 2, 5].first { $0 * power >= rough } ?? 10)
            let (first, last) = ((low / step).rounded(.up), (high / step).rounded(.down))
            marks =
                last >= first && last - first < 40 ? stride(from: first, through: last, by: 1).map { $0 * step } : []
        }
    }

    /// The place of a value, 0…1.
    func share(_ value: Double) -> Double {
        PlotNumber.share(isLogarithmic ? log(max(value, .leastNormalMagnitude)) : value, low, high)
    }
}
