import FeatureScoring
import LinearAlgebra
import SparseCoding

/// Everything that is learnt of one feature while the text streams by. Bounded, whatever the text's length.
struct FeatureAccumulator: Sendable {
    /// What one layer contributes to a feature.
    struct LayerShare: Sendable {
        var firings = 0
        var sum = 0.0
        var maximum = -Float.infinity
        var routerWeight = 0.0
    }

    let feature: Int
    var moments = ActivationMoments()
    var histogram = FiringHistogram()
    var classes = TokenClassTable()
    var layers: [LayerShare]
    var documents = 0
    var top: TopFirings<ContextDraft>
    var sample: PrioritySample<ContextDraft>
    var quiet: PrioritySample<ContextDraft>
    private var lastDocument: Int64 = -1

    init(feature: Int, layers: Int, options: IndexingOptions, seed: UInt64) {
        self.feature = feature
        self.layers = Array(repeating: LayerShare(), count: layers)
        top = TopFirings(capacity: options.topContexts)
        // A firing that is in `top` as well is dropped from the sample, so it is drawn larger by as many.
        sample = PrioritySample(
            capacity: options.sampleContexts == 0 ? 0 : options.sampleContexts + options.topContexts, seed: seed,
            featureIndex: feature)
        quiet = PrioritySample(capacity: options.quietContexts, seed: ~seed, featureIndex: feature)
    }

    /// Takes in a batch.
    ///
    /// - Parameters:
    ///   - layerNumbers: the decoder layers behind the router's outputs.
    ///   - window: tokens of a context.
    mutating func record(_ batch: IndexedBatch, layerNumbers: [Int], window: Int) {
        let range = batch.entries.range(of: feature)
        var first = range.lowerBound
        while first < range.upperBound {
            // The firings of one segment.
            let segment = Int(batch.segmentOfRow[Int(batch.entries.samples[first])])
            var peak = first
            var end = first
            while end < range.upperBound, Int(batch.segmentOfRow[Int(batch.entries.samples[end])]) == segment {
                recordFiring(end, in: batch, segment: batch.segments[segment], layerNumbers, window)
                if batch.entries.activations[end] > batch.entries.activations[peak] { peak = end }
                end += 1
            }
            let document = batch.segments[segment].document
            if document != lastDocument {
                documents += 1
                lastDocument = document
            }
            // One context a segment: the strongest firing stands for its neighbours.
            if batch.entries.activations[peak] >= top.threshold {
                top.offer(firing(at: Int(batch.entries.samples[peak]), in: batch, layerNumbers, window))
            }
            first = end
        }
        proposeQuiet(batch, layerNumbers, window)
    }

    private mutating func recordFiring(
        _ entry: Int, in batch: IndexedBatch, segment: IndexedBatch.Segment, _ layerNumbers: [Int], _ window: Int
    ) {
        let row = Int(batch.entries.samples[entry])
        let activation = batch.entries.activations[entry]
        moments.record(activation)
        histogram.record(activation)
        classes.record(tokenClass: batch.classes[row], activation: activation)
        let layer = Int(batch.routed.selected[row])
        layers[layer].firings += 1
        layers[layer].sum += Double(activation)
        layers[layer].maximum = max(layers[layer].maximum, activation)
        layers[layer].routerWeight += Double(batch.routed.probabilities[row, layer])
        let position = Int32(truncatingIfNeeded: segment.start + row - segment.rows.lowerBound)
        if sample.accepts(document: segment.document, position: position) {
            sample.offer(firing(at: row, in: batch, layerNumbers, window))
        }
    }

    /// Draws four places of a batch and offers those at which the feature does not fire in the whole window.
    private mutating func proposeQuiet(_ batch: IndexedBatch, _ layerNumbers: [Int], _ window: Int) {
        let rows = batch.tokens.count
        var generator = CounterGenerator(seed: quiet.seed &+ UInt64(feature), stream: "quiet")
        // The batch's own numbers make the draw differ from batch to batch, whatever came before.
        generator = CounterGenerator(
            seed: generator.next() ^ UInt64(bitPattern: batch.segments[0].document) << 20
                ^ UInt64(batch.segments[0].index))
        for _ in 0..<4 {
            let row = generator.index(below: rows)
            let segment = batch.segments[Int(batch.segmentOfRow[row])]
            let position = Int32(truncatingIfNeeded: segment.start + row - segment.rows.lowerBound)
            guard quiet.accepts(document: segment.document, position: position) else { continue }
            let span = batch.window(around: row, tokens: window)
            guard firstEntry(from: span.lowerBound, in: batch) == firstEntry(from: span.upperBound, in: batch) else {
                continue
            }
            quiet.offer(firing(at: row, in: batch, layerNumbers, window))
        }
    }

    private func firing(
        at row: Int, in batch: IndexedBatch, _ layerNumbers: [Int], _ window: Int
    ) -> Firing<ContextDraft> {
        let segment = batch.segments[Int(batch.segmentOfRow[row])]
        let span = batch.window(around: row, tokens: window)
        var activations = Array(repeating: Float(0), count: span.count)
        let end = batch.entries.range(of: feature).upperBound
        var entry = firstEntry(from: span.lowerBound, in: batch)
        while entry < end, Int(batch.entries.samples[entry]) < span.upperBound {
            activations[Int(batch.entries.samples[entry]) - span.lowerBound] = batch.entries.activations[entry]
            entry += 1
        }
        let layer = Int(batch.routed.selected[row])
        return Firing(
            document: segment.document,
            position: Int32(truncatingIfNeeded: segment.start + row - segment.rows.lowerBound),
            activation: activations[row - span.lowerBound],
            payload: ContextDraft(
                segment: Int32(truncatingIfNeeded: segment.index),
                windowStart: Int32(truncatingIfNeeded: segment.start + span.lowerBound - segment.rows.lowerBound),
                layer: Int32(truncatingIfNeeded: layerNumbers[layer]),
                routerWeight: batch.routed.probabilities[row, layer],
                tokens: Array(batch.tokens[span]),
                activations: activations))
    }

    /// The first of the feature's entries at or after a row (binary search).
    private func firstEntry(from row: Int, in batch: IndexedBatch) -> Int {
        var range = batch.entries.range(of: feature)
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            if Int(batch.entries.samples[middle]) < row {
                range = middle + 1..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        return range.lowerBound
    }
}
