/// The added tokens of a tokenizer while they are gathered from its files.
///
/// A known token keeps its id and takes the new flags; a new one gets the next id, whatever
/// a file says (`add_tokens` in `tokenizers/src/tokenizer/added_vocabulary.rs` of github.com/huggingface/tokenizers).
struct AddedTokenList {
    /// In the order in which they were added.
    private(set) var tokens: [AddedToken] = []
    /// The names of tokens that are special, or were before a flag changed: those that `split_special_tokens` splits.
    private(set) var specialNames: Set<[UInt8]> = []
    private var places: [[UInt8]: Int] = [:]
    private var largest: TokenID?
    private let vocabulary: TokenVocabulary

    /// - Parameter vocabulary: the model's own tokens.
    init(vocabulary: TokenVocabulary) {
        self.vocabulary = vocabulary
    }

    /// The token of this name; nil if none has been added.
    func token(named content: String) -> AddedToken? { places[content.tokenKey].map { tokens[$0] } }

    /// Whether a token would change if it were added as described here.
    func holds(_ entry: AddedTokenEntry) -> Bool {
        token(named: entry.content).map { $0 == entry.token(id: $0.id) } ?? false
    }

    /// Adds a token, or changes its flags; one without a name is skipped.
    ///
    /// - Parameters:
    ///   - declared: the id that the file gives it.
    ///   - element: where it stands.
    /// - Throws: `.malformed` for a new token whose declared id is not the next one.
    mutating func add(
        _ entry: AddedTokenEntry, declared: TokenID? = nil, at element: JSONElement
    ) throws(TokenizerError) {
        guard !entry.content.isEmpty else { return }
        if entry.isSpecial { specialNames.insert(entry.content.tokenKey) }
        if let place = places[entry.content.tokenKey] {
            tokens[place] = entry.token(id: tokens[place].id)
            return
        }

        let id = vocabulary.id(of: entry.content) ?? nextID
        guard declared == nil || declared == id || vocabulary.id(of: entry.content) != nil else {
            throw element.malformed(
                "token \(entry.content.quoted) has id \(declared ?? 0); transformers gives new tokens the ids behind all "
                    + "that are there, and this one \(id)")
        }
        guard id < TokenBytes.maximumCount else { throw element.malformed("there are too many tokens") }
        places[entry.content.tokenKey] = tokens.count
        largest = max(largest ?? id, id)
        tokens.append(entry.token(id: id))
    }

    private var nextID: TokenID {
        let count = TokenID(vocabulary.modelCount)
        guard let largest, largest >= count || count == 0 else { return count }
        return largest + 1
    }
}

extension String {
    /// The string in a message: in quotation marks, on one line, short.
    var quoted: String {
        let visible = prefix(40).unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: visible)
        return "\"" + String(text) + (count > 40 ? "…\"" : "\"")
    }
}
