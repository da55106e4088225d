import FeatureCatalog
import JSON
import Vocabulary

/// The JSON of a feature in circuit-tracer's viewer.
struct CircuitTracerPage {
    /// Bins of a histogram.
    private static let binCount = 50

    private let dictionary: String
    private let tokenCount: Int
    /// The JSON of every token's text, by token.
    private let tokens: [[UInt8]]

    /// Prepares the pages of a dictionary's features on a text of so many tokens.
    init(dictionary: String, tokenCount: Int, vocabulary: [TokenRecord]) {
        self.dictionary = dictionary
        self.tokenCount = tokenCount
        tokens = vocabulary.map { JSONWriter.canonical.bytes(.string(Self.text(of: $0))) }
    }

    /// A token's text, with bytes that are no character by themselves as `\xNN`.
    private static func text(of token: TokenRecord) -> String {
        guard let bytes = token.bytes else { return token.text }
        return bytes.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return "\\x" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }

    /// A feature as it fires in a layer; without examples where it does not.
    func bytes(_ feature: ExportedFeature, layer: Int) -> [UInt8] {
        let part = feature.layers.first { $0.layer == layer }
        let smallest = part == nil ? 0 : min(0, Double(feature.record.minActivation ?? 0))
        var page = JSONLine()
        page.add("transcoder_id", "\(dictionary), layer \(layer)")
        page.add("index", .integer(feature.record.featureIndex))
        page.add(
            "examples_quantiles",
            spelled: [("Top activations", ContextBand.top), ("Sample of all activations", .sample)].compactMap {
                name, band in quantile(name, feature.contexts.filter { $0.band == band && $0.layer == layer })
            })
        page.add("top_logits", spelled: feature.promoted.map { tokens[$0.tokenID] })
        page.add("bottom_logits", spelled: feature.suppressed.map { tokens[$0.tokenID] })
        page.add("act_min", rounded: smallest)
        page.add("act_max", rounded: part.map { Double($0.maxActivation) } ?? 0)
        let quantiles = feature.record.quantiles.map { [$0.p10, $0.p50, $0.p90, $0.p99] } ?? []
        page.add("quantile_values", rounded: quantiles.map { Double($0) })
        page.add("histogram", feature.activations?.equalBins(Self.binCount).counts ?? [])
        page.add("activation_frequency", rounded: Double(part?.firedCount ?? 0) / Double(max(tokenCount, 1)))
        return page.bytes
    }

    private func quantile(_ name: String, _ contexts: [ExportedFeature.Context]) -> [UInt8]? {
        guard !contexts.isEmpty else { return nil }
        var quantile = JSONLine()
        quantile.add("quantile_name", name)
        quantile.add(
            "examples",
            spelled: contexts.map { context in
                var example = JSONLine()
                example.add("tokens", spelled: context.tokenIDs.lazy.map { tokens[Int($0)] })
                example.add("tokens_acts_list", rounded: context.activations.lazy.map { Double($0) })
                example.add("train_token_ind", .integer(context.peak))
                // A text is kept once, however often it occurs.
                example.add("is_repeated_datapoint", .boolean(false))
                return example.bytes
            })
        return quantile.bytes
    }
}
