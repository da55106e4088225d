import ActivationPipeline
import FeatureCatalog
import Indexing
package import JSON
import Vocabulary

extension FeatureReport {
    /// The report as one object.
    package var json: JSONValue {
        .object([
            "dictionary": .object([
                "dictionary_id": JSONValue(dictionary.record.dictionaryID),
                "name": .string(dictionary.record.name),
                "architecture": .string(dictionary.record.architecture.rawValue),
                "n_latents": JSONValue(dictionary.record.latentCount),
                "corpus": .string(dictionary.corpus),
                "n_tokens_indexed": JSONValue(dictionary.indexing.tokenCount),
            ]),
            "feature_index": JSONValue(feature.featureIndex),
            "statistics": .object(
                JSONObject(
                    summary.filter { !["dictionary_id", "dictionary", "feature_index"].contains($0.key) }
                        .mapValues { JSONValue($0) })),
            "histogram": .object([
                "edges": .array(dictionary.indexing.histogramEdges.map { JSONValue($0) }),
                "counts": .array(feature.histogram.map { JSONValue($0) }),
            ]),
            "layers": .array(layers.map(Self.json)),
            "tokens": .array(tokens.map(Self.json)),
            "logits": .array(
                logits.map { logit, text in
                    .object([
                        "direction": .string(logit.direction.rawValue), "rank": JSONValue(logit.rank),
                        "token_id": JSONValue(logit.tokenID), "text": JSONValue(text), "value": JSONValue(logit.value),
                    ])
                }),
            "neighbors": .array(
                neighbors.map { neighbor in
                    .object([
                        "rank": JSONValue(neighbor.rank), "feature_index": JSONValue(neighbor.neighborIndex),
                        "cosine": JSONValue(neighbor.cosine),
                    ])
                }),
            "cofirings": .array(
                cofirings.enumerated().map { rank, cofiring in
                    .object([
                        "rank": JSONValue(rank), "feature_index": JSONValue(cofiring.otherIndex),
                        "share": JSONValue(cofiring.share), "lift": JSONValue(cofiring.lift),
                    ])
                }),
            "contexts": .array(contexts.map(json)),
            "explanations": .array(explanations.map(Self.json)),
            "scores": .array(scores.map(Self.json)),
        ])
    }

    private func json(of context: ContextRecord) -> JSONValue {
        let window = windows[context.contextID]
        return .object([
            "context_id": JSONValue(context.contextID),
            "band": .string(context.band.rawValue),
            "rank": JSONValue(context.rank),
            "split": JSONValue(context.split?.rawValue),
            "document_id": JSONValue(context.documentID),
            "token_position": JSONValue(context.tokenPosition),
            "segment": JSONValue(context.segment),
            "window_start": JSONValue(context.windowStart),
            "layer": JSONValue(context.layer),
            "router_weight": JSONValue(context.routerWeight),
            "activation": JSONValue(context.activation),
            "activations": .array(context.activations.map { JSONValue($0) }),
            "token_ids": window.map { .array($0.map { JSONValue($0.tokenID) }) } ?? .null,
            "tokens": window.map { .array($0.map { .string($0.text) }) } ?? .null,
            "excerpt": .string(context.excerpt),
        ])
    }

    private static func json(of layer: FeatureLayerRecord) -> JSONValue {
        .object([
            "layer": JSONValue(layer.layer),
            "n_fired": JSONValue(layer.firedCount),
            "sum_activation": JSONValue(layer.sumActivation),
            "mean_activation": JSONValue(layer.sumActivation / Double(max(1, layer.firedCount))),
            "max_activation": JSONValue(layer.maxActivation),
            "mean_router_weight": JSONValue(layer.meanRouterWeight),
        ])
    }

    private static func json(of token: FeatureTokenRecord) -> JSONValue {
        .object([
            "token_class": .string(token.tokenClass),
            "n_fired": JSONValue(token.firedCount),
            "activation_1": JSONValue(token.activation1),
            "activation_2": JSONValue(token.activation2),
        ])
    }

    private static func json(of explanation: ExplanationRecord) -> JSONValue {
        .object([
            "explanation_id": JSONValue(explanation.explanationID),
            "run_id": JSONValue(explanation.runID),
            "method": .string(explanation.method),
            "text": .string(explanation.text),
            "detail": explanation.detailJSON.map { JSONValue(parsing: $0) } ?? .null,
        ])
    }

    private static func json(of score: ScoreRecord) -> JSONValue {
        .object([
            "score_id": JSONValue(score.scoreID),
            "run_id": JSONValue(score.runID),
            "explanation_id": JSONValue(score.explanationID),
            "method": .string(score.method.rawValue),
            "status": .string(score.status.rawValue),
            "value": JSONValue(score.value),
            "baseline_value": JSONValue(score.baselineValue),
            "reason": JSONValue(score.reason),
            "n_contexts": JSONValue(score.contextCount),
            "n_tokens": JSONValue(score.tokenCount),
            "metrics": score.metricsJSON.map { JSONValue(parsing: $0) } ?? .null,
            "detail": score.detailJSON.map { JSONValue(parsing: $0) } ?? .null,
        ])
    }
}
