import CatalogMaintenance
import FeatureCatalog
import Foundation
import Glibc
import Synchronization
import Vocabulary

/// What takes long to compute of an index, kept as long as the file stays as it is.
final class FigureCache: Sendable {
    /// Figures of an index: its scores, and what counts.
    struct Figures: Sendable {
        /// By scorer and layer; nil without scores, or with more than a page waits for.
        let table: ScoreFigures.Table?
        /// Their distribution.
        let distribution: ScoreDistribution?
        /// Interpretable features by the paper's count.
        let count: InterpretableCount
    }

    /// Scores beyond which no bootstrap is made.
    private static let mostScores = 20_000
    /// Indexes kept.
    private static let most = 64

    /// Whether a file is the one it was: inode, size and time of the last change, also of what is written beside it.
    private struct Stamp: Equatable {
        let values: [Int]

        init(_ path: String) {
            values = [path, path + "-wal"].flatMap { path -> [Int] in
                var status = stat()
                guard stat(path, &status) == 0 else { return [0] }
                return [
                    Int(truncatingIfNeeded: status.st_ino), Int(status.st_size), status.st_mtim.tv_sec,
                    status.st_mtim.tv_nsec,
                ]
            }
        }
    }

    private let held = Mutex<(stamp: Stamp?, figures: [IndexingKey: Figures])>((nil, [:]))

    /// The figures of an index.
    ///
    /// - Throws: `CatalogError`, `WorkflowError`.
    func figures(_ key: IndexingKey, scoreCount: Int, in catalog: Catalog) throws -> Figures {
        let stamp = Stamp(catalog.path)
        if let known = held.withLock({ $0.stamp == stamp ? $0.figures[key] : nil }) { return known }
        let isFew = scoreCount <= Self.mostScores
        let scores = isFew ? try catalog.briefScores(key, method: .simulation, withPeakLayers: false) : []
        let figures = Figures(
            table: isFew ? try ScoreFigures.of(key, in: catalog) : nil,
            distribution: ScoreDistribution(
                scores: scores.compactMap(\.value), baseline: scores.compactMap(\.chance)),
            count: try catalog.countInterpretable(key))
        held.withLock { held in
            if held.stamp != stamp || held.figures.count >= Self.most { held = (stamp, [:]) }
            held.figures[key] = figures
        }
        return figures
    }
}
