package import ActivationPipeline
import Foundation
import SparseCoding
import SparseTraining
import Vocabulary

/// A sweep: any number of dictionaries on one stream, as one JSON document.
///
/// ```json
/// {
///   "model": "Demo/model", "text": ["Demo/text/train"], "tokens": 1000000, "latents": 2048,
///   "dictionaries": [
///     {"architecture": "route", "k": [16, 32], "seed": [0, 1]},
///     {"architecture": "topk", "layers": [[1], [2], [3]], "k": 32},
///     {"architecture": "vanilla", "layers": 3, "lambda": [1, 5]}
///   ]
/// }
/// ```
///
/// Keys are those of `TrainingSettings`. Those beside `dictionaries` apply to all of them; settings of the stream
/// may appear only there. A list in place of one value stands for a dictionary with each of its values; several such
/// lists for every combination. `layers` is a layer or a list of them, so a list of lists stands for several
/// dictionaries. Earlier versions wrote `layer` for the layer of a dictionary that reads one; it is still read.
package enum SweepSettings {
    /// Reads a sweep.
    ///
    /// - Parameter given: keys for all dictionaries that override those of the file, such as `model`.
    /// - Throws: `WorkflowError.missing`; `.badInput` naming the key that is absent, unknown, misplaced or of the wrong
    ///   kind.
    package static func read(
        file path: String, given: SettingsDocument = SettingsDocument()
    ) throws(WorkflowError) -> [TrainingSettings] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .missing(path: path, what: "file of a sweep")
        }
        guard let document = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
            throw .badInput(path: path, problem: "is not a JSON object")
        }
        guard let dictionaries = document["dictionaries"] as? [[String: Any]], !dictionaries.isEmpty else {
            throw .badInput(path: path, problem: "has no list 'dictionaries' of JSON objects with at least one in it")
        }

        var common = document.filter { !($0.value is NSNull) }
        common["dictionaries"] = nil
        common = given.laid(over: common)
        if let seed = common["seed"], common["streamSeed"] == nil, !(seed is [Any]) { common["streamSeed"] = seed }
        if common["streamSeed"] == nil { common["streamSeed"] = 0 }
        if common["name"] != nil { throw .badInput(path: path, problem: "names all dictionaries alike ('name')") }
        var settings: [TrainingSettings] = []
        for (number, own) in dictionaries.enumerated() {
            let place = "dictionary entry \(number + 1)"
            if let stream = own.keys.sorted().first(where: TrainingSettings.streamKeys.contains) {
                throw .badInput(
                    path: path,
                    problem: "\(place) has a key '\(stream)', which decides the stream; put it beside 'dictionaries'")
            }

            var shared = common
            // An entry's own layers replace the common ones, in either spelling.
            if own["layer"] != nil || own["layers"] != nil {
                shared["layer"] = nil
                shared["layers"] = nil
            }

            let entry = try presentNames(
                shared.merging(own) { $1 }.filter { !($0.value is NSNull) }, path: path, place: place)
            let count = try combinationCount(entry, path: path, place: place)
            guard settings.count + count <= mostDictionaries else {
                throw .badInput(
                    path: path,
                    problem: "asks for more than \(mostDictionaries) dictionaries by \(place); make a smaller sweep")
            }
            for entry in combinations(entry) {
                settings.append(try TrainingSettings(object: entry, path: path, place: place))
            }
        }
        return named(settings)
    }

    /// The most dictionaries of a sweep.
    static let mostDictionaries = 1024

    /// The values that stand for a dictionary each; nil where the value is one.
    private static func alternatives(_ key: String, _ value: Any) -> [Any]? {
        guard let values = value as? [Any] else { return nil }
        return switch key {
        case "text", "activations": nil
        case "layers", "prefixes": values.first is [Any] ? values : nil
        default: values
        }
    }

    /// An entry with `layers` alone, as a list.
    private static func presentNames(
        _ entry: [String: Any], path: String, place: String
    ) throws(WorkflowError) -> [String: Any] {
        var entry = entry
        if let layer = entry.removeValue(forKey: "layer") {
            guard entry["layers"] == nil else {
                throw .badInput(path: path, problem: "\(place) has both 'layer' and 'layers'")
            }
            if let list = layer as? [Any], list.isEmpty {
                throw .badInput(path: path, problem: "\(place) has an empty list for 'layer'")
            }
            entry["layers"] = (layer as? [Any])?.map { [$0] } ?? [layer]
        }
        let layers = entry["layers"]
        if let list = layers as? [Any] {
            // Among lists a number is a list of one layer.
            if list.contains(where: { $0 is [Any] }) { entry["layers"] = list.map { $0 is [Any] ? $0 : [$0] } }
        } else if let layers {
            entry["layers"] = [layers]
        }
        return entry
    }

    /// The number of combinations.
    private static func combinationCount(
        _ entry: [String: Any], path: String, place: String
    ) throws(WorkflowError) -> Int {
        var count = 1
        for (key, value) in entry.sorted(by: { $0.key < $1.key }) {
            guard let values = alternatives(key, value) else { continue }
            guard !values.isEmpty else {
                throw .badInput(path: path, problem: "\(place) has an empty list for '\(key)'")
            }
            count = count.multipliedReportingOverflow(by: values.count).overflow ? .max : count * values.count
            count = min(count, 1 << 32)
        }
        return count
    }

    /// Every combination of the values of keys that hold a list in place of one value, in the order of the keys.
    private static func combinations(_ entry: [String: Any]) -> [[String: Any]] {
        var results = [entry]
        for (key, value) in entry.sorted(by: { $0.key < $1.key }) {
            guard let values = alternatives(key, value) else { continue }
            results = results.flatMap { result in
                values.map { one in
                    var next = result
                    next[key] = one
                    return next
                }
            }
        }
        return results
    }

    /// Gives each dictionary a unique name, made of the settings that vary.
    private static func named(_ settings: [TrainingSettings]) -> [TrainingSettings] {
        var names = settings.map { $0.name ?? $0.defaultName }
        func isAmbiguous(_ name: String) -> Bool { names.filter { $0 == name }.count > 1 }
        let additions: [(TrainingSettings) -> String] = [
            { $0.architecture == .route ? "\($0.routing.rawValue)-\($0.aggregation.rawValue)" : "" },
            { $0.fidelity == .reference ? "reference" : "" },
            { $0.choices.prefixes.map { "p" + $0.map(String.init).joined(separator: "-") } ?? "" },
            { $0.choices.exploration.map { "e\($0)" } ?? "" },
            { $0.choices.finalExploration.map { "to\($0)" } ?? "" },
            { $0.choices.routerErrors.map(\.rawValue) ?? "" },
            { "s\($0.seed)" },
        ]
        for addition in additions {
            let ambiguous = Set(names.filter(isAmbiguous))
            for number in settings.indices where settings[number].name == nil && ambiguous.contains(names[number]) {
                let part = addition(settings[number])
                if !part.isEmpty { names[number] += "-" + part }
            }
        }
        return zip(settings, names).enumerated().map { number, pair in
            var settings = pair.0
            settings.name = pair.1
            if pair.0.name == nil, isAmbiguous(pair.1) { settings.name = "\(pair.1)-\(number + 1)" }
            return settings
        }
    }
}
