import FeatureCatalog

/// What the figures of an evaluation are called, in the order in which they are read.
enum FigureNames {
    private static let names: [(metric: String, name: String)] = [
        ("explained_variance", "explained variance"), ("norm_mse", "normalized error"), ("l0", "L0"),
        ("dead_share", "share of dead features"), ("freq_over_1_percent", "share of features on over 1 % of tokens"),
        ("freq_over_10_percent", "share of features on over 10 % of tokens"),
        ("l2_ratio", "norm of the reconstruction, relative"),
        ("relative_reconstruction_bias", "relative reconstruction bias"),
        ("average_max_encoder_cosine_sim", "mean largest cosine of encoder rows"),
        ("average_max_decoder_cosine_sim", "mean largest cosine of decoder rows"), ("kl", "KL, nats a token"),
        ("ce", "cross-entropy"),
        ("ce_substituted", "with reconstructions"), ("delta_ce", "change of cross-entropy"),
        ("ce_zero", "with zeros"), ("recovered", "loss recovered"), ("kl_batchmean", "KL, sum over a segment"),
        ("routing_entropy", "entropy of routing, nats"), ("token_entropy", "entropy of a token's routing, nats"),
        ("chosen_weight", "router's weight of the layer chosen"),
        ("coverage", "coverage of all layers"), ("coverage_min", "coverage of the layer covered least"),
        ("coverage_baseline", "coverage, baseline"), ("coverage_baseline_min", "coverage of that layer, baseline"),
        ("census", "census: features of single layers found"), ("census_cosine", "census by cosine alone"),
        ("census_baseline", "census, baseline"),
        ("census_explained", "census of well explained features"),
        ("spanning_share", "share of features read at several layers"),
        ("coherence", "coherence of these across layers"), ("coherence_baseline", "coherence, baseline"),
    ]

    /// The name of a figure.
    static func name(of metric: String) -> String {
        names.first { $0.metric == metric }?.name ?? probe(metric) ?? metric.replacing("_", with: " ")
    }

    /// The name of a probe's figure, `probe_LABEL_kN` or `probe_LABEL_baseline`.
    private static func probe(_ metric: String) -> String? {
        var parts = metric.split(separator: "_")
        guard parts.count > 2, parts.removeFirst() == "probe" else { return nil }
        let last = parts.removeLast()
        let label = parts.joined(separator: " ")
        guard last != "baseline" else { return "F1 of \(label), baseline" }
        guard last.first == "k", let count = Int(last.dropFirst()) else { return nil }
        return "F1 of \(label) from \(count == 1 ? "one latent" : "\(count) latents")"
    }

    /// Whether one is read before another.
    static func precedes(_ one: EvaluationRecord, _ other: EvaluationRecord) -> Bool {
        let (first, second) = (place(of: one.metric), place(of: other.metric))
        return first == second ? one.metric < other.metric : first < second
    }

    private static func place(of metric: String) -> Int {
        names.firstIndex { $0.metric == metric } ?? names.count
    }
}
