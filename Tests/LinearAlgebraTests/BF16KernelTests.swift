import CKernels
import Foundation
import LinearAlgebra
import Testing

/// The kernels of bf16 among each other, on operands of every kind, and the check that each has to pass.
@Suite struct BF16KernelTests {
    static let kernels = BF16Kernel.allCases.filter(\.isAvailable)

    /// Any bits: infinities, NaNs, denormals, and numbers of all sizes.
    private func anyBits(_ generator: inout CounterGenerator) -> UInt32 { UInt32(truncatingIfNeeded: generator.next()) }

    /// Bits with exponents of a range, biased by 127.
    private func bits(_ exponents: Range<Int>, _ generator: inout CounterGenerator) -> UInt32 {
        let exponent = UInt32(exponents.lowerBound + generator.index(below: exponents.count))
        return UInt32(truncatingIfNeeded: generator.next()) & 0x807F_FFFF | exponent << 23
    }

    enum Kind: CaseIterable { case usual, anything, cancelling, tiny, huge }

    /// A pair of A and B, and what their products are added to.
    private func terms(_ kind: Kind, _ generator: inout CounterGenerator) -> (a: [UInt32], b: [UInt32], sum: UInt32) {
        var a: [UInt32] = []
        var b: [UInt32] = []
        for _ in 0..<2 {
            switch kind {
            case .usual, .cancelling:
                a.append(bits(117..<137, &generator))
                b.append(bits(117..<137, &generator))
            case .anything:
                a.append(anyBits(&generator))
                b.append(anyBits(&generator))
            case .tiny:
                a.append(bits(0..<70, &generator))
                b.append(bits(0..<75, &generator))
            case .huge:
                a.append(bits(180..<250, &generator))
                b.append(bits(180..<200, &generator))
            }
        }
        (a, b) = (a.map { $0 & 0xFFFF_0000 }, b.map { $0 & 0xFFFF_0000 })
        switch kind {
        case .usual: return (a, b, bits(117..<137, &generator))
        case .anything: return (a, b, anyBits(&generator))
        case .tiny: return (a, b, bits(0..<6, &generator))
        case .huge: return (a, b, bits(250..<256, &generator))
        case .cancelling:
            let product = -Float(bitPattern: a[1]) * Float(bitPattern: b[1])
            return (a, b, product.bitPattern &+ UInt32(generator.index(below: 3)))
        }
    }

    /// Each column has two pairs: the first makes the sum that the second is added to.
    @Test("Widening gives the bits of the instruction", arguments: Kind.allCases)
    func allKernelsGiveTheSameBits(kind: Kind) {
        var generator = CounterGenerator(seed: 3, stream: "\(kind)")
        let columns = 64
        for round in 0..<300 {
            var (a, b): ([Float], [Float]) = ([], [])
            for column in 0..<columns {
                let problem = terms(kind, &generator)
                // One row of A for all columns.
                if column == 0 { a = [1, 0] + problem.a.map { Float(bitPattern: $0) } }
                b += [Float(bitPattern: problem.sum & 0xFFFF_0000), 0] + problem.b.map { Float(bitPattern: $0) }
            }
            let before = (0..<3 * columns).map { _ in Float(bitPattern: terms(kind, &generator).sum) }
            var results: [[UInt32]] = []
            for kernel in Self.kernels {
                var c = before
                let rows = 1 + round % 3
                let packed = PackedMatrix(b, rows: columns, columns: 4, halved: true, workers: Workers(threads: 1))
                Workers(threads: 1).multiplyBF16(
                    rows: rows, a + a + a, stride: 4, byTransposeOf: packed, into: &c, stride: columns,
                    accumulating: round % 2 == 0, with: kernel)
                results.append(c.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern })
            }
            for (kernel, result) in zip(Self.kernels, results).dropFirst() {
                #expect(result == results[0], "\(kernel) and \(Self.kernels[0]), round \(round)")
                if result != results[0] { return }
            }
        }
    }

    @Test("Numbers are rounded to the nearest bf16, ties to even") func rounding() {
        let cases: [(UInt32, UInt16)] = [
            (0x3F80_0000, 0x3F80), (0x3F80_7FFF, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F80_8001, 0x3F81),
            (0x3F81_8000, 0x3F82), (0xBF81_8000, 0xBF82), (0x7F7F_FFFF, 0x7F80), (0x7F80_0000, 0x7F80),
            (0xFF80_0000, 0xFF80), (0x8000_0000, 0x8000), (0x0000_8000, 0x0000), (0x0001_8000, 0x0002),
            (0x7FC1_2345, 0x7FC1), (0x7F80_0001, 0x7FC0), (0xFFFF_FFFF, 0xFFFF),
        ]
        for (bits, expected) in cases {
            #expect(rsae_bf16(Float(bitPattern: bits)) == expected, "\(String(bits, radix: 16))")
        }
        var random = RandomValues(4)
        for x in random.array(10_000) {
            #expect(rsae_f32(rsae_bf16(x)) == BF16ProductTests.nearest(x))
        }
    }

    @Test("Kernels pass their check, and wrong ones do not") func theCheckTellsRightFromWrong() {
        let isSound = [
            rsae_is_sound_bf16 { rsae_multiply_bf16_with(RSAE_BF16_BASELINE, $0) },
            rsae_is_sound({ rsae_multiply_with(RSAE_BASELINE, $0) }, false),
        ]
        #expect(isSound == [true, true])
        // A column too many, a term too few, what was there lost, another border of blocks.
        let isWrongSound = [
            rsae_is_sound_bf16 { product in
                guard var wrong = product?.pointee else { return }
                wrong.columns += 1
                rsae_multiply_bf16_with(RSAE_BF16_BASELINE, &wrong)
            },
            rsae_is_sound_bf16 { product in
                guard var wrong = product?.pointee else { return }
                wrong.inner -= 1
                rsae_multiply_bf16_with(RSAE_BF16_BASELINE, &wrong)
            },
            rsae_is_sound_bf16 { product in
                guard var wrong = product?.pointee else { return }
                wrong.accumulates = false
                rsae_multiply_bf16_with(RSAE_BF16_BASELINE, &wrong)
            },
            rsae_is_sound(
                { product in
                    guard var wrong = product?.pointee else { return }
                    wrong.inner_start = 1
                    rsae_multiply_with(RSAE_BASELINE, &wrong)
                }, false),
        ]
        #expect(isWrongSound == [false, false, false, false])
    }

    /// Text that stays where it is.
    private static func text(_ text: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    @Test("A kernel that computes wrong products is reported once and not used") func aWrongKernelIsNotUsed() {
        let choice = rsae_kernel_choice(
            purpose: Self.text("products"), count: 4,
            name: { kernel in BF16KernelTests.text(kernel == 1 ? "second" : "another") },
            is_available: { $0 != 0 }, is_sound: { $0 != 1 },
            report: { line in Reports.lines.append(line.map { String(cString: $0) } ?? "") })
        withUnsafePointer(to: choice) { choice in
            #expect(rsae_choose_kernel(choice, 0) == 2)
            #expect(Reports.lines == ["the kernel second computes wrong products on this processor and is not used"])
            #expect(rsae_choose_kernel(choice, 3) == 3)
            #expect(Reports.lines.count == 1)
        }
    }

    /// Written by one test alone.
    private enum Reports { nonisolated(unsafe) static var lines: [String] = [] }
}
