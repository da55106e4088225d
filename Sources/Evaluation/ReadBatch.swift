import CKernels
import LinearAlgebra
import SparseCoding
import Vocabulary

/// A batch as read by one dictionary: latents, reconstruction errors, and the replacements for the stream.
struct ReadBatch {
    let encoder: DictionaryEncoder
    var configuration: DictionaryConfiguration { encoder.configuration }
    /// The activations of all rows, BOS among them.
    let batch: ActivationBatch
    let input: AutoencoderInput
    let latents: SparseLatents
    /// ‖û − u‖² of each part of each sample `[samples × parts]`.
    let squaredErrors: Matrix
    /// (û − u) · u likewise.
    let errorProducts: Matrix
    /// What replaces a token's activations, `[tokens · values a token × d]` (`Substitution.valuesPerToken`).
    let replacements: Matrix
    /// Position of each of the dictionary's layers in a row of the batch, in units of d.
    private let positions: [Int]

    /// Reads and rebuilds all rows.
    ///
    /// - Throws: `SparseCodingError`.
    init(_ batch: ActivationBatch, with encoder: DictionaryEncoder, workers: Workers) throws {
        let configuration = encoder.configuration
        let samples = batch.count * configuration.samplesPerToken
        let (input, latents) = (
            AutoencoderInput(capacity: batch.count, configuration: configuration),
            SparseLatents(capacity: batch.count, configuration: configuration)
        )
        let squaredErrors = Matrix(rows: samples, columns: configuration.parts)
        let errorProducts = Matrix(rows: samples, columns: configuration.parts)
        let replacements = Matrix(
            scratchRows: batch.count * Substitution.valuesPerToken(configuration), columns: configuration.dModel)
        let positions = configuration.layers.map { layer in batch.layers.firstIndex(of: layer) ?? 0 }
        try encoder.read(batch, into: input)
        let scratch = (0..<workers.count).map { _ in Matrix(rows: 1, columns: configuration.inputWidth) }
        let read = (encoder, batch, input, latents, squaredErrors, errorProducts, replacements, positions)
        self.encoder = read.0
        self.batch = read.1
        self.input = read.2
        self.latents = read.3
        self.squaredErrors = read.4
        self.errorProducts = read.5
        self.replacements = read.6
        self.positions = read.7
        let this = self
        encoder.encode(input, count: samples, into: latents) { samples, worker in
            let error = scratch[worker].pointer
            for sample in samples { this.rebuild(sample, error: error) }
        }
    }

    /// A token's activation at one of the dictionary's layers, `[d]`.
    func stream(_ row: Int, place: Int) -> UnsafeMutablePointer<Float> {
        batch.values.row(row) + positions[place] * configuration.dModel
    }

    private func rebuild(_ sample: Int, error: UnsafeMutablePointer<Float>) {
        let d = configuration.dModel
        encoder.reconstructionError(of: sample, input, latents, into: error)
        let width = configuration.inputWidth / configuration.parts
        for part in 0..<configuration.parts {
            let piece = error + part * width
            squaredErrors[sample, part] = rsae_dot(piece, piece, Int64(width))
            // u is what was centred, with b_pre where that was subtracted.
            var product = rsae_dot(piece, input.centered.row(sample) + part * width, Int64(width))
            if configuration.subtractsPreBias {
                product += rsae_dot(piece, encoder.weights.preBias.pointer + part * width, Int64(width))
            }
            errorProducts[sample, part] = product
        }

        let token = sample / configuration.samplesPerToken
        switch configuration.architecture {
        case .mlsae: replace(token, place: sample % configuration.samplesPerToken, value: sample, 1, error)
        case .crosscoder:
            for place in configuration.layers.indices {
                replace(token, place: place, value: token * configuration.layers.count + place, 1, error + place * d)
            }
        case .route where configuration.routes && configuration.routing == .soft:
            let p = input.probabilities.row(sample)
            let squares = rsae_dot(p, p, Int64(configuration.layers.count))
            for place in configuration.layers.indices {
                replace(
                    token, place: place, value: token * configuration.layers.count + place, p[place] / squares, error)
            }
        default:
            replace(
                token, place: Int(input.selected[sample]), value: token, 1 / input.scale.pointer[sample], error)
        }
    }

    /// h + divisor · share · error, or without h where it is added; the divisor is the input normalization's.
    private func replace(
        _ token: Int, place: Int, value: Int, _ share: Float, _ error: UnsafePointer<Float>
    ) {
        let target = replacements.row(value)
        if Substitution.isAdded(configuration) {
            target.update(repeating: 0, count: configuration.dModel)
        } else {
            target.update(from: stream(token, place: place), count: configuration.dModel)
        }
        rsae_add_scaled(
            target, configuration.input.divisor(deviation: input.deviations[token, place]) * share, error,
            Int64(configuration.dModel))
    }
}
