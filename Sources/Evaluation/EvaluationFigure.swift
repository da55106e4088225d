import Foundation
import SparseCoding
import Vocabulary

/// A figure about a dictionary, computed from sums over tokens.
struct EvaluationFigure {
    /// Its name in the catalog.
    let metric: String
    /// The layer; nil for all together.
    let layer: Int?
    /// The figure; nil where it is undefined.
    let value: (EvaluationSums) -> Double?
    /// Tokens that it rests on.
    let tokens: (EvaluationSums) -> Double

    /// All figures of a dictionary that follow from sums (method and names: schema/README.md, table `evaluation`).
    static func all(of configuration: DictionaryConfiguration) -> [EvaluationFigure] {
        let layers = configuration.layers
        let all = layers.count
        var figures = reading(all, layer: nil) + effect(all, layer: nil) + scale()
        guard layers.count > 1 else { return figures }
        // Where every token is read from one layer, what its replacement does is that layer's doing.
        let isDivided =
            configuration.architecture == .random || configuration.routes && configuration.routing == .hard
        for (place, layer) in layers.enumerated() {
            // A soft reading is of no one layer.
            if isDivided || !configuration.routes { figures += reading(place, layer: layer) }
            if isDivided { figures += effect(place, layer: layer) }
            if isDivided || configuration.routes { figures += share(place, layer: layer, of: all) }
        }
        if configuration.routes || configuration.architecture == .random { figures.append(spread(layers.count)) }
        if configuration.routes { figures += decision() }
        return figures
    }

    private static func ratio(_ numerator: Double, _ denominator: Double) -> Double? {
        denominator > 0 ? numerator / denominator : nil
    }

    private static func reading(_ group: Int, layer: Int?) -> [EvaluationFigure] {
        let tokens: (EvaluationSums) -> Double = { $0[.tokens, group] }
        return [
            EvaluationFigure(
                metric: "norm_mse", layer: layer, value: { ratio($0[.relativeError, group], $0[.samples, group]) },
                tokens: tokens),
            EvaluationFigure(
                metric: "explained_variance", layer: layer,
                value: { sums in ratio(sums[.squaredError, group], sums[.variance, group]).map { 1 - $0 } },
                tokens: tokens),
            EvaluationFigure(
                metric: "l0", layer: layer, value: { ratio($0[.active, group], $0[.samples, group]) }, tokens: tokens),
            EvaluationFigure(
                metric: "l2_ratio", layer: layer, value: { ratio($0[.normRatio, group], $0[.samples, group]) },
                tokens: tokens),
            // Rajamanoharan et al. 2024 (arXiv 2404.16014), equation 10: the factor that û would be divided by to come
            // nearest to u.
            EvaluationFigure(
                metric: "relative_reconstruction_bias", layer: layer,
                value: { ratio($0[.outputSquare, group], $0[.outputProduct, group]) }, tokens: tokens),
        ]
    }

    private static func effect(_ group: Int, layer: Int?) -> [EvaluationFigure] {
        let predicted: (EvaluationSums) -> Double = { $0[.predicted, group] }
        func figure(_ metric: String, _ sum: @escaping (EvaluationSums) -> Double) -> EvaluationFigure {
            EvaluationFigure(metric: metric, layer: layer, value: { ratio(sum($0), predicted($0)) }, tokens: predicted)
        }
        return [
            EvaluationFigure(
                metric: "kl", layer: layer, value: { ratio($0[.divergence, group], $0[.tokens, group]) },
                tokens: { $0[.tokens, group] }),
            figure("ce") { $0[.crossEntropy, group] },
            figure("ce_substituted") { $0[.substituted, group] },
            figure("delta_ce") { $0[.substituted, group] - $0[.crossEntropy, group] },
        ]
    }

    private static func scale() -> [EvaluationFigure] {
        let tokens: (EvaluationSums) -> Double = { $0[.zeroPredicted] }
        return [
            // PyTorch's `batchmean` of [segments, positions, vocabulary]: divided by the first of them alone.
            EvaluationFigure(
                metric: "kl_batchmean", layer: nil, value: { ratio($0[.divergence, $0.all], $0[.segments]) },
                tokens: { $0[.tokens, $0.all] }),
            EvaluationFigure(
                metric: "ce_zero", layer: nil, value: { ratio($0[.zeroed], $0[.zeroPredicted]) }, tokens: tokens),
            EvaluationFigure(
                metric: "recovered", layer: nil,
                value: { sums in
                    let lost = sums[.zeroed] - sums[.zeroCrossEntropy]
                    return lost == 0 ? nil : 1 - (sums[.zeroSubstituted] - sums[.zeroCrossEntropy]) / lost
                }, tokens: tokens),
        ]
    }

    private static func share(_ group: Int, layer: Int, of all: Int) -> [EvaluationFigure] {
        [
            EvaluationFigure(
                metric: "routing_share", layer: layer, value: { ratio($0[.tokens, group], $0[.tokens, all]) },
                tokens: { $0[.tokens, all] }),
            EvaluationFigure(
                metric: "router_weight", layer: layer, value: { ratio($0[.weight, group], $0[.tokens, all]) },
                tokens: { $0[.tokens, all] }),
        ]
    }

    /// The entropy of the tokens' distribution over the layers, nats.
    private static func spread(_ layers: Int) -> EvaluationFigure {
        EvaluationFigure(
            metric: "routing_entropy", layer: nil,
            value: { sums in
                let total = sums[.tokens, sums.all]
                guard total > 0 else { return nil }
                return (0..<layers).reduce(0) { entropy, group in
                    let share = sums[.tokens, group] / total
                    return share > 0 ? entropy - share * log(share) : entropy
                }
            }, tokens: { $0[.tokens, $0.all] })
    }

    /// Certainty of the router: mean entropy of its distributions, nats, and its mean weight of the layer chosen.
    private static func decision() -> [EvaluationFigure] {
        [
            EvaluationFigure(
                metric: "token_entropy", layer: nil, value: { ratio($0[.entropy], $0[.tokens, $0.all]) },
                tokens: { $0[.tokens, $0.all] }),
            EvaluationFigure(
                metric: "chosen_weight", layer: nil, value: { ratio($0[.chosenWeight], $0[.tokens, $0.all]) },
                tokens: { $0[.tokens, $0.all] }),
        ]
    }
}
