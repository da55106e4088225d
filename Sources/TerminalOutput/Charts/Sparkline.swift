/// A row of numbers as a row of blocks, one character each.
package enum Sparkline {
    private static let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// Draws the numbers from their least, the lowest block, to their greatest, the full one.
    ///
    /// Equal numbers are all drawn low; a number that is not finite is a space.
    package static func draw(_ values: [Double]) -> String {
        let finite = values.filter(\.isFinite)
        guard let least = finite.min(), let greatest = finite.max() else {
            return String(repeating: " ", count: values.count)
        }
        return String(
            values.map { value in
                guard value.isFinite else { return " " }
                guard greatest > least else { return blocks[0] }
                // Halved, as the span of two huge numbers may not be representable.
                let share = (value / 2 - least / 2) / (greatest / 2 - least / 2)
                return blocks[min(7, Int(share * 8))]
            })
    }
}
