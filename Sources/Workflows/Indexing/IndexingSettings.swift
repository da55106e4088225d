/// Everything that decides an indexing run, as one JSON document.
public struct IndexingSettings: Sendable, Codable, Equatable {
    /// The dictionary's name; nil is the last one added.
    public var dictionary: String?
    /// Model folder.
    public var model: String
    /// Text files and folders.
    public var text: [String]
    /// What is kept.
    public var options: IndexingOptions
    /// Seed of the samples.
    public var seed: UInt64

    /// Makes settings.
    public init(
        dictionary: String? = nil, model: String, text: [String], options: IndexingOptions = IndexingOptions(),
        seed: UInt64 = 0
    ) {
        self.dictionary = dictionary
        self.model = model
        self.text = text
        self.options = options
        self.seed = seed
    }
}
