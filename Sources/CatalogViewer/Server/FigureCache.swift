import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import Foundation
import LinearAlgebra
import Synchronization
import Vocabulary

/// What takes long to compute of an index, kept as long as the file stays as it is.
final class FigureCache: Sendable {
    /// Figures of an index: its scores, and what counts.
    struct Figures: Sendable {
        /// By scorer and layer; nil without scores, or with more than are read for a page.
        let table: ScoreFigures.Table?
        /// Whether the table has its intervals.
        let hasIntervals: Bool
        /// Their distribution.
        let distribution: ScoreDistribution?
        /// How well they tell right explanations from wrong ones.
        let separation: Double?
        /// Interpretable features by the paper's count, not by layer.
        let count: InterpretableCount
    }

    /// Scores beyond which none are read.
    private static let mostScores = 200_000
    /// Scores up to which a page waits for the bootstrap, some hundredths of a second; beyond, it is made meanwhile.
    private static let fewScores = 1000
    /// Indexes kept.
    private static let most = 64

    private struct Held {
        var stamp: FileStamp?
        var figures: [IndexingKey: Figures] = [:]
        /// Whether figures are being computed beside the requests.
        var isBusy = false
    }

    /// Maps kept; one of 16,384 features with long names takes some megabytes.
    private static let mostMaps = 4

    private let maps = Mutex<(stamp: FileStamp?, maps: [IndexingKey: FeatureMap])>((nil, [:]))
    private let held = Mutex(Held())

    /// The figures of an index.
    ///
    /// - Parameter stamp: of the catalog's file, before it was opened.
    /// - Throws: `CatalogError`, `WorkflowError`.
    func figures(
        _ key: IndexingKey, scoreCount: Int, in catalog: Catalog, stamp: FileStamp
    ) throws -> Figures {
        if let known = held.withLock({ $0.stamp == stamp ? $0.figures[key] : nil }) {
            if !known.hasIntervals { computeIntervals(key, scoreCount, catalog.path) }
            return known
        }
        let figures = try Self.compute(key, scoreCount, withIntervals: scoreCount <= Self.fewScores, in: catalog)
        keep(figures, key, stamp)
        if !figures.hasIntervals { computeIntervals(key, scoreCount, catalog.path) }
        return figures
    }

    /// The map of a dictionary. Whoever else asks for one meanwhile waits, so that none is computed twice.
    ///
    /// - Parameter stamp: of the catalog's file, before it was opened.
    /// - Throws: `CatalogError`, `WorkflowError`.
    func map(
        of index: IndexedDictionary, in catalog: Catalog, stamp: FileStamp, workers: Workers
    ) throws -> FeatureMap {
        try maps.withLock { held in
            if held.stamp == stamp, let known = held.maps[index.key] { return known }
            let map = try FeatureMap(of: index, in: catalog, workers: workers)
            if held.stamp != stamp || held.maps.count >= Self.mostMaps { held = (stamp, [:]) }
            held.maps[index.key] = map
            return map
        }
    }

    private func keep(_ figures: Figures, _ key: IndexingKey, _ stamp: FileStamp) {
        held.withLock { held in
            if held.stamp != stamp || held.figures.count >= Self.most { (held.stamp, held.figures) = (stamp, [:]) }
            held.figures[key] = figures
        }
    }

    private static func compute(
        _ key: IndexingKey, _ scoreCount: Int, withIntervals: Bool, in catalog: Catalog
    ) throws -> Figures {
        let isRead = scoreCount <= mostScores
        let table = isRead ? try ScoreFigures.of(key, withIntervals: withIntervals, in: catalog) : nil
        return Figures(
            table: table,
            hasIntervals: withIntervals || !isRead,
            distribution: table.flatMap { ScoreDistribution(scores: $0.all.scores, baseline: $0.all.chances) },
            separation: table.flatMap(\.all.separation),
            count: try catalog.countInterpretable(key, withLayers: false))
    }

    /// Computes figures with intervals on a thread of its own, one index at a time.
    private func computeIntervals(_ key: IndexingKey, _ scoreCount: Int, _ path: String) {
        let isFree = held.withLock { held in
            defer { held.isBusy = true }
            return !held.isBusy
        }
        guard isFree else { return }
        Thread.detachNewThread { [self] in
            defer { held.withLock { $0.isBusy = false } }
            let stamp = FileStamp(path)
            guard let catalog = try? Catalog.open(at: path, mode: .readOnly) else { return }
            defer { _ = try? catalog.close() }
            // Where it fails, the page shows what it has, and the next visit tries again.
            guard let figures = try? Self.compute(key, scoreCount, withIntervals: true, in: catalog) else { return }
            keep(figures, key, stamp)
        }
    }
}
