/// Coordinates of drawings: a tenth of a unit is finer than any screen.
enum PlotNumber {
    /// The number with at most one decimal; 0 for one that is not finite.
    static func text(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e9 else { return "0" }
        let tenths = Int((value * 10).rounded())
        let (whole, rest) = (abs(tenths) / 10, abs(tenths) % 10)
        return (tenths < 0 ? "-" : "") + (rest == 0 ? "\(whole)" : "\(whole).\(rest)")
    }

    /// The relative place between two ends, 0…1; 0.5 if they coincide.
    static func share(_ value: Double, _ low: Double, _ high: Double) -> Double {
        // Halved, as the span of two huge numbers may not be representable.
        high > low ? min(1, max(0, (value / 2 - low / 2) / (high / 2 - low / 2))) : 0.5
    }
}
