import Foundation
package import LinearAlgebra

/// The settings of an indexing run, stored as one JSON document.
package struct IndexingSettings: Sendable, Codable, Equatable {
    /// The dictionary's name; nil is the last one added.
    package var dictionary: String?
    /// Model folder.
    package var model: String
    /// The model's name in the catalog; nil takes the folder's.
    package var modelName: String?
    /// What the products of the model and of the encoder take; nil means f32.
    package var precision: Precision?
    /// Text files and folders.
    package var text: [String]
    /// The corpus's name in the catalog; nil names it after the files and folders.
    package var corpus: String?
    /// The numbers of contexts, tokens and neighbours kept.
    package var options: IndexingOptions
    /// Seed of the samples.
    package var seed: UInt64

    /// Makes settings.
    package init(
        dictionary: String? = nil, model: String, modelName: String? = nil, text: [String], corpus: String? = nil,
        options: IndexingOptions = IndexingOptions(),
        seed: UInt64 = 0, precision: Precision? = nil
    ) {
        self.dictionary = dictionary
        self.model = model
        self.modelName = modelName
        self.precision = precision
        self.text = text
        self.corpus = corpus
        self.options = options
        self.seed = seed
    }

    /// The corpus's name: the name given, or the names of the files and folders.
    package var corpusName: String {
        if let corpus { return corpus }
        let names = text.map { URL(filePath: $0).standardizedFileURL.deletingPathExtension().lastPathComponent }
        return names.count > 6
            ? names[..<5].joined(separator: "+") + "+\(names.count - 5) more" : names.joined(separator: "+")
    }
}
