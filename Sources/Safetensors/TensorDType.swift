/// How the elements of a tensor are stored, named as in the file's header.
///
/// All types are little-endian. The sub-byte types of recent files (`F4`, `F6_…`) are not known here: a file that uses
/// them is refused by name.
package enum TensorDType: String, Sendable, CaseIterable {
    /// IEEE 754 binary64.
    case f64 = "F64"
    /// IEEE 754 binary32.
    case f32 = "F32"
    /// IEEE 754 binary16.
    case f16 = "F16"
    /// The upper half of a binary32.
    case bf16 = "BF16"
    /// An 8-bit float with 4 exponent bits; its bytes can be read, its values cannot.
    case f8e4m3 = "F8_E4M3"
    /// An 8-bit float with 5 exponent bits; its bytes can be read, its values cannot.
    case f8e5m2 = "F8_E5M2"
    /// Two binary32, real and imaginary part; its bytes can be read, its values cannot.
    case c64 = "C64"
    /// 64-bit two's complement.
    case i64 = "I64"
    /// 32-bit two's complement.
    case i32 = "I32"
    /// 16-bit two's complement.
    case i16 = "I16"
    /// 8-bit two's complement.
    case i8 = "I8"
    /// 64-bit unsigned; its bytes can be read, its values need not fit the integers handed out.
    case u64 = "U64"
    /// 32-bit unsigned.
    case u32 = "U32"
    /// 16-bit unsigned.
    case u16 = "U16"
    /// 8-bit unsigned.
    case u8 = "U8"
    /// One byte, 0 or 1.
    case bool = "BOOL"

    /// The size of one element in bytes.
    package var byteCount: Int {
        switch self {
        case .f64, .i64, .u64, .c64: 8
        case .f32, .i32, .u32: 4
        case .f16, .bf16, .i16, .u16: 2
        case .f8e4m3, .f8e5m2, .i8, .u8, .bool: 1
        }
    }

    /// Whether `FloatConversion` widens this type to `Float` and narrows `Float` to it.
    package var isConvertibleToFloat: Bool {
        switch self {
        case .f64, .f32, .f16, .bf16: true
        default: false
        }
    }

    /// Whether every value of this type is an `Int64` and can be read as one.
    package var isConvertibleToInteger: Bool {
        switch self {
        case .i64, .i32, .i16, .i8, .u32, .u16, .u8, .bool: true
        default: false
        }
    }
}
