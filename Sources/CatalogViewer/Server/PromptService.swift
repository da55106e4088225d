import ActivationPipeline
import FeatureCatalog
import Indexing
import LinearAlgebra
import Synchronization

/// Reads prompts, one at a time, through a model that stays open and the dictionary that was asked for last.
final class PromptService: Sendable {
    /// Characters of a prompt.
    static let longest = 4000

    /// Tokens of a prompt.
    static let mostTokens = 512

    /// A dictionary in a state of the catalog's file.
    private struct Key: Equatable {
        let dictionaryID: Int64
        let stamp: FileStamp
    }

    private let folder: ModelFolder
    private let workers: Workers
    private let reader = Mutex<(key: Key, reader: PromptReader)?>(nil)

    /// Opens the model.
    ///
    /// - Parameter model: its folder.
    /// - Throws: what `ModelFolder` throws.
    init(model: String, workers: Workers) throws {
        folder = try ModelFolder(path: model, workers: workers)
        self.workers = workers
    }

    /// What fires on every token of a text.
    ///
    /// - Parameter stamp: of the catalog's file, before it was opened: weights are read again where it is another.
    /// - Throws: `ViewerProblem` for a text that is too long, or while another is being read; `WorkflowError` for
    ///   another model than the dictionary's.
    func firings(
        on text: String, _ record: DictionaryRecord, in catalog: Catalog, stamp: FileStamp
    ) throws -> [TokenFirings] {
        guard text.count <= Self.longest else {
            throw ViewerProblem(
                413, "the prompt has more than \(Self.longest) characters; read longer ones in the terminal")
        }
        let firings = try reader.withLockIfAvailable { held in
            let key = Key(dictionaryID: record.dictionaryID, stamp: stamp)
            let reader: PromptReader
            if let held, held.key == key {
                reader = held.reader
            } else {
                // Two dictionaries at once may be more than the memory holds.
                held = nil
                reader = try PromptReader(folder, dictionaries: [record], in: catalog, workers: workers)
            }
            let segments = try reader.segments(of: text)
            guard segments.reduce(0, { $0 + $1.tokens.count }) <= Self.mostTokens else {
                throw ViewerProblem(
                    413, "the prompt has more than \(Self.mostTokens) tokens; read longer ones in the terminal")
            }
            let firings = try reader.firings(on: segments, through: 0)
            held = (key, reader)
            return firings
        }
        guard let firings else { throw ViewerProblem(503, "another prompt is being read; try again in a moment") }
        return firings
    }
}
