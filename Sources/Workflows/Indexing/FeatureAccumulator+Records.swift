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

    /// The rows of table `feature_context`, with their splits.
    func contextEntries(options: IndexingOptions) -> [ContextEntry] {
        struct Place: Hashable {
            let document: Int64
            let position: Int32
        }
        var chosen: [(band: ContextRecord.Band, rank: Int, firing: Firing<ContextDraft>)] = []
        var taken: Set<Place> = []
        func take(_ firings: [Firing<ContextDraft>], as band: ContextRecord.Band, most: Int) {
            var rank = 0
            for firing in firings where rank < most {
                let place = Place(document: firing.document, position: firing.position)
                guard taken.insert(place).inserted else { continue }
                chosen.append((band, rank, firing))
                rank += 1
            }
        }
        take(top.sorted, as: .top, most: options.topContexts)
        // Which of the sample stay is decided by priority, their rank by strength.
        let kept = sample.byPriority.filter { !taken.contains(Place(document: $0.document, position: $0.position)) }
            .prefix(options.sampleContexts).sorted {
                $0.activation != $1.activation
                    ? $0.activation > $1.activation : ($0.document, $0.position) < ($1.document, $1.position)
            }
        take(Array(kept), as: .sample, most: options.sampleContexts)
        take(quiet.byPriority, as: .quiet, most: options.quietContexts)
        let splits = ContextSplit.assign(
            chosen.map { context in
                SplitCandidate(
                    band: ContextBand(rawValue: context.band.rawValue) ?? .top, rank: context.rank,
                    document: 0, segment: Int(context.firing.payload.passage))
            })
        return zip(chosen, splits).map { context, split in
            let draft = context.firing.payload
            return ContextEntry(
                band: context.band, rank: context.rank, passageID: draft.passage, position: Int(draft.position),
                layer: Int(draft.layer), routerWeight: draft.routerWeight, activation: context.firing.activation,
                split: split == .explain ? .explain : .score, activations: draft.window)
        }
    }
}
