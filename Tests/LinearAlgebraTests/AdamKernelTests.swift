import CKernels
import Foundation
import TestSupport
import Testing

/// Adam in double precision, step by step as PyTorch's documentation states it. The decays are those that the kernel is
/// given, which are not quite 0.9 and 0.999.
private struct DoubleAdam {
    private let beta1 = Double(Float(0.9))
    private let beta2 = Double(Float(0.999))
    var parameter: [Double]
    var first: [Double]
    var second: [Double]

    init(_ parameter: [Float], _ first: [Float]? = nil, _ second: [Float]? = nil) {
        self.parameter = parameter.map { Double($0) }
        self.first = first?.map { Double($0) } ?? Array(repeating: 0, count: parameter.count)
        self.second = second?.map { Double($0) } ?? Array(repeating: 0, count: parameter.count)
    }

    mutating func step(_ gradient: [Double], t: Int, rate: Double) {
        for i in parameter.indices {
            first[i] = beta1 * first[i] + (1 - beta1) * gradient[i]
            second[i] = beta2 * second[i] + (1 - beta2) * gradient[i] * gradient[i]
            let firstHat = first[i] / (1 - pow(beta1, Double(t)))
            let secondHat = second[i] / (1 - pow(beta2, Double(t)))
            parameter[i] -= rate * firstHat / (secondHat.squareRoot() + 1e-8)
        }
    }
}

private func settings(t: Int, rate: Float) -> rsae_adam {
    rsae_adam(
        rate: rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, correction1: Float(1 - pow(Double(Float(0.9)), Double(t))),
        root_correction2: Float((1 - pow(Double(Float(0.999)), Double(t))).squareRoot()), scale: 1)
}

@Suite struct AdamKernelTests {
    @Test func followsTheDoubleOracle() {
        for n in Array(1...40) + [1000] {
            var random = RandomValues(n)
            var parameter = random.array(n)
            let start = parameter
            var oracle = DoubleAdam(parameter)
            var (first, second) = (Array(repeating: Float(0), count: n), Array(repeating: Float(0), count: n))
            for t in 1...12 {
                let gradient = random.array(n).map { $0 * ($0 > 0.5 ? 1 : 1e-4) }
                rsae_adam_step(&parameter, &first, &second, gradient, Int64(n), settings(t: t, rate: 0.01))
                oracle.step(gradient.map { Double($0) }, t: t, rate: 0.01)
            }
            expectClose(first, oracle.first.map { Float($0) }, relative: 1e-6, "m, n = \(n)")
            expectClose(second, oracle.second.map { Float($0) }, relative: 1e-6, "v, n = \(n)")
            // What counts is how far the parameters went.
            expectClose(
                zip(parameter, start).map { $0 - $1 }, zip(oracle.parameter, start).map { Float($0 - Double($1)) },
                relative: 5e-6, "n = \(n)")
        }
    }

    @Test("A zero gradient changes nothing") func noGradientNoChange() {
        var parameter: [Float] = [1, -2]
        var (first, second): ([Float], [Float]) = ([0, 0], [0, 0])
        rsae_adam_step(&parameter, &first, &second, [0, 0], 2, settings(t: 1, rate: 1))
        #expect(parameter == [1, -2] && first == [0, 0] && second == [0, 0])
    }

    @Test func latentGradientAndFusedUpdate() {
        for width in Array(1...128) {
            var random = RandomValues(width)
            let entries = [0, 1, 2, 5, 30][width % 5]
            let stride = width + 7
            let tokenCount = 11
            let error = random.array(tokenCount * stride)
            let centered = random.array(tokenCount * stride)
            let token = (0..<entries).map { _ in Int32(random.index(below: tokenCount)) }
            let activation = random.array(entries)
            let slope = random.array(entries)
            func sums(_ factor: [Float], _ rows: [Float]) -> [Double] {
                (0..<width).map { c in
                    zip(factor, token).reduce(0.0) { $0 + Double($1.0) * Double(rows[Int($1.1) * stride + c]) }
                }
            }

            let toEncoder = sums(slope, centered)
            let toDecoder = sums(activation, error)

            var dEncoder = Array(repeating: Float.nan, count: width) + [5]
            var dDecoder = dEncoder
            withSamples(error, centered, stride) {
                rsae_latent_gradient(
                    &dEncoder, &dDecoder, Int64(width), token, activation, slope, Int64(entries), $0)
            }
            expectClose(dEncoder, toEncoder.map { Float($0) } + [5], relative: 2e-6, "encoder, width \(width)")
            expectClose(dDecoder, toDecoder.map { Float($0) } + [5], relative: 2e-6, "decoder, width \(width)")

            for variant in 0..<4 {
                let extraEncoder = variant & 1 == 0 ? nil : random.array(width)
                let extraDecoder = variant & 1 == 0 ? nil : random.array(width)
                let parallel: Float = variant & 2 == 0 ? 0 : -0.37
                // Encoder and its moments, decoder and its moments; second moments are never negative.
                var rows = (0..<6).map { _ in random.array(width) + [5] }
                rows[2] = rows[2].map { abs($0) }
                rows[5] = rows[5].map { abs($0) }
                let before = rows.map { Array($0.dropLast()) }
                var encoder = DoubleAdam(before[0], before[1], before[2])
                var decoder = DoubleAdam(before[3], before[4], before[5])
                var encoderGradient = toEncoder
                var decoderGradient = toDecoder
                for c in 0..<width {
                    encoderGradient[c] += Double(extraEncoder?[c] ?? 0)
                    decoderGradient[c] += Double(extraDecoder?[c] ?? 0)
                    decoderGradient[c] += Double(parallel) * Double(before[3][c])
                }
                encoder.step(encoderGradient, t: 3, rate: 0.1)
                decoder.step(decoderGradient, t: 3, rate: 0.1)
                update(
                    &rows, extraEncoder, extraDecoder, width, token, activation, slope, error, centered, stride,
                    parallel)
                let expected = [
                    encoder.parameter, encoder.first, encoder.second, decoder.parameter, decoder.first, decoder.second,
                ]
                for (index, row) in rows.enumerated() {
                    #expect(row[width] == 5)
                    expectClose(
                        Array(row.dropLast()), expected[index].map { Float($0) }, relative: 3e-6,
                        "row \(index), width \(width), variant \(variant)")
                }
            }
        }
    }

