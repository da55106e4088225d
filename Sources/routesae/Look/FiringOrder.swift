import ArgumentParser
import Indexing

/// By what features that fire on a text are sorted.
struct FiringOrder {
    /// The figures there are.
    enum Column: String, CaseIterable {
        /// The activation as a share of the feature's largest.
        case share
        /// The activation.
        case activation
        /// On how many tokens it fires.
        case tokenCount = "n_tokens"
    }

    /// The figure.
    let column: Column
    /// Whether the smallest come first.
    var isAscending = false

    /// Reads a name; a '-' before it changes nothing, as the largest come first anyway.
    ///
    /// - Throws: `ValidationError` that lists the names there are.
    init(_ name: String) throws {
        guard let column = Column(rawValue: name.hasPrefix("-") ? String(name.dropFirst()) : name) else {
            let names = Column.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--sort is '\(name)'; with --fires-on there are \(names)")
        }
        self.column = column
    }

    /// Whether one stands before another; what has no such figure comes last, and equals follow the number.
    func places(
        _ one: FeatureFirings, _ share: Double?, before other: FeatureFirings, _ otherShare: Double?
    ) -> Bool {
        func value(_ firings: FeatureFirings, _ share: Double?) -> Double? {
            switch column {
            case .share: share
            case .activation: Double(firings.activation)
            case .tokenCount: Double(firings.tokenCount)
            }
        }
        switch (value(one, share), value(other, otherShare)) {
        case (let a?, let b?) where a != b: return isAscending ? a < b : a > b
        case (nil, _?): return false
        case (_?, nil): return true
        // Without shares the stronger is the better guess.
        case (nil, nil) where one.activation != other.activation: return one.activation > other.activation
        default: return one.featureIndex < other.featureIndex
        }
    }
}
