internal import Glibc
import JSON

/// Reads the settings of rotary embeddings.
struct RotarySettings {
    let document: ConfigurationDocument
    let headDimension: Int
    /// `max_position_embeddings`
    let positions: Int

    /// The object that holds them, if there is one.
    func parameters() throws(LanguageModelError) -> ConfigurationDocument? {
        if let older = try document.object("rope_scaling") { return older }
        return try document.object("rope_parameters")
    }

    /// Gemma 3's two: first that of layers with a window, then the other.
    func byWindow(theta: Double) throws(LanguageModelError) -> [RotaryEmbedding] {
        let theta = try document.positiveNumber("rope_theta", default: theta)
        let local = try document.positiveNumber("rope_local_base_freq", default: 10_000)
        let nested = try document.object("rope_parameters")
        if let nested, !nested.mentions("full_attention"), !nested.mentions("sliding_attention") {
            throw document.malformed("rope_parameters", expected: "full_attention and sliding_attention")
        }
        let windowed = try nested?.object("sliding_attention")
        let full = try nested?.object("full_attention")
        var fullTheta = theta
        if let full { fullTheta = try full.positiveNumber("rope_theta", default: theta) }
        let traits = ModelFamily.gemma3.traits
        let older = try document.object("rope_scaling")
        return [
            try embedding(in: windowed, theta: local, part: 1, family: traits),
            try embedding(in: older ?? full, theta: fullTheta, part: 1, family: traits),
        ]
    }

    /// One rotary embedding by its parameters, or without any.
    func embedding(
        in parameters: ConfigurationDocument?, theta: Double, part: Double, family traits: FamilyTraits
    ) throws(LanguageModelError) -> RotaryEmbedding {
        var (theta, part) = (theta, part)
        if let parameters {
            theta = try parameters.positiveNumber("rope_theta", default: theta)
            switch traits.rotary {
            case .partOfHeads, .rotaryPercentage:
                part = try parameters.positiveNumber("partial_rotary_factor", default: part)
            case .none, .wholeHeads, .neighbours, .byWindow: try Self.refusePart(parameters)
            }
        }
        // As Python's int() cuts it.
        let exact = Double(headDimension) * part
        guard part <= 1, case let dimension = Int(exact), dimension >= 2, dimension % 2 == 0 else {
            throw document.malformed(
                "partial_rotary_factor",
                expected: "a part of \(headDimension) elements that is an even number (it came to \(exact))")
        }
        var scaling = RotaryScaling.none
        if let parameters { scaling = try self.scaling(parameters, dimension: dimension) }
        if case .yarn = scaling, theta <= 1 {
            throw document.malformed("rope_theta", expected: "a number above 1 with yarn")
        }
        return RotaryEmbedding(dimension: dimension, theta: theta, scaling: scaling)
    }

    private func scaling(
        _ parameters: ConfigurationDocument, dimension: Int
    ) throws(LanguageModelError) -> RotaryScaling {
        let key = parameters.value("rope_type") != nil ? "rope_type" : "type"
        var kind = try parameters.text(key) ?? "default"
        let isPhi3 = try document.text("model_type") == ModelFamily.phi3.rawValue
        if isPhi3 {
            // Earlier names of the same.
            if kind == "su" || kind == "yarn" { kind = "longrope" }
            guard kind == "default" || kind == "longrope" else {
                throw parameters.unsupported(key, supported: "default, longrope")
            }
        }
        switch kind {
        case "default":
            return .none
        case "linear":
            return .linear(factor: try parameters.positiveNumber("factor"))
        case "dynamic":
            let factor = try parameters.positiveNumber("factor")
            guard factor >= 1, factor * Double(positions) <= 16_777_216, dimension > 2 else {
                throw parameters.malformed(
                    "factor", expected: "a number from 1 on that leaves at most 16777216 positions")
            }
            return .dynamic(factor: factor, positions: positions)
        case "llama3":
            let low = try parameters.positiveNumber("low_freq_factor")
            let high = try parameters.positiveNumber("high_freq_factor")
            guard high > low else {
                throw parameters.malformed("high_freq_factor", expected: "a number above low_freq_factor (\(low))")
            }
            return .llama3(
                factor: try parameters.positiveNumber("factor"), lowFrequencyFactor: low, highFrequencyFactor: high,
                originalPositions: try originalPositions(parameters))
        case "yarn":
            return .yarn(try yarn(parameters))
        case "longrope":
            return .longrope(try longrope(parameters, dimension: dimension, isPhi3: isPhi3))
        default:
            throw parameters.unsupported(
                key, supported: RotaryScaling.names.joined(separator: ", "))
        }
    }

