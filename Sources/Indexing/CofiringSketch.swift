/// The features that co-fire most often with one feature, estimated in bounded memory.
///
/// The space-saving sketch (Metwally, Agrawal, El Abbadi 2005, "Efficient computation of frequent and top-k elements in
/// data streams", ICDT) with randomised admission (Ben Basat, Einziger, Friedman, Kassner 2017, "Randomized admission
/// policy for efficient top-k and frequency estimation", INFOCOM). The plain sketch needs many times k counters here:
/// each firing offers k − 1 others, so its least count grows faster than any count of interest. A newcomer
/// therefore takes the least counter, of count c, with probability 1 / (c + 1) only.
package struct CofiringSketch: Sendable, Equatable {
    /// One counter.
    package struct Counter: Sendable, Equatable {
        /// The other feature.
        package let featureIndex: Int
        /// Estimate of the common firings.
        package let count: Int
        /// The part of `count` that the counter had when the feature took it over.
        package let inherited: Int

        /// Common firings since it took the counter over: a lower bound.
        package var guaranteed: Int { count - inherited }

        /// Describes a counter.
        ///
        /// - Precondition: 0 ≤ `inherited` < `count`.
        package init(featureIndex: Int, count: Int, inherited: Int) {
            precondition(0 <= inherited && inherited < count, "\(inherited) inherited of \(count)")
            self.featureIndex = featureIndex
            self.count = count
            self.inherited = inherited
        }
    }

    /// Another feature with its co-firing count.
    package struct Companion: Sendable, Equatable {
        /// The other feature.
        package let featureIndex: Int
        /// Estimate of the sampled firings of the feature on which the other fired too.
        package let count: Int
        /// A lower bound of it.
        package let guaranteed: Int
        /// `count` over the feature's sampled firings, at most 1.
        package let share: Double
    }

    /// How many counters there are.
    package let capacity: Int
    /// The counters in use, highest count first, equal ones by rising number.
    package let counters: [Counter]
    /// Sampled firings of the feature.
    package let sampledFirings: Int

    /// Describes a sketch.
    ///
    /// - Precondition: there are no more counters than the capacity, each for another feature.
    package init(capacity: Int, counters: [Counter], sampledFirings: Int) {
        precondition(counters.count <= capacity, "\(counters.count) counters where \(capacity) fit")
        precondition(Set(counters.map(\.featureIndex)).count == counters.count, "two counters of one feature")
        self.capacity = capacity
        self.counters = counters.sorted { ($0.count, $1.featureIndex) > ($1.count, $0.featureIndex) }
        self.sampledFirings = sampledFirings
    }

    /// The most frequent co-firing features, by estimate; equal ones by ascending number.
    ///
    /// With few sampled firings the estimates are coarse, and with fewer than about ten hardly
    /// informative.
    package func companions(_ most: Int = 10) -> [Companion] {
        counters.prefix(most).map {
            Companion(
                featureIndex: $0.featureIndex, count: $0.count, guaranteed: $0.guaranteed,
                share: sampledFirings > 0 ? min(1, Double($0.count) / Double(sampledFirings)) : 0)
        }
    }

    /// The sketch of two sketches' firings together, as in merging catalogs of one dictionary.
    ///
    /// An estimate, not the result of one pass over both texts: a feature absent from one sketch counts as 0 there,
    /// though it may have occurred about as often as that sketch's least count. Guarantees stay lower bounds.
    package func merged(with other: CofiringSketch) -> CofiringSketch {
        var sums: [Int: Counter] = [:]
        for counter in counters + other.counters {
            let before = sums[counter.featureIndex]
            sums[counter.featureIndex] = Counter(
                featureIndex: counter.featureIndex, count: (before?.count ?? 0) + counter.count,
                inherited: (before?.inherited ?? 0) + counter.inherited)
        }

        let capacity = max(capacity, other.capacity)
        let kept = sums.values.sorted { ($0.count, $1.featureIndex) > ($1.count, $0.featureIndex) }.prefix(capacity)
        return CofiringSketch(
            capacity: capacity, counters: Array(kept), sampledFirings: sampledFirings + other.sampledFirings)
    }
}
