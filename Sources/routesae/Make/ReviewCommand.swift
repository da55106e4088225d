import ActivationPipeline
import ArgumentParser
import CatalogViewer
import FeatureCatalog
import FeatureScoring
import Foundation
import Indexing
import TerminalOutput
import Vocabulary

struct ReviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration.verb(
        "review",
        abstract: "Judge features blind, one after another, and compare the verdicts with the automatic scores.",
        discussion: """
            Of every feature nothing is shown but its contexts: no explanation, no score. The verdict is that of the \
            paper's rubric: 5 a clear pattern without exceptions, 4 one or two, 3 many, 2 a broad theme, 1 none. Each \
            is stored as soon as it is given, so a review can be left with q and taken up again: features that the \
            same reviewer has judged are not shown again.

            With --agreement, rank correlation (Spearman) of the verdicts with each automatic score, and for the \
            rubric Cohen's kappa with quadratic weights; 'sql' finds the pairs in the view review_pair.

            Examples:
              routesae review c.sqlite --sample 30 --seed 1 --reviewer ada
              routesae review c.sqlite --features 12 40 99
              routesae review c.sqlite --agreement
            """)

    @OptionGroup var catalog: CatalogArgument
    @OptionGroup var index: IndexOption
    @Option(help: "How many features, drawn by the seed among those with an explanation, or all that fire.")
    var sample = 20
    @Option(help: "Seed of the sample.")
    var seed: UInt64 = 0
    @Option(parsing: .upToNextOption, help: "Exactly these features.")
    var features: [Int] = []
    @Option(help: "Name of the person who judges; by default $USER.")
    var reviewer: String?
    @Option(help: "Contexts shown of the strongest; half as many of those drawn uniformly.")
    var contexts = ReviewSample.contextCount
    @Flag(help: "Show how far verdicts and automatic scores agree.")
    var agreement = false
    @OptionGroup var output: OutputOptions

    private var person: String { reviewer ?? ProcessInfo.processInfo.environment["USER"] ?? "anonymous" }

    func validate() throws {
        if sample < 1 { throw ValidationError("--sample is \(sample); allowed: from 1") }
        if !(1...10_000).contains(contexts) {
            throw ValidationError("--contexts is \(contexts); allowed: 1 … 10000")
        }
        if agreement, !features.isEmpty {
            throw ValidationError("--agreement is of all verdicts; it takes no --features")
        }
    }

    func run() throws {
        if agreement { return try catalog.read { try showAgreement(of: index.find(in: $0), in: $0) } }
        try catalog.write { catalog in
            let indexed = try index.find(in: catalog)
            let chosen =
                features.isEmpty
                ? try ReviewSample(of: indexed, count: sample, seed: seed, in: catalog)
                : try ReviewSample(of: indexed, features: features)
            let pending = try chosen.pending(for: person, in: catalog)
            let judgedCount = chosen.features.count - pending.count
            StandardStreams.remark(
                "\(pending.count) features to judge as \(person)"
                    + (judgedCount > 0 ? ", \(judgedCount) judged already" : ""))
            for (place, feature) in pending.enumerated() {
                show(
                    try FeatureReport(
                        feature, of: indexed, contexts: .init(bands: [.top, .sample], limit: contexts), in: catalog),
                    title: "\(place + 1) of \(pending.count)")
                guard let verdict = ReviewDialogue.verdict() else { break }
                guard case .given(let number) = verdict else { continue }
                try catalog.write(
                    review: ReviewRecord(
                        dictionaryID: indexed.key.dictionaryID, featureIndex: feature, verdict: number,
                        category: ReviewDialogue.category(), note: ReviewDialogue.note(), reviewer: person))
            }
        }
    }

    // MARK: Judging

    private func show(_ report: FeatureReport, title: String) {
        let style = TerminalStyle.standardOutput()
        var text = "\n" + style.paint(title, .bold) + "\n"
        for band in [ContextBand.top, .sample] {
            let shown = report.contexts.filter { $0.band == band }.prefix(
                band == .top ? contexts : ReviewSample.sampledContextCount(beside: contexts))
            if band == .sample, !shown.isEmpty { text += style.paint("drawn uniformly from all firings", .dim) + "\n" }
            for context in shown {
                let line = ContextLine(
                    report.units(of: context), maximum: report.feature.maxActivation ?? 0, width: style.width,
                    style: style)
                text += line.text + "\n"
            }
        }
        StandardStreams.write(text + "\n")
    }

    // MARK: Agreement

    private func showAgreement(of indexed: IndexedDictionary, in catalog: Catalog) throws {
        let judged = try catalog.reviewPairs(indexed.key)
        guard !judged.isEmpty else {
            throw WorkflowError.refused(
                "no feature of \"\(indexed.record.name)\" has been judged; run 'routesae review'")
        }

        let rows = ScoreMethod.allCases.map { method -> [Cell] in
            let pairs = judged.compactMap { pair -> (verdict: Double, score: Double)? in
                guard let verdict = pair.verdict, let score = pair.scores[method] else { return nil }
                return (verdict, score)
            }

            let kappa =
                method == .rubric
                ? RaterAgreement.weightedKappa(
                    pairs.map { Int(min(5, max(1, $0.verdict.rounded()))) },
                    pairs.map { Int(min(5, max(1, $0.score.rounded()))) }) : nil
            return [
                .text(method.rawValue), Cell(pairs.count),
                Cell(RaterAgreement.spearman(pairs.map(\.verdict), pairs.map(\.score))), Cell(kappa),
            ]
        }
        output.print(columns: ["method", "n_verdicts", "spearman", "weighted_kappa"], rows: rows)
    }
}
