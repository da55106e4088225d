import FeatureCatalog
import Vocabulary

/// Everything that dashboards show of a feature.
struct ExportedFeature {
    /// A token with a number.
    struct RankedToken {
        let tokenID: Int
        let value: Float
    }

    /// A text on which it fires.
    struct Context {
        let band: ContextBand
        let rank: Int
        /// The layer that the peak token was read from.
        let layer: Int
        /// The document's number in the corpus.
        let document: Int
        /// Index of the window's first token in the document.
        let start: Int
        /// The peak's place in the window.
        let peak: Int
        /// Activation at the peak.
        let activation: Float
        /// `[window tokens]`.
        let tokenIDs: [Int32]
        /// `[window tokens]`.
        let activations: [Float]
    }

    /// An explanation with what it scored.
    struct Explanation {
        /// Its number among the feature's explanations.
        let place: Int
        let method: String
        let text: String
        /// The newest value of each kind of score.
        let scores: [(method: ScoreMethod, value: Double)]
    }

    let record: FeatureRecord
    let layers: [FeatureLayerRecord]
    /// Its activations while firing; nil if it never fired.
    let activations: BinnedValues?
    /// Changes of all tokens' logits; nil where the catalog does not hold them.
    let logits: BinnedValues?
    let promoted: [RankedToken]
    let suppressed: [RankedToken]
    let neighbors: [FeatureNeighbor]
    /// The strongest, then those of the sample.
    let contexts: [Context]
    let explanations: [Explanation]
}
