extension LanguageModelConfiguration {
    /// The base and the scaling of the rotary embedding: from `rope_scaling` with `rope_theta` beside it (transformers 4)
    /// or from `rope_parameters` with `rope_theta` in it (transformers 5). If both are given the former counts, as in
    /// transformers.
    static func rotary(
        _ document: ConfigurationDocument, maximumPositions: Int
    ) throws(LanguageModelError) -> (theta: Double, scaling: RotaryScaling) {
        let outerTheta = try document.positiveNumber("rope_theta", default: 10_000)
        try refusePartialRotation(document)
        let parameters: ConfigurationDocument
        if let older = try document.object("rope_scaling") {
            parameters = older
        } else if let newer = try document.object("rope_parameters") {
            parameters = newer
        } else {
            return (outerTheta, .none)
        }

        let theta = try parameters.positiveNumber("rope_theta", default: outerTheta)
        try refusePartialRotation(parameters)
        for key in ["full_attention", "sliding_attention"] where parameters.mentions(key) {
            throw parameters.unsupported(key, supported: "one set of parameters for all layers")
        }

        let key = parameters.mentions("rope_type") ? "rope_type" : "type"
        switch try parameters.text(key) ?? "default" {
        case "default":
            return (theta, .none)
        case "linear":
            return (theta, .linear(factor: try parameters.positiveNumber("factor")))
        case "llama3":
            let low = try parameters.positiveNumber("low_freq_factor")
            let high = try parameters.positiveNumber("high_freq_factor")
            guard high > low else {
                throw parameters.malformed("high_freq_factor", expected: "a number above low_freq_factor (\(low))")
            }

            let positions = 1...16_777_216
            let inner = try parameters.integer(
                "original_max_position_embeddings", in: positions, default: maximumPositions)
            return (
                theta,
                .llama3(
                    factor: try parameters.positiveNumber("factor"), lowFrequencyFactor: low, highFrequencyFactor: high,
                    // A value at the top of the file counts before the one in the object, as in transformers.
                    originalPositions: try document.integer(
                        "original_max_position_embeddings", in: positions, default: inner))
            )
        default:
            throw parameters.unsupported(key, supported: "default, linear, llama3")
        }
    }

    /// Partial rotary embeddings are a different model.
    private static func refusePartialRotation(_ document: ConfigurationDocument) throws(LanguageModelError) {
        let key = "partial_rotary_factor"
        guard try document.positiveNumber(key, default: 1) == 1 else { throw document.unsupported(key, supported: "1") }
    }
}
