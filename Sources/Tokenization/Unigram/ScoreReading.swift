/// How the reference implementation reads the scores of a unigram model.
///
/// It takes the digits of a number as an integer and multiplies or divides by a power of ten (`f64_from_parts` in `src/de.rs`
/// of github.com/serde-rs/json), which may miss the nearest double by one. Sums of scores that are equal in theory differ
/// by that, and the larger one is chosen.
enum ScoreReading {
    /// The score as read there.
    ///
    /// - Parameter score: the nearest double of the number in the file, which has as many digits as tell it from others.
    static func read(_ score: Double) -> Double {
        guard score.isFinite, score != 0 else { return score }
        let (significand, exponent) = decimal(score.magnitude)
        guard let digits = UInt64(significand) else { return score }
        var result = Double(digits)
        var rest = exponent
        // Powers of ten beyond the range of doubles are applied in two steps.
        while rest < -308 {
            result /= 1e308
            rest += 308
        }
        result = rest < 0 ? result / power(-rest) : result * power(min(rest, 308))
        return score < 0 ? -result : result
    }

    /// The shortest decimal digits of a number, and the power of ten that they are multiplied by.
    private static func decimal(_ number: Double) -> (digits: String, exponent: Int) {
        let parts = number.description.split(separator: "e")
        let places = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = places.count > 1 && places[1] != "0" ? places[1] : ""
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        return (String(places[0]) + fraction, exponent - fraction.utf8.count)
    }

    /// The double that is nearest to a power of ten.
    private static func power(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? .infinity }
}
