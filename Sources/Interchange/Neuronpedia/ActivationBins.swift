import Vocabulary

/// The bins that Neuronpedia shows texts under: the strongest in one of their own, and five intervals of equal width from
/// 0 to the largest activation, each with the share of all tokens in it.
struct ActivationBins {
    /// A bin of the columns `binMin`, `binMax` and `binContains`.
    struct Bin: Equatable {
        let minimum: Double
        let maximum: Double
        /// Of all tokens; −1 for the strongest texts.
        let share: Double
    }

    private static let count = 5
    private let top: Bin
    /// From 0 upwards; none for a feature without positive activations.
    private let intervals: [Bin]

    /// Prepares the bins of a feature's activations on a text of so many tokens.
    init(_ activations: BinnedValues, tokenCount: Int) {
        let largest = activations.largest
        top = Bin(minimum: -1, maximum: largest, share: -1)
        guard largest > 0 else {
            intervals = []
            return
        }
        intervals = (0..<Self.count).map { place in
            let low = largest * Double(place) / Double(Self.count)
            let high = place + 1 == Self.count ? largest : largest * Double(place + 1) / Double(Self.count)
            let values = activations.count(from: low, to: high)
            return Bin(minimum: low, maximum: high, share: min(1, values / Double(max(tokenCount, 1))))
        }
    }

    /// The bin of a text whose peak has an activation.
    func bin(of band: ContextBand, activation: Double) -> Bin {
        guard band != .top, !intervals.isEmpty else { return top }
        return intervals.last { activation >= $0.minimum } ?? intervals[0]
    }
}
