import ActivationPipeline
package import FeatureCatalog
package import FeatureScoring
import Foundation
import Indexing
import JSON
import Vocabulary

extension ScoringRun {
    /// The requests of a run with a judge, estimated before explanations are known.
    package struct JudgePlan: Sendable {
        /// Features.
        package let features: Int
        /// Requests in all.
        package let requests: Int
        /// Of these, the ones that the catalog's archive answers, as far as can be told.
        package let answered: Int
        /// Tokens of the questions still to be asked, estimated at four bytes a token.
        package let promptTokens: Int
        /// Tokens of the answers to them, estimated.
        package let answerTokens: Int
        /// Their cost; nil if the price is unknown.
        package let cost: Double?
        /// The first question of every kind, as it would be sent.
        package let examples: [JudgeQuestion]
    }

    /// Computes the requests without sending or writing anything.
    ///
    /// - Throws: as `run`.
    package func plan(on catalog: Catalog) throws -> JudgePlan {
        let (scoring, _) = try scoring(on: catalog) { false }
        let plan = try scoring.plan()
        let examples = try ([.explanation] + scoring.settings.tests).compactMap { test -> JudgeQuestion? in
            for feature in scoring.features {
                if let question = try feature.questions(test, explanation: "(the explanation)").first {
                    return question
                }
            }
            return nil
        }
        return JudgePlan(
            features: scoring.features.count, requests: plan.questions, answered: plan.answered,
            promptTokens: plan.promptTokens, answerTokens: plan.answerTokens,
            cost: connection.price?.cost(promptTokens: plan.promptTokens, completionTokens: plan.answerTokens),
            examples: examples)
    }

    /// Prepares the features and the interviewer.
    private func scoring(
        on catalog: Catalog, cancelled: @escaping @Sendable () -> Bool
    ) throws -> (scoring: JudgedScoring, dictionary: DictionaryRecord) {
        guard let judge = settings.judge else { throw WorkflowError.usage("there is no judge; name one with `llm`") }
        try judge.validate()
        let dictionary = try StoredDictionary(named: settings.dictionary, in: catalog)
        let indexing = try IndexedDictionary(dictionary.record, corpus: settings.corpus, in: catalog).indexing
        let chosen = try FeatureChoice(settings: settings).features(of: indexing.key, in: catalog)
        let reader = ScoringContextReader(
            catalog: catalog, indexing: indexing, drawsLayers: false, context: nil, prefix: 1)
        let text = try TokenTexts(folder: nil, catalog: catalog, dictionary: dictionary.record)
        guard text.hasVocabulary else {
            throw WorkflowError.refused(
                "\(catalog.path): it does not hold the texts of the tokens, so there is nothing that a language model "
                    + "could read; index it with a model folder that has its tokenizer")
        }

        let features = try chosen.map { feature in
            JudgedFeature(
                try reader.contexts(of: feature), excerpts: judge.excerpts, seed: settings.seed, text: text.of)
        }
        guard features.contains(where: { !$0.held.isEmpty }) else {
            throw WorkflowError.refused(
                "dictionary \"\(dictionary.record.name)\" has no contexts to score on; index it with more of them")
        }

        let interviewer = try Interviewer(
            catalog: catalog, settings: judge, connection: connection, asks: recorded == nil, seed: settings.seed,
            cancelled: cancelled)
        return (
            try JudgedScoring(
                settings: judge, seed: settings.seed, features: features, interviewer: interviewer, catalog: catalog,
                key: indexing.key, recorded: recorded ?? []), dictionary.record
        )
    }

    /// Scores with a judge.
    func judge(
        on catalog: Catalog, progress: @escaping (_ done: Int, _ total: Int) -> Void,
        cancelled: @escaping @Sendable () -> Bool
    ) throws -> Result {
        let (scoring, dictionary) = try scoring(on: catalog, cancelled: cancelled)
        try checkLimits(try scoring.plan())
        return try catalog.withRun(
            .score, settings: settings, seed: settings.seed,
            inputs: ([.explanation] + scoring.settings.tests).map { prompt in
                let bytes = Array(prompt.instructions.utf8)
                return RunInput(role: "prompt", name: prompt.name, sha256: sha256(of: bytes), bytes: bytes.count)
            }, cancelled: cancelled
        ) { run in
            let records = try scoring.run(runID: run.runID, progress: progress)
            let simulations = records.map { $0.first { $0.method == .simulation } }
            return Result(
                runID: run.runID, dictionaryID: dictionary.dictionaryID,
                features: scoring.features.map(\.featureIndex).filter(scoring.settings.includes),
                scores: simulations.map { $0?.value }, chance: simulations.map { $0?.baselineValue },
                records: Array(records.joined()), wrapping: scoring.interviewer.wrapping)
        }
    }

    /// Refuses a run that is certain to exceed a limit, before anything is sent.
    private func checkLimits(_ plan: JudgedScoring.Plan) throws(WorkflowError) {
        if let most = connection.maximumRequests, most > 0, plan.questions - plan.answered > most {
            throw .refused(
                "about \(plan.questions - plan.answered) requests would be sent; allowed by `maxRequests`: \(most); "
                    + "score fewer features, or fewer tests")
        }
        guard let most = connection.maximumCost else { return }
        guard let price = connection.price else { throw .usage("`maxCost` needs a price table: add `prices` FILE") }
        let cost = price.cost(promptTokens: plan.promptTokens, completionTokens: plan.answerTokens)
        if cost > most {
            throw .refused(
                "the estimated cost is \(cost); allowed by `maxCost`: \(most); score fewer features, or fewer tests")
        }
    }

    /// The settings for retrying the failures of the last run with a judge: the same run, asking again only what has
    /// no usable answer, and writing the features that lacked something.
    ///
    /// - Parameters:
    ///   - dictionary: the dictionary, by name or number; nil for the last one added.
    ///   - adjust: changes the form of new requests.
    /// - Throws: `WorkflowError.refused` if no run with a judge left failures.
    package static func retry(
        dictionary: String?, in catalog: Catalog, adjust: (inout AnswerForm) -> Void = { _ in }
    ) throws -> ScoringSettings {
        let record = try StoredDictionary(named: dictionary, in: catalog).record
        let failures = try catalog.judgeFailures(dictionaryID: record.dictionaryID)
        guard let first = failures.first else {
            throw WorkflowError.refused("dictionary \"\(record.name)\" has no scores that failed with a judge")
        }

        let runID = first.runID
        let lacking = failures.filter { $0.runID == runID }.map(\.featureIndex)
        let run = try catalog.run(runID)
        guard var settings = try? JSONDecoder().decode(ScoringSettings.self, from: Data(run.configJSON.utf8)),
            var judge = settings.judge
        else {
            throw WorkflowError.refused(
                "\(catalog.path): the configuration of run \(runID) is not one that this version can run again")
        }
        judge.earlierForms.append(judge.form)
        judge.form.attempt &+= 1
        adjust(&judge.form)
        // A retry of a retry already has the features of the first run.
        if judge.only == nil {
            settings.features = try catalog.scoredFeatures(runID: runID)
            judge.retryOf = run.uuid
        }
        judge.only = Set(lacking).sorted()
        // Answers that an earlier version could not read may be readable now.
        judge.reading = .unwrapped
        settings.judge = judge
        // Without a name, the run meant the newest dictionary of its time.
        settings.dictionary = "\(record.dictionaryID)"
        settings.corpus = "\(first.corpusID)"
        return settings
    }
}
