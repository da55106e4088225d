/// The activation above which a firing counts in the paper's protocol.
///
/// The paper uses 15 at d = 2048, where a standardised activation has norm √(d − 1) ≈ 45. The same share of √d serves
/// every width: 15 / √2048 = 0.331.
public enum CountingThreshold {
    /// The threshold as a share of √d.
    public static let relative = 0.331

    /// The threshold for a width, by a share of √d.
    public static func absolute(dModel: Int, relative: Double = relative) -> Double {
        relative * Double(dModel).squareRoot()
    }
}
