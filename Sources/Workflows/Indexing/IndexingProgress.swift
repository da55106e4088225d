/// How far indexing has come.
public struct IndexingProgress: Sendable, Equatable {
    /// Real tokens so far.
    public let tokens: Int
    /// Documents so far.
    public let documents: Int
    /// Documents of the whole text.
    public let totalDocuments: Int
    /// The most tokens that will be read, if there is a limit.
    public let maximumTokens: Int?
}
