import ActivationPipeline
package import LinearAlgebra
package import SparseCoding

/// The settings of a steering run, stored as one JSON document.
package struct SteeringSettings: Sendable, Codable, Equatable {
    /// The dictionary's name; nil is the last one added.
    package var dictionary: String?
    /// Model folder.
    package var model: String
    /// What the products of the model and of the encoder take; nil means f32.
    package var precision: Precision?
    /// The edits; a sweep varies the first.
    package var edits: [LatentEdit]
    /// Strengths of the first edit, each in turn instead of its own; nil for its own.
    package var sweep: [Double]?
    /// The texts to continue.
    package var prompts: [String]
    /// How prompts become chat messages; nil takes them as they are. Absent in runs of earlier versions.
    package var chat: ChatSettings?
    /// The most tokens generated.
    package var tokens: Int
    /// The temperature of sampling; nil for greedy decoding.
    package var temperature: Double?
    /// Tokens are drawn among the most likely that together have this probability (nucleus sampling).
    package var topP: Double
    /// Whether the stream is replaced by the reconstruction, as in the authors' code, instead of changed by the edits
    /// alone.
    package var replacing: Bool
    /// Seed of the draws, and of the layers read by a `random` dictionary.
    package var seed: UInt64

    /// Makes settings.
    package init(
        dictionary: String? = nil, model: String, edits: [LatentEdit], sweep: [Double]? = nil, prompts: [String],
        chat: ChatSettings? = nil, tokens: Int = 40, temperature: Double? = nil, topP: Double = 1,
        replacing: Bool = false, seed: UInt64 = 0, precision: Precision? = nil
    ) {
        self.dictionary = dictionary
        self.model = model
        self.precision = precision
        self.edits = edits
        self.sweep = sweep
        self.prompts = prompts
        self.chat = chat
        self.tokens = tokens
        self.temperature = temperature
        self.topP = topP
        self.replacing = replacing
        self.seed = seed
    }

    /// The edits for each strength in turn.
    var variants: [[LatentEdit]] {
        guard let sweep, var first = edits.first else { return [edits] }
        return sweep.map { strength in
            first.strength = strength
            return [first] + edits.dropFirst()
        }
    }

    /// Checks everything that needs no model.
    ///
    /// - Throws: `WorkflowError.usage`.
    func validate() throws(WorkflowError) {
        func check(_ isFine: Bool, _ problem: @autoclosure () -> String) throws(WorkflowError) {
            if !isFine { throw .usage(problem()) }
        }
        try check(!edits.isEmpty, "nothing to do to any feature: name one, and what to do to it")
        try check(sweep?.isEmpty != true, "`sweep` names no strength")
        try check(!prompts.isEmpty, "no prompt to continue; add `prompt` or `promptFile`")
        _ = try chat?.day()
        try Allowed.from(1).check(tokens, of: "tokens")
        if let temperature {
            try check(
                temperature.isFinite && temperature > 0,
                "`temperature` is \(temperature); allowed: numbers above 0 (without it the likeliest token is taken)")
        }
        try check(topP > 0 && topP <= 1, "`topP` is \(topP); allowed: numbers above 0 up to 1")
        try check(topP == 1 || temperature != nil, "`topP` limits what is drawn, and needs `temperature`")
    }
}
