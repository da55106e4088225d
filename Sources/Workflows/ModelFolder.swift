import FeatureCatalog
import Foundation
public import LanguageModel
public import LinearAlgebra
public import Tokenization

/// A language model and its tokenizer, opened from a folder in Hugging Face layout.
public struct ModelFolder: Sendable {
    /// The folder.
    public let path: String
    /// The model.
    public let model: LanguageModel
    /// Its tokenizer.
    public let tokenizer: Tokenizer

    /// Opens both.
    ///
    /// - Parameter residency: where the weights are while the model runs.
    /// - Throws: `WorkflowError.missing` for a folder that is not there; what `LanguageModel` and `Tokenizer` throw.
    public init(path: String, workers: Workers, residency: WeightResidency = .automatic) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw WorkflowError.missing(path: path, what: "model folder")
        }
        self.path = path
        tokenizer = try Tokenizer(directory: path)
        try ModelFolder.checkMemory(directory: path, residency: residency)
        model = try LanguageModel(directory: path, workers: workers, residency: residency)
        guard tokenizer.vocabularySize <= model.configuration.vocabularySize else {
            throw WorkflowError.badInput(
                path: path,
                problem: "the tokenizer has \(tokenizer.vocabularySize) tokens, the model only "
                    + "\(model.configuration.vocabularySize); they do not belong together")
        }
    }

    /// Opens both for writing text token by token: as every token reads all weights, they are kept in memory where they
    /// take at most half of it.
    static func decoding(path: String, workers: Workers) throws -> ModelFolder {
        let folder = try ModelFolder(path: path, workers: workers)
        let bytes = Double(folder.model.configuration.parameterCount) * Double(MemoryLayout<Float>.size)
        guard folder.model.residency == .streamed, 2 * bytes <= MemoryBudget.machine.limit else { return folder }
        return try ModelFolder(path: path, workers: workers, residency: .resident)
    }

    /// How many tokens the model sees at once unless told otherwise: all its positions, 2048 at most.
    public var defaultContext: Int { min(model.configuration.maximumPositions, 2048) }

    /// Checks a context length; nil takes the default.
    public func context(_ asked: Int?) throws -> Int {
        let most = model.configuration.maximumPositions
        guard let asked else { return defaultContext }
        guard (2...most).contains(asked) else {
            throw WorkflowError.usage("--context is \(asked); this model takes 2 … \(most) tokens")
        }
        return asked
    }
}
