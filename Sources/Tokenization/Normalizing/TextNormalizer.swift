/// The normalization of text before it is split: steps that are applied one after the other.
struct TextNormalizer: Sendable {
    /// What the steps do, as far as it matters for speed.
    enum Effect: Sendable {
        case none
        /// Form C alone.
        case composition
        case other
    }

    let steps: [NormalizationStep]
    let effect: Effect

    init(steps: [NormalizationStep]) {
        self.steps = steps
        let onlyComposes = steps.allSatisfy { step in
            if case .unicode(let form) = step { !form.isCompatible && form.isComposed } else { false }
        }
        effect = steps.isEmpty ? .none : onlyComposes ? .composition : .other
    }

    /// The normalised form of a text.
    func normalized(_ text: String) -> [UInt8] { steps.reduce(Array(text.utf8)) { $1.applied(to: $0) } }

    /// Calls `body` with the normalised form of valid UTF-8, and whether it begins with what the text begins with.
    func withNormalized(
        _ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>, _ keepsStart: Bool) -> Void
    ) {
        switch effect {
        case .none: return body(text, true)
        // No scalar below U+0300 changes under composition unless one from there on follows.
        case .composition where !text.contains(where: { $0 >= 0xCC }): return body(text, true)
        default:
            var keepsStart = true
            var text = Array(text)
            for step in steps {
                if keepsStart { keepsStart = step.keepsStart(of: text) }
                text = step.applied(to: text)
            }
            text.withUnsafeBufferPointer { body($0, keepsStart) }
        }
    }
}
