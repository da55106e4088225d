import FeatureCatalog
import Testing

/// The form of contexts in catalogs of version 1, which is only read.
@Suite struct SparseActivationsTests {
    /// The form as schema/README.md has described it, built without the program.
    static func encode(_ activations: [Float]) throws -> [UInt8] {
        func number(_ value: Int) -> [UInt8] {
            value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F | 0x80)] + number(value >> 7)
        }

        let places = activations.indices.filter { activations[$0] != 0 }
        let isHalf = places.allSatisfy { Float(Float16(activations[$0])) == activations[$0] }
        var bytes: [UInt8] = [isHalf ? 2 : 1] + number(activations.count) + number(places.count)
        for (index, place) in places.enumerated() {
            bytes += number(index == 0 ? place : place - places[index - 1] - 1)
        }
        for place in places {
            let bits = isHalf ? UInt32(Float16(activations[place]).bitPattern) : activations[place].bitPattern
            bytes += (0..<(isHalf ? 2 : 4)).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        }
        return try Zstd.compress(bytes)
    }

    @Test func everySmallPatternIsRead() throws {
        // All ways in which up to eight tokens fire or not, with values that f16 holds and values that it does not.
        for unit: Float in [1, 0.1] {
            for count in 0...8 {
                for pattern in 0..<1 << count {
                    let activations = (0..<count).map { pattern >> $0 & 1 == 1 ? unit * Float($0 + 1) : 0 }
                    let frame = try Self.encode(activations)
                    #expect(try SparseActivations.decode(frame, windowLength: count) == activations)
                }
            }
        }
    }

    @Test func longAndNegativeAndLargeAreRead() throws {
        var generator = SplitMix(state: 2)
        var activations = (0..<3000).map { _ in generator.next(below: 20) == 0 ? generator.unit() - 0.5 : 0 }
        activations[17] = 1e30
        activations[2999] = .leastNonzeroMagnitude
        let frame = try Self.encode(activations)
        #expect(try SparseActivations.decode(frame, windowLength: 3000) == activations)
    }

    @Test func theFormIsAsDocumented() throws {
        // Window of 200, values 1.5 at 3 and −2 at 150: f16 form, 200 and the gaps as LEB128, then two halves.
        var activations = [Float](repeating: 0, count: 200)
        activations[3] = 1.5
        activations[150] = -2
        let half: [UInt8] = [2, 0xC8, 0x01, 2, 3, 0x92, 0x01, 0x00, 0x3E, 0x00, 0xC0]
        #expect(try SparseActivations.decode(Zstd.compress(half), windowLength: 200) == activations)
        activations[150] = 0.1
        let single: [UInt8] = [1, 0xC8, 0x01, 2, 3, 0x92, 0x01, 0, 0, 0xC0, 0x3F, 0xCD, 0xCC, 0xCC, 0x3D]
        #expect(try SparseActivations.decode(Zstd.compress(single), windowLength: 200) == activations)
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
