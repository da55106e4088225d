import ActivationPipeline
import FeatureCatalog
import Indexing
import LinearAlgebra
import Synchronization

/// Reads prompts, one at a time, through a model that stays loaded and the dictionary that was asked for last.
final class PromptService: Sendable {
    /// Characters of a prompt.
    static let longest = 4000

    /// Tokens of a prompt.
    static let mostTokens = 512

    private let model: String
    private let workers: Workers
    private let reader = Mutex<(name: String, reader: PromptReader)?>(nil)

    /// - Parameter model: folder of the language model.
    init(model: String, workers: Workers) {
        self.model = model
        self.workers = workers
    }

    /// What fires on every token of a text.
    ///
    /// - Throws: `ViewerProblem` for a text that is too long, or while another is being read; `WorkflowError` for
    ///   another model than the dictionary's.
    func firings(on text: String, _ record: DictionaryRecord, in catalog: Catalog) throws -> [TokenFirings] {
        guard text.count <= Self.longest else {
            throw ViewerProblem(
                413, "the prompt has more than \(Self.longest) characters; read longer ones in the terminal")
        }
        let firings = try reader.withLockIfAvailable { held in
            let name = "\(record.dictionaryID)"
            let reader: PromptReader
            if let held, held.name == name {
                reader = held.reader
            } else {
                held = nil
                reader = try PromptReader(model: model, dictionaries: [record.name], in: catalog, workers: workers)
            }
            let segments = try reader.segments(of: text)
            guard segments.reduce(0, { $0 + $1.tokens.count }) <= Self.mostTokens else {
                throw ViewerProblem(
                    413, "the prompt has more than \(Self.mostTokens) tokens; read longer ones in the terminal")
            }
            let firings = try reader.firings(on: segments, through: 0)
            held = (name, reader)
            return firings
        }
        guard let firings else { throw ViewerProblem(503, "another prompt is being read; try again in a moment") }
        return firings
    }
}
