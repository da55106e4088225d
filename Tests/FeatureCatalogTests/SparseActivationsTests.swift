import FeatureCatalog
import Testing

@Suite struct SparseActivationsTests {
    @Test func everySmallPatternComesBack() throws {
        // All ways in which up to eight tokens fire or not, with values that f16 holds and values that it does not.
        for unit: Float in [1, 0.1] {
            for count in 0...8 {
                for pattern in 0..<1 << count {
                    let activations = (0..<count).map { pattern >> $0 & 1 == 1 ? unit * Float($0 + 1) : 0 }
                    let frame = try SparseActivations.encode(activations)
                    #expect(try SparseActivations.decode(frame, windowLength: count) == activations)
                }
            }
        }
    }

    @Test func longAndNegativeAndLargeComeBack() throws {
        var generator = SplitMix(state: 2)
        var activations = (0..<3000).map { _ in generator.next(below: 20) == 0 ? generator.unit() - 0.5 : 0 }
        activations[17] = 1e30
        activations[2999] = .leastNonzeroMagnitude
        let frame = try SparseActivations.encode(activations)
        #expect(try SparseActivations.decode(frame, windowLength: 3000) == activations)
    }

    @Test func theFormIsAsDocumented() throws {
        // Window of 200, values 1.5 at 3 and −2 at 150: f16 form, 200 and the gaps as LEB128, then two halves.
        var activations = [Float](repeating: 0, count: 200)
        activations[3] = 1.5
        activations[150] = -2
        let bytes = try Zstd.decompress(SparseActivations.encode(activations), limit: 100)
        #expect(bytes == [2, 0xC8, 0x01, 2, 3, 0x92, 0x01, 0x00, 0x3E, 0x00, 0xC0])
        activations[150] = 0.1
        let single = try Zstd.decompress(SparseActivations.encode(activations), limit: 100)
        #expect(single == [1, 0xC8, 0x01, 2, 3, 0x92, 0x01, 0, 0, 0xC0, 0x3F, 0xCD, 0xCC, 0xCC, 0x3D])
    }

    @Test func aTypicalWindowIsSmall() throws {
        var activations = [Float](repeating: 0, count: 64)
        for (index, value) in [(20, 0.31), (31, 7.77), (32, 1.23)] { activations[index] = Float(value) }
        #expect(try SparseActivations.encode(activations).count <= 40)
    }

    @Test func otherContentsAreRefused() throws {
        let contents: [[UInt8]] = [
            [], [1], [3, 4, 0], [1, 5, 0], [1, 4, 5, 0, 0, 0, 0, 0], [1, 4, 1, 4, 0, 0, 0, 0],
            [1, 4, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 4, 1, 0, 0, 0, 0], [1, 4, 1, 0, 0, 0, 0, 0, 0],
            [1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [1, 4, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ]
        for content in contents {
            let frame = try Zstd.compress(content)
            #expect(throws: Zstd.Failure.self) { try SparseActivations.decode(frame, windowLength: 4) }
        }
        let good = try Zstd.compress([1, 4, 1, 3, 0, 0, 0x80, 0x3F])
        #expect(try SparseActivations.decode(good, windowLength: 4) == [0, 0, 0, 1])
        for length in [-1, 3, 5, .max] {
            #expect(throws: Zstd.Failure.self) { try SparseActivations.decode(good, windowLength: length) }
        }
    }
}
