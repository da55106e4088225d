import Foundation
import Glibc
import JSON
import Safetensors
import Testing

/// What SAELens 6.54 computes from a folder, by its formulas, in loops and in double precision.
struct NaiveSAELens {
    let settings: JSONValue
    let tensors: [String: [Double]]
    let (d, m): (Int, Int)

    /// Reads `cfg.json` and `sae_weights.safetensors`.
    init(_ folder: String) throws {
        settings = try JSONParser.parse(Data(contentsOf: URL(fileURLWithPath: folder + "/cfg.json")))
        let file = try SafetensorsFile(path: folder + "/sae_weights.safetensors")
        tensors = try Dictionary(
            uniqueKeysWithValues: file.names.map { name in (name, try file.floats(name).map { Double($0) }) })
        d = try #require(settings["d_in"]?.wholeNumber)
        m = try #require(settings["d_sae"]?.wholeNumber)
    }

    /// The values of a tensor.
    func tensor(_ name: String) throws -> [Double] { try #require(tensors[name], "no tensor \(name)") }

    /// Latents `[m]` and reconstruction `[d]` of a stream `[d]`.
    func run(_ h: [Double]) throws -> (latents: [Double], reconstruction: [Double]) {
        var (x, mean, factor) = (h, 0.0, 1.0)
        switch settings["normalize_activations"] {
        case .string("none"): break
        case .string("layer_norm"):
            mean = h.reduce(0, +) / Double(d)
            factor = (h.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d - 1)).squareRoot()
            x = h.map { ($0 - mean) / (factor + 1e-5) }
        case .string("constant_norm_rescale"):
            factor = h.reduce(0) { $0 + $1 * $1 }.squareRoot() / Double(d).squareRoot()
            x = h.map { $0 / factor }
        default: Issue.record("normalize_activations is \(String(describing: settings["normalize_activations"]))")
        }
        let bias = try tensor("b_dec")
        if settings["apply_b_dec_to_input"] == .boolean(true) { x = zip(x, bias).map { $0 - $1 } }

        let encoder = try tensor("W_enc")
        let product = (0..<m).map { latent in (0..<d).reduce(0) { $0 + x[$1] * encoder[$1 * m + latent] } }
        let decoder = try tensor("W_dec")
        let norms = (0..<m).map { latent in
            (0..<d).reduce(0) { $0 + decoder[latent * d + $1] * decoder[latent * d + $1] }.squareRoot()
        }
        let rescales = settings["rescale_acts_by_decoder_norm"] == .boolean(true)
        let latents = try activations(product, norms: rescales ? norms : nil)
        let decoded = (0..<d).map { column in
            (0..<m).reduce(bias[column]) { sum, latent in
                sum + latents[latent] / (rescales ? norms[latent] : 1) * decoder[latent * d + column]
            }
        }
        return (latents, decoded.map { $0 * factor + mean })
    }

    private func activations(_ product: [Double], norms: [Double]?) throws -> [Double] {
        switch settings["architecture"] {
        case .string("standard"): return zip(product, try tensor("b_enc")).map { max($0 + $1, 0) }
        case .string("gated"):
            let (gate, magnitude, scale) = (try tensor("b_gate"), try tensor("b_mag"), try tensor("r_mag"))
            return product.indices.map {
                product[$0] + gate[$0] > 0 ? max(product[$0] * exp(scale[$0]) + magnitude[$0], 0) : 0
            }
        case .string("jumprelu"):
            let threshold = try tensor("threshold")
            let p = zip(product, try tensor("b_enc")).map { $0 + $1 }
            return p.indices.map { p[$0] > threshold[$0] ? max(p[$0], 0) : 0 }
        case .string("topk"):
            var p = zip(product, try tensor("b_enc")).map { $0 + $1 }
            if let norms { p = zip(p, norms).map { $0 * $1 } }
            let k = try #require(settings["k"]?.wholeNumber)
            let kept = Set(p.indices.sorted { p[$0] > p[$1] }.prefix(k))
            return p.indices.map { kept.contains($0) ? max(p[$0], 0) : 0 }
        default:
            Issue.record("architecture is \(String(describing: settings["architecture"]))")
            return product
        }
    }
}
