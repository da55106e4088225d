import ActivationPipeline
import FeatureScoring
import LinearAlgebra
import RandomNumbers
import SparseCoding

/// Statistics of one feature, updated while the text streams by. Memory is independent of the text's length.
struct FeatureAccumulator: Sendable {
    /// A layer's part in a feature's statistics.
    struct LayerShare: Sendable {
        var firings = 0
        var sum = 0.0
        var maximum = -Float.infinity
        var routerWeight = 0.0

        /// Adds one firing.
        mutating func record(_ activation: Float, routerWeight weight: Float) {
            firings += 1
            sum += ActivationMoments.onGrid(Double(activation))
            maximum = max(maximum, activation)
            routerWeight += ActivationMoments.onGrid(Double(weight))
        }
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
        // Texts in `top` are dropped from the sample, so it is drawn larger by as many.
        sample = PrioritySample(
            capacity: options.sampleContexts == 0 ? 0 : options.sampleContexts + options.topContexts, seed: seed,
            featureIndex: feature)
        quiet = PrioritySample(capacity: options.quietContexts, seed: ~seed, featureIndex: feature)
    }

    /// Adds a batch.
    ///
    /// - Parameter layerNumbers: the decoder layers behind the router's outputs.
    mutating func record(_ batch: IndexedBatch, layerNumbers: [Int]) {
        let range = batch.entries.range(of: feature)
        // Read once: properties of a class are checked at every access.
        let (samples, activations) = (batch.entries.samples, batch.entries.activations)
        recordActivations(samples + range.lowerBound, activations + range.lowerBound, count: range.count, in: batch)
        recordLayers(samples + range.lowerBound, activations + range.lowerBound, count: range.count, in: batch)
        var first = range.lowerBound
        while first < range.upperBound {
            // The firings of one segment.
            let segment = Int(batch.segmentOfRow[Int(samples[first])])
            var peak = first
            var end = first
            while end < range.upperBound, Int(batch.segmentOfRow[Int(samples[end])]) == segment {
                offerToSample(Int(samples[end]), activations[end], in: batch, layerNumbers)
                if activations[end] > activations[peak] { peak = end }
                end += 1
            }

            let document = batch.segments[segment].document
            if document != lastDocument {
                documents += 1
                lastDocument = document
            }
            // One context per segment: the strongest firing.
            if activations[peak] >= top.threshold,
                top.takes(batch.place(of: Int(samples[peak])), activation: activations[peak])
            {
                top.offer(firing(at: Int(samples[peak]), in: batch, layerNumbers))
            }
            first = end
        }
        proposeQuiet(batch, layerNumbers)
    }

    /// Adds firings to what depends on activations and token classes, one statistic after the other.
    private mutating func recordActivations(
        _ rows: UnsafePointer<Int32>, _ activations: UnsafePointer<Float>, count: Int, in batch: IndexedBatch
    ) {
        var moments = self.moments
        for place in 0..<count { moments.record(activations[place]) }
        self.moments = moments
        for place in 0..<count { histogram.record(activations[place]) }
        batch.classes.withUnsafeBufferPointer { classOfRow in
            for place in 0..<count {
                classes.record(tokenClass: classOfRow[Int(rows[place])], activation: activations[place])
            }
        }
    }

    /// Adds firings to the shares of their layers.
    private mutating func recordLayers(
        _ rows: UnsafePointer<Int32>, _ activations: UnsafePointer<Float>, count: Int, in batch: IndexedBatch
    ) {
        let feature = feature
        layers.withUnsafeMutableBufferPointer { layers in
            batch.layers.withUnsafeBufferPointer { known in
                for place in 0..<count {
                    let row = Int(rows[place])
                    let read = known.isEmpty ? batch.layer(of: feature, at: row) : known[row]
                    layers[read.layer].record(activations[place], routerWeight: read.weight)
                }
            }
        }
    }

    private mutating func offerToSample(
        _ row: Int, _ activation: Float, in batch: IndexedBatch, _ layerNumbers: [Int]
    ) {
        if sample.accepts(window: batch.windowKeys[row]), sample.takes(batch.place(of: row), activation: activation) {
            sample.offer(firing(at: row, in: batch, layerNumbers))
        }
    }

    /// Draws a position in every segment, the same in segments of the same tokens, and offers it if the feature does
    /// not fire in the whole window around it.
    private mutating func proposeQuiet(_ batch: IndexedBatch, _ layerNumbers: [Int]) {
        for segment in batch.segments {
            let draw = SplitMix64.hash(
                seed: quiet.seed ^ 0x71_7569_6574, UInt64(feature), segment.passageKey, UInt64(segment.rows.count))
            let row = segment.rows.lowerBound + Int(draw % UInt64(segment.rows.count))
            let span = batch.window(around: row)
            guard quiet.accepts(window: batch.windowKeys[row]), quiet.takes(batch.place(of: row), activation: 0),
                firstEntry(from: span.lowerBound, in: batch) == firstEntry(from: span.upperBound, in: batch)
            else { continue }
            quiet.offer(firing(at: row, in: batch, layerNumbers))
        }
    }

    private func firing(
        at row: Int, in batch: IndexedBatch, _ layerNumbers: [Int]
    ) -> Firing<ContextDraft> {
        let segment = batch.segments[Int(batch.segmentOfRow[row])]
        let span = batch.window(around: row)
        var activations: [ContextDraft.Activation] = []
        var peak: Float = 0
        let end = batch.entries.range(of: feature).upperBound
        var entry = firstEntry(from: span.lowerBound, in: batch)
        while entry < end, Int(batch.entries.samples[entry]) < span.upperBound {
            let place = Int(batch.entries.samples[entry]) - span.lowerBound
            let value = batch.entries.activations[entry]
            activations.append(ContextDraft.Activation(place: Int32(truncatingIfNeeded: place), value: value))
            if span.lowerBound + place == row { peak = value }
            entry += 1
        }

        let read = batch.layer(of: feature, at: row)
        return Firing(
            place: batch.place(of: row), activation: peak,
            payload: ContextDraft(
                passage: segment.passage,
                position: Int32(truncatingIfNeeded: row - segment.rows.lowerBound),
                windowLength: Int32(truncatingIfNeeded: span.count),
                layer: Int32(truncatingIfNeeded: layerNumbers[read.layer]), routerWeight: read.weight,
                activations: activations))
    }

    /// The first of the feature's entries at or after a row (binary search).
    private func firstEntry(from row: Int, in batch: IndexedBatch) -> Int {
        var range = batch.entries.range(of: feature)
        let samples = batch.entries.samples
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            if Int(samples[middle]) < row {
                range = middle + 1..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        return range.lowerBound
    }
}
