/// Conversions between `Float` and the floating-point types of tensor files, over whole buffers.
///
/// Widening is exact for `f32`, `f16` and `bf16` and rounds for `f64`; narrowing rounds to nearest, ties to even. Values
/// beyond the narrower type's range become infinities, and NaNs stay NaNs.
///
/// The loops have no branches, so that the compiler can vectorise them for the baseline instruction set; the conversions
/// of the standard library would call a routine for every element there.
package enum FloatConversion {
    /// Widens stored elements to `Float`.
    ///
    /// - Parameters:
    ///   - bytes: whole elements of type `dtype`, of any alignment.
    ///   - dtype: one for which `isConvertibleToFloat` holds.
    ///   - target: room for `bytes.count / dtype.byteCount` elements.
    package static func widen(
        _ bytes: UnsafeRawBufferPointer, dtype: TensorDType, into target: UnsafeMutablePointer<Float>
    ) {
        precondition(bytes.count % dtype.byteCount == 0, "the buffer ends inside an element")
        guard let source = bytes.baseAddress else { return }
        let count = bytes.count / dtype.byteCount
        switch dtype {
        case .f32:
            UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: bytes.count)
        case .bf16:
            for index in 0..<count {
                target[index] = float(bfloat16: source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
            }
        case .f16:
            for index in 0..<count {
                target[index] = float(float16: source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
            }
        case .f64:
            for index in 0..<count {
                target[index] = Float(source.loadUnaligned(fromByteOffset: 8 * index, as: Double.self))
            }
        default:
            preconditionFailure("\(dtype.rawValue) is not convertible to Float")
        }
    }

    /// Narrows `Float`s to a stored type.
    ///
    /// - Parameters:
    ///   - source: the elements.
    ///   - dtype: one for which `isConvertibleToFloat` holds.
    ///   - target: room for `source.count · dtype.byteCount` bytes, of any alignment.
    package static func narrow(
        _ source: UnsafeBufferPointer<Float>, dtype: TensorDType, into target: UnsafeMutableRawPointer
    ) {
        guard let elements = source.baseAddress else { return }
        let count = source.count
        switch dtype {
        case .f32:
            target.copyMemory(from: elements, byteCount: 4 * count)
        case .bf16:
            for index in 0..<count {
                target.storeBytes(of: bfloat16(elements[index]), toByteOffset: 2 * index, as: UInt16.self)
            }
        case .f16:
            for index in 0..<count {
                target.storeBytes(of: float16(elements[index]), toByteOffset: 2 * index, as: UInt16.self)
            }
        case .f64:
            for index in 0..<count {
                target.storeBytes(of: Double(elements[index]), toByteOffset: 8 * index, as: Double.self)
            }
        default:
            preconditionFailure("Float is not convertible to \(dtype.rawValue)")
        }
    }

    /// The value of a bfloat16.
    @inlinable
    package static func float(bfloat16 bits: UInt16) -> Float {
        Float(bitPattern: UInt32(bits) << 16)
    }

    /// The bits of the bfloat16 nearest to a value, ties to even.
    @inlinable
    package static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        // Half a unit in the last place less one, plus the lowest bit kept: carries exactly when rounding up is due.
        let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
        // Rounding could carry a NaN into an infinity, so a NaN keeps its upper bits and is made quiet instead.
        let quiet = bits >> 16 | 0x40
        return UInt16(truncatingIfNeeded: bits & 0x7FFF_FFFF > 0x7F80_0000 ? quiet : rounded)
    }

    /// The value of a binary16.
    @inlinable
    package static func float(float16 bits: UInt16) -> Float {
        let exponent = UInt32(bits) & 0x7C00
        let magnitude = UInt32(bits) & 0x7FFF
        let rebias: UInt32 = exponent == 0x7C00 ? (255 - 31) << 23 : (127 - 15) << 23
        let normal = magnitude << 13 &+ rebias
        // Below the normal numbers the value is the mantissa in units of 2^-24.
        let subnormal = (Float(Int32(bitPattern: magnitude)) * 0x1p-24).bitPattern
        return Float(bitPattern: UInt32(bits & 0x8000) << 16 | (exponent == 0 ? subnormal : normal))
    }

    /// The bits of the binary16 nearest to a value, ties to even.
    @inlinable
    package static func float16(_ value: Float) -> UInt16 {
        let sign = value.bitPattern >> 16 & 0x8000
        let magnitude = value.bitPattern & 0x7FFF_FFFF
        let rounded = magnitude &- (127 - 15) << 23 &+ 0xFFF &+ (magnitude >> 13 & 1)
        // At 0.5 one unit in the last place of a binary32 is the smallest binary16, so the addition does the rounding.
        let subnormal = (Float(bitPattern: magnitude) + 0.5).bitPattern &- Float(0.5).bitPattern
        let special: UInt32 = magnitude > 0x7F80_0000 ? 0x7E00 | magnitude >> 13 & 0x1FF : 0x7C00
        let finite = magnitude < 0x3880_0000 ? subnormal : rounded >> 13
        return UInt16(truncatingIfNeeded: sign | (magnitude >= 0x4780_0000 ? special : finite))
    }
}
