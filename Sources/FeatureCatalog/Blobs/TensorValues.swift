/// Converts between values and the bytes that a tensor is stored as, little-endian.
enum TensorValues {
    /// - Returns: `values.count × dataType.byteCount` bytes; f16 and bf16 round to nearest, ties to even.
    static func encode(_ values: [Float], as dataType: DictionaryTensor.DataType) -> [UInt8] {
        let count = values.count * dataType.byteCount
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            for (index, value) in values.enumerated() {
                switch dataType {
                case .f32: bytes.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
                case .f16:
                    let bits = Float16(value).bitPattern.littleEndian
                    bytes.storeBytes(of: bits, toByteOffset: 2 * index, as: UInt16.self)
                case .bf16:
                    let bits = bfloat16(value).littleEndian
                    bytes.storeBytes(of: bits, toByteOffset: 2 * index, as: UInt16.self)
                }
            }
            initializedCount = count
        }
    }

    /// - Precondition: `bytes` is a whole number of values.
    static func decode(_ bytes: ArraySlice<UInt8>, as dataType: DictionaryTensor.DataType) -> [Float] {
        let count = bytes.count / dataType.byteCount
        return bytes.withUnsafeBytes { bytes in
            switch dataType {
            case .f32:
                (0..<count).map { index in
                    let bits = bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                    return Float(bitPattern: UInt32(littleEndian: bits))
                }
            case .f16:
                (0..<count).map { index in
                    let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                    return Float(Float16(bitPattern: UInt16(littleEndian: bits)))
                }
            case .bf16:
                (0..<count).map { index in
                    let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                    return Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
                }
            }
        }
    }

    private static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        // Rounding could carry a NaN's payload into an infinity.
        if value.isNaN { return UInt16(bits >> 16) | 0x40 }
        return UInt16((bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }
}
