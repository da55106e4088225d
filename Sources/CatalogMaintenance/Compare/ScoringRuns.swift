import FeatureCatalog
import Foundation
import Scoring

/// Reads the settings of the runs behind some scores.
struct ScoringRuns {
    private let catalog: Catalog
    private var settings: [Int64: ScoringSettings?] = [:]
    private var explainers: [Int64: String] = [:]

    init(catalog: Catalog) {
        self.catalog = catalog
    }

    /// The scorer of a run: a language model that judges its own explanations goes by its name
    /// alone.
    ///
    /// - Parameter explainer: the method of a score's explanation, which is the scorer without a judge.
    mutating func scorer(explainer: String?, runID: Int64) throws -> String {
        guard let judge = settings(of: runID)?.judge else { return explainer ?? "unknown" }
        guard judge.explanations == .newest else { return judge.llm }
        let explainers = try explainers[runID] ?? explainers(of: judge, runID)
        self.explainers[runID] = explainers
        return "\(explainers) judged by \(judge.llm)"
    }

    /// How often a feature had to fire to be in the sample; nil unless all runs drew from all such features. A retry has
    /// the sample of the run whose failures it tried again.
    mutating func minimumFirings(of runs: Set<Int64>) throws -> Int? {
        var limits: Set<Int> = []
        for run in runs {
            var drawn = settings(of: run)
            if let judge = drawn?.judge, judge.only != nil {
                drawn = try judge.retriedRun(in: catalog).flatMap { settings(of: $0) }
            }
            guard let drawn, drawn.conditions == nil, drawn.features == nil else { return nil }
            limits.insert(drawn.minimumFirings)
        }
        return limits.count == 1 ? limits.first : nil
    }

    /// Who wrote the explanations that a run tested: a language model's name, or the method of another explainer.
    private mutating func explainers(of judge: JudgeSettings, _ runID: Int64) throws -> String {
        // A retry writes some of the features of the run that it belongs to.
        let sources = try catalog.explanationSources(scoredBy: judge.retriedRun(in: catalog) ?? runID)
        var names: Set<String> = []
        for source in sources {
            let llm = source.method == JudgedScoring.method ? settings(of: source.runID)?.judge?.llm : nil
            names.insert(llm ?? source.method)
        }
        return names.isEmpty ? "nothing" : names.sorted().joined(separator: " and ")
    }

    /// A run's settings; nil where they cannot be read.
    private mutating func settings(of runID: Int64) -> ScoringSettings? {
        if let known = settings[runID] { return known }
        let config = (try? catalog.run(runID))?.configJSON ?? ""
        let found = try? JSONDecoder().decode(ScoringSettings.self, from: Data(config.utf8))
        settings[runID] = .some(found)
        return found
    }
}
