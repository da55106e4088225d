/// What indexing keeps of every feature.
public struct IndexingOptions: Sendable, Codable, Equatable {
    /// Stops after this many tokens, at the end of a document; nil takes the whole text.
    public var maximumTokens: Int?
    /// The most tokens the model sees at once; nil takes the model's default.
    public var context: Int?
    /// Contexts of the strongest firings.
    public var topContexts: Int
    /// Contexts of firings drawn uniformly.
    public var sampleContexts: Int
    /// Contexts in which the feature verifiably does not fire.
    public var quietContexts: Int
    /// Tokens of a context.
    public var window: Int

    /// Makes options; the defaults suit reading and scoring.
    public init(
        maximumTokens: Int? = nil, context: Int? = nil, topContexts: Int = 20, sampleContexts: Int = 20,
        quietContexts: Int = 10, window: Int = 48
    ) {
        self.maximumTokens = maximumTokens
        self.context = context
        self.topContexts = topContexts
        self.sampleContexts = sampleContexts
        self.quietContexts = quietContexts
        self.window = window
    }

    /// Checks the ranges.
    ///
    /// - Throws: `WorkflowError.usage` naming the first option out of range.
    func validate() throws(WorkflowError) {
        let counts = [
            ("--top-contexts", topContexts), ("--sample-contexts", sampleContexts), ("--quiet-contexts", quietContexts),
        ]
        for (name, value) in counts where !(0...10_000).contains(value) {
            throw .usage("\(name) is \(value); allowed: 0 … 10000")
        }
        guard (4...4096).contains(window) else { throw .usage("--window is \(window); allowed: 4 … 4096 tokens") }
        if let maximumTokens, maximumTokens < 1 { throw .usage("--index-tokens is \(maximumTokens); allowed: from 1") }
    }
}
