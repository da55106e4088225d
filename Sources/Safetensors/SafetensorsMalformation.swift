/// The rule of the safetensors format that a file breaks. Offsets count bytes from the beginning of the file.
package enum SafetensorsMalformation: Error, Sendable, Equatable {
    /// The file has no room for the eight bytes of the header's length.
    case fileTooShort(size: Int)
    /// The header claims more than the format's limit of 100 MB.
    case headerTooLong(length: UInt64)
    /// The header reaches beyond the end of the file.
    case headerBeyondFile(length: Int, fileSize: Int)
    /// The header is not UTF-8.
    case headerNotUTF8
    /// The header does not begin with `{`.
    case headerStart
    /// The header is not JSON, or is JSON of another structure.
    case invalidJSON(offset: Int, expected: String)
    /// A key occurs twice in one object.
    case duplicateKey(String, offset: Int)
    /// A tensor's entry has a key besides `dtype`, `shape` and `data_offsets`.
    case unknownField(String, tensor: String)
    /// A tensor's entry lacks one of its three keys.
    case missingField(String, tensor: String)
    /// The element type is not one that this reader knows.
    case unknownDType(String, tensor: String)
    /// A number is negative, fractional, in exponent form, or beyond 63 bits.
    case invalidNumber(offset: Int)
    /// `data_offsets` is not a pair, or its end lies before its beginning.
    case invalidOffsets(tensor: String)
    /// The shape's product leaves the range of a 64-bit integer.
    case shapeOverflow(tensor: String)
    /// Shape and element type ask for another number of bytes than `data_offsets` spans.
    case sizeMismatch(tensor: String, expected: Int, found: Int)
    /// A tensor begins before the one in front of it ends.
    case overlap(tensor: String)
    /// Bytes of the data section belong to no tensor.
    case hole(tensor: String, offset: Int)
    /// The tensors end elsewhere than the file.
    case wrongFileSize(expected: Int, found: Int)
    /// The index of a sharded model is not usable.
    case invalidIndex(reason: String)
    /// The index places a tensor in a file that does not have it.
    case tensorNotInShard(tensor: String, shard: String)
}

extension SafetensorsMalformation: CustomStringConvertible {
    /// The rest of a line that names the file.
    package var description: String {
        switch self {
        case .fileTooShort(let size):
            "it has \(size) bytes, at least 8 are needed"
        case .headerTooLong(let length):
            "its header claims \(length) bytes, the format allows \(SafetensorsHeader.maximumLength)"
        case .headerBeyondFile(let length, let fileSize):
            "its header claims \(length) bytes, the file has \(fileSize) (is the download complete?)"
        case .headerNotUTF8:
            "its header is not UTF-8"
        case .headerStart:
            "its header does not begin with '{'"
        case .invalidJSON(let offset, let expected):
            "\(expected) expected at byte \(offset)"
        case .duplicateKey(let key, let offset):
            "key \"\(key)\" occurs twice, the second time at byte \(offset)"
        case .unknownField(let field, let tensor):
            "the entry of tensor \"\(tensor)\" has an unknown key \"\(field)\""
        case .missingField(let field, let tensor):
            "the entry of tensor \"\(tensor)\" lacks \"\(field)\""
        case .unknownDType(let dtype, let tensor):
            "tensor \"\(tensor)\" has the unknown element type \"\(dtype)\""
        case .invalidNumber(let offset):
            "the number at byte \(offset) is not a whole number in 0..<2^63"
        case .invalidOffsets(let tensor):
            "the data_offsets of tensor \"\(tensor)\" are not a pair [begin, end] with begin ≤ end"
        case .shapeOverflow(let tensor):
            "the shape of tensor \"\(tensor)\" has a product beyond 2^63"
        case .sizeMismatch(let tensor, let expected, let found):
            "tensor \"\(tensor)\" needs \(expected) bytes by its shape, its data_offsets span \(found)"
        case .overlap(let tensor):
            "tensor \"\(tensor)\" overlaps the one before it"
        case .hole(let tensor, let offset):
            "the bytes from \(offset) up to tensor \"\(tensor)\" belong to no tensor"
        case .wrongFileSize(let expected, let found):
            "its tensors end at byte \(expected), the file has \(found) (is the download complete?)"
        case .invalidIndex(let reason):
            "the shard index is not usable: \(reason)"
        case .tensorNotInShard(let tensor, let shard):
            "the shard index places tensor \"\(tensor)\" in \(shard), which does not have it"
        }
    }
}
