/// A safetensors header apart from a file: it describes the tensors of a block of data that comes later, or many times.
package struct BlockHeader: Sendable, Equatable {
    /// The header's free-form text entries.
    package let metadata: [String: String]
    /// The tensors in the order of their data; byte ranges count from the beginning of the block.
    package let tensors: [TensorDescription]
    /// Bytes of the block.
    package let byteCount: Int

    /// Parses a header, without the eight bytes of its length.
    ///
    /// - Throws: the rule of the format that it breaks. A tensor of an element type not known here is one.
    package init(json: [UInt8]) throws(SafetensorsMalformation) {
        let header = try Self.parsed(json)
        if let unknown = header.unknownTypes.sorted(by: { $0.key < $1.key }).first {
            throw .unknownDType(unknown.value, tensor: unknown.key)
        }
        let start = SafetensorsHeader.prefixLength + json.count
        metadata = header.metadata
        tensors = header.tensors.map { tensor in
            TensorDescription(
                name: tensor.name, dtype: tensor.dtype, shape: tensor.shape,
                byteRange: tensor.byteRange.lowerBound - start..<tensor.byteRange.upperBound - start)
        }
        byteCount = tensors.last?.byteRange.upperBound ?? 0
    }

    /// Describes a block of these tensors, which lie in it by element size, the largest first.
    ///
    /// - Returns: the length in eight bytes, and the header; padded so that the data that follow are aligned.
    /// - Throws: `SafetensorsError.cannotWrite` for tensors too large, or a name that is reserved or used twice.
    package static func bytes(
        describing tensors: [(name: String, dtype: TensorDType, shape: [Int])], metadata: [String: String],
        path: String
    ) throws(SafetensorsError) -> [UInt8] {
        try SafetensorsWriter.layOut(tensors, metadata: metadata, path: path).header
    }

    private static func parsed(_ json: [UInt8]) throws(SafetensorsMalformation) -> SafetensorsHeader {
        var result: Result<SafetensorsHeader, SafetensorsMalformation> = .failure(.headerNotUTF8)
        json.withUnsafeBytes { bytes in
            result = Result { () throws(SafetensorsMalformation) in
                try SafetensorsHeader(json: bytes, fileSize: nil)
            }
        }
        return try result.get()
    }
}
