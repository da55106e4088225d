package import LinearAlgebra

/// Cosines and sines of one rotary embedding for the sequences of a batch: a stretch of rows for each set of frequencies
/// that they call for. Kept from one pass to the next.
package struct RotaryTable {
    /// `[rows × dimension / 2]`
    package private(set) var cosine: Matrix
    /// `[rows × dimension / 2]`
    package private(set) var sine: Matrix
    private let rotary: RotaryEmbedding
    /// The first row of each set of frequencies, and how many positions it covers.
    private var stretches: [RotaryEmbedding.Variant: (first: Int, positions: Int)] = [:]

    package init(_ rotary: RotaryEmbedding) {
        self.rotary = rotary
        cosine = Matrix(rows: 0, columns: rotary.dimension / 2)
        sine = Matrix(rows: 0, columns: rotary.dimension / 2)
    }

    /// Makes room for sequences of these lengths; `positions` is the least for frequencies that others share, so that they
    /// are not computed again for each longer batch.
    package mutating func cover(lengths: [Int], positions: Int) {
        var wanted: [RotaryEmbedding.Variant: Int] = [:]
        for length in lengths {
            let variant = rotary.variant(tokens: length)
            let isShared = variant == .usual || variant == .long
            wanted[variant] = max(wanted[variant] ?? (isShared ? positions : 0), length)
        }
        guard wanted.contains(where: { (stretches[$0.key]?.positions ?? 0) < $0.value }) else { return }
        let rows = wanted.values.reduce(0, +)
        cosine = Matrix(rows: rows, columns: rotary.dimension / 2)
        sine = Matrix(rows: rows, columns: rotary.dimension / 2)
        stretches = [:]
        var first = 0
        for (variant, positions) in wanted {
            rotary.write(
                variant, positions: positions, cosine: cosine.row(first), sine: sine.row(first))
            stretches[variant] = (first, positions)
            first += positions
        }
    }

    /// The row of the first position of a sequence of this many tokens.
    ///
    /// - Precondition: the length has been covered.
    package func firstRow(tokens: Int) -> Int {
        guard let stretch = stretches[rotary.variant(tokens: tokens)], stretch.positions >= tokens else {
            preconditionFailure("no rotary embedding for \(tokens) tokens")
        }
        return stretch.first
    }
}
