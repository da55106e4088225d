extension ModelFamily {
    /// The part of a configuration that describes a decoder of text: the file's own object or its `text_config`.
    ///
    /// - Throws: `.malformedConfiguration`, `.unsupportedConfiguration`.
    static func textPart(
        of file: ConfigurationDocument
    ) throws(LanguageModelError) -> (document: ConfigurationDocument, family: ModelFamily) {
        guard let name = try file.text("model_type") else {
            throw file.malformed("model_type", expected: "the name of an architecture")
        }
        if let family = ModelFamily(rawValue: name) { return (file, family) }
        if let part = try file.object("text_config") {
            guard let inner = try part.text("model_type") else {
                throw part.malformed("model_type", expected: "the name of an architecture")
            }
            guard let family = ModelFamily(rawValue: inner) else { throw refusal(of: inner, in: part) }
            return (part, family)
        }
        throw refusal(of: name, in: file)
    }

    private static func refusal(of name: String, in document: ConfigurationDocument) -> LanguageModelError {
        let known = allCases.map(\.rawValue).joined(separator: ", ")
        guard let kind = UnsupportedModel(modelType: name) else {
            return document.unsupported("model_type", supported: known)
        }
        return document.unsupported("model_type", supported: known, because: kind.description)
    }
}
