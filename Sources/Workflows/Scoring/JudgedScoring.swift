import ChatEndpoint
import FeatureCatalog
import FeatureScoring

/// Scores features by asking a language model: first what explains each, then whether that holds on contexts it has not
/// seen, each test also with another feature's explanation, which is chance.
struct JudgedScoring {
    let settings: JudgeSettings
    let seed: UInt64
    let features: [JudgedFeature]
    let interviewer: Interviewer
    let catalog: Catalog
    let key: IndexingKey

    /// An explanation that is tested.
    private struct Explanation {
        let text: String
        /// Its key in the catalog.
        let id: Int64
    }

    /// A test of a feature, with its own explanation or another's.
    private struct Trial {
        let place: Int
        let test: JudgePrompt
        let explanation: String
        let isChance: Bool
    }

    /// The tests that rest on an explanation.
    private static let explained: [JudgePrompt] = [.simulation, .detection, .fuzzing]

    /// Asks everything and writes what comes of it.
    ///
    /// - Parameter progress: told how many of how many questions are answered.
    /// - Returns: the scores that were written, each place with those of its feature.
    func run(runID: Int64, progress: @escaping (_ done: Int, _ total: Int) -> Void) throws -> [[ScoreRecord]] {
        var done = 0
        func tick(of total: Int) {
            done += 1
            progress(min(done, total), total)
        }
        let first = try openingQuestions()
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
            results[Key(trial)] = (try JudgedResult(trial.test, of: features[trial.place], answers: own), own)
        }
        for (trial, answer) in zip(first.map(\.trial), openings) where trial.test == .rubric {
            results[Key(trial)] = (
                try JudgedResult(.rubric, of: features[trial.place], answers: [answer]), [answer]
            )
        }
        let scores = try features.indices.map { place in
            try settings.tests.filter { settings.includes(features[place].featureIndex, $0) }.map { test in
                try record(
                    test, place, results, explanation: explanations[place],
                    unexplained: reasons[place] ?? "it has no explanation", runID)
            }
        }
        try catalog.write(scores: Array(scores.joined()))
        return scores
    }

    /// How much there is to ask, explanations not yet being known.
    struct Plan {
        /// Questions in all.
        var questions = 0
        /// Of these, the ones that the archive answers already, as far as can be told.
        var answered = 0
        /// Tokens of the questions, at four characters a token.
        var promptTokens = 0
        /// Tokens of the answers, likewise.
        var answerTokens = 0
    }

    /// Works out a plan; nothing is asked.
    func plan() throws -> Plan {
        var plan = Plan()
        let first = try openingQuestions().map(\.question)
        plan.answered = first.count - (try interviewer.unanswered(first)).count
        // An explanation of the usual length stands for those that will be.
        let explanation = String(repeating: "word ", count: 25)
        var questions = first
        for feature in features {
            for test in Self.explained where settings.includes(feature.featureIndex, test) {
                let asked = try feature.questions(test, explanation: explanation)
                questions += asked
                if features.count > 1 { questions += asked }
                plan.answerTokens +=
                    (features.count > 1 ? 2 : 1) * feature.size(of: test).tokens * (test == .simulation ? 2 : 0)
            }
        }
        plan.questions = questions.count
        plan.promptTokens = questions.reduce(0) {
            $0 + ($1.prompt.instructions.utf8.count + $1.material.utf8.count) / 4
        }
        plan.answerTokens += 60 * questions.count
        return plan
    }

    /// What can be asked before there are explanations: these themselves, and the rubric.
    private func openingQuestions() throws -> [(trial: Trial, question: JudgeQuestion)] {
        try features.indices.flatMap { place -> [(trial: Trial, question: JudgeQuestion)] in
            let feature = features[place]
            var tests: [JudgePrompt] = []
            let isTested = Self.explained.contains { settings.includes(feature.featureIndex, $0) }
            if isTested, try existing(feature.featureIndex) == nil, settings.explanations != .newest {
                tests.append(.explanation)
            }
            if settings.includes(feature.featureIndex, .rubric) { tests.append(.rubric) }
            return try tests.map { test in
                (
                    Trial(place: place, test: test, explanation: "", isChance: false),
                    try feature.questions(test, explanation: "")[0]
                )
            }
        }
    }

    /// The explanation that a feature has already, where one is not to be written.
    private func existing(_ feature: Int) throws -> Explanation? {
        guard settings.explanations != .written else { return nil }
        let all = try catalog.explanations(dictionaryID: key.dictionaryID, featureIndex: feature)
            .filter { $0.corpusID == key.corpusID && (settings.explanations == .newest || $0.method == Self.method) }
        return all.last.map { Explanation(text: $0.text, id: $0.explanationID) }
    }

    /// How explanations by a language model are called in the catalog.
    static let method = "llm"

    /// Writes the explanations that were asked for.
    ///
    /// - Returns: by place, the explanations, and why there is none.
    private func explanations(
        _ trials: [Trial], _ answers: [Interviewer.Answer], _ runID: Int64
    ) throws -> (explanations: [Int: Explanation], reasons: [Int: String]) {
        var found: [Int: Explanation] = [:]
        var reasons: [Int: String] = [:]
        var written: [(place: Int, record: ExplanationRecord)] = []
        for (trial, answer) in zip(trials, answers) where trial.test == .explanation {
            do {
                let text = try JudgeAnswer.explanation(in: try answer.reply.get().content)
                let detail = ExplanationDetail(
                    endpoint: settings.endpoint, exchange: answer.sha256, llm: settings.llm,
                    prompt: JudgePrompt.explanation.name)
                written.append(
                    (
                        trial.place,
                        ExplanationRecord(
                            runID: runID, dictionaryID: key.dictionaryID,
                            featureIndex: features[trial.place].featureIndex, corpusID: key.corpusID,
                            method: Self.method, text: text, detailJSON: try canonicalJSON(detail))
                    ))
            } catch let garbage as JudgeAnswer.Garbage {
                reasons[trial.place] = "no explanation: \(garbage.description)"
            } catch let unanswered as Interviewer.Unanswered {
                reasons[trial.place] = "no explanation: \(unanswered.reason)"
            }
        }
        for (entry, id) in zip(written, try catalog.write(explanations: written.map(\.record))) {
            found[entry.place] = Explanation(text: entry.record.text, id: id)
        }
        for place in features.indices where found[place] == nil && reasons[place] == nil {
            found[place] = try existing(features[place].featureIndex)
        }
        return (found, reasons)
    }

    private struct ExplanationDetail: Encodable {
        let endpoint: String
        let exchange: String
        let llm: String
        let prompt: String
    }

    /// Every test of every feature that has an explanation, with its own and with another's.
    private func trials(_ explanations: [Int: Explanation]) -> [Trial] {
        let places = explanations.keys.sorted()
        let donors = ChanceBaseline.donors(featureCount: places.count, seed: seed)
        return places.enumerated().flatMap { number, place -> [Trial] in
            Self.explained.filter { settings.includes(features[place].featureIndex, $0) }.flatMap { test -> [Trial] in
                let own = explanations[place]?.text ?? ""
                let other = donors.flatMap { explanations[places[$0[number]]]?.text }
                return [Trial(place: place, test: test, explanation: own, isChance: false)]
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

    private func record(
        _ test: JudgePrompt, _ place: Int, _ results: [Key: (result: JudgedResult, answers: [Interviewer.Answer])],
        explanation: Explanation?, unexplained: String, _ runID: Int64
    ) throws -> ScoreRecord {
        struct Detail: Encodable {
            let chanceExchanges: [String]
            let chanceReason: String?
            let endpoint: String
            let exchanges: [String]
            let instructions: String
            let llm: String
            let prompt: String
            let remark: String?
        }
        let own = results[Key(place, test, isChance: false)]
        let other = results[Key(place, test, isChance: true)]
        let result = own?.result ?? .failed(unexplained)
        let detail = Detail(
            chanceExchanges: other?.answers.map(\.sha256) ?? [], chanceReason: other?.result.reason,
            endpoint: settings.endpoint, exchanges: own?.answers.map(\.sha256) ?? [],
            instructions: sha256(of: Array(test.instructions.utf8)), llm: settings.llm, prompt: test.name,
            remark: result.remark)
        let size = features[place].size(of: test)
        return ScoreRecord(
            runID: runID, dictionaryID: key.dictionaryID, featureIndex: features[place].featureIndex,
            corpusID: key.corpusID, explanationID: test == .rubric ? nil : explanation?.id,
            method: ScoreRecord.Method(rawValue: test.rawValue) ?? .simulation, status: result.status,
            value: result.value, baselineValue: other?.result.value, category: result.category, reason: result.reason,
            contextCount: size.contexts, tokenCount: size.tokens, metricsJSON: try canonicalJSON(result.metrics),
            detailJSON: try canonicalJSON(detail))
    }
}
