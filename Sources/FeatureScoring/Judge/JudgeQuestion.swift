import JSON

/// One request to a language model: instructions, and the material as a separate JSON object.
package struct JudgeQuestion: Hashable, Sendable {
    /// Its prompt.
    package let prompt: JudgePrompt
    /// JSON with sorted keys: equal questions are equal texts, byte for byte.
    package let material: String
    /// The number of values expected in a list answer: tokens or texts.
    package let answerCount: Int

    private init(_ prompt: JudgePrompt, _ material: some Encodable, answers: Int = 1) throws {
        self.prompt = prompt
        answerCount = answers
        self.material = try canonicalJSON(material)
    }

    /// Asks for an explanation.
    ///
    /// - Parameters:
    ///   - excerpts: explain contexts, strongest first.
    ///   - maximum: the feature's largest activation among all its contexts.
    package static func explanation(of excerpts: [JudgedExcerpt], maximum: Float) throws -> JudgeQuestion {
        try JudgeQuestion(.explanation, ["excerpts": excerpts.map { Shown($0, maximum: maximum) }])
    }

    /// Asks for a category and a score of 1 to 5.
    package static func rubric(of excerpts: [JudgedExcerpt], maximum: Float) throws -> JudgeQuestion {
        try JudgeQuestion(.rubric, ["excerpts": excerpts.map { Shown($0, maximum: maximum) }])
    }

    /// Asks for the activations of one excerpt, of which only the tokens are shown.
    package static func simulation(of excerpt: JudgedExcerpt, explanation: String) throws -> JudgeQuestion {
        struct Material: Encodable {
            let explanation: String
            let tokens: [String]
        }
        return try JudgeQuestion(
            .simulation, Material(explanation: explanation, tokens: excerpt.tokens), answers: excerpt.tokens.count)
    }

    /// Asks in which excerpts the feature fires.
    package static func detection(of excerpts: [JudgedExcerpt], explanation: String) throws -> JudgeQuestion {
        try JudgeQuestion(
            .detection, Texts(explanation: explanation, texts: excerpts.map(\.text)), answers: excerpts.count)
    }

    /// Asks whether the right tokens are marked.
    package static func fuzzing(
        of marked: [(excerpt: JudgedExcerpt, tokens: Set<Int>)], explanation: String
    ) throws -> JudgeQuestion {
        try JudgeQuestion(
            .fuzzing, Texts(explanation: explanation, texts: marked.map { $0.excerpt.text(marking: $0.tokens) }),
            answers: marked.count)
    }

    private struct Texts: Encodable {
        let explanation: String
        let texts: [String]
    }

    /// An excerpt with its activations.
    private struct Shown: Encodable {
        struct Token: Encodable {
            let activation: Int
            let token: String
        }

        let activations: [Token]
        let text: String

        /// Levels below 1 are left out, as they would point the judge to negligible tokens.
        init(_ excerpt: JudgedExcerpt, maximum: Float) {
            let levels = JudgedExcerpt.levels(excerpt.activations, maximum: maximum)
            let strong = excerpt.tokens.indices.filter { levels[$0] > 0 }
            activations = strong.map { Token(activation: levels[$0], token: excerpt.tokens[$0]) }
            text = excerpt.text(marking: Set(strong))
        }
    }
}
