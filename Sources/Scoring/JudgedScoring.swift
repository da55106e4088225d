import ActivationPipeline
import ChatEndpoint
import FeatureCatalog
import FeatureScoring
import Foundation
import JSON
import Vocabulary

/// Scores features by a language model: first it explains each, then it is tested on contexts it has not
/// seen; each test is repeated with another feature's explanation, the baseline.
package struct JudgedScoring {
    let settings: JudgeSettings
    let seed: UInt64
    let features: [JudgedFeature]
    let interviewer: Interviewer
    let catalog: Catalog
    let key: IndexingKey
    /// Existing explanations, by the feature's index; empty if the judge writes them.
    private let stored: [Int: Explanation]
    /// By feature index, the index of the feature whose explanation is the baseline.
    private let donors: [Int: Int]
    /// The recorded scores, when a run is reproduced.
    private let recorded: [RecordedKey: ScoreRecord]

    /// How strictly answers are read.
    private var reading: AnswerReading { settings.reading ?? .exact }

    /// Collects the features and contexts to judge.
    ///
    /// - Parameter recorded: the scores of the run being reproduced; none for a new run.
    init(
        settings: JudgeSettings, seed: UInt64, features: [JudgedFeature], interviewer: Interviewer, catalog: Catalog,
        key: IndexingKey, recorded: [ScoreRecord]
    ) throws {
        self.settings = settings
        self.seed = seed
        self.features = features
        self.interviewer = interviewer
        self.catalog = catalog
        self.key = key
        self.recorded = Dictionary(
            recorded.map { (RecordedKey(feature: $0.featureIndex, method: $0.method), $0) },
            uniquingKeysWith: { $1 })
        let stored = settings.explanations == .newest ? try Self.stored(features, settings, key, in: catalog) : [:]
        self.stored = stored
        let places = features.indices.filter { place in
            !features[place].explained.isEmpty && (settings.explanations == .written || stored[place] != nil)
        }

        let order = ChanceBaseline.donors(featureCount: places.count, seed: seed) ?? []
        donors = Dictionary(uniqueKeysWithValues: zip(places, order.map { places[$0] }))
    }

    /// The existing explanations: the newest, or for a retry those that the original run tested.
    private static func stored(
        _ features: [JudgedFeature], _ settings: JudgeSettings, _ key: IndexingKey, in catalog: Catalog
    ) throws -> [Int: Explanation] {
        var tested: [Int: Int64]?
        if let runID = try settings.retriedRun(in: catalog) {
            tested = Dictionary(
                try catalog.scores(dictionaryID: key.dictionaryID, runID: runID).compactMap { score in
                    score.explanationID.map { (score.featureIndex, $0) }
                }, uniquingKeysWith: { $1 })
        }

        var stored: [Int: Explanation] = [:]
        for (place, feature) in features.enumerated() {
            stored[place] = try catalog.explanations(
                dictionaryID: key.dictionaryID, featureIndex: feature.featureIndex
            ).last {
                $0.corpusID == key.corpusID && (tested == nil || tested?[feature.featureIndex] == $0.explanationID)
            }.map { Explanation(text: $0.text, origin: .stored($0.explanationID)) }
        }
        return stored
    }

    private struct RecordedKey: Hashable {
        let feature: Int
        let method: ScoreMethod
    }

    /// An explanation to test.
    private struct Explanation {
        let text: String
        let origin: Origin

        enum Origin {
            /// Stored in the catalog, under this key.
            case stored(Int64)
            /// Written together with its scores.
            case written(ExplanationRecord)
            /// A placeholder for one not written yet, in a plan.
            case expected
        }
    }

    /// A test of a feature, with its own explanation or another's.
    private struct Trial {
        let place: Int
        let test: JudgePrompt
        let explanation: String
        let isChance: Bool
    }

    /// The tests that need an explanation.
    private static let explained: [JudgePrompt] = [.simulation, .detection, .fuzzing]

    /// The method of a language model's explanations in the catalog.
    package static let method = "llm"

    /// Asks all questions and writes the results, in one transaction.
    ///
    /// - Parameter progress: told how many of how many questions are answered.
    /// - Returns: the scores written, by feature index.
    func run(runID: Int64, progress: @escaping (_ done: Int, _ total: Int) -> Void) throws -> [[ScoreRecord]] {
        var done = 0
        func tick(of total: Int) {
            done += 1
            progress(min(done, total), total)
        }

        let first = try openingTrials()
        let estimate = try plan().questions
        let openings = try interviewer.ask(first.map(\.question)) { tick(of: estimate) }
        let (explanations, reasons) = try explanations(first.map(\.trial), openings, runID)
        let trials = trials(explanations)
        let questions = try trials.map { try features[$0.place].questions($0.test, explanation: $0.explanation) }
        let total = done + questions.reduce(0) { $0 + $1.count }
        let answers = try interviewer.ask(Array(questions.joined())) { tick(of: total) }
        var results: [Key: (result: JudgedResult, answers: [Interviewer.Answer])] = [:]
        var start = 0
        for (trial, asked) in zip(trials, questions) {
            let own = Array(answers[start..<start + asked.count])
            start += asked.count
            results[Key(trial)] = (
                try JudgedResult(trial.test, of: features[trial.place], answers: own, reading: reading), own
            )
        }
        for (trial, answer) in zip(first.map(\.trial), openings) where trial.test == .rubric {
            results[Key(trial)] = (
                try JudgedResult(.rubric, of: features[trial.place], answers: [answer], reading: reading), [answer]
            )
        }

        let places = features.indices.filter { settings.includes(features[$0].featureIndex) }
        let written = places.compactMap { place -> (place: Int, record: ExplanationRecord)? in
            guard case .written(let record)? = explanations[place]?.origin else { return nil }
            return (place, record)
        }

        var scores: [[ScoreRecord]] = []
        try catalog.write(explanations: written.map(\.record)) { ids in
            let keys = Dictionary(uniqueKeysWithValues: zip(written.map(\.place), ids))
            scores = try places.map { place in
                var key = keys[place]
                if case .stored(let stored)? = explanations[place]?.origin { key = stored }
                return try settings.tests.map { test in
                    try record(test, place, results, explanation: key, reasons, runID)
                }
            }
            return Array(scores.joined())
        }
        return scores
    }

    /// The number and size of questions.
    struct Plan {
        /// Questions in all, duplicates counted once.
        var questions = 0
        /// Of these, the ones already answered in the archive, as far as known.
        var answered = 0
        /// Tokens of the others, at four bytes a token.
        var promptTokens = 0
        /// Tokens of the answers to them, likewise.
        var answerTokens = 0
    }

    /// Computes the plan without asking.
    func plan() throws -> Plan {
        let first = try openingTrials()
        let known = try first.map { try interviewer.archived($0.question) }
        let answered = zip(first, known).compactMap { opening, answer in answer.map { (opening.trial, $0) } }
        var (explanations, _) = try explanations(answered.map(\.0), answered.map(\.1), 0)
        for (opening, answer) in zip(first, known) where opening.trial.test == .explanation && answer == nil {
            // A placeholder of usual length.
            let text = String(repeating: "word ", count: 25) + "\(opening.trial.place)"
            explanations[opening.trial.place] = Explanation(text: text, origin: .expected)
        }

        var questions = first.map(\.question)
        for trial in trials(explanations) {
            questions += try features[trial.place].questions(trial.test, explanation: trial.explanation)
        }

        var plan = Plan()
        var seen: Set<JudgeQuestion> = []
        for question in questions where seen.insert(question).inserted {
            plan.questions += 1
            if try interviewer.archived(question) != nil {
                plan.answered += 1
            } else {
                plan.promptTokens += (question.prompt.instructions.utf8.count + question.material.utf8.count) / 4
                plan.answerTokens += 60 + (question.prompt == .simulation ? 2 * question.answerCount : 0)
            }
        }
        return plan
    }

    /// Questions that need no explanations: those for explanations, and the rubric. Features
    /// without firing excerpts are skipped.
    private func openingTrials() throws -> [(trial: Trial, question: JudgeQuestion)] {
        try features.indices.filter { !features[$0].explained.isEmpty }.flatMap { place in
            let feature = features[place]
            var tests: [JudgePrompt] = []
            if settings.explanations == .written, Self.explained.contains(where: settings.tests.contains) {
                tests.append(.explanation)
            }
            if settings.tests.contains(.rubric), settings.includes(feature.featureIndex) { tests.append(.rubric) }
            return try tests.map { test in
                (
                    Trial(place: place, test: test, explanation: "", isChance: false),
                    try feature.questions(test, explanation: "")[0]
                )
            }
        }
    }

    /// The explanations to test.
    ///
    /// - Returns: by feature index, the explanations, and the reasons for missing ones.
    private func explanations(
        _ trials: [Trial], _ answers: [Interviewer.Answer], _ runID: Int64
    ) throws -> (explanations: [Int: Explanation], reasons: [Int: JudgedResult]) {
        var found: [Int: Explanation] = [:]
        var reasons: [Int: JudgedResult] = [:]
        for place in features.indices {
            if features[place].explained.isEmpty {
                reasons[place] = .undefined("it has no contexts to be explained from")
            } else if settings.explanations == .newest {
                found[place] = stored[place]
                if found[place] == nil { reasons[place] = .undefined("it has no explanation") }
            }
        }
        for (trial, answer) in zip(trials, answers) where trial.test == .explanation {
            do {
                let content = try answer.reply.get().content
                let text = try JudgeAnswer.explanation(in: content, reading: reading)
                var wrapping = AnswerWrapping()
                if reading == .unwrapped { wrapping.note(UnwrappedAnswer(content)) }
                let detail = ExplanationDetail(
                    endpoint: settings.endpoint, exchange: answer.sha256, llm: settings.llm,
                    prompt: JudgePrompt.explanation.name, isFenced: wrapping.fenced > 0 ? true : nil,
                    isThought: wrapping.thought > 0 ? true : nil)
                found[trial.place] = Explanation(
                    text: text,
                    origin: .written(
                        ExplanationRecord(
                            runID: runID, dictionaryID: key.dictionaryID,
                            featureIndex: features[trial.place].featureIndex, corpusID: key.corpusID,
                            method: Self.method, text: text, detailJSON: try canonicalJSON(detail))))
            } catch let garbage as JudgeAnswer.Garbage {
                reasons[trial.place] = .failed("no explanation: \(garbage.description)")
            } catch let unanswered as Unanswered {
                var reason = JudgedResult.failed("no explanation: \(unanswered.reason)")
                reason.isMissing = unanswered.isMissing
                reasons[trial.place] = reason
            }
        }
        return (found, reasons)
    }

    private struct ExplanationDetail: Encodable {
        let endpoint: String
        let exchange: String
        let llm: String
        let prompt: String
        /// Whether a code fence, or think blocks, were removed from the answer; nil if not.
        let isFenced: Bool?
        let isThought: Bool?
    }

    /// Every test of every feature that has an explanation and is written, with its own and the baseline explanation.
    ///
    /// The baseline does not depend on which explanations failed, so a retry keeps it.
    private func trials(_ explanations: [Int: Explanation]) -> [Trial] {
        features.indices.filter { settings.includes(features[$0].featureIndex) }.flatMap { place -> [Trial] in
            guard let own = explanations[place]?.text else { return [] }
            let other = donors[place].flatMap { explanations[$0]?.text }
            return Self.explained.filter(settings.tests.contains).flatMap { test -> [Trial] in
                [Trial(place: place, test: test, explanation: own, isChance: false)]
                    + (other.map { [Trial(place: place, test: test, explanation: $0, isChance: true)] } ?? [])
            }
        }
    }

    private struct Key: Hashable {
        let place: Int
        let test: JudgePrompt
        let isChance: Bool

        init(_ trial: Trial) { self.init(trial.place, trial.test, isChance: trial.isChance) }

        init(_ place: Int, _ test: JudgePrompt, isChance: Bool) {
            self.place = place
            self.test = test
            self.isChance = isChance
        }
    }

    /// Further details of a score.
    private struct Detail: Codable {
        let chanceExchanges: [String]
        let chanceReason: String?
        let endpoint: String
        let exchanges: [String]
        let instructions: String
        let llm: String
        let prompt: String
        let remark: String?
    }

    private func record(
        _ test: JudgePrompt, _ place: Int, _ results: [Key: (result: JudgedResult, answers: [Interviewer.Answer])],
        explanation: Int64?, _ reasons: [Int: JudgedResult], _ runID: Int64
    ) throws -> ScoreRecord {
        let own = results[Key(place, test, isChance: false)]
        let other = results[Key(place, test, isChance: true)]
        guard let method = test.method else { preconditionFailure("an explanation is no test") }
        var result = own?.result ?? reasons[place] ?? .undefined("it has no contexts to be judged by")
        if result.isMissing {
            result.reason = try recordedFailure(method, place).reason
        } else if result.status == .failed, settings.reading == nil, let reason = recordedReason(method, place) {
            // Earlier versions worded the same failures differently.
            result.reason = reason
        }

        let donor = Self.explained.contains(test) ? donors[place] : nil
        if donor != nil, result.status == .ok, other == nil || other?.result.status == .failed {
            // For --retry-failed: a score without its baseline is incomplete.
            result.metrics["chance_failed"] = 1
        }

        var chanceReason = donor != nil ? other.map { $0.result.reason } ?? "the other explanation failed" : nil
        if own != nil, other?.result.isMissing ?? donor.flatMap({ reasons[$0]?.isMissing }) ?? false {
            chanceReason = try recordedChanceFailure(method, place)
        }

        let detail = Detail(
            chanceExchanges: other?.answers.map(\.sha256) ?? [], chanceReason: chanceReason,
            endpoint: settings.endpoint, exchanges: own?.answers.map(\.sha256) ?? [],
            instructions: sha256(of: Array(test.instructions.utf8)), llm: settings.llm, prompt: test.name,
            remark: result.remark)
        let size = features[place].size(of: test)
        return ScoreRecord(
            runID: runID, dictionaryID: key.dictionaryID, featureIndex: features[place].featureIndex,
            corpusID: key.corpusID, explanationID: test == .rubric ? nil : explanation, method: method,
            status: result.status, value: result.value, baselineValue: other?.result.value, category: result.category,
            reason: result.reason, contextCount: size.contexts, tokenCount: size.tokens,
            metricsJSON: try canonicalJSON(result.metrics), detailJSON: try canonicalJSON(detail))
    }

    /// The recorded failure of a score being reproduced, for want of an answer that is not in the archive either.
    private func recordedFailure(_ method: ScoreMethod, _ place: Int) throws -> ScoreRecord {
        let feature = features[place].featureIndex
        guard let score = recorded[RecordedKey(feature: feature, method: method)], score.status == .failed else {
            throw lacking(method, feature)
        }
        return score
    }

    /// The recorded reason of the same score's failure; nil if it did not fail, or nothing is being reproduced.
    private func recordedReason(_ method: ScoreMethod, _ place: Int) -> String? {
        recorded[RecordedKey(feature: features[place].featureIndex, method: method)]?.reason
    }

    /// The recorded reason of the same score's missing baseline.
    private func recordedChanceFailure(_ method: ScoreMethod, _ place: Int) throws -> String? {
        let feature = features[place].featureIndex
        guard let score = recorded[RecordedKey(feature: feature, method: method)], score.baselineValue == nil else {
            throw lacking(method, feature)
        }
        return try? JSONDecoder().decode(Detail.self, from: Data((score.detailJSON ?? "").utf8)).chanceReason
    }

    private func lacking(_ method: ScoreMethod, _ feature: Int) -> WorkflowError {
        .refused(
            "\(catalog.path): answers to the \(method.rawValue) of feature \(feature) are not in the archive, and nobody "
                + "may be asked")
    }
}
