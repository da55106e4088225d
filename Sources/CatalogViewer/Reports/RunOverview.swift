package import FeatureCatalog
import Foundation
package import TerminalOutput

/// A one-line summary of a run.
package struct RunOverview {
    /// Its row.
    package let record: RunRecord
    /// Its duration so far, in whole seconds as in the ledger.
    package let seconds: Double?
    /// Its results; empty if there are none.
    package let results: String

    /// Reads what is known of a run.
    ///
    /// - Parameter number: how numbers among the results are written.
    /// - Throws: `CatalogError`.
    package init(
        _ record: RunRecord, in catalog: Catalog, number: (Double) -> String = { Quantities.significant($0) }
    ) throws {
        self.record = record
        let start = try? Date(record.startedAt, strategy: .iso8601)
        let end =
            record.finishedAt.map { try? Date($0, strategy: .iso8601) } ?? (record.status == .running ? Date() : nil)
        seconds = start.flatMap { start in end.map { max(0, $0.timeIntervalSince(start).rounded()) } }
        results = try Self.results(of: record, in: catalog, number)
    }

    /// Its results, and why it did not complete.
    ///
    /// - Parameter spelling: turns names of settings in messages into what a person types.
    package func summary(spelling: (String) -> String) -> String {
        [results, spelling(record.error ?? "")].filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// Its duration as text.
    package var duration: String? {
        seconds.map { $0 < 1 ? "< 1 s" : $0 < 60 ? "\(Int($0)) s" : Quantities.duration(seconds: $0) }
    }

    /// Its start as text: UTC to the minute.
    package var start: String {
        String(record.startedAt.prefix(16)).replacing("T", with: " ")
    }

    /// The seed; as text if it exceeds a 64-bit signed integer.
    package var seed: Cell {
        guard let seed = record.seed else { return .null }
        return Int64(exactly: seed).map { .integer($0) } ?? .text("\(seed)")
    }

    private static func results(
        of run: RunRecord, in catalog: Catalog, _ number: (Double) -> String
    ) throws -> String {
        let runID = run.runID
        return switch run.kind {
        case .train, .import, .merge: try training(runID, in: catalog, number)
        case .index:
            try catalog.indexes(ofRun: runID).map {
                "\($0.dictionary) on \(Quantities.count($0.tokenCount)) tokens of "
                    + "\(Quantities.count($0.documentCount)) documents of \($0.corpus)"
            }.joined(separator: ", ")
        case .explain, .score: try catalog.scores(ofRun: runID).map { describe($0, number) }.joined(separator: ", ")
        case .evaluate:
            try catalog.evaluations(ofRun: runID).map { figures in
                let effect = figures.kl.map {
                    ": KL \(number($0)) nats, recovered \(figures.recovered.map(number) ?? "?")"
                }
                return "\(figures.dictionary), \(Quantities.count(figures.count)) figures\(effect ?? "")"
            }.joined(separator: ", ")
        case .steer:
            try catalog.interventions(ofRun: runID).map { texts in
                let divergence = texts.meanKL.map { ": mean KL \(number($0)) nats" }
                return "\(texts.dictionary), \(Quantities.count(texts.count)) texts\(divergence ?? "")"
            }.joined(separator: ", ")
        }
    }

    private static func training(
        _ runID: Int64, in catalog: Catalog, _ number: (Double) -> String
    ) throws -> String {
        let names = try catalog.dictionaryNames(ofRun: runID)
        guard let last = try catalog.lastLoss(ofRun: runID) else { return names.joined(separator: ", ") }
        // Steps are counted from 0.
        let end = "loss \(last.value.map(number) ?? "?") after \(Quantities.count(last.step &+ 1)) steps"
        return (names + [end]).joined(separator: ", ")
    }

    private static func describe(_ scores: RunOutcome.Scores, _ number: (Double) -> String) -> String {
        let baseline = scores.meanChance.map { ", baseline \(number($0))" } ?? ""
        let mean = scores.mean.map { ": mean \(number($0))\(baseline)" } ?? ""
        let rest = [(scores.undefinedCount, "undefined"), (scores.failedCount, "failed")].filter { $0.0 != 0 }
            .map { count, what in ", \(Quantities.count(count)) \(what)" }
        let count =
            scores.count == 0
            ? "no \(scores.method) score" : "\(Quantities.count(scores.count)) \(scores.method) scores"
        return "\(scores.dictionary), \(count)\(mean)\(rest.joined())"
    }
}
