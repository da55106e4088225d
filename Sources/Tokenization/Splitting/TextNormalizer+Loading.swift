extension TextNormalizer {
    /// Loads the `normalizer` of a `tokenizer.json`, which may be absent.
    ///
    /// - Throws: `.unsupported`, `.malformed`.
    init(element: JSONElement?) throws(TokenizerError) {
        self = .none
        guard let element else { return }
        for part in try element.sequence(of: "normalizers") {
            let type = try part.required("type").string()
            guard type == "NFC" else { throw part.unsupported(type, supported: "NFC, or a Sequence of it") }
            self = .composed
        }
    }
}
