public import FeatureScoring

/// What a language model behind an endpoint is asked about features, as part of a scoring run's settings. Never holds a
/// key.
public struct JudgeSettings: Sendable, Codable, Equatable {
    /// Where explanations come from.
    public enum Explanations: String, CaseIterable, Sendable, Codable {
        /// The language model writes one for every feature.
        case written
        /// The language model writes one for features that have none of its own yet.
        case missing
        /// The newest that a feature has, whoever wrote it; features without are left out.
        case newest
    }

    /// Base URL of an OpenAI-compatible endpoint, such as `http://127.0.0.1:8080/v1`.
    public var endpoint: String
    /// The model, as the endpoint calls it.
    public var llm: String
    /// The tests: any of ``allTests``.
    public var tests: [JudgePrompt]
    /// Where explanations come from.
    public var explanations: Explanations
    /// Excerpts shown for an explanation and for the rubric.
    public var excerpts: Int
    /// Whether log-probabilities of the answers are asked for, which make simulated activations finer.
    public var usesLogProbabilities: Bool
    /// Tokens of an answer at most.
    public var maximumAnswerTokens: Int
    /// Counts the times that failures were tried again: it goes into the request, so that an answer that was garbage is
    /// asked for anew and not taken from the archive.
    public var attempt: Int
    /// Only these features in these tests; nil for all in all.
    public var only: [JudgePrompt: [Int]]?

    /// What can be asked besides an explanation.
    public static let allTests: [JudgePrompt] = [.simulation, .detection, .fuzzing, .rubric]

    /// Makes settings.
    public init(
        endpoint: String, llm: String, tests: [JudgePrompt] = allTests, explanations: Explanations = .written,
        excerpts: Int = 20, usesLogProbabilities: Bool = true, maximumAnswerTokens: Int = 1024, attempt: Int = 0,
        only: [JudgePrompt: [Int]]? = nil
    ) {
        self.endpoint = endpoint
        self.llm = llm
        self.tests = tests
        self.explanations = explanations
        self.excerpts = excerpts
        self.usesLogProbabilities = usesLogProbabilities
        self.maximumAnswerTokens = maximumAnswerTokens
        self.attempt = attempt
        self.only = only
    }

    /// Whether a feature takes a test.
    func includes(_ feature: Int, _ test: JudgePrompt) -> Bool {
        tests.contains(test) && only.map { $0[test]?.contains(feature) ?? false } ?? true
    }

    /// - Throws: `WorkflowError.usage` for what cannot be asked.
    func validate() throws(WorkflowError) {
        guard !llm.isEmpty else { throw .usage("--llm is empty; name the model as the endpoint calls it") }
        guard !tests.isEmpty, !tests.contains(.explanation) else {
            throw .usage("--tests has to name some of simulation, detection, fuzzing, rubric")
        }
        guard (1...200).contains(excerpts) else { throw .usage("--excerpts is \(excerpts); allowed: 1 … 200") }
        guard (16...1 << 20).contains(maximumAnswerTokens) else {
            throw .usage("--max-answer-tokens is \(maximumAnswerTokens); allowed: 16 … 1048576")
        }
    }
}
