extension TokenClassTable {
    /// A class held by the table.
    package struct Entry: Hashable, Sendable {
        /// The class with its two strongest activations.
        package let peaks: TokenClassPeaks
        /// The firings since the class entered: all of them while the table is complete, else a lower bound.
        package let firingCount: Int
    }

    /// The classes held, the highest peak first, equal peaks by class id.
    package var entries: [Entry] {
        (0..<count).map { slot in
            Entry(
                peaks: TokenClassPeaks(
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
}
