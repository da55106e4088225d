/// Progress of indexing.
package struct IndexingProgress: Sendable, Equatable {
    /// Real tokens so far.
    package let tokens: Int
    /// Documents so far.
    package let documents: Int
    /// Documents of the whole text.
    package let totalDocuments: Int
    /// The most tokens that will be read, if there is a limit.
    package let maximumTokens: Int?
}
