import Safetensors
import TestSupport
import Testing

struct FloatConversionTests {
    private func widened(_ bits: [UInt16], dtype: TensorDType) -> [Float] {
        bits.withUnsafeBytes { bytes in
            [Float](unsafeUninitializedCapacity: bits.count) { buffer, count in
                if let target = buffer.baseAddress { FloatConversion.widen(bytes, dtype: dtype, into: target) }
                count = bits.count
            }
        }
    }

    private func narrowed(_ values: [Float], dtype: TensorDType) -> [UInt16] {
        values.withUnsafeBufferPointer { source in
            [UInt16](unsafeUninitializedCapacity: values.count) { buffer, count in
                if let target = buffer.baseAddress { FloatConversion.narrow(source, dtype: dtype, into: target) }
                count = values.count
            }
        }
    }

    /// Bit patterns from every part of the range, NaNs and subnormals included.
    private let samples: [Float] = {
        var state: UInt64 = 1
        return (0..<1_000_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(bitPattern: UInt32(truncatingIfNeeded: state >> 32))
        }
    }()

    /// Every binary16, the midpoints between neighbours, and the floats on both sides of each midpoint.
    private let halfway: [Float] = (0..<UInt16(0x7C00)).flatMap { bits -> [Float] in
        let low = Float(Float16(bitPattern: bits))
        let next = Float16(bitPattern: bits + 1)
        let high = next.isInfinite ? 65_536 : Float(next)
        let middle = (low + high) / 2
        return [low, middle.nextDown, middle, middle.nextUp].flatMap { [$0, -$0] }
    }

    /// Equal as bits, or both NaN.
    private func agree(_ actual: UInt16, _ expected: UInt16) -> Bool {
        actual == expected || Float16(bitPattern: actual).isNaN && Float16(bitPattern: expected).isNaN
    }

    @Test func widensEveryBinary16AsTheLanguageDoes() {
        let bits = Array(UInt16.min...UInt16.max)
        for (pattern, value) in zip(bits, widened(bits, dtype: .f16)) {
            let expected = Float(Float16(bitPattern: pattern))
            if value != expected, !(value.isNaN && expected.isNaN) || value.sign != expected.sign {
                Issue.record("\(pattern) became \(value), expected \(expected)")
            }
        }
    }

    @Test func narrowsToBinary16AsTheLanguageDoes() {
        let values = halfway + samples
        for (value, bits) in zip(values, narrowed(values, dtype: .f16)) where !agree(bits, Float16(value).bitPattern) {
            Issue.record("\(value) became \(bits), expected \(Float16(value).bitPattern)")
        }
    }

    @Test func widensBFloat16ByItsDefinition() {
        let bits = (0..<UInt16(0x7F80)).map { $0 }
        for (pattern, value) in zip(bits, widened(bits, dtype: .bf16)) {
            let exponent = Int(pattern >> 7)
            let fraction = Double(pattern & 0x7F) / 128
            let expected =
                exponent == 0
                ? Double(sign: .plus, exponent: -126, significand: fraction)
                : Double(sign: .plus, exponent: exponent - 127, significand: 1 + fraction)
            if Double(value) != expected { Issue.record("\(pattern) became \(value), expected \(expected)") }
        }
        #expect(widened([0x7F80, 0xFF80, 0x8000], dtype: .bf16) == [.infinity, -.infinity, 0])
        #expect(widened([0x7FC0, 0xFF81], dtype: .bf16).allSatisfy { $0.isNaN })
    }

    @Test func narrowsToTheNearestBFloat16() {
        for value in samples {
            let bits = FloatConversion.bfloat16(value)
            let result = FloatConversion.float(bfloat16: bits)
            if value.isNaN || value.isInfinite {
                #expect(result.isNaN == value.isNaN && result.isInfinite == value.isInfinite)
                continue
            }
            // Distances in Double are exact; beyond the largest finite value the scale continues to 2^128.
            func distance(_ candidate: UInt16) -> Double {
                let magnitude =
                    candidate & 0x7FFF == 0x7F80 ? 0x1p128 : Double(FloatConversion.float(bfloat16: candidate & 0x7FFF))
                return abs(magnitude - Double(value.magnitude))
            }

            let own = distance(bits)
            let below = bits & 0x7FFF == 0 ? Double.infinity : distance(bits - 1)
            let above = bits & 0x7FFF == 0x7F80 ? Double.infinity : distance(bits + 1)
            let tie = own == below || own == above
            if own > below || own > above || (tie && bits & 1 == 1) || result.sign != value.sign {
                Issue.record("\(value) became \(result)")
            }
        }
        #expect(FloatConversion.bfloat16(1.00390625) == 0x3F80)
        #expect(FloatConversion.bfloat16(1.01171875) == 0x3F82)
        #expect(FloatConversion.bfloat16(.greatestFiniteMagnitude) == 0x7F80)
        #expect(FloatConversion.bfloat16(Float(bitPattern: 0x7F80_0001)) & 0x7F == 0x40)
        #expect(FloatConversion.bfloat16(-Float(bitPattern: 0x7FFF_FFFF)) == 0xFFFF)
    }

    @Test func convertsUnalignedBuffers() {
        var bytes = [UInt8](repeating: 0, count: 9)
        bytes.withUnsafeMutableBytes { raw in
            [Float(1.5), -2].withUnsafeBufferPointer { source in
                FloatConversion.narrow(source, dtype: .f32, into: raw.baseAddress! + 1)
            }
        }
        #expect(bytes == [0, 0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0])
        var values: [Float] = [0, 0, 0, 0]
        bytes.withUnsafeBytes { FloatConversion.widen(.init(rebasing: $0[1...]), dtype: .f32, into: &values) }
        #expect(values == [1.5, -2, 0, 0])
        bytes.withUnsafeBytes { FloatConversion.widen(.init(rebasing: $0[1...]), dtype: .bf16, into: &values) }
        #expect(values == [0, 1.5, 0, -2])
    }

    @Test func convertsDoubles() {
        let doubles: [Double] = [0.1, -1e300, 0x1p-1070, 16_777_217]
        var values = [Float](repeating: 0, count: 4)
        doubles.withUnsafeBytes { FloatConversion.widen($0, dtype: .f64, into: &values) }
        #expect(values == [0.1, -.infinity, 0, 16_777_216])
        var back = [Double](repeating: 0, count: 4)
        values.withUnsafeBufferPointer { source in
            back.withUnsafeMutableBytes { FloatConversion.narrow(source, dtype: .f64, into: $0.baseAddress!) }
        }
        #expect(back == [Double(Float(0.1)), -.infinity, 0, 16_777_216])
    }

    @Test func acceptsEmptyBuffers() {
        var value: Float = 3
        FloatConversion.widen(UnsafeRawBufferPointer(start: nil, count: 0), dtype: .f16, into: &value)
        FloatConversion.narrow(UnsafeBufferPointer(start: nil, count: 0), dtype: .bf16, into: &value)
        #expect(value == 3)
    }
}
