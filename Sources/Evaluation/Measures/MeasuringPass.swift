import ActivationPipeline
import CKernels
import LanguageModel
import LinearAlgebra
import SparseCoding

/// Takes text through the model once and collects the latents of several dictionaries: first the documents that is fitted
/// on, then those that is measured on.
final class MeasuringPass {
    let dictionaries: [MeasuredDictionary]
    private(set) var text = MeasuredText()
    /// The layers that coverage predicts.
    private let covered: [Int]
    private let model: LanguageModel
    private let workers: Workers
    /// All layers that are read, ascending.
    private let layers: [Int]
    private var tokenMeans: TokenMeans
    private var isFitting = true

    /// - Parameter covered: layers that coverage predicts; none where it is not asked.
    init(_ dictionaries: [MeasuredDictionary], covered: [Int], model: LanguageModel, workers: Workers) {
        self.dictionaries = dictionaries
        self.covered = covered
        self.model = model
        self.workers = workers
        layers = Set(dictionaries.flatMap { $0.configuration.layers } + covered).sorted()
        tokenMeans = TokenMeans(targets: covered.count * model.configuration.dModel)
    }

    /// Reads a batch.
    ///
    /// - Parameter source: where a document comes from.
    func read(_ segments: [TokenSegment], source: (_ document: Int) -> String) throws {
        let first = text.tokenIDs.count
        text.append(segments, source: source)
        let batch = try activations(segments)
        for dictionary in dictionaries { try dictionary.append(batch) }
        guard !covered.isEmpty else { return }
        let tokens = first..<text.tokenIDs.count
        let targets = standardised(batch)
        guard !isFitting else {
            tokenMeans.add(text.tokenIDs[tokens], targets: targets)
            for dictionary in dictionaries {
                dictionary.coverage?.fit(tokens, of: dictionary.rows, activations: targets)
            }
            return
        }
        let baseline = baseline(tokens, targets)
        for dictionary in dictionaries {
            dictionary.coverage?.measure(
                tokens, of: dictionary.rows, documents: text.documentOfToken[tokens], activations: targets,
                baseline: baseline, workers: workers)
        }
    }

    /// Ends the documents that is fitted on.
    func endFitting() {
        isFitting = false
        text.endFitting()
        guard !covered.isEmpty else { return }
        tokenMeans.solve(penalty: Coverage.penalty)
        for dictionary in dictionaries { dictionary.coverage?.solve(0..<text.fittedTokens, of: dictionary.rows) }
    }

    /// Activations of the real tokens.
    private func activations(_ segments: [TokenSegment]) throws -> ActivationBatch {
        let d = model.configuration.dModel
        let tokens = try TokenBatch(sequences: segments.map(\.tokens))
        let all = ActivationBatch(capacity: tokens.tokens.count, layers: layers, dModel: d)
        _ = try model.residualStreams(of: tokens, layers: layers, into: all.values)
        let count = segments.reduce(0) { $0 + $1.tokens.count - $1.prefix }
        let batch = ActivationBatch(capacity: count, layers: layers, dModel: d)
        for (segment, first) in zip(segments, tokens.sequenceOffsets) {
            for (place, token) in segment.tokens.dropFirst(segment.prefix).enumerated() {
                batch.values.row(batch.count).update(
                    from: all.values.row(first + segment.prefix + place), count: batch.values.columns)
                batch.tokenIDs[batch.count] = token
                batch.drawKeys[batch.count] = ActivationBatch.drawKey(
                    document: segment.document, position: segment.start + place)
                batch.count += 1
            }
        }
        return batch
    }

    /// Standardised activations of the covered layers, `[tokens × layers · d]`.
    private func standardised(_ batch: ActivationBatch) -> Matrix {
        let d = batch.dModel
        let places = covered.map { layers.firstIndex(of: $0) ?? 0 }
        let result = Matrix(scratchRows: batch.count, columns: covered.count * d)
        workers.forEach(batch.count, tile: 64) { rows, _ in
            for row in rows {
                for (number, place) in places.enumerated() {
                    _ = InputNormalization.standardised.apply(
                        batch.values.row(row) + place * d, width: d, into: result.row(row) + number * d)
                }
            }
        }
        return result
    }

    /// Squared distances from the layers' means and from the prediction by the token alone, `[tokens × 2 · layers]`.
    private func baseline(_ tokens: Range<Int>, _ targets: Matrix) -> Matrix {
        let d = model.configuration.dModel
        let squares = Matrix(scratchRows: tokens.count, columns: 2 * covered.count)
        let scratch = (0..<workers.count).map { _ in Matrix(scratchRows: 1, columns: targets.columns) }
        let predictions = text.tokenIDs[tokens].map { tokenMeans.prediction(for: $0) }
        let mean = tokenMeans.mean
        workers.forEach(tokens.count, tile: 64) { rows, worker in
            let work = scratch[worker]
            for row in rows {
                for (number, prediction) in [mean, predictions[row]].enumerated() {
                    work.pointer.update(from: prediction.pointer, count: work.columns)
                    squaredDistances(
                        work.pointer, targets.row(row), layers: covered.count, width: d,
                        squares.row(row) + number * covered.count)
                }
            }
        }
        return squares
    }
}
