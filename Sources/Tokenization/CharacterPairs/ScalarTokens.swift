/// The token of every single character, in pages of 256 scalars.
struct ScalarTokens: Sendable {
    /// The page of each block of 256 scalars; page 0 has no tokens.
    private var pages = [UInt16](repeating: 0, count: 0x1100)
    private var ids = [TokenID](repeating: -1, count: 0x100)

    /// The token of a scalar, -1 where there is none.
    subscript(scalar: UInt32) -> TokenID {
        @inline(__always)
        get { ids[Int(pages[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)] }
        set {
            if pages[Int(scalar >> 8)] == 0 {
                pages[Int(scalar >> 8)] = UInt16(ids.count >> 8)
                ids.append(contentsOf: repeatElement(-1, count: 0x100))
            }
            ids[Int(pages[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)] = newValue
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The scalar that begins at a position of valid UTF-8, and the position behind it.
    @inline(__always)
    func scalar(at position: Int) -> (value: UInt32, next: Int) {
        let first = UInt32(self[position])
        if first < 0x80 { return (first, position + 1) }
        func rest(_ offset: Int) -> UInt32 { UInt32(self[position + offset] & 0x3F) }
        if first < 0xE0 { return ((first & 0x1F) << 6 | rest(1), position + 2) }
        if first < 0xF0 { return ((first & 0x0F) << 12 | rest(1) << 6 | rest(2), position + 3) }
        return ((first & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3), position + 4)
    }
}
