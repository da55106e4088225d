import ChatEndpoint
import FeatureCatalog
import FeatureScoring

/// The score from the answers to one test of one feature.
struct JudgedResult {
    var status = ScoreRecord.Status.ok
    var value: Double?
    var reason: String?
    var category: FeatureCategory?
    var metrics: [String: Double] = [:]
    var remark: String?
    /// Whether it failed only because the archive lacks an answer and no endpoint was asked.
    var isMissing = false

    static func failed(_ reason: String) -> JudgedResult { JudgedResult(status: .failed, reason: reason) }

    static func undefined(_ reason: String) -> JudgedResult {
        JudgedResult(status: .undefined, reason: reason)
    }

    /// Scores the answers; one unusable answer makes the score a failure with its reason.
    ///
    /// - Parameter reading: how strictly they are read; removed wrapping is counted in the figures.
    init(
        _ test: JudgePrompt, of feature: JudgedFeature, answers: [Interviewer.Answer], reading: AnswerReading
    ) throws {
        do {
            switch test {
            case .explanation: self = .failed("an explanation is no test")
            case .simulation: self = try Self.simulation(feature, answers, reading)
            case .detection:
                self = try Self.decided(
                    .detection, truths: feature.held.map(\.fires), answers, reading,
                    lacking: "score contexts that do and do not fire")
            case .fuzzing:
                self = try Self.decided(
                    .fuzzing, truths: feature.fuzzed.map(\.isCorrect), answers, reading,
                    lacking: "texts that can be marked rightly and wrongly")
            case .rubric:
                let rubric = try JudgeAnswer.rubric(in: try Self.content(of: answers, 0), reading: reading)
                self = JudgedResult(
                    value: Double(rubric.score), category: FeatureCategory(rawValue: rubric.category),
                    remark: rubric.explanation)
            }
        } catch let garbage as JudgeAnswer.Garbage {
            self = .failed(garbage.description)
        } catch let unanswered as Unanswered {
            self = .failed(unanswered.reason)
            isMissing = unanswered.isMissing
        }
        guard reading == .unwrapped else { return }
        var wrapping = AnswerWrapping()
        for case .success(let reply) in answers.map(\.reply) { wrapping.note(UnwrappedAnswer(reply.content)) }
        metrics.merge(wrapping.metrics) { $1 }
    }

    private init(
        status: ScoreRecord.Status = .ok, value: Double? = nil, reason: String? = nil, category: FeatureCategory? = nil,
        metrics: [String: Double] = [:], remark: String? = nil
    ) {
        self.status = status
        self.value = value
        self.reason = reason
        self.category = category
        self.metrics = metrics
        self.remark = remark
    }

    private static func content(of answers: [Interviewer.Answer], _ index: Int) throws -> String {
        guard answers.indices.contains(index) else { throw Unanswered(reason: "it was not asked") }
        return try answers[index].reply.get().content
    }

    private static func simulation(
        _ feature: JudgedFeature, _ answers: [Interviewer.Answer], _ reading: AnswerReading
    ) throws -> JudgedResult {
        var contexts: [SimulatedContext] = []
        for (place, excerpt) in feature.held.enumerated() {
            do {
                let content = try content(of: answers, place)
                let levels = try JudgeAnswer.activations(in: content, count: excerpt.tokens.count, reading: reading)
                let tokens = try answers[place].reply.get().tokens ?? []
                let expected = ExpectedLevels.of(
                    levels, in: content,
                    tokens: tokens.map { token in
                        .init(
                            text: token.token,
                            alternatives: token.top.map { (text: $0.token, logProbability: $0.logProbability) })
                    })
                contexts.append(
                    SimulatedContext(
                        band: excerpt.band, predicted: expected.map { $0 / 10 * feature.maximum },
                        actual: excerpt.activations))
            } catch let garbage as JudgeAnswer.Garbage {
                throw Unanswered(
                    reason: "context \(place + 1) of \(feature.held.count): \(garbage.description)")
            }
        }

        let score = try SimulationScore(of: contexts, maximum: feature.maximum)
        let metrics = [
            "top_correlation": score.top.value, "random_correlation": score.random.value, "r_squared": score.rSquared,
            "precision": score.precision, "recall": score.recall, "f1": score.f1,
        ].compactMapValues(\.self)
        switch score.status {
        case .ok: return JudgedResult(value: score.value, metrics: metrics)
        case .undefined(let why): return JudgedResult(status: .undefined, reason: "\(why)", metrics: metrics)
        }
    }

    private static func decided(
        _ test: JudgePrompt, truths: [Bool], _ answers: [Interviewer.Answer], _ reading: AnswerReading,
        lacking: String
    ) throws -> JudgedResult {
        guard truths.contains(true), truths.contains(false) else { return .undefined("there are no \(lacking)") }
        let decisions = try JudgeAnswer.decisions(
            test, in: try content(of: answers, 0), count: truths.count, reading: reading)
        let score = DecisionScore(decisions: decisions, truths: truths)
        guard let accuracy = score.balancedAccuracy else { return .undefined("there are no \(lacking)") }
        return JudgedResult(
            value: accuracy,
            metrics: ["precision": score.precision, "recall": score.recall, "f1": score.f1].compactMapValues(\.self))
    }
}
