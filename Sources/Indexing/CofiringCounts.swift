import CKernels
import FeatureScoring
import RandomNumbers

/// Co-firing features for all features of a dictionary: one sketch for each, in one allocation.
///
/// Counting every firing would cost k² a token, so only a sample of the tokens is used. The tokens of a feature have
/// to come in the order of the text; features may be divided among workers if each is written by
/// one at a time, and the result does not depend on the division.
///
/// The quality of the lists depends on the latents per token and on how far companions stand out. On synthetic text
/// with a power law of firing rates and topics of 64 features, 64 counters list nine of the ten most frequent companions
/// with k = 64, seven with k = 32 and eight with k = 16, with shares that are off by 0.01 in the mean; 32 counters list
/// eight, five and six.
package final class CofiringCounts: @unchecked Sendable {
    /// The number of features.
    package let features: Int
    /// Counters of each feature.
    package let counters: Int

    /// Latent indices, then counts, then inherited counts of each feature: `[features × 3 × counters]`.
    private let storage: UnsafeMutablePointer<UInt32>
    private let firings: UnsafeMutablePointer<UInt32>

    /// Bytes of the sketches of so many features.
    package static func bytes(features: Int, counters: Int = 64) -> Int { features * (12 * counters + 4) }

    /// Allocates the sketches.
    ///
    /// - Parameter counters: of each feature.
    /// - Precondition: `counters` is a positive multiple of 16.
    package init(features: Int, counters: Int = 64) {
        precondition(counters > 0 && counters % 16 == 0, "\(counters) counters, not a multiple of 16")
        self.features = features
        self.counters = counters
        storage = .allocate(capacity: max(features * 3 * counters, 1))
        firings = .allocate(capacity: max(features, 1))
        firings.initialize(repeating: 0, count: features)
        for feature in 0..<features {
            let sketch = storage + feature * 3 * counters
            sketch.initialize(repeating: .max, count: counters)  // The index −1: free.
            (sketch + counters).initialize(repeating: 0, count: 2 * counters)
        }
    }

    deinit {
        storage.deallocate()
        firings.deallocate()
    }

    /// Whether the token with a draw key (`ActivationBatch.drawKey`) is in the sample: one in four, whatever the order or
    /// division of the text. The constant keeps it apart from other draws from the same key.
    package static func isSampled(key: UInt64) -> Bool {
        SplitMix64.mixed(key ^ 0x636F_6669_7269_6E67) >> 62 == 0
    }

    /// Counts one sampled firing of a feature.
    ///
    /// - Parameters:
    ///   - key: the token's draw key; decides which newcomers are admitted.
    ///   - indices: the latents of the token, ascending; the feature itself is skipped.
    ///   - activations: of those latents; zeros did not fire and are skipped. Nil if all fired.
    ///   - count: how many latents there are.
    /// - Precondition: there is such a feature.
    /// - Complexity: `count` · `counters`.
    package func record(
        feature: Int, key: UInt64, indices: UnsafePointer<Int32>, activations: UnsafePointer<Float>? = nil, count: Int
    ) {
        precondition(feature >= 0 && feature < features, "feature \(feature) of \(features)")
        let sketch = storage + feature * 3 * counters
        firings[feature] &+= 1
        UnsafeMutableRawPointer(sketch).withMemoryRebound(to: Int32.self, capacity: counters) { index in
            rsae_cofiring_offer(
                rsae_cofiring(
                    index: index, count: sketch + counters, inherited: sketch + 2 * counters,
                    counters: Int64(counters)),
                indices, activations, Int64(count), Int32(truncatingIfNeeded: feature),
                SplitMix64.mixed(key ^ UInt64(feature)))
        }
    }

    /// Asks for the sketch of a feature, which is to be changed soon.
    func prefetch(_ feature: Int) {
        rsae_prefetch(storage + feature * 3 * counters, Int64(12 * counters))
    }

    /// The sketch of a feature.
    ///
    /// - Precondition: there is such a feature.
    package func sketch(of feature: Int) -> CofiringSketch {
        precondition(feature >= 0 && feature < features, "feature \(feature) of \(features)")
        let sketch = storage + feature * 3 * counters
        return CofiringSketch(
            capacity: counters,
            counters: (0..<counters).filter { sketch[counters + $0] > 0 }.map {
                CofiringSketch.Counter(
                    featureIndex: Int(Int32(bitPattern: sketch[$0])), count: Int(sketch[counters + $0]),
                    inherited: Int(sketch[2 * counters + $0]))
            }, sampledFirings: Int(firings[feature]))
    }
}
