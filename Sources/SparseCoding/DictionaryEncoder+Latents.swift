import CKernels
package import LinearAlgebra
import Vocabulary

extension DictionaryEncoder {
    /// Encodes an input, a = W_enc (u − b_pre) + b_lat (without b_pre where the configuration does not subtract it), and
    /// keeps the active latents:
    /// - TopK (Gao et al. 2024, eq. 1): the k largest, or the largest of each of k groups, negative ones set to 0 in the
    ///   corrected mode;
    /// - the others: see `PenalisedActivation`.
    ///
    /// `then` runs on each finished tile of samples, on its worker, while the tile is still in the cache.
    ///
    /// - Precondition: `input` and `latents` hold at least `count` samples, and `latents` as many of them each as can be
    ///   active.
    package func encode(
        _ input: AutoencoderInput,
        count: Int,
        into latents: SparseLatents,
        then: (_ samples: Range<Int>, _ worker: Int) -> Void = { _, _ in }
    ) {
        precondition(
            count <= input.centered.rows && count <= latents.capacity
                && latents.width == configuration.k ?? configuration.latents, "no room for the latents")
        let m = configuration.latents
        let activation = configuration.k == nil ? PenalisedActivation(configuration, weights) : nil
        let tile = min(DictionaryEncoder.tile, max(count, 1))
        let preActivations = (0..<workers.count).map { _ in Matrix(scratchRows: tile, columns: m) }
        let scratch = (0..<workers.count).map { _ in
            Matrix(scratchRows: configuration.k == nil ? 1 : 3, columns: m + 16)
        }
        func keep(_ samples: Range<Int>, from a: Matrix, first: Int, worker: Int) {
            // Neighbours' k-th largest are alike; each run starts without a guess. No guess changes a result.
            var guess = -Float.infinity
            for sample in samples {
                let row = a.row(sample - first)
                if let activation {
                    activation.apply(to: row, into: scratch[worker].pointer)
                    keepPositive(scratch[worker].pointer, of: sample, in: latents)
                } else {
                    let least = keepLargest(
                        row, of: sample, in: latents, guess: guess, scratch: scratch[worker].pointer)
                    guess = least - 0.13 * abs(least)
                }
            }
            then(samples, worker)
        }

        guard count > DictionaryEncoder.tile else {
            // A single tile is shared by all workers.
            encoderProduct(input, 0..<count, into: preActivations[0], by: workers)
            return workers.forEach(count, tile: 32) { samples, worker in
                keep(samples, from: preActivations[0], first: 0, worker: worker)
            }
        }
        workers.forEach(count, tile: DictionaryEncoder.tile) { samples, worker in
            let a = preActivations[worker]
            encoderProduct(input, samples, into: a)
            keep(samples, from: a, first: samples.lowerBound, worker: worker)
        }
    }

    /// W_enc times the input of some samples, without any bias, into the first rows of `a` `[samples × latents]`.
    ///
    /// - Parameter workers: nil for the calling thread alone; no bit depends on it.
    package func encoderProduct(
        _ input: AutoencoderInput, _ samples: Range<Int>, into a: Matrix, by workers: Workers? = nil
    ) {
        let width = configuration.inputWidth
        let workers = workers ?? Workers(threads: 1)
        if let packed {
            let u = input.centered.row(samples.lowerBound)
            return packed.isHalved
                ? workers.multiplyBF16(
                    rows: samples.count, u, stride: width, byTransposeOf: packed, into: a.pointer,
                    stride: configuration.latents)
                : workers.multiply(
                    rows: samples.count, u, stride: width, byTransposeOf: packed, into: a.pointer,
                    stride: configuration.latents)
        }
        workers.multiply(
            rows: samples.count, columns: configuration.latents, inner: width,
            input.centered.row(samples.lowerBound), stride: width,
            byTransposeOf: weights.encoder.pointer, stride: width,
            into: a.pointer, stride: configuration.latents)
    }

    /// Keeps k latents of one sample and returns the least of the k largest, if it knows it; see `rsae_top_k` about the
    /// guess.
    private func keepLargest(
        _ a: UnsafePointer<Float>, of sample: Int, in latents: SparseLatents, guess: Float,
        scratch: UnsafeMutablePointer<Float>
    ) -> Float {
        let k = latents.width
        let activations = latents.activations(of: sample)
        var least = -Float.infinity
        if configuration.selection == .groups {
            rsae_group_max(
                a, weights.latentBias.pointer, Int64(configuration.latents), Int64(k), latents.indices(of: sample),
                activations)
        } else {
            least = rsae_top_k(
                a, weights.latentBias.pointer, Int64(configuration.latents), Int64(k), guess,
                latents.indices(of: sample), activations, scratch)
        }
        if configuration.rectified {
            // Not `max(0, a)`, which would hide a NaN.
            for slot in 0..<k where activations[slot] < 0 { activations[slot] = 0 }
        }
        latents.counts[sample] = Int32(truncatingIfNeeded: k)
        return least
    }

    private func keepPositive(_ z: UnsafePointer<Float>, of sample: Int, in latents: SparseLatents) {
        let index = latents.indices(of: sample)
        let activations = latents.activations(of: sample)
        var count = 0
        for latent in 0..<configuration.latents where z[latent] != 0 {
            index[count] = Int32(truncatingIfNeeded: latent)
            activations[count] = z[latent]
            count += 1
        }
        latents.counts[sample] = Int32(truncatingIfNeeded: count)
    }
}
