import ActivationPipeline
import FeatureCatalog
import Indexing
import JSON
import SparseCoding
import Steering
import TerminalOutput
import Vocabulary

/// A text typed in: what fires on each of its tokens, and how it goes on with a feature steered.
struct PromptPage: Page {
    /// Features of each token.
    private static let top = 8

    let record: DictionaryRecord?
    let links: DictionaryLinks?
    let all: [(record: DictionaryRecord, reference: String)]
    let text: String
    let findings: PromptFindings?
    let problem: ViewerProblem?
    /// Whether the problem is one of steering.
    let isSteering: Bool
    let hasModel: Bool
    let formToken: String
    /// The command that serves with a model.
    let serving: String
    /// What is filled in for steering.
    let steering: SteeringChoice
    /// The name of the feature that is filled in, if it is one and the dictionary is indexed.
    let steered: FeatureName?
    /// The texts, as they are and steered.
    let outcome: SteeringRun.Outcome?
    /// The command that gives them.
    let command: String?

    /// - Throws: `CatalogError`; `ViewerProblem` where something is damaged.
    init(_ visit: Visit) throws {
        let request = visit.request
        all = visit.dictionaries.map { ($0, visit.reference(to: $0)) }
        hasModel = visit.site.prompts != nil
        formToken = visit.site.formToken
        serving = visit.site.spelling("routesae serve CATALOG `model` DIR")
        isSteering = request.path == ["steer"]
        let form = request.form
        let named = form["dictionary"] ?? visit.query["dictionary"]
        let record = try named.map { try StoredDictionary.record(named: $0, in: visit.catalog) } ?? all.last?.record
        self.record = record
        links = try record.map { try visit.links(to: $0) }
        // A form breaks lines by two characters, a text by one.
        let text =
            form["text"]?.replacing("\r\n", with: "\n")
            ?? visit.query["text"].map { String($0.prefix(PromptService.longest)) } ?? ""
        self.text = text

        var steering = SteeringChoice(request.method == .post ? form : visit.query)
        let name = try record.flatMap { try Self.name(of: steering, $0, visit) }
        if steering.strength.isEmpty, steering.operation != EditOperation.multiply.rawValue, !isSteering,
            let maximum = name?.maximum, maximum > 0
        {
            steering.strength = Quantities.significant(maximum)
        }
        (self.steering, steered) = (steering, name)

        guard request.method == .post else {
            (findings, outcome, command, problem) = (nil, nil, nil, nil)
            return
        }
        do {
            let work = PromptService.Work(
                steering: isSteering ? steering : nil, readsTokens: !isSteering || !request.wantsJSON)
            let (answer, found) = try Self.answer(to: text, work, record, visit)
            (findings, outcome, problem) = (found, answer.outcome, nil)
            command = answer.outcome.flatMap { _ in
                record.map {
                    steering.command(
                        on: text, dictionary: visit.reference(to: $0), spelling: visit.site.spelling)
                }
            }
        } catch {
            let found = ViewerProblem(error)
            guard found.status < 500 || found.status == 503 else { throw found }
            (findings, outcome, command, problem) = (nil, nil, nil, found)
        }
    }

    private static func answer(
        to text: String, _ work: PromptService.Work, _ record: DictionaryRecord?, _ visit: Visit
    ) throws -> (answer: PromptService.Answer, findings: PromptFindings?) {
        guard let prompts = visit.site.prompts else {
            throw ViewerProblem(403, "the server was started without a model")
        }
        guard let record else { throw ViewerProblem(404, "there is no dictionary yet") }
        let answer = try prompts.answer(
            text, work, record, in: visit.catalog, stamp: visit.stamp, seconds: visit.site.steeringSeconds)
        let findings = try answer.firings.map {
            try PromptFindings(record, firings: $0, top: top, among: nil, in: visit.catalog)
        }
        return (answer, findings)
    }

    private static func name(
        of steering: SteeringChoice, _ record: DictionaryRecord, _ visit: Visit
    ) throws -> FeatureName? {
        guard let number = steering.number(in: record),
            let key = try visit.catalog.indexings(dictionaryID: record.dictionaryID).last?.key
        else { return nil }
        return try FeatureName.of([number], key, in: visit.catalog)[number]
    }

    var title: String { "Prompt" }
    var address: Address { links?.prompt ?? Address(["prompt"]) }
    var hasData: Bool { false }
    var section: Shell.Section { .prompt }
    var dictionaryID: Int64? { record?.dictionaryID }
    var scale: LayerScale { LayerScale(record?.layers ?? []) }

    var json: JSONValue {
        var members: JSONObject = ["dictionary": JSONValue(record?.name), "text": .string(text)]
        guard isSteering else {
            members.members.append(.init(name: "rows", value: findings?.json ?? .array([])))
            return .object(members)
        }
        guard let outcome, let edit = outcome.edits.first else { return .object(members) }
        members.members += [
            .init(name: "feature_index", value: JSONValue(edit.feature)),
            .init(name: "operation", value: .string(edit.operation.rawValue)),
            .init(name: "strength", value: JSONValue(edit.strength)),
            .init(name: "kl", value: JSONValue(outcome.divergence)),
            .init(name: "promoted_change", value: JSONValue(outcome.promotedChanges.first ?? nil)),
            .init(name: "n_tokens", value: JSONValue(outcome.tokens.count)),
            .init(name: "unsteered", value: .string(outcome.unsteeredText)),
            .init(name: "steered", value: .string(outcome.text)),
            .init(name: "command", value: JSONValue(command)),
        ]
        return .object(members)
    }
}
