import ActivationPipeline
import SparseCoding

/// What indexing keeps of every feature: numbers of contexts, tokens and neighbours.
package struct IndexingOptions: Sendable, Codable, Equatable {
    /// Stops after this many tokens, at the end of a document; nil takes the whole text.
    package var maximumTokens: Int?
    /// The most tokens the model sees at once; nil takes the model's default.
    package var context: Int?
    /// Contexts of the strongest firings.
    package var topContexts: Int
    /// Contexts of firings drawn uniformly.
    package var sampleContexts: Int
    /// Contexts in which the feature verifiably does not fire.
    package var quietContexts: Int
    /// Tokens of a context.
    package var window: Int
    /// Tokens listed as promoted by a feature, and as many as suppressed; 0 for none.
    package var promotedTokens: Int
    /// Nearest features listed; 0 for none.
    package var neighbors: Int
    /// Features listed as firing on the same tokens; 0 for none.
    package var cofirings: Int

    /// Makes options; the defaults suit reading and scoring.
    package init(
        maximumTokens: Int? = nil, context: Int? = nil, topContexts: Int = 20, sampleContexts: Int = 20,
        quietContexts: Int = 10, window: Int = 48, promotedTokens: Int = 10, neighbors: Int = 10, cofirings: Int = 10
    ) {
        self.maximumTokens = maximumTokens
        self.context = context
        self.topContexts = topContexts
        self.sampleContexts = sampleContexts
        self.quietContexts = quietContexts
        self.window = window
        self.promotedTokens = promotedTokens
        self.neighbors = neighbors
        self.cofirings = cofirings
    }

    /// Decodes options; keys missing in catalogs of version 1 get their defaults.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let standard = IndexingOptions()
        maximumTokens = try container.decodeIfPresent(Int.self, forKey: .maximumTokens)
        context = try container.decodeIfPresent(Int.self, forKey: .context)
        topContexts = try container.decode(Int.self, forKey: .topContexts)
        sampleContexts = try container.decode(Int.self, forKey: .sampleContexts)
        quietContexts = try container.decode(Int.self, forKey: .quietContexts)
        window = try container.decode(Int.self, forKey: .window)
        promotedTokens =
            try container.decodeIfPresent(Int.self, forKey: .promotedTokens) ?? standard.promotedTokens
        neighbors = try container.decodeIfPresent(Int.self, forKey: .neighbors) ?? standard.neighbors
        cofirings = try container.decodeIfPresent(Int.self, forKey: .cofirings) ?? standard.cofirings
    }

    /// Checks the ranges.
    ///
    /// - Throws: `WorkflowError.usage` naming the first setting out of range.
    func validate() throws(WorkflowError) {
        let counts = [
            ("topContexts", topContexts), ("sampleContexts", sampleContexts), ("quietContexts", quietContexts),
        ]
        for (name, value) in counts {
            try Allowed.within(0...10_000).check(value, of: name)
        }
        for (name, value) in [
            ("promotedTokens", promotedTokens), ("neighbors", neighbors), ("cofirings", cofirings),
        ] {
            try Allowed.within(0...1000).check(value, of: name)
        }
        try Allowed.within(4...4096, "tokens").check(window, of: "window")
        if let maximumTokens { try Allowed.from(1).check(maximumTokens, of: "maximumTokens") }
    }
}
