import ActivationPipeline
import FeatureCatalog
import Indexing
import LinearAlgebra
import SparseCoding
import Steering
import Synchronization

/// Reads prompts and continues them, one at a time, through a model that stays open and the dictionary that was asked
/// for last.
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

    /// What is done with a prompt.
    struct Work {
        /// Which features are changed, and how, in a continuation; nil for none.
        var steering: SteeringChoice?
        /// Whether the features of each token are found.
        var readsTokens = true
    }

    /// What a prompt led to.
    struct Answer {
        /// The texts, as they are and steered.
        let outcome: SteeringRun.Outcome?
        /// What fires on every token; nil where that was not asked for.
        let firings: [TokenFirings]?
    }

    private let folder: ModelFolder
    private let workers: Workers
    private let reader = Mutex<(key: Key, reader: PromptReader)?>(nil)

    /// Opens the model.
    ///
    /// - Parameter model: its folder.
    /// - Throws: what `ModelFolder` throws.
    init(model: String, workers: Workers) throws {
        folder = try ModelFolder.decoding(path: model, workers: workers)
        self.workers = workers
    }

    /// Reads or continues a text.
    ///
    /// - Parameters:
    ///   - stamp: of the catalog's file, before it was opened: weights are read again where it is another.
    ///   - seconds: how long continuations may take.
    /// - Throws: `ViewerProblem` for a text that is too long, an edit that cannot be made, while another text is worked
    ///   on, or for want of time; `WorkflowError` for another model than the dictionary's.
    func answer(
        _ text: String, _ work: Work, _ record: DictionaryRecord, in catalog: Catalog, stamp: FileStamp,
        seconds: Double
    ) throws -> Answer {
        guard !text.isEmpty else { throw ViewerProblem(400, "the prompt is empty") }
        guard text.count <= Self.longest else {
            throw ViewerProblem(
                413, "the prompt has more than \(Self.longest) characters; use the terminal for longer ones")
        }
        let settings = try work.steering?.settings(on: text, of: record)
        let answer = try reader.withLockIfAvailable { held in
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
                    413, "the prompt has more than \(Self.mostTokens) tokens; use the terminal for longer ones")
            }
            let outcome = try settings.map { try steer($0, through: reader, in: catalog, seconds: seconds) }
            let firings = work.readsTokens ? try reader.firings(on: segments, through: 0) : nil
            held = (key, reader)
            return Answer(outcome: outcome, firings: firings)
        }
        guard let answer else { throw ViewerProblem(503, "another prompt is being read; try again in a moment") }
        return answer
    }

    private func steer(
        _ settings: SteeringSettings, through reader: PromptReader, in catalog: Catalog, seconds: Double
    ) throws -> SteeringRun.Outcome {
        let end = ContinuousClock.now + .seconds(seconds)
        do {
            let outcomes = try SteeringRun(settings: settings, workers: workers).outcomes(
                through: reader.readers[0], in: catalog, cancelled: { ContinuousClock.now > end })
            return outcomes[0]
        } catch WorkflowError.interrupted {
            throw ViewerProblem(
                503, "the texts took longer than \(Figure.plain(seconds)) seconds; ask for fewer tokens")
        } catch let error as SparseCodingError {
            guard case .setting = error else { throw error }
            throw ViewerProblem(400, "\(error)")
        }
    }
}
