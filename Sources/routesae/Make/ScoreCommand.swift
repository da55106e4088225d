import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import FeatureScoring
import LinearAlgebra
import Scoring
import TerminalOutput
import Vocabulary

extension ScoringSettings.Stratum: ExpressibleByArgument {}

struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "score",
        abstract: "Explain features, and score the explanations on contexts they were not made from.",
        discussion: """
            Explanations are the patterns of tokens that a feature needs (Neuron to Graph), found by asking the model. \
            The score is the correlation of the activations they predict with the true ones; beside each stands the \
            same with another feature's explanation, which is chance. No other model is needed.

            With --endpoint and --llm, a language model behind any OpenAI-compatible endpoint explains and judges: \
            simulation (activations predicted token by token), detection and fuzzing (balanced accuracy), and the \
            paper's rubric (category and 1 to 5). Every request and reply is kept in the catalog, so that a run that \
            was broken off, or is repeated, asks nothing twice. How much will be asked, what that is \
            estimated to cost and the limits set are announced before anything is, with --quiet as well.

            Examples:
              routesae score c.sqlite --model Demo/model --sample 100 --seed 1
              routesae score c.sqlite --model Demo/model --features 12 40 99
              routesae score c.sqlite --model Demo/model --sample 200 --stratify layer --where 'firing_rate < 0.01'
              routesae score c.sqlite --model Demo/model --all
              routesae score c.sqlite --endpoint http://127.0.0.1:8080/v1 --llm qwen3-4b --sample 20 --dry-run
              routesae score c.sqlite --endpoint https://api.openai.com/v1 --llm gpt-4o-mini --tests rubric detection \
            --max-requests 400 --prices prices.json --max-cost 1
              routesae score c.sqlite --retry-failed
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var index: IndexOption
    @Option(help: "Folder of the language model; without it the patterns are those seen in the contexts.")
    var model: String?
    @Option(help: "What products of the model and the encoder take, f32 or bf16; by default f32.")
    var precision: Precision?
    @Option(help: "How many features, drawn by the seed; by default 100.")
    var sample: Int?
    @Flag(help: "All features that fired often enough.")
    var all = false
    @Option(parsing: .upToNextOption, help: "Exactly these features.")
    var features: [Int] = []
    @Option(name: .customLong("min-firings"), help: "Features that fired less often are left out; by default 20.")
    var minimumFirings: Int?
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only features that meet this condition, as in 'features'; several may be given.", valueName: "condition"))
    var conditions: [String] = []
    @Option(help: "Draw the same share from every tenth by firing rate, or from every layer.")
    var stratify: ScoringSettings.Stratum?
    @Option(help: "The most tokens of a pattern; by default 12.")
    var maximumSuffix: Int?
    @Option(help: "Seed of the sample and of the chance permutation; by default 0.")
    var seed: UInt64?

    @OptionGroup(title: "Judge") var judge: JudgeOptions
    @OptionGroup var options: RunOptions

    func validate() throws {
        try judge.validate(hasModel: model != nil)
        let describesRun =
            all || !features.isEmpty || !conditions.isEmpty || stratify != nil || index.corpus != nil || sample != nil
            || minimumFirings != nil || maximumSuffix != nil || seed != nil
        if judge.retryFailed, describesRun {
            throw ValidationError("--retry-failed takes features, corpus and seed from the run that failed")
        }
    }

    func run() throws {
        Interruption.watch()
        if judge.dryRun { return try catalog.read { try judge.showPlan(of: scoring(in: $0), on: $0) } }
        let result = try catalog.write { catalog in
            let scoring = try scoring(in: catalog)
            // Also with --quiet: costs are always announced.
            if scoring.settings.judge != nil { judge.announce(try scoring.plan(on: catalog), quiet: options.quiet) }
            let progress = options.progress(scoring.settings.judge == nil ? "explaining" : "asking")
            defer { progress.finish() }
            return try scoring.run(
                on: catalog, progress: { done, total in progress.update(done, of: total) },
                cancelled: { Interruption.isRequested })
        }
        summarise(result)
        try checkForScores(result)
    }

    /// - Throws: `WorkflowError.refused` for a run with a judge that gave no score because answers failed.
    private func checkForScores(_ result: ScoringRun.Result) throws {
        let failed = result.records.filter { $0.status == .failed }
        guard let wrapping = result.wrapping, let first = failed.first,
            !result.records.contains(where: { $0.status == .ok })
        else { return }
        let answers = wrapping.answers == 0 ? "no answer could be used" : "no test had all the answers that it needs"
        throw WorkflowError.refused(
            "run \(result.runID) has no score: \(answers), such as for the \(first.method.rawValue) of feature "
                + "\(first.featureIndex): \(first.reason ?? "no reason given"); --retry-failed asks again, and takes "
                + "--max-answer-tokens, --no-json-mode, --no-log-probabilities and --limit-completion")
    }

    private func scoring(in catalog: Catalog) throws -> ScoringRun {
        let settings =
            judge.retryFailed
            ? try ScoringRun.retry(dictionary: index.dictionary, in: catalog) { $0 = judge.adjusted($0) }
            : ScoringSettings(
                dictionary: index.dictionary, corpus: index.corpus, model: model, sample: all ? nil : sample ?? 100,
                features: features.isEmpty ? nil : features, minimumFirings: minimumFirings ?? 20,
                conditions: conditions.isEmpty ? nil : conditions, stratum: stratify,
                maximumSuffix: maximumSuffix ?? 12, judge: judge.settings, seed: seed ?? 0,
                precision: precision)
        return ScoringRun(
            settings: settings, workers: options.workers,
            connection: try judge.connection(for: settings.judge))
    }

    private func summarise(_ result: ScoringRun.Result) {
        let tests = ScoreMethod.allCases.filter { method in result.records.contains { $0.method == method } }
        options.say("run \(result.runID): \(result.features.count) features")
        for test in tests {
            let records = result.records.filter { $0.method == test }
            func count(_ status: ScoreRecord.Status) -> Int { records.filter { $0.status == status }.count }
            func mean(_ values: [Double]) -> String {
                Quantities.significant(values.reduce(0, +) / Double(values.count))
            }

            let scores = records.compactMap(\.value)
            // No scores are not a mean of 0.
            var line = "\(test.rawValue): " + (scores.isEmpty ? "no score" : "mean score \(mean(scores))")
            let chance = ChanceBaseline(scores: records.map(\.baselineValue))
            if !chance.scores.isEmpty {
                let better = records.filter { chance.isExceeded(by: $0.value) ?? false }.count
                line += ", by chance \(mean(chance.scores))"
                if !scores.isEmpty { line += "; \(better) above the 95th percentile of chance" }
            }
            if count(.undefined) > 0 { line += "; \(count(.undefined)) undefined" }
            if count(.failed) > 0 { line += "; \(count(.failed)) failed, which --retry-failed asks again" }
            options.say(line)
        }
        guard let wrapping = result.wrapping, wrapping.fenced + wrapping.thought > 0 else { return }
        let parts = [(wrapping.fenced, "a code fence around"), (wrapping.thought, "think blocks before")]
        options.say(
            parts.filter { $0.0 > 0 }.map { "\(Quantities.count($0.0)) had \($0.1) them" }.joined(separator: ", ")
                + ", taken off, of \(Quantities.count(wrapping.answers)) answers used")
    }
}
