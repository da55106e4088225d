import Foundation
import LanguageModel
import LinearAlgebra
import Testing

@Suite struct RotaryEmbeddingTests {
    /// Bit patterns of `inv_freq` in transformers 5.23 (`LlamaRotaryEmbedding`), which may differ by one unit in the
    /// last place, as the power functions do.
    private func check(
        _ rotary: RotaryEmbedding, _ expected: [UInt32], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(rotary.inverseFrequencies().count == expected.count, sourceLocation: sourceLocation)
        for (actual, bits) in zip(rotary.inverseFrequencies(), expected) {
            #expect(
                abs(Int64(actual.bitPattern) - Int64(bits)) <= 1, "\(actual) for \(Float(bitPattern: bits))",
                sourceLocation: sourceLocation)
        }
    }

    @Test func plainFrequencies() {
        check(
            RotaryEmbedding(dimension: 32, theta: 10000, scaling: .none),
            [
                0x3F80_0000, 0x3F0F_F59A, 0x3EA1_E89B, 0x3E36_1887, 0x3DCC_CCCD, 0x3D66_55C2, 0x3D01_86E3, 0x3C91_AD39,
                0x3C23_D70A, 0x3BB8_449C, 0x3B4F_3E38, 0x3AE9_1528, 0x3A83_126F, 0x3A13_6A16, 0x39A5_CB60, 0x393A_7753,
            ])
    }

    /// The parameters of Llama 3.2 1B.
    @Test func llama3Frequencies() {
        check(
            RotaryEmbedding(
                dimension: 64, theta: 500_000,
                scaling: .llama3(
                    factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 8192)),
            [
                0x3F80_0000, 0x3F29_E1C6, 0x3EE1_77BC, 0x3E95_9EE3, 0x3E46_93B0, 0x3E03_C6A0, 0x3DAE_E4AD, 0x3D68_1E67,
                0x3D1A_08C8, 0x3CCC_6F49, 0x3C87_A9C3, 0x3C34_0D6D, 0x3BEE_F74F, 0x3B9E_9402, 0x3B52_7720, 0x3AA9_279B,
                0x39E1_3620, 0x38CB_98F7, 0x37A3_418D, 0x3758_AC81, 0x370F_C8F8, 0x36BE_D4F4, 0x367D_45C3, 0x3628_126B,
                0x35DF_10C4, 0x3594_06CB, 0x3544_7610, 0x3502_5F34, 0x34AD_07A7, 0x3465_A54D, 0x3418_64A7, 0x33CA_41B0,
            ])
    }

    @Test func linearScalingDivides() {
        let plain = RotaryEmbedding(dimension: 16, theta: 10000, scaling: .none)
        let scaled = RotaryEmbedding(dimension: 16, theta: 10000, scaling: .linear(factor: 8))
        #expect(scaled.inverseFrequencies() == plain.inverseFrequencies().map { $0 / 8 })
    }

    @Test func tablesHoldCosinesAndSines() {
        let rotary = RotaryEmbedding(dimension: 8, theta: 10000, scaling: .none)
        var tables = RotaryTable(rotary)
        tables.cover(lengths: [7, 300], positions: 100)
        #expect(tables.firstRow(tokens: 300) == 0 && tables.firstRow(tokens: 7) == 0)
        for position in [0, 1, 299] {
            for (pair, frequency) in rotary.inverseFrequencies().enumerated() {
                let angle = Double(Float(position) * frequency)
                #expect(abs(Double(tables.cosine[position, pair]) - cos(angle)) < 1e-7)
                #expect(abs(Double(tables.sine[position, pair]) - sin(angle)) < 1e-7)
            }
        }
    }
}
