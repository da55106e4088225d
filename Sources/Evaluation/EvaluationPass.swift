package import ActivationPipeline
import CKernels
package import LanguageModel
package import LinearAlgebra
import SparseCoding
import Tokenization

/// Takes batches of text through a model as it is, and once more for each dictionary with its reconstructions in the
/// residual stream; part of the text also with zeros in place of the reconstructions.
///
/// Replacements begin at a dictionary's first layer, so the pass with reconstructions continues from there.
/// Logits are computed a few rows at a time and never kept: with a large vocabulary they are the largest data.
package final class EvaluationPass {
    private let model: LanguageModel
    private let evaluations: [DictionaryEvaluation]
    private let settings: EvaluationSettings
    private let workers: Workers
    /// All layers that some dictionary reads, and the last.
    private let layers: [Int]
    private var segmentCount = 0

    package init(
        _ evaluations: [DictionaryEvaluation], model: LanguageModel, settings: EvaluationSettings, workers: Workers
    ) {
        self.model = model
        self.evaluations = evaluations
        self.settings = settings
        self.workers = workers
        let read = evaluations.flatMap { $0.configuration.layers }
        layers = Set(read + [model.configuration.layerCount - 1]).sorted()
    }

    /// Real tokens of a batch: 64 MiB of residual streams at most, if all layers are read.
    static func batchTokens(_ model: LanguageModelConfiguration) -> Int {
        // By the model alone: what is evaluated beside a dictionary must not change a bit of its figures.
        max(256, min(4096, (1 << 24) / (model.layerCount * model.dModel)))
    }

    /// Rows whose logits are made at a time: at most 64 MiB of them.
    package static func rowsOfLogits(vocabulary: Int) -> Int { max(16, min(512, (1 << 24) / vocabulary)) }

    /// Evaluates a batch.
    package func read(_ segments: [TokenSegment]) throws {
        let batch = try Batch(segments, every: settings.zeroEvery, after: segmentCount)
        segmentCount += segments.count
        let d = model.configuration.dModel
        let activations = ActivationBatch(capacity: batch.tokens.tokens.count, layers: layers, dModel: d)
        _ = try model.residualStreams(of: batch.tokens, layers: layers, into: activations.values)
        activations.count = batch.tokens.tokens.count
        for (segment, first) in zip(segments, batch.tokens.sequenceOffsets) {
            for (place, token) in segment.tokens.enumerated() {
                activations.tokenIDs[first + place] = token
                activations.drawKeys[first + place] = ActivationBatch.drawKey(
                    document: segment.document, position: segment.start + place - segment.prefix)
            }
        }

        let reads = try evaluations.map { try $0.read(activations) }
        let substituted = try reads.map { read in
            let substitution = Substitution(reconstructing: batch.rows, read: read)
            return try substitution.lastResidualStream(
                of: batch.tokens, in: model, stream: stream(after: substitution.firstLayer, of: activations))
        }

        let zeroed = try reads.map { try lastZeroed(batch, read: $0, activations) }
        let last = stream(after: layers[layers.count - 1], of: activations)
        let effects = try effects(batch, original: last, substituted: substituted, zeroed: zeroed)
        for (place, evaluation) in evaluations.enumerated() {
            var start = 0
            for (number, segment) in segments.enumerated() {
                let first = batch.tokens.sequenceOffsets[number] + segment.prefix
                let rows = first..<batch.tokens.sequenceOffsets[number + 1]
                evaluation.record(
                    document: segment.document, rows: rows, of: reads[place],
                    effects: effects[place][start..<start + rows.count])
                start += rows.count
            }
        }
    }

    /// The stream after a layer, `[rows × d]`.
    private func stream(after layer: Int, of activations: ActivationBatch) -> Matrix {
        let d = activations.dModel
        let place = layers.firstIndex(of: layer) ?? 0
        let stream = Matrix(scratchRows: activations.count, columns: d)
        workers.forEach(activations.count, tile: 256) { rows, _ in
            for row in rows {
                stream.row(row).update(from: activations.values.row(row) + place * d, count: d)
            }
        }
        return stream
    }

    /// The last stream of the segments that are zeroed; nil if there are none.
    private func lastZeroed(_ batch: Batch, read: ReadBatch, _ activations: ActivationBatch) throws -> Matrix? {
        guard let zeroed = batch.zeroed else { return nil }
        let substitution = Substitution(zeroing: zeroed.rows, as: zeroed.targets, read: read)
        let whole = stream(after: substitution.firstLayer, of: activations)
        let part = Matrix(rows: zeroed.tokens.tokens.count, columns: whole.columns)
        for (target, row) in zeroed.sources.enumerated() {
            part.row(target).update(from: whole.row(row), count: whole.columns)
        }
        return try substitution.lastResidualStream(of: zeroed.tokens, in: model, stream: part)
    }

    /// The effect at every real token, for every dictionary.
    private func effects(
        _ batch: Batch, original: Matrix, substituted: [Matrix], zeroed: [Matrix?]
    ) throws -> [[DictionaryEvaluation.Effect]] {
        var effects = evaluations.map { _ in
            Array(repeating: DictionaryEvaluation.Effect(), count: batch.rows.count)
        }

        let vocabulary = model.configuration.vocabularySize
        let block = Self.rowsOfLogits(vocabulary: vocabulary)
        for start in stride(from: 0, to: batch.rows.count, by: block) {
            let rows = start..<min(start + block, batch.rows.count)
            let clean = try logits(original, rows: batch.rows[rows])
            let normalisers = normalisers(clean)
            for place in evaluations.indices {
                let changed = try logits(substituted[place], rows: batch.rows[rows])
                let others = self.normalisers(changed)
                let divergences = each(rows.count) { row in
                    rsae_divergence(
                        clean.row(row), changed.row(row), Int64(vocabulary), normalisers[row], others[row])
                }
                for row in 0..<rows.count {
                    var effect = DictionaryEvaluation.Effect(divergence: divergences[row])
                    if let next = batch.next[start + row] {
                        effect.crossEntropies = (
                            normalisers[row] - Double(clean[row, next]), others[row] - Double(changed[row, next])
                        )
                    }
                    effects[place][start + row] = effect
                }
            }
        }
        for place in evaluations.indices {
            guard let zeroed = zeroed[place], let part = batch.zeroed else { continue }
            for start in stride(from: 0, to: part.targets.count, by: block) {
                let range = start..<min(start + block, part.targets.count)
                let changed = try logits(zeroed, rows: part.targets[range])
                let others = normalisers(changed)
                for row in 0..<range.count {
                    let number = part.numbers[start + row]
                    guard let next = batch.next[number] else { continue }
                    effects[place][number].zeroed = others[row] - Double(changed[row, next])
                }
            }
        }
        return effects
    }

    private func logits(_ stream: Matrix, rows: ArraySlice<Int>) throws -> Matrix {
        let chosen = Matrix(scratchRows: rows.count, columns: stream.columns)
        for (target, row) in rows.enumerated() {
            chosen.row(target).update(from: stream.row(row), count: stream.columns)
        }
        return try model.unembed(chosen, applyingFinalNorm: true)
    }

    /// The log-sum-exp of each row.
    private func normalisers(_ logits: Matrix) -> [Double] {
        each(logits.rows) { rsae_log_sum_exp(logits.row($0), Int64(logits.columns)) }
    }

    /// A number for each row, computed by all workers.
    private func each(_ rows: Int, _ number: (_ row: Int) -> Double) -> [Double] {
        Array(unsafeUninitializedCapacity: rows) { numbers, count in
            numbers.initialize(repeating: 0)
            let target = numbers
            workers.forEach(rows, tile: 8) { tile, _ in
                for row in tile { target[row] = number(row) }
            }
            count = rows
        }
    }
}

