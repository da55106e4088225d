/// The rules by which tokenizers split text into the pieces that byte pairs are merged in.
///
/// A `tokenizer.json` gives them as a regular expression. General engines are slow and differ in their Unicode tables:
/// the expressions in use are recognised by their exact text and matched by hand. In each of them every scalar
/// belongs to a match, so that a text is the sequence of its matches.
enum SplitPattern: Sendable, CaseIterable {
    /// GPT-2; also what `ByteLevel` does on its own (`use_regex`).
    case gpt2
    /// `cl100k_base` and Llama 3: contractions in any case, up to three digits, line breaks apart.
    case cl100k
    /// Qwen 2: as `cl100k`, every digit alone.
    case qwen2
    /// `o200k_base`: as `cl100k`, words split where a capital follows a small letter.
    case o200k
    /// Tekken, of Mistral's models since NeMo: as `o200k` without contractions, every digit alone.
    case tekken

    /// The regular expressions that stand for the rule in files. All of one rule have the same matches everywhere.
    var regularExpressions: [String] {
        switch self {
        case .gpt2:
            [#"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#]
        case .cl100k:
            [
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
                    + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#,
                // The possessive form: what the quantifiers hold on to is nothing that the rest of a branch could take,
                // and a greedy \s* before one line break already takes all line breaks but the last of the run.
                #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"#
                    + #"|\s*[\r\n]|\s+(?!\S)|\s+"#,
            ]
        case .qwen2:
            [
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
                    + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        case .o200k:
            [
                #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
                    + #"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
                    + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
                    + #"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
                    + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        case .tekken:
            [
                #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
                    + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
                    + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        }
    }

    /// The rule of a regular expression; nil if it is not a known one.
    init?(regularExpression: String) {
        let known = Self.allCases.first { $0.regularExpressions.contains(regularExpression) }
        guard let known else { return nil }
        self = known
    }
}