    /// Row-major rows of samples, as the kernels take them.
    private func withSamples(
        _ error: [Float], _ centered: [Float], _ stride: Int, _ body: (rsae_samples) -> Void
    ) {
        error.withUnsafeBufferPointer { error in
            centered.withUnsafeBufferPointer { centered in
                body(
                    rsae_samples(
                        error: error.baseAddress, centered: centered.baseAddress, stride: Int64(stride), block: 64,
                        halved: 0))
            }
        }
    }

    /// Packed by `rsae_pack_samples`.
    private func packed(
        _ error: [Float], _ centered: [Float], width: Int, halved: Bool, _ body: (rsae_samples) -> Void
    ) {
        let count = error.count / width
        let (block, size) = (count * 128, halved ? 2 : 4)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: (width + 63) / 64 * block * size, alignment: 64)
        defer { memory.deallocate() }
        let samples = rsae_samples(
            error: memory, centered: memory + 64 * size, stride: 128, block: Int64(block), halved: halved ? 1 : 0)
        rsae_pack_samples(error, centered, Int64(width), 0, Int64(count), samples)
        body(samples)
    }

    @Test("Packed samples give the bits of row-major ones, in bf16 those of rounded ones", arguments: [false, true])
    func packedSamples(halved: Bool) {
        for width in [1, 63, 64, 65, 128, 200] {
            var random = RandomValues(width)
            let count = 13
            let (error, centered) = (random.array(count * width), random.array(count * width))
            let token = (0..<20).map { _ in Int32(random.index(below: count)) }
            let (activation, slope) = (random.array(20), random.array(20))
            func rounded(_ values: [Float]) -> [Float] {
                guard halved else { return values }
                var bits = Array(repeating: UInt16(0), count: values.count)
                rsae_round_to_bf16(values, Int64(values.count), &bits)
                return bits.map { Float(bitPattern: UInt32($0) << 16) }
            }
            func gradients(_ samples: rsae_samples) -> [Float] {
                var (encoder, decoder) = (
                    Array(repeating: Float(0), count: width), Array(repeating: Float(0), count: width)
                )
                rsae_latent_gradient(&encoder, &decoder, Int64(width), token, activation, slope, 20, samples)
                return encoder + decoder
            }

            var (found, expected): ([Float], [Float]) = ([], [])
            packed(error, centered, width: width, halved: halved) { found = gradients($0) }
            withSamples(rounded(error), rounded(centered), width) { expected = gradients($0) }
            #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "width \(width)")
            #expect(expected.contains { $0 != 0 })
        }
    }

    private func update(
        _ rows: inout [[Float]], _ extraEncoder: [Float]?, _ extraDecoder: [Float]?, _ width: Int, _ token: [Int32],
        _ activation: [Float], _ slope: [Float], _ error: [Float], _ centered: [Float], _ stride: Int,
        _ parallel: Float
    ) {
        var flat = rows.flatMap { $0 }
        let extra = (extraEncoder ?? []) + (extraDecoder ?? [])
        flat.withUnsafeMutableBufferPointer { flat in
            extra.withUnsafeBufferPointer { extra in
                let base = flat.baseAddress!
                let step = width + 1
                withSamples(error, centered, stride) { samples in
                    rsae_update_latent(
                        rsae_latent_rows(
                            encoder: base, encoder_first: base + step, encoder_second: base + 2 * step,
                            decoder: base + 3 * step, decoder_first: base + 4 * step, decoder_second: base + 5 * step,
                            gradient_encoder: extraEncoder == nil ? nil : extra.baseAddress!,
                            gradient_decoder: extraDecoder == nil ? nil : extra.baseAddress! + width, ahead: 0),
                        Int64(width), token, activation, slope, Int64(token.count), samples, parallel,
                        settings(t: 3, rate: 0.1))
                }
            }
        }
        rows = (0..<6).map { Array(flat[$0 * (width + 1)..<($0 + 1) * (width + 1)]) }
    }
}