extension EvaluationPass {
    /// The segments of a batch, and the rows that are evaluated.
    struct Batch {
        let tokens: TokenBatch
        /// The rows of real tokens.
        let rows: [Int]
        /// The token that follows each of them in its segment; nil at the end.
        let next: [Int?]
        /// The segments that are zeroed; nil if there are none.
        let zeroed: Zeroed?

        struct Zeroed {
            let tokens: TokenBatch
            /// The row of the whole batch that each of its rows is.
            let sources: [Int]
            /// Its rows of real tokens,
            let targets: [Int]
            /// the rows that these are in the whole batch,
            let rows: [Int]
            /// and how manieth of the real tokens.
            let numbers: [Int]
        }

        /// - Parameter after: segments of the text before these.
        init(_ segments: [TokenSegment], every: Int, after: Int) throws {
            tokens = try TokenBatch(sequences: segments.map(\.tokens))
            var rows: [Int] = []
            var next: [Int?] = []
            var (sources, targets, zeroedRows, numbers): ([Int], [Int], [Int], [Int]) = ([], [], [], [])
            var sequences: [[TokenID]] = []
            for (number, segment) in segments.enumerated() {
                let first = tokens.sequenceOffsets[number]
                let isZeroed = (after + number).isMultiple(of: every)
                if isZeroed { sequences.append(segment.tokens) }
                for place in segment.tokens.indices {
                    if isZeroed { sources.append(first + place) }
                    guard place >= segment.prefix else { continue }
                    if isZeroed {
                        targets.append(sources.count - 1)
                        zeroedRows.append(first + place)
                        numbers.append(rows.count)
                    }
                    rows.append(first + place)
                    next.append(place + 1 < segment.tokens.count ? Int(segment.tokens[place + 1]) : nil)
                }
            }
            self.rows = rows
            self.next = next
            zeroed =
                sequences.isEmpty
                ? nil
                : Zeroed(
                    tokens: try TokenBatch(sequences: sequences), sources: sources, targets: targets, rows: zeroedRows,
                    numbers: numbers)
        }
    }
}
