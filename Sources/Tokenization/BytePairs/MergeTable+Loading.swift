import JSON

extension MergeTable {
    /// Loads the `merges` of a model.
    ///
    /// - Parameter key: a token as the key under which the vocabulary has it; nil if it cannot have it.
    /// - Throws: `.malformed` for merges of tokens or into tokens that are not in the vocabulary.
    init(
        from element: JSONElement, vocabulary: ByteStringTable, key: (String) -> [UInt8]?
    ) throws(TokenizerError) {
        let entries = try element.values()
        var merges = MergeTable(capacity: entries.count)
        // A merge of every two bytes would be the largest sensible list; ranks must fit 32 bits.
        guard entries.count < Int(Int32.max) else { throw element.malformed("there are too many") }
        var rank: Int32 = 0
        for (index, entry) in entries.enumerated() {
            // The first line of the text files that such lists come from.
            if case .string(let line) = entry, line.utf8.starts(with: "#version".utf8) { continue }
            guard let (left, right) = Self.parts(of: entry) else {
                throw .malformed(
                    path: element.file, element: "\(element.place)[\(index)]", reason: "it is not a pair of tokens"
                )
            }

            func id(of bytes: [UInt8]?) -> TokenID? {
                bytes.flatMap { $0.withUnsafeBufferPointer { vocabulary.id(of: $0) } }
            }

            let leftKey = key(left)
            let rightKey = key(right)
            guard let leftID = id(of: leftKey), let rightID = id(of: rightKey),
                let token = id(of: (leftKey ?? []) + (rightKey ?? []))
            else {
                throw .malformed(
                    path: element.file, element: "\(element.place)[\(index)]",
                    reason: "\"\(left)\", \"\(right)\" or the two together are not in the vocabulary"
                )
            }
            merges[leftID, rightID] = MergeTable.Merge(rank: rank, token: token)
            rank += 1
        }
        self = merges
    }

    /// The two tokens of a merge, written as an array of two or as text with a space between them.
    private static func parts(of entry: JSONValue) -> (String, String)? {
        switch entry {
        case .array(let pair):
            guard pair.count == 2, case .string(let left) = pair[0], case .string(let right) = pair[1] else {
                return nil
            }
            return (left, right)
        case .string(let line):
            let parts = line.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            return parts.count == 2 ? (String(Substring(parts[0])), String(Substring(parts[1]))) : nil
        default:
            return nil
        }
    }
}
