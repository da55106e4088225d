extension TokenClassTable {
    /// A class held by the table.
    public struct Entry: Hashable, Sendable {
        /// The class with its two strongest activations.
        public let peaks: InterpretabilityCount.ClassPeaks
        /// The firings since the class entered: all of them while the table is complete, else a lower bound.
        public let firingCount: Int
    }

    /// The classes held, the highest peak first, equal peaks by class id.
    public var entries: [Entry] {
        (0..<count).map { slot in
            Entry(
                peaks: InterpretabilityCount.ClassPeaks(
                    tokenClass: classes[slot],
                    strongest: strongest[slot],
                    second: second[slot] == -.infinity ? nil : second[slot]
                ),
                firingCount: Int(firings[slot])
            )
        }
        .sorted {
            if $0.peaks.strongest != $1.peaks.strongest { return $0.peaks.strongest > $1.peaks.strongest }
            return $0.peaks.tokenClass < $1.peaks.tokenClass
        }
    }

    /// Counts the feature by the paper's protocol, exactly.
    public func interpretability(threshold: Float) -> InterpretabilityCount {
        InterpretabilityCount(entries.map(\.peaks), threshold: threshold)
    }
}
