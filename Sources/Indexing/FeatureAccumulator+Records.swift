import FeatureCatalog
import FeatureScoring

extension FeatureAccumulator {
    /// The row of table `feature`.
    func record(decoderNorm: Double) -> FeatureRecord {
        let fired = moments.count > 0
        func quantile(_ share: Double) -> Float {
            histogram.quantile(share, minimum: moments.minimum, maximum: moments.maximum) ?? 0
        }
        return FeatureRecord(
            featureIndex: feature,
            firedCount: moments.count,
            sumActivation: moments.sum,
            sumSquare: moments.sumOfSquares,
            minActivation: fired ? moments.minimum : nil,
            maxActivation: fired ? moments.maximum : nil,
            quantiles: fired
                ? FeatureRecord.Quantiles(
                    p10: quantile(0.1), p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99))
                : nil,
            decoderNorm: decoderNorm,
            documentCount: documents,
            histogram: fired ? histogram.counts.map { Int(clamping: $0) } : [])
    }

    /// The rows of table `feature_layer`: the layers it fired at.
    func layerRecords(layerNumbers: [Int]) -> [FeatureLayerRecord] {
        zip(layerNumbers, layers).filter { $1.firings > 0 }.map { number, share in
            FeatureLayerRecord(
                featureIndex: feature, layer: number, firedCount: share.firings, sumActivation: share.sum,
                maxActivation: share.maximum, sumRouterWeight: share.routerWeight)
        }
    }

    /// The rows of table `feature_token`, strongest class first.
    func tokenRecords(classText: [String]) -> [FeatureTokenRecord] {
        classes.entries.map { entry in
            FeatureTokenRecord(
                featureIndex: feature, tokenClass: classText[Int(entry.peaks.tokenClass)],
                firedCount: entry.firingCount, activation1: entry.peaks.strongest, activation2: entry.peaks.second)
        }
    }

    /// Adds the windows of its contexts to those counted.
    func addWindows(to occurrences: WindowOccurrences, options: IndexingOptions) {
        for chosen in contexts(options) {
            let draft = chosen.firing.payload
            occurrences.add(passageID: draft.passage, position: Int(draft.position))
        }
    }

    private func contexts(_ options: IndexingOptions) -> [ContextChoice<ContextDraft>] {
        ContextChoice.choose(top: top, sample: sample, most: options.sampleContexts, quiet: quiet)
    }

    /// The rows of table `feature_context`, with their splits.
    func contextEntries(options: IndexingOptions, occurrences: WindowOccurrences) -> [ContextEntry] {
        contexts(options).map { chosen in
            let draft = chosen.firing.payload
            return ContextEntry(
                band: chosen.band, rank: chosen.rank, passageID: draft.passage, position: Int(draft.position),
                layer: Int(draft.layer), routerWeight: draft.routerWeight, activation: chosen.firing.activation,
                split: chosen.split,
                occurrenceCount: occurrences.count(passageID: draft.passage, position: Int(draft.position)),
                activations: draft.window)
        }
    }
}
