import ArgumentParser
import Indexing

/// The order of features that fire on a text.
struct FiringOrder {
    /// The columns to sort by.
    enum Column: String, CaseIterable {
        /// The activation relative to the feature's largest.
        case share
        /// The activation.
        case activation
        /// The number of tokens on which it fires.
        case tokenCount = "n_tokens"
    }

    /// The column.
    let column: Column
    /// Whether the smallest come first.
    var isAscending = false

    /// Parses a name; a leading '-' changes nothing, as the largest come first by default.
    ///
    /// - Throws: `ValidationError` that lists the names there are.
    init(_ name: String) throws {
        guard let column = Column(rawValue: name.hasPrefix("-") ? String(name.dropFirst()) : name) else {
            let names = Column.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--sort is '\(name)'; with --fires-on there are \(names)")
        }
        self.column = column
    }

    /// Whether one sorts before another; missing values come last, ties by number.
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
        // Without fractions, the stronger one first.
        case (nil, nil) where one.activation != other.activation: return one.activation > other.activation
        default: return one.featureIndex < other.featureIndex
        }
    }
}
