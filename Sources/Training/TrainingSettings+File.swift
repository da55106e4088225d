package import ActivationPipeline
import Foundation

extension TrainingSettings {
    /// Reads settings from JSON: the settings themselves, or a run as `routesae runs CATALOG ID --format json` prints it.
    ///
    /// - Parameter given: keys that override the file's.
    /// - Throws: `WorkflowError.missing`; `.badInput` for a run of another kind, or naming the key that is absent,
    ///   unknown, of the wrong kind or out of range.
    package init(file path: String, given: SettingsDocument = SettingsDocument()) throws(WorkflowError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .missing(path: path, what: "file of settings")
        }
        guard let document = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
            throw .badInput(path: path, problem: "is not a JSON object")
        }
        if let kind = document["kind"] as? String, kind != "train" {
            throw .badInput(path: path, problem: "tells of a run of kind '\(kind)'; a training run is needed")
        }

        let isRun = document["config"] != nil
        guard let settings = (isRun ? document["config"] : document) as? [String: Any] else {
            throw .badInput(path: path, problem: "key 'config' is not a JSON object")
        }
        try self.init(object: given.laid(over: settings), path: path)
    }

    /// Makes settings from given keys; the others take their defaults.
    ///
    /// - Throws: `WorkflowError.badInput` naming the key that is absent or of the wrong kind.
    package init(given: SettingsDocument) throws(WorkflowError) {
        try self.init(object: given.laid(over: [:]), path: "the command line")
    }

    /// Reads settings from a JSON object; optional keys take the defaults of `init`.
    ///
    /// - Parameter place: the part of the file, for messages; nil for all of it.
    init(object: [String: Any], path: String, place: String? = nil) throws(WorkflowError) {
        let prefix = place.map { $0 + " " } ?? ""
        // A misspelt key would otherwise be ignored.
        if let wrong = object.keys.sorted().first(where: { !Self.keys.contains($0) }) {
            throw .badInput(path: path, problem: "\(prefix)has a key '\(wrong)', which no training run has")
        }
        do {
            let defaults = try JSONSerialization.jsonObject(
                with: JSONEncoder().encode(TrainingSettings(latents: 1)))
            var complete = defaults as? [String: Any] ?? [:]
            complete["latents"] = nil
            complete.merge(object) { $1 }
            complete = try ArchitectureShorthand.spelledOut(in: complete)
            self = try SettingsDocument.decoder.decode(
                TrainingSettings.self, from: JSONSerialization.data(withJSONObject: complete))
        } catch let contradiction as WorkflowError {
            throw contradiction
        } catch {
            throw .badInput(path: path, problem: prefix + TrainingSettings.problem(error))
        }
    }

    private static func problem(_ error: any Error) -> String {
        func name(_ context: DecodingError.Context) -> String {
            context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        return switch error {
        case DecodingError.keyNotFound(let key, _): "has no key '\(key.stringValue)', which a training run needs"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "key '\(name(context))' is of the wrong kind"
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            "key '\(name(context))' has a value that is not allowed"
        default: "holds a number or text that is not allowed"
        }
    }
}
