package import FeatureCatalog
import Vocabulary

/// The activation above which a firing counts in the paper's protocol.
///
/// The paper uses 15 at d = 2048, where a standardised activation has norm √(d − 1) ≈ 45. The same share of √d serves
/// every width: 15 / √2048 = 0.331. A crosscoder reads L of them one after another, √(L·d) long together, so for it the
/// share is of that.
package enum CountingThreshold {
    /// The threshold for what is read, by its width D: d, or L·d for a crosscoder.
    package static func absolute(width: Int, relative: Double = CountingProtocol.relativeThreshold) -> Double {
        relative * Double(width).squareRoot()
    }

    /// What a share is taken of, for a dictionary: the square root of the width it reads.
    package static func unit(of record: DictionaryRecord) -> Double {
        absolute(width: StoredDecoder.width(of: record), relative: 1)
    }
}
