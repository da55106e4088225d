package import Indexing

/// Everything that decides a merge, as one JSON document.
package struct MergeSettings: Sendable, Codable, Equatable {
    /// The catalogs, in order.
    package var inputs: [String]
    /// What the corpus is called that the parts make up; nil leaves them side by side.
    package var combine: String?
    /// Whether tables, views and indexes that others added are kept; nil is no.
    package var keepAdditions: Bool?
    /// How the parts were indexed, where they are combined: what merging the result again needs to know.
    package var options: IndexingOptions?
    /// The seed of their samples.
    package var seed: UInt64?

    /// Makes settings.
    package init(inputs: [String], combine: String? = nil, keepAdditions: Bool = false) {
        self.inputs = inputs
        self.combine = combine
        self.keepAdditions = keepAdditions ? true : nil
    }
}
