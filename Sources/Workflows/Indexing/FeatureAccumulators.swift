import LinearAlgebra

/// The accumulators of all features of a dictionary; each is written by one worker at a time.
final class FeatureAccumulators: @unchecked Sendable {
    private let storage: UnsafeMutableBufferPointer<FeatureAccumulator>

    /// The number of features.
    var count: Int { storage.count }

    init(_ features: [FeatureAccumulator]) {
        storage = .allocate(capacity: features.count)
        _ = storage.initialize(from: features)
    }

    deinit {
        storage.deinitialize()
        storage.deallocate()
    }

    subscript(feature: Int) -> FeatureAccumulator { storage[feature] }

    /// Takes in a batch, features shared out among the workers.
    func record(_ batch: IndexedBatch, layerNumbers: [Int], window: Int, workers: Workers) {
        workers.forEach(count, tile: 32) { features, _ in
            for feature in features {
                storage[feature].record(batch, layerNumbers: layerNumbers, window: window)
            }
        }
    }
}
