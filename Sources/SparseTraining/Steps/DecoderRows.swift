import CKernels
import LinearAlgebra
import SparseCoding

/// The decoder as a step's sparse sums read it: its own rows, or, with products of bf16, these rounded before each step.
final class DecoderRows: @unchecked Sendable {
    private let encoder: DictionaryEncoder
    /// bf16 `[latents × D]`, two in a place of 32 bits; nil in f32.
    private let rounded: Matrix?

    private var decoder: Matrix { encoder.weights.decoder }
    private var width: Int { decoder.columns }

    init(_ encoder: DictionaryEncoder) {
        self.encoder = encoder
        let decoder = encoder.weights.decoder
        rounded =
            encoder.precision == .bf16 ? Matrix(scratchRows: 1, columns: (decoder.count + 1) / 2) : nil
    }

    /// Rounds the rows anew, with products of bf16.
    func round(by workers: Workers) {
        guard let rows = roundedRows else { return }
        let (decoder, width) = (self.decoder, self.width)
        nonisolated(unsafe) let target = rows
        workers.forEach(decoder.rows, tile: 64) { tile, _ in
            rsae_round_to_bf16(
                decoder.row(tile.lowerBound), Int64(tile.count * width), target + tile.lowerBound * width)
        }
    }

    /// û − u of one sample, as `DictionaryEncoder.reconstructionError`, from `count` latents.
    ///
    /// - Returns: its squared norm.
    @discardableResult
    func error(
        of sample: Int, _ input: AutoencoderInput, _ indices: UnsafePointer<Int32>,
        _ activations: UnsafePointer<Float>, count: Int, into error: UnsafeMutablePointer<Float>
    ) -> Float {
        let (columns, k, centered) = (Int64(width), Int64(count), input.centered.row(sample))
        let square =
            if let rows = roundedRows {
                rsae_decode_error_bf16(rows, columns, indices, activations, k, centered, error)
            } else {
                rsae_decode_error(decoder.pointer, columns, indices, activations, k, centered, error)
            }
        let configuration = encoder.configuration
        guard configuration.hasPreBias, !configuration.subtractsPreBias else { return square }
        rsae_add_scaled(error, 1, encoder.weights.preBias.pointer, columns)
        return rsae_dot(error, error, columns)
    }

    /// ⟨∂L/∂û, W_dec[j]⟩ of `count` latents.
    func slopes(
        _ indices: UnsafePointer<Int32>, count: Int, _ gradient: UnsafePointer<Float>,
        into slopes: UnsafeMutablePointer<Float>
    ) {
        if let rows = roundedRows {
            rsae_row_dots_bf16(rows, Int64(width), indices, Int64(count), gradient, slopes)
        } else {
            rsae_row_dots(decoder.pointer, Int64(width), indices, Int64(count), gradient, slopes)
        }
    }

    private var roundedRows: UnsafeMutablePointer<UInt16>? {
        rounded.map { UnsafeMutableRawPointer($0.pointer).assumingMemoryBound(to: UInt16.self) }
    }
}
