extension NormalizationStep {
    /// Whether what the step makes of a text begins where the text begins, rather than behind something that was removed.
    ///
    /// Pre-tokenizers that treat the beginning of a text differently go by that (`transform_range` in
    /// `tokenizers/src/tokenizer/normalizer.rs` of github.com/huggingface/tokenizers keeps the positions).
    func keepsStart(of text: [UInt8]) -> Bool {
        func removes(_ step: NormalizationStep) -> Bool {
            let first = String(decoding: text.prefix(4), as: UTF8.self).unicodeScalars.first
            return first.map { step.applied(to: Array(String($0).utf8)).isEmpty } ?? false
        }
        switch self {
        case .strip(true, _), .stripAccents, .nmt: return !removes(self)
        case .bert(let bert):
            let parts = BertNormalization(
                cleansText: bert.cleansText, separatesChinese: false, stripsAccents: bert.stripsAccents,
                lowercases: false)
            return !removes(.bert(parts))
        case .replace(let replacement): return replacement.keepsStart(of: text)
        default: return true
        }
    }
}

extension TextReplacement {
    /// Whether the text does not begin with a match of several characters, or one that is removed.
    func keepsStart(of text: [UInt8]) -> Bool {
        switch pattern {
        case .text(let pattern):
            guard text.starts(with: pattern) else { return true }
            return !content.isEmpty && String(decoding: pattern, as: UTF8.self).unicodeScalars.count == 1
        case .expression(let pattern, _):
            var first: Range<Int>?
            text.withUnsafeBufferPointer { bytes in
                pattern.forEachMatch(in: bytes) { match in first = first ?? match }
            }
            guard let first, first.lowerBound == 0, !first.isEmpty else { return true }
            return !content.isEmpty && String(decoding: text[first], as: UTF8.self).unicodeScalars.count == 1
        }
    }
}
