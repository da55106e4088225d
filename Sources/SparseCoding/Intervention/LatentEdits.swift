import Vocabulary

/// Compatible edits of several latents, ascending by latent: every latent is edited once at most.
package struct LatentEdits: Sendable, Equatable {
    /// The edits.
    package let edits: [LatentEdit]
    /// Whether a latent of the dictionary is never negative: always, but for the authors' TopK.
    private let rectified: Bool

    /// Checks edits against a dictionary and against each other.
    ///
    /// - Throws: `SparseCodingError.setting` for a latent that the dictionary lacks, a strength that is not finite as a
    ///   32-bit number or would make a latent negative, and for two edits of one latent, since the
    ///   second would undo the first or the result would depend on their order.
    package init(_ edits: [LatentEdit], of configuration: DictionaryConfiguration) throws(SparseCodingError) {
        rectified = configuration.k == nil || configuration.rectified
        for edit in edits {
            guard (0..<configuration.latents).contains(edit.feature) else {
                throw .setting(
                    name: "the feature to edit", found: String(edit.feature),
                    allowed: "0 … \(configuration.latents - 1) in this dictionary")
            }
            guard Float(edit.strength).isFinite else {
                throw .setting(
                    name: "the strength of \"\(edit.operation.rawValue)\" on feature \(edit.feature)",
                    found: "\(edit.strength)", allowed: "finite 32-bit numbers")
            }
            guard !rectified || edit.operation == .add || edit.strength >= 0 else {
                throw .setting(
                    name: "the strength of \"\(edit.operation.rawValue)\" on feature \(edit.feature)",
                    found: "\(edit.strength)",
                    allowed: "numbers from 0, since an activation is never negative (add may lower it)")
            }
        }

        let sorted = edits.sorted { $0.feature < $1.feature }
        for (one, other) in zip(sorted, sorted.dropFirst()) where one.feature == other.feature {
            throw .setting(
                name: "the number of edits of feature \(one.feature)",
                found: "more than one (\(one.operation.rawValue) \(one.strength), \(other.operation.rawValue) "
                    + "\(other.strength))",
                allowed: "one, since two contradict each other or depend on their order")
        }
        self.edits = sorted
    }

    /// A latent whose activation changes.
    struct Change {
        let latent: Int
        /// ẑ' − ẑ.
        let difference: Float
    }

    /// The changes of a sample's latents; empty if none changes.
    func changes(of sample: Int, in latents: SparseLatents) -> [Change] {
        let indices = UnsafeBufferPointer(start: latents.indices(of: sample), count: Int(latents.counts[sample]))
        return edits.compactMap { edit in
            let slot = indices.firstIndex(of: Int32(truncatingIfNeeded: edit.feature))
            let activation = slot.map { latents.activations(of: sample)[$0] } ?? 0
            let edited = edit.applied(to: activation, rectified: rectified)
            return edited == activation ? nil : Change(latent: edit.feature, difference: edited - activation)
        }
    }
}
