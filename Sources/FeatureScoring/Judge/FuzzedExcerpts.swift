/// Excerpts with marked tokens, half of them wrong, for the fuzzing test (Paulo et al. 2024, arXiv 2410.13928).
package enum FuzzedExcerpts {
    /// An excerpt with its marks, and whether they are the feature's own.
    package struct Case: Equatable, Sendable {
        /// The text.
        package let excerpt: JudgedExcerpt
        /// The tokens that are marked.
        package let marked: Set<Int>
        /// Whether the feature fires on exactly these tokens.
        package let isCorrect: Bool
    }

    /// Marks excerpts in which the feature fires: half of them correctly, the rest at as many non-activating
    /// tokens. The seed determines which and where.
    ///
    /// - Returns: cases in an order drawn by the seed; excerpts with too few non-activating tokens are marked rightly.
    package static func cases(of excerpts: [JudgedExcerpt], seed: UInt64) -> [Case] {
        let firing = excerpts.filter(\.fires)
        let order = SeededPermutation.permutation(count: firing.count, seed: seed)
        return order.enumerated().map { place, index in
            let excerpt = firing[index]
            let active = excerpt.activations.indices.filter { excerpt.activations[$0] > 0 }
            let silent = excerpt.activations.indices.filter { excerpt.activations[$0] <= 0 }
            guard !place.isMultiple(of: 2), silent.count >= active.count else {
                return Case(excerpt: excerpt, marked: Set(active), isCorrect: true)
            }

            let drawn = SeededPermutation.permutation(count: silent.count, seed: seed &+ UInt64(place) &+ 1)
            return Case(excerpt: excerpt, marked: Set(drawn.prefix(active.count).map { silent[$0] }), isCorrect: false)
        }
    }
}
