/// A language model whose residual streams were read (table `language_model`).
package struct LanguageModelRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let languageModelID: Int64
    /// The publisher's name, such as `meta-llama/Llama-3.2-1B`, or the folder it was read from.
    package let name: String
    /// The publisher's revision; nil if unknown.
    package let revision: String?
    /// The family, such as `llama`.
    package let architecture: String
    /// Decoder layers.
    package let layerCount: Int
    /// Width of the residual stream.
    package let dModel: Int
    /// Entries of the vocabulary.
    package let vocabularySize: Int
    /// The model's own configuration, a JSON object.
    package let configJSON: String
    /// Lower-case hexadecimal SHA-256 of the weights (of the file, or of the shards' digests in order).
    package let sha256: String
    /// Lower-case hexadecimal SHA-256 of the tokenizer's file; nil where none was at hand.
    package let tokenizerSHA256: String?

    /// Describes a model.
    package init(
        languageModelID: Int64 = 0, name: String, revision: String? = nil, architecture: String, layerCount: Int,
        dModel: Int, vocabularySize: Int, configJSON: String, sha256: String, tokenizerSHA256: String? = nil
    ) {
        self.languageModelID = languageModelID
        self.name = name
        self.revision = revision
        self.architecture = architecture
        self.layerCount = layerCount
        self.dModel = dModel
        self.vocabularySize = vocabularySize
        self.configJSON = configJSON
        self.sha256 = sha256
        self.tokenizerSHA256 = tokenizerSHA256
    }
}
