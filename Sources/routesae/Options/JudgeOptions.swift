import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import FeatureScoring
import Foundation
import Scoring
import TerminalOutput

extension JudgePrompt: ExpressibleByArgument {
    /// A test by name; the prompt for an explanation is not a test.
    package init?(argument: String) {
        guard let prompt = JudgePrompt(rawValue: argument), JudgeSettings.allTests.contains(prompt) else { return nil }
        self = prompt
    }

    /// The tests.
    package static var allValueStrings: [String] { JudgeSettings.allTests.map(\.rawValue) }
}
extension JudgeSettings.Explanations: ExpressibleByArgument {}

/// The language model that explains and judges features, with its limits.
struct JudgeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Base URL of an OpenAI-compatible endpoint.", valueName: "url"))
    var endpoint: String?
    @Option(help: ArgumentHelp("The model to ask, as the endpoint calls it.", valueName: "name"))
    var llm: String?
    @Option(
        help: ArgumentHelp(
            "The environment variable that holds the key; it is neither stored nor shown, and masked in what the "
                + "endpoint says unless it is a placeholder of under 8 characters. OPENAI_API_KEY for api.openai.com "
                + "if not said; no key elsewhere, and none for --retry-failed.", valueName: "variable"))
    var keyVariable: String?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Which tests: simulation, detection, fuzzing, rubric; by default all.", valueName: "test"))
    var tests: [JudgePrompt] = []
    @Option(
        help: """
            Whose explanations are tested: those the model writes itself, or the newest there is, whoever wrote it \
            (such as Neuron to Graph); by default written.
            """)
    var explanations: JudgeSettings.Explanations?
    @Option(help: "Excerpts shown for an explanation and for the rubric; by default 20.")
    var excerpts: Int?
    @Flag(help: "Ask for no log-probabilities: simulated activations are whole numbers.")
    var noLogProbabilities = false
    @Flag(help: "Do not ask the endpoint to see to it that answers are JSON.")
    var noJsonMode = false
    @Flag(
        name: .customLong("limit-completion"),
        help: "Send the limit of an answer as max_completion_tokens, as some models want it.")
    var limitsCompletion = false
    @Option(
        name: .customLong("max-answer-tokens"),
        help: "Tokens of an answer at most; by default 1024, or with --retry-failed as before,.")
    var maximumAnswerTokens: Int?
    @Option(help: "Requests under way at once.")
    var concurrency = 8
    @Option(help: "Seconds that a request may take.")
    var timeout = 120.0
    @Option(name: .customLong("max-requests"), help: "Send no more requests than this, those sent again counted.")
    var maximumRequests: Int?
    @Option(name: .customLong("max-cost"), help: "Stop once the replies have cost more than this; needs --prices.")
    var maximumCost: Double?
    @Option(
        help: ArgumentHelp(
            "A price table, JSON: {\"model\": {\"input\": 0.15, \"output\": 0.6}}, per million tokens.",
            valueName: "file"))
    var prices: String?
    @Flag(help: "Show what would be asked, and how much of it; asks nothing and writes nothing.")
    var dryRun = false
    @Flag(help: "Ask again only what failed in the last run with a judge.")
    var retryFailed = false

    /// Checks options against each other; options of a judge require a judge.
    func validate(hasModel: Bool) throws {
        if retryFailed {
            if endpoint != nil || llm != nil || !tests.isEmpty || excerpts != nil || explanations != nil || hasModel {
                throw ValidationError(
                    "--retry-failed takes endpoint, model, tests and excerpts from the run that failed")
            }
        } else {
            if (endpoint == nil) != (llm == nil) { throw ValidationError("--endpoint and --llm belong together") }
            if endpoint == nil,
                dryRun || !tests.isEmpty || maximumRequests != nil || maximumCost != nil || prices != nil
            {
                throw ValidationError("--tests, --dry-run and limits are of a judge; add --endpoint and --llm")
            }
            if endpoint != nil, hasModel {
                throw ValidationError("--model explains by patterns of tokens, --llm in words; ask for one of them")
            }
        }
        if maximumCost != nil, prices == nil {
            throw ValidationError("--max-cost needs a price table: add --prices FILE")
        }
        if !(1...256).contains(concurrency) {
            throw ValidationError("--concurrency is \(concurrency); allowed: 1 … 256")
        }
        if !(timeout > 0 && timeout <= 3600) {
            throw ValidationError("--timeout is \(timeout); allowed: to 3600 seconds")
        }
        if let maximumRequests, maximumRequests < 0 {
            throw ValidationError("--max-requests is \(maximumRequests); allowed: from 0")
        }
        if let maximumCost, !(maximumCost >= 0) {
            throw ValidationError("--max-cost is \(maximumCost); allowed: from 0")
        }
    }

    /// The settings; nil without a judge.
    var settings: JudgeSettings? {
        guard let endpoint, let llm else { return nil }
        return JudgeSettings(
            endpoint: endpoint, llm: llm, tests: tests.isEmpty ? JudgeSettings.allTests : tests,
            explanations: explanations ?? .written, excerpts: excerpts ?? 20, form: adjusted(AnswerForm()))
    }

    /// A form with the options given here.
    func adjusted(_ form: AnswerForm) -> AnswerForm {
        var form = form
        if let maximumAnswerTokens { form.maximumTokens = maximumAnswerTokens }
        if limitsCompletion { form.limitsCompletion = true }
        if noLogProbabilities { form.usesLogProbabilities = false }
        if noJsonMode { form.usesJSONMode = false }
        return form
    }

    /// The connection to the endpoint.
    func connection(for judge: JudgeSettings?) throws -> JudgeConnection {
        guard let judge else { return JudgeConnection() }
        let environment = ProcessInfo.processInfo.environment
        if let keyVariable, environment[keyVariable] == nil {
            throw WorkflowError.usage("--key-variable: there is no environment variable '\(keyVariable)'")
        }
        // A key is sent only where its owner says: an endpoint stored in a catalog may be anyone's.
        let isOpenAI = !retryFailed && URL(string: judge.endpoint)?.host() == "api.openai.com"
        let key = keyVariable.flatMap { environment[$0] } ?? (isOpenAI ? environment["OPENAI_API_KEY"] : nil)
        return JudgeConnection(
            key: key?.isEmpty == true ? nil : key, concurrency: concurrency, timeout: timeout,
            maximumRequests: maximumRequests, maximumCost: maximumCost,
            price: try prices.map { try TokenPrice.of(judge.llm, in: $0) })
    }

    /// Announces the requests; if quiet, only if there are any.
    func announce(_ plan: ScoringRun.JudgePlan, quiet: Bool = false) {
        if quiet, plan.answered >= plan.requests { return }
        var line =
            "\(Quantities.count(plan.features)) features: about \(Quantities.count(plan.requests)) requests"
            + (plan.answered > 0 ? ", \(Quantities.count(plan.answered)) or more answered by the archive" : "")
            + ", \(Quantities.count(plan.promptTokens)) tokens of questions and \(Quantities.count(plan.answerTokens)) "
            + "of answers, estimated"
        if let cost = plan.cost { line += "; cost about \(Quantities.significant(cost))" }
        if let maximumCost { line += ", at most about \(Quantities.significant(maximumCost))" }
        if let maximumRequests { line += "; no more than \(Quantities.count(maximumRequests)) are sent" }
        StandardStreams.remark(line)
    }

    /// Prints a plan with the first question of every kind.
    func showPlan(of scoring: ScoringRun, on catalog: Catalog) throws {
        let plan = try scoring.plan(on: catalog)
        announce(plan)
        for question in plan.examples {
            StandardStreams.write(
                """
                --- \(question.prompt.name), system
                \(question.prompt.instructions)
                --- \(question.prompt.name), user
                \(VisibleText.of(question.material))


                """)
        }
    }
}
