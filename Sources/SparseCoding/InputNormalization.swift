import CKernels
package import Vocabulary

/// What is done to a residual stream h before it is encoded, and undone after it is decoded.
///
/// In all cases x = (h − mean) / divisor, and a reconstruction x̂ becomes x̂ · deviation + mean; the divisor is the
/// deviation, with a layer norm plus its epsilon.
package enum InputNormalization: Sendable, Equatable {
    /// x = h: the mean is 0, the deviation 1.
    case none
    /// x = (h − mean) / (deviation + ε), over the d values of h, with d − 1 in the deviation's denominator. The epsilon
    /// is left out on the way back, as SAELens does (`sae_lens/saes/sae.py`, `layer_norm`).
    case layerNorm(epsilon: Double)
    /// x = s · h: the deviation is 1 / s.
    case scale(Double)
    /// x = h · √d / ‖h‖: the deviation is ‖h‖ / √d. Where SAELens divides by zero (`constant_norm_rescale`), x is 0.
    case unitNorm

    /// RouteSAE's own: a layer norm with the epsilon of the authors' code.
    package static let standardised = InputNormalization.layerNorm(epsilon: 1e-6)

    /// Its kind, without numbers.
    package var rule: InputRule {
        switch self {
        case .none: .none
        case .layerNorm: .layerNorm
        case .scale: .scale
        case .unitNorm: .unitNorm
        }
    }

    /// The epsilon of a layer norm.
    package var epsilon: Double? { if case .layerNorm(let epsilon) = self { epsilon } else { nil } }

    /// The factor of a constant scale.
    package var factor: Double? { if case .scale(let factor) = self { factor } else { nil } }

    /// Puts it together from its kind and the one number that goes with the kind.
    ///
    /// - Throws: `SparseCodingError.setting` for a number that is missing, out of range or of another kind.
    package init(_ rule: InputRule, epsilon: Double? = nil, factor: Double? = nil) throws(SparseCodingError) {
        switch rule {
        case .none: self = .none
        case .layerNorm: self = .layerNorm(epsilon: epsilon ?? .nan)
        case .scale: self = .scale(factor ?? .nan)
        case .unitNorm: self = .unitNorm
        }
        if let epsilon, self.epsilon == nil {
            throw .setting(name: "the epsilon of the input", found: "\(epsilon)", allowed: "none for \(rule.rawValue)")
        }
        if let factor, self.factor == nil {
            throw .setting(name: "the scale of the input", found: "\(factor)", allowed: "none for \(rule.rawValue)")
        }
        try check()
    }

    /// Checks its number.
    ///
    /// - Throws: `SparseCodingError.setting`.
    func check() throws(SparseCodingError) {
        // Both as 32-bit numbers, which is what is computed with.
        if let epsilon, !(0...1).contains(Float(epsilon)) {
            throw .setting(name: "the epsilon of the input", found: "\(epsilon)", allowed: "0 … 1")
        }
        if let factor, !(Float(factor) > 0 && (1 / Float(factor)).isFinite && Float(factor).isFinite) {
            throw .setting(name: "the scale of the input", found: "\(factor)", allowed: "a finite number above 0")
        }
    }

    /// What a change of x is multiplied by to be one of h.
    ///
    /// - Parameter deviation: of the token, as `apply` returned it.
    package func divisor(deviation: Float) -> Float {
        if case .layerNorm(let epsilon) = self { deviation + Float(epsilon) } else { deviation }
    }

    /// Computes x of one token.
    ///
    /// - Parameters:
    ///   - h: the residual stream `[width]`.
    ///   - x: the result `[width]`; may be `h` itself.
    /// - Returns: the mean and the deviation; the latter is not finite where a value is not, or too large to be squared.
    package func apply(
        _ h: UnsafePointer<Float>, width: Int, into x: UnsafeMutablePointer<Float>
    ) -> (mean: Float, deviation: Float) {
        let d = Int64(width)
        switch self {
        case .layerNorm(let epsilon):
            var (mean, deviation): (Float, Float) = (0, 0)
            rsae_standardise(h, d, Float(epsilon), x, &mean, &deviation)
            return (mean, deviation)
        case .none:
            if x != h { x.update(from: h, count: width) }
            return (0, rsae_dot(x, x, d).isFinite ? 1 : .infinity)
        case .scale(let factor):
            for column in 0..<width { x[column] = h[column] * Float(factor) }
            return (0, rsae_dot(x, x, d).isFinite ? 1 / Float(factor) : .infinity)
        case .unitNorm:
            let norm = rsae_dot(h, h, d).squareRoot()
            let root = Float(width).squareRoot()
            let scale = norm > 0 ? root / norm : 0
            for column in 0..<width { x[column] = h[column] * scale }
            return (0, norm / root)
        }
    }
}

extension InputNormalization: Codable {
    private enum CodingKeys: String, CodingKey {
        case rule, epsilon, scale
    }

    /// Reads `{"rule": …}` with `epsilon` or `scale` beside it.
    ///
    /// - Throws: `DecodingError`, and as `init(_:epsilon:factor:)`.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            values.decode(InputRule.self, forKey: .rule),
            epsilon: values.decodeIfPresent(Double.self, forKey: .epsilon),
            factor: values.decodeIfPresent(Double.self, forKey: .scale))
    }

    /// Writes the same.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(rule, forKey: .rule)
        try values.encodeIfPresent(epsilon, forKey: .epsilon)
        try values.encodeIfPresent(factor, forKey: .scale)
    }
}
