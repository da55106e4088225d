package import Indexing
package import LinearAlgebra

/// The settings of a merge, stored as one JSON document.
package struct MergeSettings: Sendable, Codable, Equatable {
    /// The catalogs, in order.
    package var inputs: [String]
    /// The name of the combined corpus; nil leaves the parts side by side.
    package var combine: String?
    /// Whether tables, views and indexes that others added are kept; nil is no.
    package var keepAdditions: Bool?
    /// How combined parts were indexed: needed to merge the result again.
    package var options: IndexingOptions?
    /// The seed of their samples.
    package var seed: UInt64?
    /// What the products took with which they were indexed; nil means f32.
    package var precision: Precision?

    /// Makes settings.
    package init(inputs: [String], combine: String? = nil, keepAdditions: Bool = false) {
        self.inputs = inputs
        self.combine = combine
        self.keepAdditions = keepAdditions ? true : nil
    }
}
