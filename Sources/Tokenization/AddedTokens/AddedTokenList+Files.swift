extension AddedTokenList {
    /// Gathers the tokens of all files, as transformers 5 does where there is a `tokenizer.json`
    /// (`PreTrainedTokenizerBase._from_pretrained` and `TokenizersBackend.__init__`).
    ///
    /// Those of `tokenizer.json` come first. Then `added_tokens_decoder` of `tokenizer_config.json` adds to them and
    /// changes their flags; without that key `added_tokens.json` does. The special tokens that are only named, in
    /// `tokenizer_config.json` or, without `added_tokens_decoder`, in `special_tokens_map.json`, come last.
    ///
    /// - Throws: `.malformed`.
    init(files: TokenizerFiles, vocabulary: TokenVocabulary) throws(TokenizerError) {
        self.init(vocabulary: vocabulary)
        try addOwnTokens(of: files.document)
        var new = try described(in: files).filter { !holds($0.entry) }
        let known = Set(tokens.map(\.content.tokenKey)).union(new.map(\.entry.content.tokenKey))
        let names = files.specialTokens
        var texts: Set<[UInt8]> = []
        for special in names.named + names.further {
            let entry = try AddedTokenEntry(named: special)
            guard !known.contains(entry.content.tokenKey) else { continue }
            // A name alone is added once; of descriptions of one name the last counts.
            if special.stringIfAny == nil || texts.insert(entry.content.tokenKey).inserted {
                new.append((entry, nil, special))
            }
        }

        let named = Set(
            try names.named.map { element throws(TokenizerError) in
                try AddedTokenEntry(named: element).content.tokenKey
            })
        for (entry, declared, element) in new {
            var entry = entry
            if named.contains(entry.content.tokenKey) { entry.isSpecial = true }
            try add(entry, declared: declared, at: element)
        }
    }

    /// Adds the entry `added_tokens` of a `tokenizer.json`.
    private mutating func addOwnTokens(of document: JSONElement) throws(TokenizerError) {
        guard let list = try document.member("added_tokens") else { return }
        var ids: Set<TokenID> = []
        for element in try list.elements() {
            let id = try element.required("id").tokenID()
            let entry = try AddedTokenEntry(element)
            guard ids.insert(id).inserted, token(named: entry.content) == nil else {
                throw element.malformed("its id \(id) or its content \(entry.content.quoted) occurs before")
            }
            try add(entry, declared: id, at: element)
            if let other = token(named: entry.content)?.id, other != id {
                throw element.malformed(
                    "token \(entry.content.quoted) has id \(id), which is \(other) in the vocabulary")
            }
        }
    }

    private typealias Described = (entry: AddedTokenEntry, declared: TokenID?, element: JSONElement)

    /// The tokens that the files beside `tokenizer.json` describe with an id, by that.
    private func described(in files: TokenizerFiles) throws(TokenizerError) -> [Described] {
        var found: [Described] = []
        if let decoder = try files.configuration?.member("added_tokens_decoder") {
            for (name, element) in try decoder.memberElements() {
                guard let id = TokenID(name), (0..<TokenBytes.maximumCount).contains(Int(id)) else {
                    throw element.malformed("\(name.quoted) is not a token id in 0..<\(TokenBytes.maximumCount)")
                }
                found.append((try AddedTokenEntry(element), id, element))
            }
        } else if let list = files.addedTokens {
            let special = files.specialTokens.plain
            for (name, element) in try list.memberElements() {
                var entry = AddedTokenEntry(special: name)
                entry.isSpecial = special.contains(name.tokenKey)
                entry.isNormalized = !entry.isSpecial
                let id = try element.tokenID()
                // tokenizer.json takes precedence.
                if token(named: name)?.id == id { continue }
                found.append((entry, id, element))
            }
        }
        // The sort is stable.
        return found.sorted { ($0.declared ?? 0) < ($1.declared ?? 0) }
    }
}
