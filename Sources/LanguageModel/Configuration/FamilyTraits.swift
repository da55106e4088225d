/// What makes a family: in what its `config.json` and its layers depart from those of Llama. Defaults are those of
/// transformers' configuration classes (`configuration_*.py`), which leave out keys that hold them.
struct FamilyTraits {
    /// When a part has biases.
    enum BiasRule {
        case never, always
        /// As a key of the file says.
        case key(String, default: Bool)
    }

    /// Where the rotary embedding's settings are.
    enum RotaryRule {
        /// None: positions are learned.
        case none
        /// All of each head, in halves.
        case wholeHeads
        /// The first part of each head, by `partial_rotary_factor`.
        case partOfHeads(default: Double)
        /// GPT-NeoX's names: `rotary_pct` and `rotary_emb_base`.
        case rotaryPercentage(default: Double)
        /// The first `rotary_dim` elements of each head, neighbours turned together.
        case neighbours(default: Int)
        /// Two sets: one for layers with a window, one for those without.
        case byWindow
    }

    /// Which layers have a window.
    enum WindowRule {
        case never
        /// Every layer, if `sliding_window` is a number; with this default.
        case always(default: Int?)
        /// As `use_sliding_window`, `layer_types` and `max_window_layers` say.
        case ifUsed
        /// All but every n-th layer, unless `layer_types` says otherwise; a key may give another n.
        case allButEvery(Int, patternKey: String?, default: Int)
        /// As `attention_types` and `window_size` say.
        case attentionTypes
        /// Layers without positions, if `use_sliding_window`.
        case withoutPositions
    }

    /// The sizes that transformers assumes where a file is silent.
    struct Sizes {
        var vocabulary: Int
        var width: Int
        /// Nil for four times the width.
        var feedForward: Int?
        var layers: Int
        var heads: Int
        /// Nil for one for each query head.
        var keyValueHeads: Int?
        /// Nil for the width divided by the heads.
        var headDimension: Int?
        var positions: Int
    }

    /// The names of sizes in a file.
    struct Keys {
        var width = "hidden_size"
        var feedForward = "intermediate_size"
        var layers = "num_hidden_layers"
        var heads = "num_attention_heads"
        var positions = "max_position_embeddings"
        /// Nil where it is fixed.
        var epsilon: String? = "rms_norm_eps"
        var activation = "hidden_act"
    }

    var sizes: Sizes
    var keys = Keys()
    /// Whether the file may name fewer key and value heads than query heads.
    var groupsHeads = true
    /// Whether the file may give the dimension of heads.
    var namesHeadDimension = true
    var norm = NormKind.rootMeanSquare
    var normParameters = NormParameters.weight
    var epsilon = 1e-6
    /// Whether norms multiply by 1 + w.
    var addsOneToNorms = false
    var block = DecoderBlock()
    var queryKeyNorm = QueryKeyNorm.none
    var activation = FeedForwardActivation.silu
    /// Whether `gelu` in a file means the approximation, as transformers has it for Gemma 1.
    var readsGeluAsTanh = false
    /// Whether the hidden elements are multiplied by a gate.
    var isGated = true
    var queryKeyValueBias = BiasRule.never
    var attentionOutputBias = BiasRule.never
    var feedForwardBias = BiasRule.never
    var unembeddingHasBias = false
    var tiesEmbeddings = false
    var learnsPositions = false
    var scalesEmbeddings = false
    var scalesScores = true
    var rotary = RotaryRule.wholeHeads
    /// Whether all elements of each head are rotated, so that there has to be an even number of them.
    var turnsWholeHeads: Bool {
        switch rotary {
        case .wholeHeads, .byWindow: true
        case .none, .partOfHeads, .rotaryPercentage, .neighbours: false
        }
    }
    var rotaryTheta = 10_000.0
    var windows = WindowRule.never
}
