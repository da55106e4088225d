package import FeatureCatalog
import Vocabulary

/// The activation above which a firing counts in the paper's protocol.
///
/// The paper uses 15 at d = 2048, where a standardised activation has norm √(d − 1) ≈ 45. The same fraction of √d is
/// used for every width: 15 / √2048 = 0.331. A crosscoder reads L layers side by side, a vector of norm √(L·d), so its
/// threshold is that fraction of √(L·d).
package enum CountingThreshold {
    /// The threshold for an input of width D: d, or L·d for a crosscoder.
    package static func absolute(width: Int, relative: Double = CountingProtocol.relativeThreshold) -> Double {
        relative * Double(width).squareRoot()
    }

    /// √D of a dictionary: what `--threshold` is a fraction of.
    package static func unit(of record: DictionaryRecord) -> Double {
        absolute(width: StoredDecoder.width(of: record), relative: 1)
    }
}
