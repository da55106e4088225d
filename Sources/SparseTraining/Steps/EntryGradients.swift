import CKernels
import LinearAlgebra
import SparseCoding

/// The gradients of W_enc and W_dec as sums over a batch's active latents, and their Adam steps.
///
/// The gradients are never stored: a block of a latent's columns is summed in registers and used at once. Clipping by
/// their norm therefore computes them twice.
struct EntryGradients {
    let state: TrainerState
    let workers: Workers
    /// The active latents, with z and ∂L/∂π of each.
    let entries: LatentEntries
    /// The encoder's input, and ∂L/∂û that reaches a latent's direction `[samples × D]`.
    let samples: (_ latent: Int) -> rsae_samples
    /// What AuxK adds.
    var auxiliary: AuxiliaryGradient?
    /// f of every part of every latent `[parts × latents]`, where f · W_dec[j] is a part of its direction's gradient.
    var alongDirection: Matrix?

    /// Latents of a tile of an update.
    private static let latentTile = 64

    private var width: Int { state.configuration.inputWidth }
    private var latents: Int { state.configuration.latents }
    /// Columns that share a factor along the direction.
    private var part: Int { width / (alongDirection?.rows ?? 1) }

    /// The gradients of one latent's two rows, whole.
    func gradient(
        of latent: Int, encoder: UnsafeMutablePointer<Float>, decoder: UnsafeMutablePointer<Float>
    ) {
        let range = entries.range(of: latent)
        rsae_latent_gradient(
            encoder, decoder, Int64(width), entries.samples + range.lowerBound, entries.activations + range.lowerBound,
            entries.slopes + range.lowerBound, Int64(range.count), samples(latent))
        if let alongDirection {
            for place in 0..<alongDirection.rows {
                rsae_add_scaled(
                    decoder + place * part, alongDirection[place, latent],
                    state.weights.decoder.row(latent) + place * part, Int64(part))
            }
        }
        guard let auxiliary, auxiliary.row[latent] >= 0 else { return }
        let row = Int(auxiliary.row[latent])
        rsae_add_scaled(encoder, 1, auxiliary.encoder.row(row), Int64(width))
        rsae_add_scaled(decoder, 1, auxiliary.decoder.row(row), Int64(width))
    }

    /// The squared norm of both matrices' gradients.
    func squaredNorm() -> Double {
        let squares = Matrix(rows: 1, columns: latents)
        let scratch = (0..<workers.count).map { _ in Matrix(rows: 2, columns: width) }
        workers.forEach(latents, tile: Self.latentTile) { tile, worker in
            let rows = scratch[worker]
            for latent in tile {
                gradient(of: latent, encoder: rows.row(0), decoder: rows.row(1))
                squares.pointer[latent] = rsae_dot(rows.pointer, rows.pointer, Int64(2 * width))
            }
        }
        return (0..<latents).reduce(0.0) { $0 + Double(squares.pointer[$1]) }
    }

    /// Updates both matrices.
    ///
    /// - Parameter parallel: ⟨∂L/∂W_dec[j], W_dec[j]⟩ of every latent `[1 × latents]`, where that part of the gradient is
    ///   removed; nil where it is not.
    func update(_ adam: rsae_adam, removing parallel: Matrix?) {
        let latentTiles = (latents + Self.latentTile - 1) / Self.latentTile
        let blocks = columnBlocks
        let (weights, first, second) = (state.weights, state.firstMoment, state.secondMoment)
        // All latents of one column block before the next: the block's columns of the samples stay in the outer cache.
        workers.forEach(tiles: latentTiles * blocks.count) { tile, _ in
            let columns = blocks[tile / latentTiles]
            let column = columns.lowerBound
            let from = tile % latentTiles * Self.latentTile
            let end = min(from + Self.latentTile, latents)
            for latent in from..<end {
                let start = entries.offsets[latent]
                let row = auxiliary.map { Int($0.row[latent]) } ?? -1
                let rows = rsae_latent_rows(
                    encoder: weights.encoder.row(latent) + column,
                    encoder_first: first.encoder.row(latent) + column,
                    encoder_second: second.encoder.row(latent) + column,
                    decoder: weights.decoder.row(latent) + column,
                    decoder_first: first.decoder.row(latent) + column,
                    decoder_second: second.decoder.row(latent) + column,
                    gradient_encoder: row < 0 ? nil : auxiliary.map { UnsafePointer($0.encoder.row(row) + column) },
                    gradient_decoder: row < 0 ? nil : auxiliary.map { UnsafePointer($0.decoder.row(row) + column) },
                    ahead: latent + 1 < end ? Int64(width) : 0)
                let along = (alongDirection?[column / part, latent] ?? 0) - (parallel?.pointer[latent] ?? 0)
                rsae_update_latent(
                    rows, Int64(columns.count), entries.samples + start, entries.activations + start,
                    entries.slopes + start, Int64(entries.offsets[latent + 1] - start),
                    samples(latent).from(column), along, adam)
            }
        }
    }

    /// Blocks of columns whose sums stay in registers, each within a part.
    private var columnBlocks: [Range<Int>] {
        stride(from: 0, to: width, by: part).flatMap { start in
            stride(from: start, to: start + part, by: TopKTrainer.columnBlock).map {
                $0..<min($0 + TopKTrainer.columnBlock, start + part)
            }
        }
    }
}
