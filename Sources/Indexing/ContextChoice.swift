import FeatureCatalog
import FeatureScoring
package import Vocabulary

/// Chooses the contexts of a feature and assigns their splits: one rule for indexing a text and for
/// combining parts.
package struct ContextChoice<Payload: Sendable> {
    package let band: ContextBand
    /// Its rank in the band.
    package let rank: Int
    package let firing: Firing<Payload>
    package let split: ContextSplit

    /// Chooses all of `top`; of the sample those of the lowest priority whose text is not in `top`, by strength; and
    /// all of `quiet`. Contexts that show the same text, or whose passages have the same text, share a split.
    ///
    /// - Parameters:
    ///   - sampled: the most of the sample; its capacity is larger by that of `top`.
    package static func choose(
        top: TopFirings<Payload>, sample: PrioritySample<Payload>, most sampled: Int, quiet: PrioritySample<Payload>
    ) -> [ContextChoice] {
        let strongest = top.sorted
        let drawn = sample.byPriority(most: sampled, without: strongest).sorted { $0.isStronger(than: $1) }
        let bands: [(band: ContextBand, firings: [Firing<Payload>])] = [
            (.top, strongest), (.sample, drawn), (.quiet, quiet.byPriority),
        ]
        let chosen = bands.flatMap { band, firings in
            firings.enumerated().map { (band: band, rank: $0.offset, firing: $0.element) }
        }

        let texts = FiringPlace.textGroups(chosen.map(\.firing.place))
        let splits = ContextSplit.assign(
            zip(chosen, texts).map { SplitCandidate(band: $0.band, rank: $0.rank, document: 0, segment: $1) })
        return zip(chosen, splits).map { context, split in
            ContextChoice(
                band: context.band, rank: context.rank, firing: context.firing, split: split)
        }
    }
}
