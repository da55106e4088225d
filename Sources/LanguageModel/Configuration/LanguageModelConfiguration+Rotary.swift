extension LanguageModelConfiguration {
    /// The rotary embeddings of a model: none, one, or one for layers with a window and one for those without.
    ///
    /// Their settings are in `rope_scaling` with `rope_theta` beside it (transformers 4) or in `rope_parameters` with
    /// `rope_theta` in it (transformers 5). If both are given the former counts, as in transformers.
    static func rotaries(
        _ document: ConfigurationDocument, traits: FamilyTraits, headDimension: Int, positions: Int
    ) throws(LanguageModelError) -> [RotaryEmbedding] {
        let rotary = RotarySettings(document: document, headDimension: headDimension, positions: positions)
        var theta = traits.rotaryTheta
        let part: Double
        switch traits.rotary {
        case .none:
            return []
        case .neighbours(let usual):
            let dimension = try document.integer("rotary_dim", in: 2...16_384, default: usual)
            guard dimension % 2 == 0, dimension <= headDimension else {
                throw document.malformed("rotary_dim", expected: "an even number up to \(headDimension)")
            }
            return [RotaryEmbedding(dimension: dimension, theta: theta, scaling: .none, pairsNeighbours: true)]
        case .byWindow:
            return try rotary.byWindow(theta: theta)
        case .wholeHeads:
            theta = try document.positiveNumber("rope_theta", default: theta)
            try RotarySettings.refusePart(document)
            part = 1
        case .partOfHeads(let usual):
            theta = try document.positiveNumber("rope_theta", default: theta)
            part = try document.positiveNumber("partial_rotary_factor", default: usual)
        case .rotaryPercentage(let usual):
            theta = try document.positiveNumber("rotary_emb_base", default: theta)
            part = try document.positiveNumber("rotary_pct", default: usual)
        }
        guard let parameters = try rotary.parameters() else {
            return [try rotary.embedding(in: nil, theta: theta, part: part, family: traits)]
        }
        for key in ["full_attention", "sliding_attention"] where parameters.mentions(key) {
            throw parameters.unsupported(key, supported: "one set of parameters for all layers")
        }
        return [try rotary.embedding(in: parameters, theta: theta, part: part, family: traits)]
    }
}
