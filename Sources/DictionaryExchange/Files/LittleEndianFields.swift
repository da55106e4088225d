extension [UInt8] {
    /// The unsigned number of two, four or eight bytes at an offset, low byte first.
    ///
    /// - Precondition: the bytes are there.
    func field<Field: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_ type: Field.Type, at offset: Int)
        -> Field
    {
        withUnsafeBytes { Field(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) }
    }
}
