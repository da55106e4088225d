import Safetensors

/// Stored elements of any readable type as `Float` or `Double`.
enum ElementConversion {
    /// Whether the type's values are real numbers that can be read here.
    static func isReadable(_ dtype: TensorDType) -> Bool {
        dtype.isConvertibleToFloat || dtype.isConvertibleToInteger || dtype == .u64
    }

    /// Converts whole elements, of any alignment, to the nearest `Float`s.
    ///
    /// - Parameters:
    ///   - bytes: whole elements of type `dtype`, for which `isReadable` holds.
    ///   - target: room for `bytes.count / dtype.byteCount` elements.
    static func floats(
        _ bytes: UnsafeRawBufferPointer, dtype: TensorDType, into target: UnsafeMutablePointer<Float>
    ) {
        func convert<Stored: FixedWidthInteger & BitwiseCopyable>(_ type: Stored.Type) {
            let size = MemoryLayout<Stored>.size
            for index in 0..<bytes.count / size {
                target[index] = Float(bytes.loadUnaligned(fromByteOffset: index * size, as: type))
            }
        }
        switch dtype {
        case .i64: convert(Int64.self)
        case .i32: convert(Int32.self)
        case .i16: convert(Int16.self)
        case .i8: convert(Int8.self)
        case .u64: convert(UInt64.self)
        case .u32: convert(UInt32.self)
        case .u16: convert(UInt16.self)
        case .u8, .bool: convert(UInt8.self)
        default: FloatConversion.widen(bytes, dtype: dtype, into: target)
        }
    }

    /// The value of one element, exact but for integers beyond 2⁵³.
    static func double(_ bytes: UnsafeRawBufferPointer, dtype: TensorDType) -> Double {
        switch dtype {
        case .f64: return bytes.loadUnaligned(as: Double.self)
        case .i64: return Double(bytes.loadUnaligned(as: Int64.self))
        case .i32: return Double(bytes.loadUnaligned(as: Int32.self))
        case .u64: return Double(bytes.loadUnaligned(as: UInt64.self))
        case .u32: return Double(bytes.loadUnaligned(as: UInt32.self))
        default:
            // The other types have no value that a Float cannot hold.
            var value: Float = 0
            floats(bytes, dtype: dtype, into: &value)
            return Double(value)
        }
    }
}
