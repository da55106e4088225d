import ActivationPipeline
import CKernels
import LinearAlgebra
import SparseCoding

/// The accumulators of all features of a dictionary; each is written by one worker at a time.
final class FeatureAccumulators: @unchecked Sendable {
    private let storage: UnsafeMutableBufferPointer<FeatureAccumulator>
    /// Which features fire together.
    let cofirings: CofiringCounts

    /// Activations in equal bins.
    let histograms: LinearHistograms

    /// The number of features.
    var count: Int { storage.count }

    init(_ features: [FeatureAccumulator]) {
        cofirings = CofiringCounts(features: features.count)
        histograms = LinearHistograms(features: features.count)
        storage = .allocate(capacity: features.count)
        _ = storage.initialize(from: features)
    }

    deinit {
        storage.deinitialize()
        storage.deallocate()
    }

    subscript(feature: Int) -> FeatureAccumulator { storage[feature] }

    /// Adds a batch, features divided among the workers.
    func record(_ batch: IndexedBatch, layerNumbers: [Int], workers: Workers) {
        workers.forEach(count, tile: 32) { features, _ in
            for feature in features {
                prefetch(feature + 1)
                storage[feature].record(batch, layerNumbers: layerNumbers)
                let entries = batch.entries.range(of: feature)
                histograms.record(
                    batch.entries.activations + entries.lowerBound, count: entries.count, feature: feature)
                countPairs(of: feature, batch)
            }
        }
    }

    /// Asks for what is kept of a feature: kilobytes, of which the processor foresees nothing.
    private func prefetch(_ feature: Int) {
        guard feature < count, let first = storage.baseAddress else { return }
        rsae_prefetch(first + feature, Int64(MemoryLayout<FeatureAccumulator>.stride))
        cofirings.prefetch(feature)
    }

    private func countPairs(of feature: Int, _ batch: IndexedBatch) {
        let (samples, latents) = (batch.entries.samples, batch.firings.latents)
        for entry in batch.entries.range(of: feature) {
            let row = Int(samples[entry])
            guard batch.countsPairs[row] else { continue }
            cofirings.record(
                feature: feature, key: batch.drawKeys[row], indices: latents.indices(of: row),
                activations: latents.activations(of: row), count: Int(latents.counts[row]))
        }
    }
}
