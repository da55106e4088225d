import FeatureCatalog
import SparseCoding
import SparseTraining
import Vocabulary

extension StepReport {
    /// The rows of table `run_metric` for this step.
    ///
    /// - Parameter tokensPerSecond: the pace of training at this step.
    func metrics(_ configuration: DictionaryConfiguration, tokensPerSecond: Double) -> [RunMetric] {
        var metrics = [
            RunMetric(step: step, name: "loss", value: Double(loss)),
            RunMetric(step: step, name: "explained_variance", value: Double(explainedVariance)),
            RunMetric(step: step, name: "l0", value: Double(l0)),
            RunMetric(step: step, name: "dead_share", value: Double(deadShare)),
        ]
        metrics.append(RunMetric(step: step, name: "tokens_per_second", value: tokensPerSecond))
        if configuration.k == nil, configuration.thresholdForm != .shared {
            metrics.append(RunMetric(step: step, name: "sparsity_loss", value: Double(sparsityLoss)))
        } else if configuration.fidelity == .corrected {
            metrics.append(RunMetric(step: step, name: "auxiliary_loss", value: Double(auxiliaryLoss)))
        }
        if configuration.routes {
            metrics.append(RunMetric(step: step, name: "balance_loss", value: Double(balanceLoss)))
            metrics.append(RunMetric(step: step, name: "routing_entropy", value: Double(routingEntropy)))
            for (layer, share) in zip(configuration.layers, layerShares) {
                metrics.append(RunMetric(step: step, name: "layer_share_\(layer)", value: Double(share)))
            }
        }
        return metrics
    }
}
