import GRDB
import Synchronization

/// The SQL function `other_activations` of migration 6: extracts the activations of one context from its feature's
/// blob and returns them as text.
///
/// Its arguments are the blob, the content of the zstd dictionary or NULL, the context's number in the blob, tokens of
/// its window, the peak token's position there, and its activation.
final class FormerActivationsFunction: Sendable {
    /// The decoded content of the last blob; the contexts of a feature come one after another.
    private struct State {
        var frame: [UInt8] = []
        var contexts: [[(place: Int, activation: Float)]] = []
        var dictionary: ZstdDictionary?
        var problem: CatalogError?
    }

    private let path: String
    private let state = Mutex(State())

    /// - Parameter path: The catalog's, for messages.
    init(path: String) { self.path = path }

    /// The problem of a blob on which a statement failed.
    var problem: CatalogError? { state.withLock(\.problem) }

    /// Registers the function on a connection.
    func install(in database: Database) {
        database.add(
            function: DatabaseFunction("other_activations", argumentCount: 6) { [self] arguments in
                try state.withLock { try text(of: arguments, &$0) }
            })
    }

    private func text(of arguments: [DatabaseValue], _ state: inout State) throws -> String? {
        do {
            guard case .blob(let blob) = arguments[0].storage else { throw damaged("are missing") }
            if case .blob(let content) = arguments[1].storage, state.dictionary == nil {
                state.dictionary = try ZstdDictionary(content: Array(content))
            }

            let frame = Array(blob)
            if frame != state.frame {
                state.contexts = try FormerActivations.decode(
                    Zstd.decompress(
                        frame, limit: FormerActivations.maximumByteCount, dictionary: state.dictionary))
                state.frame = frame
            }
            return try text(
                of: state.contexts, number: Int.fromDatabaseValue(arguments[2]) ?? -1,
                length: Int.fromDatabaseValue(arguments[3]) ?? -1, peak: Int.fromDatabaseValue(arguments[4]) ?? -1,
                activation: Double.fromDatabaseValue(arguments[5]) ?? .nan)
        } catch let error as Zstd.Failure {
            state.problem = damaged("\(error)")
            throw error
        } catch let error as CatalogError {
            state.problem = error
            throw error
        }
    }

    private func text(
        of contexts: [[(place: Int, activation: Float)]], number: Int, length: Int, peak: Int, activation: Double
    ) throws(CatalogError) -> String? {
        guard contexts.indices.contains(number) else { throw damaged("are those of another number of contexts") }
        guard OtherActivations.canHold(windowLengths: [length]), (0..<length).contains(peak) else {
            throw damaged("belong to an impossible window")
        }

        var window = [Float](repeating: 0, count: length)
        for (place, value) in contexts[number] {
            guard place < length, value.isFinite else { throw damaged("are not of its window") }
            window[place] = value
        }
        guard Double(window[peak]) == activation else { throw damaged("are not those of its peak token") }
        return OtherActivations.encode(window, peak: peak)
    }

    private func damaged(_ reason: String) -> CatalogError {
        CatalogError(.damaged, "\(path): the activations of a context \(reason)")
    }
}
