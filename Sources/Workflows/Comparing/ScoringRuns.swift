import FeatureCatalog
import Foundation

/// What the runs behind some scores were asked to do.
struct ScoringRuns {
    private let catalog: Catalog
    private var settings: [Int64: ScoringSettings?] = [:]

    init(catalog: Catalog) {
        self.catalog = catalog
    }

    /// Who explained and judged.
    mutating func scorer(explainer: String?, runID: Int64) -> String {
        guard let llm = settings(of: runID)?.judge?.llm else { return explainer ?? "unknown" }
        // What had nothing to be explained from was undefined to the judge all the same.
        guard let explainer, explainer != JudgedScoring.method else { return llm }
        return "\(explainer) judged by \(llm)"
    }

    /// How often a feature had to fire to be in the sample; nil unless all runs drew from all such features.
    mutating func minimumFirings(of runs: Set<Int64>) -> Int? {
        var limits: Set<Int> = []
        for run in runs {
            guard let settings = settings(of: run), settings.conditions == nil,
                settings.features == nil || settings.judge?.only != nil
            else { return nil }
            limits.insert(settings.minimumFirings)
        }
        return limits.count == 1 ? limits.first : nil
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
