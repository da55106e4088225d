import Vocabulary

/// What verification knows of a dictionary when it checks dependent rows.
struct InspectedDictionary {
    let id: Int64
    let languageModelID: Int64?
    let architecture: String
    let dModel: Int
    let latentCount: Int
    let k: Int?
    let layers: [Int]
    let isCorrected: Bool
    /// Whether its router sends a token to one layer.
    let isRoutedHard: Bool
    let rules: EncodingRules
    /// Euclidean norms of the decoder's rows; empty for an unreadable decoder.
    var decoderNorms: [Double] = []
    /// Relative tolerance between the stored decoder and the norms computed before.
    var normTolerance = 0.0

    /// The smallest possible weight of a chosen layer: the largest of the probabilities, so at least their mean.
    var leastRouterWeight: Double? {
        isRoutedHard && architecture == "route" && !layers.isEmpty ? (1 - 1e-5) / Double(layers.count) : nil
    }

    /// Contradictions within its row.
    var contradictions: [String] {
        var found: [String] = []
        if layers.isEmpty || layers != Set(layers).sorted() || layers.contains(where: { $0 < 0 }) {
            found.append("layers \(Catalog.json(layers)) are not ascending numbers, each once")
        } else if ["topk", "vanilla", "gated", "jumprelu"].contains(architecture), layers.count > 1 {
            found.append("a \(architecture) reads one layer, not \(layers.count)")
        }
        switch architecture {
        case "vanilla", "gated", "jumprelu":
            if let k { found.append("a \(architecture) has no k, and here it is \(k)") }
        case "crosscoder": break
        case "route", "random":
            if k == nil, !isCorrected { found.append("a \(architecture) of the reference has a k, which is missing") }
        default: if k == nil { found.append("a \(architecture) has a k, which is missing") }
        }
        if let k, k > 0, rules.selection == .groups, !latentCount.isMultiple(of: k) {
            found.append("\(latentCount) latents are no \(k) groups of equal size")
        }
        if k != nil, rules.selection == nil { found.append("it has a k, and no rule which latents are kept") }
        if let selection = rules.selection, selection != .activation, architecture != "topk" {
            found.append("a \(architecture) keeps latents by activation, not by \(selection.rawValue)")
        }
        if architecture == "jumprelu", rules.thresholdForm == nil {
            found.append("the form of its thresholds is missing")
        }
        if let k, k > latentCount { found.append("k is \(k), and there are \(latentCount) latents") }
        return found
    }

    /// Names and shapes of the tensors of its architecture.
    var expectedTensors: [String: [Int]] {
        let (width, overflow) =
            architecture == "crosscoder" ? dModel.multipliedReportingOverflow(by: layers.count) : (dModel, false)
        guard !overflow else { return [:] }
        var tensors = ["encoder": [latentCount, width], "decoder": [latentCount, width]]
        if architecture == "route", layers.count > 1 { tensors["router"] = [layers.count, dModel] }
        if architecture != "crosscoder" || isCorrected { tensors["pre_bias"] = [width] }
        if architecture == "gated" {
            for name in ["gate_bias", "mag_bias", "r_mag"] { tensors[name] = [latentCount] }
        } else {
            tensors["latent_bias"] = [latentCount]
        }
        if architecture == "jumprelu" { tensors["threshold"] = [rules.thresholdForm == .shared ? 1 : latentCount] }
        if ["route", "random"].contains(architecture), k == nil { tensors["threshold"] = [1] }
        return tensors
    }

    /// Contradictions in its tensors' names and shapes.
    func contradictions(of tensors: [String: [Int]]) -> [String] {
        let expected = expectedTensors
        guard !expected.isEmpty, contradictions.isEmpty else { return [] }
        var found: [String] = []
        for (name, shape) in expected.sorted(by: { $0.key < $1.key }) {
            guard let stored = tensors[name] else {
                found.append(
                    name == "threshold" && architecture != "jumprelu"
                        ? "a \(architecture) has a k or a tensor threshold, and both are missing"
                        : "a \(architecture) has a tensor \(name), which is missing")
                continue
            }
            if stored != shape {
                found.append("tensor \(name) has the shape \(Catalog.json(stored)), not \(Catalog.json(shape))")
            }
        }
        for name in tensors.keys.sorted() where expected[name] == nil {
            found.append("a \(architecture) has no tensor \(name)")
        }
        return found
    }
}
