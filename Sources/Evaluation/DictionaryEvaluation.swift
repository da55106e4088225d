import CKernels
package import FeatureCatalog
import Glibc
package import LinearAlgebra
package import SparseCoding
import Vocabulary

/// One dictionary under evaluation, with its sums so far.
package final class DictionaryEvaluation {
    package let configuration: DictionaryConfiguration
    let runID: Int64
    private let dictionaryID: Int64
    private let encoder: DictionaryEncoder
    private let workers: Workers
    private var units: EvaluationUnits
    /// How many samples each latent fired on.
    private var firings: [Int]

    package init(
        _ configuration: DictionaryConfiguration, _ weights: DictionaryWeights, dictionaryID: Int64, runID: Int64,
        workers: Workers, precision: Precision = .f32
    ) {
        self.configuration = configuration
        self.dictionaryID = dictionaryID
        self.runID = runID
        self.workers = workers
        encoder = DictionaryEncoder(
            configuration: configuration, weights: weights, workers: workers, precision: precision)
        let isSoft = configuration.routes && configuration.routing == .soft
        let layers = configuration.layers.count
        units = EvaluationUnits(
            widths: Array(repeating: layers == 1 || isSoft ? 0 : configuration.dModel, count: layers)
                + [configuration.inputWidth])
        firings = Array(repeating: 0, count: configuration.latents)
    }

    /// Latents, errors and replacements of a batch.
    func read(_ batch: ActivationBatch) throws -> ReadBatch {
        try ReadBatch(batch, with: encoder, workers: workers)
    }

    /// The effect of the substitution at one token.
    struct Effect {
        /// KL(original ‖ substituted), nats.
        var divergence = 0.0
        /// Cross-entropies of the next token, nats: original and substituted; nil at the end of a segment.
        var crossEntropies: (original: Double, substituted: Double)?
        /// Cross-entropy with zeros; nil if the zeroed model was not run.
        var zeroed: Double?
    }

    /// Adds the real tokens of a segment.
    ///
    /// - Parameters:
    ///   - rows: their rows in the batch.
    ///   - effects: as many.
    func record(document: Int, rows: Range<Int>, of read: ReadBatch, effects: ArraySlice<Effect>) {
        units.update(document: document) { sums in
            sums[.segments] += 1
            for (row, effect) in zip(rows, effects) { record(row, of: read, effect, in: &sums) }
        }
    }

    private func record(_ row: Int, of read: ReadBatch, _ effect: Effect, in sums: inout EvaluationSums) {
        let all = sums.all
        let groups: [Int]
        switch configuration.architecture {
        case .mlsae:
            groups = [all]
            for place in configuration.layers.indices {
                recordReading(row * configuration.samplesPerToken + place, of: read, in: [place, all], &sums)
                sums[.tokens, place] += 1
            }
        case .crosscoder:
            groups = [all]
            recordReading(row, of: read, in: [all], &sums)
            for place in configuration.layers.indices { recordPart(place, of: row, of: read, &sums) }
        case .route where configuration.routes && configuration.routing == .soft:
            groups = [all]
            recordReading(row, of: read, in: [all], &sums)
            sums[.tokens, Int(read.input.selected[row])] += 1
        default:
            groups = configuration.layers.count > 1 ? [Int(read.input.selected[row]), all] : [all]
            recordReading(row, of: read, in: groups, &sums)
            for group in groups where group != all { sums[.tokens, group] += 1 }
        }
        sums[.tokens, all] += 1
        for group in groups {
            sums[.divergence, group] += effect.divergence
            guard let entropies = effect.crossEntropies else { continue }
            sums[.predicted, group] += 1
            sums[.crossEntropy, group] += entropies.original
            sums[.substituted, group] += entropies.substituted
        }
        if let entropies = effect.crossEntropies, let zeroed = effect.zeroed {
            sums[.zeroPredicted] += 1
            sums[.zeroCrossEntropy] += entropies.original
            sums[.zeroSubstituted] += entropies.substituted
            sums[.zeroed] += zeroed
        }
        recordRouting(row, of: read, &sums)
    }

    private func recordReading(
        _ sample: Int, of read: ReadBatch, in groups: [Int], _ sums: inout EvaluationSums
    ) {
        // A crosscoder's layers side by side, each by itself.
        let parts = (0..<configuration.parts).map { Reconstruction(of: sample, part: $0, in: read) }
        let u = read.input.centered.row(sample)
        let centered = Double(rsae_dot(u, u, Int64(configuration.inputWidth)))
        var active = 0
        read.latents.forEachFiring(of: sample) { latent, _ in
            firings[latent] += 1
            active += 1
        }
        for group in groups {
            sums[.samples, group] += 1
            for part in parts { part.add(to: group, of: &sums, share: 1 / Double(parts.count)) }
            sums[.variance, group] += centered
            sums[.active, group] += Double(active)
            sums.add(u, to: group)
        }
    }

    /// One layer of a crosscoder's token.
    private func recordPart(_ place: Int, of row: Int, of read: ReadBatch, _ sums: inout EvaluationSums) {
        let d = configuration.dModel
        let u = read.input.centered.row(row) + place * d
        sums[.samples, place] += 1
        sums[.tokens, place] += 1
        Reconstruction(of: row, part: place, in: read).add(to: place, of: &sums, share: 1)
        sums[.variance, place] += Double(rsae_dot(u, u, Int64(d)))
        read.latents.forEachFiring(of: row) { _, _ in sums[.active, place] += 1 }
        sums.add(u, to: place)
    }

    private func recordRouting(_ row: Int, of read: ReadBatch, _ sums: inout EvaluationSums) {
        guard configuration.routes || configuration.architecture == .random else { return }
        let p = read.input.probabilities.row(row)
        for place in configuration.layers.indices {
            let weight = Double(p[place])
            sums[.weight, place] += weight
            if weight > 0 { sums[.entropy] -= weight * log(weight) }
        }
        sums[.chosenWeight] += Double(p[Int(read.input.selected[row])])
    }

    /// The figures, with intervals where there is more than one document.
    ///
    /// - Throws: `WorkflowError.interrupted`.
    package func figures(
        _ settings: EvaluationSettings, corpusID: Int64?, cancelled: () -> Bool = { false }
    ) throws -> [EvaluationRecord] {
        let (whole, resamples) = units.resampled(settings.resamples, seed: settings.seed)
        let figures = EvaluationFigure.all(of: configuration).map { figure in
            let interval = ResampledInterval(resamples.map(figure.value))
            return EvaluationRecord(
                runID: runID, dictionaryID: dictionaryID, metric: figure.metric, layer: figure.layer,
                value: figure.value(whole), low: interval.low, high: interval.high,
                tokenCount: Int(figure.tokens(whole)), corpusID: corpusID)
        }

        let latents = try LatentFigures(
            firings: firings, samples: Int(whole[.samples, whole.all]), encoder.weights, workers: workers,
            cancelled: cancelled)
        return figures
            + latents.values.map { metric, value in
                EvaluationRecord(
                    runID: runID, dictionaryID: dictionaryID, metric: metric, value: value,
                    tokenCount: Int(whole[.tokens, whole.all]), corpusID: corpusID)
            }
    }
}
