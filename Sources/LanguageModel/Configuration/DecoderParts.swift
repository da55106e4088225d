/// The norm of a decoder.
package enum NormKind: Sendable, Equatable {
    /// x / √(mean(x²) + ε) · w (Zhang and Sennrich 2019, arXiv 1910.07467).
    case rootMeanSquare
    /// (x − mean(x)) / √(var(x) + ε) · w + b (Ba et al. 2016, arXiv 1607.06450).
    case layer
}

/// What the norms of a residual stream are multiplied by and what is added.
package enum NormParameters: Sendable, Equatable {
    case none, weight, weightAndBias
}

/// The function of a feed-forward layer's hidden elements.
package enum FeedForwardActivation: Sendable, Equatable, CaseIterable {
    /// x · σ(x)
    case silu
    /// x · Φ(x), with the error function (Hendrycks and Gimpel 2016, arXiv 1606.08415)
    case gelu
    /// The same, approximated by tanh
    case geluTanh
    /// max(x, 0)
    case relu

    /// The names that files give it.
    package var names: [String] {
        switch self {
        case .silu: ["silu", "swish"]
        case .gelu: ["gelu", "gelu_python"]
        case .geluTanh: ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"]
        case .relu: ["relu"]
        }
    }
}

/// Where a decoder layer has norms, and how its two parts join the residual stream.
package struct DecoderBlock: Sendable, Equatable {
    /// Whether attention reads the residual stream through a norm.
    package var normsAttentionInput = true
    /// Whether attention's result goes through a norm before it is added.
    package var normsAttentionOutput = false
    /// Whether the feed-forward layer reads the residual stream through a norm.
    package var normsFeedForwardInput = true
    /// Whether the feed-forward layer's result goes through a norm before it is added.
    package var normsFeedForwardOutput = false
    /// Whether both parts read the same residual stream; otherwise the feed-forward layer reads what attention left.
    package var isParallel = false
    /// Whether the norm before the feed-forward layer is the one before attention.
    package var sharesInputNorm = false

    /// Llama's.
    package init() {}
}

/// Which norms queries and keys go through before they are rotated.
package enum QueryKeyNorm: Sendable, Equatable {
    case none
    /// Each head by itself, with one weight for all heads.
    case eachHead
    /// All heads of a token together.
    case allHeads
}

/// What may differ from layer to layer.
package struct DecoderLayer: Sendable, Equatable {
    /// How many positions a query sees, its own included; nil for all before it.
    package var window: Int?
    /// Which of the configuration's `rotaries` turns queries and keys; nil for none.
    package var rotary: Int?
    /// The factor of the products of queries and keys.
    package var scoreScale: Float
}
