import FeatureCatalog
import FeatureScoring
package import Vocabulary

/// Which firings of a feature become contexts, and what each may be used for: one rule, whether a text has just been read
/// or parts of it are put together.
package struct ContextChoice<Payload: Sendable> {
    package let band: ContextBand
    /// Its place in the band.
    package let rank: Int
    package let firing: Firing<Payload>
    package let split: ContextSplit

    /// Takes all of `top`; of the sample those of the lowest priority that show what `top` does not, by strength; and all
    /// of `quiet`. Contexts that show the same text, or are of passages with the same text, share a split.
    ///
    /// - Parameters:
    ///   - sampled: how many of the sample at most; its capacity is larger by those of `top`.
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