    private func yarn(_ parameters: ConfigurationDocument) throws(LanguageModelError) -> YarnScaling {
        let original = try originalPositions(parameters)
        let factor = try parameters.positiveNumber("factor", default: Double(positions) / Double(original))
        func growth(_ scale: Double) -> Double { factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1 }
        let amplitude: Double
        if parameters.value("attention_factor") != nil {
            amplitude = try parameters.positiveNumber("attention_factor")
        } else if let scale = parameters.value("mscale")?.double, scale != 0,
            let all = parameters.value("mscale_all_dim")?.double, all != 0
        {
            amplitude = growth(scale) / growth(all)
        } else {
            amplitude = growth(1)
        }
        guard amplitude.isFinite, Float(amplitude) != 0 else {
            throw parameters.malformed("mscale", expected: "a number that leaves a finite factor")
        }
        return YarnScaling(
            factor: factor, originalPositions: original,
            fastRotations: try parameters.positiveNumber("beta_fast", default: 32),
            slowRotations: try parameters.positiveNumber("beta_slow", default: 1),
            truncates: try parameters.flag("truncate", default: true), amplitude: amplitude)
    }

    private func longrope(
        _ parameters: ConfigurationDocument, dimension: Int, isPhi3: Bool
    ) throws(LanguageModelError) -> LongropeScaling {
        func divisors(_ key: String) throws(LanguageModelError) -> [Double] {
            let expected = "a list of \(dimension / 2) numbers above 0, one for each pair that is rotated"
            guard case .array(let list)? = parameters.value(key), list.count == dimension / 2 else {
                throw parameters.malformed(key, expected: expected)
            }
            var numbers: [Double] = []
            for element in list {
                guard let number = element.double, Float(number) > 0, Float(number).isFinite else {
                    throw parameters.malformed(key, expected: expected)
                }
                numbers.append(number)
            }
            return numbers
        }

        // Phi 3 has the key at the top of the file, with a default.
        var original = try originalPositions(parameters)
        if isPhi3 {
            original = try document.integer("original_max_position_embeddings", in: 2...16_777_216, default: 4096)
        }
        let factor = try parameters.positiveNumber("factor", default: Double(positions) / Double(original))
        let usual = factor <= 1 ? 1 : (1 + log(factor) / log(Double(original))).squareRoot()
        return LongropeScaling(
            short: try divisors("short_factor"), long: try divisors("long_factor"), originalPositions: original,
            amplitude: try parameters.positiveNumber("attention_factor", default: usual))
    }

    /// The positions of the first training. A value at the top of the file counts before the one in the object, as in
    /// transformers.
    private func originalPositions(_ parameters: ConfigurationDocument) throws(LanguageModelError) -> Int {
        let key = "original_max_position_embeddings"
        let inner = try parameters.integer(key, in: 2...16_777_216, default: positions)
        return try document.integer(key, in: 2...16_777_216, default: inner)
    }

    /// Partial rotary embeddings are a different model.
    static func refusePart(_ document: ConfigurationDocument) throws(LanguageModelError) {
        let key = "partial_rotary_factor"
        guard try document.positiveNumber(key, default: 1) == 1 else { throw document.unsupported(key, supported: "1") }
    }
}
