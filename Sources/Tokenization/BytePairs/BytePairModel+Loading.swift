import JSON

extension BytePairModel {
    /// Loads the `model` of a `tokenizer.json`.
    ///
    /// - Throws: `.unsupported`, or `.malformed` for merges of tokens or into tokens that are not in the vocabulary.
    convenience init(document: JSONElement, vocabulary: TokenVocabulary) throws(TokenizerError) {
        // Files of early versions do not give a type; what has merges is a byte-pair encoding.
        let type = try document.member("type")
        if let type, try type.string() != "BPE" { throw type.unsupported(try type.string(), supported: "BPE") }
        if let dropout = try document.member("dropout"), !dropout.isZero {
            throw dropout.unsupported("set", supported: "null or 0")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try document.member(key), try affix.string() != "" {
                throw affix.unsupported("\"\(try affix.string())\"", supported: "null or empty")
            }
        }
        if try document.flag("byte_fallback", absent: false) {
            throw try document.required("byte_fallback").unsupported("true", supported: "false")
        }

        var unknownToken: TokenID?
        if let unknown = try document.member("unk_token") {
            guard let id = vocabulary.id(of: try unknown.string()) else {
                throw unknown.malformed("the vocabulary has no such token")
            }
            unknownToken = id
        }

        var table = ByteStringTable(capacity: vocabulary.byteLevelTokens.count)
        var tokenOfByte = [TokenID](repeating: -1, count: 256)
        for (bytes, id) in vocabulary.byteLevelTokens {
            // The alphabet is one-to-one, so different tokens have different bytes.
            _ = table.insert(bytes, id: id)
            if bytes.count == 1 { tokenOfByte[Int(bytes[0])] = id }
        }
        self.init(
            vocabulary: table, tokenOfByte: tokenOfByte,
            merges: try Self.loadMerges(from: document.required("merges"), vocabulary: table),
            ignoresMerges: try document.flag("ignore_merges", absent: false), unknownToken: unknownToken,
            fusesUnknown: try document.flag("fuse_unk", absent: false)
        )
    }

    private static func loadMerges(
        from element: JSONElement, vocabulary: ByteStringTable
    ) throws(TokenizerError) -> MergeTable {
        let entries = try element.values()
        var merges = MergeTable(capacity: entries.count)
        // A merge of every two bytes would be the largest sensible list; ranks must fit 32 bits.
        guard entries.count < Int(Int32.max) else { throw element.malformed("there are too many") }
        var rank: Int32 = 0
        for (index, entry) in entries.enumerated() {
            // The first line of the text files that such lists come from.
            if case .string(let line) = entry, line.utf8.starts(with: "#version".utf8) { continue }
            guard let (left, right) = parts(of: entry) else {
                throw .malformed(
                    path: element.file, element: "\(element.place)[\(index)]", reason: "it is not a pair of tokens"
                )
            }

            func id(of bytes: [UInt8]?) -> TokenID? {
                bytes.flatMap { $0.withUnsafeBufferPointer { vocabulary.id(of: $0) } }
            }

            let leftBytes = ByteLevelAlphabet.bytes(of: left)
            let rightBytes = ByteLevelAlphabet.bytes(of: right)
            guard let leftID = id(of: leftBytes), let rightID = id(of: rightBytes),
                let token = id(of: (leftBytes ?? []) + (rightBytes ?? []))
            else {
                throw .malformed(
                    path: element.file, element: "\(element.place)[\(index)]",
                    reason: "\"\(left)\", \"\(right)\" or the two together are not in the vocabulary"
                )
            }
            merges[leftID, rightID] = MergeTable.Merge(rank: rank, token: token)
            rank += 1
        }
        return merges
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
