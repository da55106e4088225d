import ActivationPipeline
package import FeatureCatalog
package import FeatureScoring
import SparseCoding

/// The questions for a language model at an endpoint, as part of a scoring run's settings. Never holds a
/// key.
package struct JudgeSettings: Sendable, Codable, Equatable {
    /// The explanations to test.
    package enum Explanations: String, CaseIterable, Sendable, Codable {
        /// The language model writes one for every feature, unless it already answered exactly that request.
        case written
        /// Each feature's newest, by any explainer; features without one are left out.
        case newest
    }

    /// Base URL of an OpenAI-compatible endpoint, such as `http://127.0.0.1:8080/v1`.
    package var endpoint: String
    /// The model, as the endpoint calls it.
    package var llm: String
    /// The tests: any of ``allTests``.
    package var tests: [JudgePrompt]
    /// The explanations to test.
    package var explanations: Explanations
    /// Excerpts shown for an explanation and for the rubric.
    package var excerpts: Int
    /// The form of requests.
    package var form: AnswerForm
    /// Earlier forms: a usable answer to one of them counts.
    package var earlierForms: [AnswerForm]
    /// Features whose scores are written, the others serving as baseline; nil for all.
    package var only: [Int]?
    /// The uuid of the run whose failures are retried, the first of several retries; nil for a run of its
    /// own.
    package var retryOf: String?
    /// How answers are read; nil means ``AnswerReading/exact``, as in runs of earlier versions.
    package var reading: AnswerReading?

    /// The tests besides an explanation.
    package static let allTests: [JudgePrompt] = [.simulation, .detection, .fuzzing, .rubric]

    /// Makes settings.
    package init(
        endpoint: String, llm: String, tests: [JudgePrompt] = allTests, explanations: Explanations = .written,
        excerpts: Int = 20, form: AnswerForm = AnswerForm(), earlierForms: [AnswerForm] = [], only: [Int]? = nil,
        retryOf: String? = nil, reading: AnswerReading? = .unwrapped
    ) {
        self.endpoint = endpoint
        self.llm = llm
        self.tests = tests
        self.explanations = explanations
        self.excerpts = excerpts
        self.form = form
        self.earlierForms = earlierForms
        self.only = only
        self.retryOf = retryOf
        self.reading = reading
    }

    /// Whether a feature's scores are written.
    func includes(_ feature: Int) -> Bool { only?.contains(feature) ?? true }

    /// The run whose failures are retried; nil for a run of its own, or if it is not in the catalog.
    package func retriedRun(in catalog: Catalog) throws -> Int64? {
        try retryOf.flatMap { try catalog.runID(uuid: $0) }
    }

    /// - Throws: `WorkflowError.usage` for invalid settings.
    func validate() throws(WorkflowError) {
        guard !llm.isEmpty else { throw .usage("`llm` is empty; name the model as the endpoint calls it") }
        guard !tests.isEmpty, !tests.contains(.explanation) else {
            throw .usage("`tests` has to name some of simulation, detection, fuzzing, rubric")
        }
        try Allowed.upTo(200).check(excerpts, of: "excerpts")
        guard Set(tests).count == tests.count else { throw .usage("`tests` names a test twice") }
        try Allowed.within(16...1 << 20).check(form.maximumTokens, of: "maxAnswerTokens")
    }
}
