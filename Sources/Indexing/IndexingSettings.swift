import Foundation

/// Everything that decides an indexing run, as one JSON document.
package struct IndexingSettings: Sendable, Codable, Equatable {
    /// The dictionary's name; nil is the last one added.
    package var dictionary: String?
    /// Model folder.
    package var model: String
    /// What the catalog calls the model; nil takes what the folder says.
    package var modelName: String?
    /// Text files and folders.
    package var text: [String]
    /// What the corpus is called in the catalog; nil names it after the files and folders.
    package var corpus: String?
    /// What is kept.
    package var options: IndexingOptions
    /// Seed of the samples.
    package var seed: UInt64

    /// Makes settings.
    package init(
        dictionary: String? = nil, model: String, modelName: String? = nil, text: [String], corpus: String? = nil,
        options: IndexingOptions = IndexingOptions(),
        seed: UInt64 = 0
    ) {
        self.dictionary = dictionary
        self.model = model
        self.modelName = modelName
        self.text = text
        self.corpus = corpus
        self.options = options
        self.seed = seed
    }

    /// What the corpus is called: the name given, or those of the files and folders named.
    package var corpusName: String {
        if let corpus { return corpus }
        let names = text.map { URL(filePath: $0).standardizedFileURL.deletingPathExtension().lastPathComponent }
        return names.count > 6
            ? names[..<5].joined(separator: "+") + "+\(names.count - 5) more" : names.joined(separator: "+")
    }
}
