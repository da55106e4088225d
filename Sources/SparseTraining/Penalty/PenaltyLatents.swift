import LinearAlgebra
import SparseCoding

/// What a penalised dictionary's step has to follow of its latents: all of them, or only those that matter to some
/// sample.
enum PenaltyLatents {
    /// z and ∂L/∂π of every latent and sample.
    case all(DenseLatents)
    /// Those within reach (`ReachedLatents`).
    case reached(ReachedLatents)
}

/// z and ∂L/∂π of every latent.
final class DenseLatents: Sendable {
    /// z `[samples × latents]`.
    let activations: Matrix
    /// ∂L/∂π `[samples × latents]`, with π the encoder's product.
    let slopes: Matrix

    init(samples: Int, latents: Int) {
        activations = Matrix(scratchRows: samples, columns: latents)
        slopes = Matrix(scratchRows: samples, columns: latents)
    }
}

/// The latents that a step can change: those that fire, those whose gate is open, and those so near a JumpReLU's
/// threshold that it gets a gradient. All others have z = 0 and ∂L/∂π = 0.
final class ReachedLatents: Sendable {
    /// The latents by sample, each tile of samples with room of its own.
    let latents: SparseLatents
    /// ∂L/∂π, laid out as they are.
    let slopes: Matrix
    /// The same by latent.
    let entries: LatentEntries
    /// Copies that weight gradients read, where that is faster.
    let blocks: SampleBlocks?

    /// - Parameter share: the largest share of a tile's latents that there is room for.
    init(samples: Int, _ configuration: DictionaryConfiguration, precision: Precision, share: Double) {
        let (m, width) = (configuration.latents, configuration.inputWidth)
        let tile = PenaltyTrainer.tile
        let room = Int((Double(min(tile, samples) * m) * min(share, 1)).rounded(.up))
        latents = SparseLatents(capacity: samples, tile: tile, sharing: room)
        slopes = Matrix(scratchRows: (samples + tile - 1) / tile, columns: room)
        entries = LatentEntries(latents: m)
        blocks =
            SampleBlocks.isWorthwhile(
                capacity: samples, width: width, part: width / configuration.parts, precision: precision)
            ? SampleBlocks(capacity: samples, width: width, halved: precision == .bf16) : nil
    }

    /// ∂L/∂π of one sample's latents.
    func slopes(of sample: Int) -> UnsafeMutablePointer<Float> { slopes.pointer + latents.offset(of: sample) }
}
