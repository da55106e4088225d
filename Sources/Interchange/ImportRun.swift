import ActivationPipeline
package import DictionaryExchange
package import FeatureCatalog
import Foundation
import JSON
import LanguageModel
package import LinearAlgebra
package import SparseCoding
import Vocabulary

/// Takes dictionaries of other programs into a catalog, all that were found or none, as one run of the ledger.
package struct ImportRun {
    /// What is imported.
    package let settings: ImportSettings
    /// What was found: checked, but the weights not read yet.
    private let found: [ForeignDictionary]
    /// The language model, if it was named.
    private let folder: ModelFolder?

    /// Finds what is to be imported and checks all but the weights, before any catalog is opened or made.
    ///
    /// - Throws: `ForeignDictionaryError`, `WeightFileError`; `WorkflowError` for a name or a model that does not fit.
    package init(_ settings: ImportSettings, workers: Workers) throws {
        self.settings = settings
        if let name = settings.name, name.isEmpty || name.utf8.contains(0) {
            throw WorkflowError.usage("`name` is empty or holds a zero character; name the dictionary otherwise")
        }
        found = try ForeignDictionaries.find(at: settings.path, settings.request)
        folder = try settings.model.map { try ModelFolder(path: $0, workers: workers) }
        for dictionary in found {
            try MemoryBudget.machine.check(
                floats: 2 * Double(dictionary.tensors.map { $0.shape.reduce(1, *) }.max() ?? 0),
                for: "a weight of \"\(dictionary.suggestedName)\"", advice: "use a machine with more")
            try folder?.check(dictionary.configuration, of: dictionary.suggestedName)
        }
    }

    /// A dictionary that was imported.
    package struct Result: Sendable {
        /// Its number in the catalog.
        package let dictionaryID: Int64
        /// Its name.
        package let name: String
        /// The format it was in.
        package let format: ForeignFormat
        /// What it computes.
        package let configuration: DictionaryConfiguration
        /// The language model, as its files call it.
        package let modelName: String?
    }

    /// Lines for a person: what the files say and is not applied, and what was assumed.
    package var remarks: [String] {
        found.flatMap { dictionary in
            dictionary.remarks.map { found.count == 1 ? $0 : "\(dictionary.suggestedName): \($0)" }
        }
    }

    /// Reads the weights and writes the dictionaries.
    ///
    /// - Parameters:
    ///   - names: what the dictionaries are called; nil as the settings say.
    ///   - progress: told how many of how many values are written.
    /// - Throws: what reading the files throws, `WorkflowError.refused` for a name that is taken or a model that the
    ///   catalog knows with another tokenizer, `CatalogError`. Nothing is imported then; the run stays in the ledger.
    package func run(
        into catalog: Catalog, named names: [String]? = nil, cancelled: @escaping () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [Result] {
        let names = try names ?? self.names(in: catalog)
        guard names.count == found.count else {
            throw WorkflowError.refused(
                "\(settings.path): holds \(found.count) dictionaries now, and \(names.count) were imported from it")
        }
        return try catalog.withRun(
            .import, settings: settings, seed: nil, inputs: try inputs, cancelled: cancelled
        ) { run in
            let modelID = try folder?.languageModelID(in: catalog)
            try run.checkCancelled("nothing was imported")
            let dictionaries = try zip(found, names).map { dictionary, name in
                (
                    record: try record(of: dictionary, name: name, runID: run.runID, modelID: modelID),
                    tensors: dictionary.tensors.map { TensorRows($0).stored }
                )
            }
            let total = found.flatMap(\.tensors).reduce(0) { $0 + $1.shape.reduce(1, *) }
            var done = 0
            let keys = try catalog.addDictionaries(dictionaries) { values in
                try run.checkCancelled("nothing was imported")
                done += values
                progress(done, total)
            }
            return zip(zip(found, names), keys).map { pair, key in
                Result(
                    dictionaryID: key, name: pair.1, format: pair.0.format, configuration: pair.0.configuration,
                    modelName: pair.0.modelName)
            }
        }
    }

    /// What the dictionaries are called: as asked for, or after their files with a number where a name is taken.
    private func names(in catalog: Catalog) throws -> [String] {
        var names: [String] = []
        for dictionary in found {
            let layers = dictionary.configuration.layers.map(String.init).joined(separator: "-")
            let wanted = settings.name.map { found.count == 1 ? $0 : "\($0)-l\(layers)" } ?? dictionary.suggestedName
            let name = try catalog.freeDictionaryName(wanted, besides: Set(names))
            // One that was asked for is not changed, unless two of one layer share it.
            if settings.name != nil, name != wanted, !names.contains(wanted) {
                throw WorkflowError.refused(
                    "\(catalog.path): has a dictionary \"\(wanted)\" already; choose another `name`")
            }
            names.append(name)
        }
        return names
    }

    /// The files by digest; of several of one name the second is `cfg.json (2)`.
    package var inputs: [RunInput] {
        get throws {
            var seen: [String: Int] = [:]
            var paths: Set<String> = []
            var inputs: [RunInput] = []
            for file in found.flatMap(\.files) where paths.insert(file.path).inserted {
                let (digest, bytes) = try sha256(ofFile: file.path)
                let name = URL(filePath: file.path).lastPathComponent
                let number = seen["\(file.role) \(name)", default: 0] + 1
                seen["\(file.role) \(name)"] = number
                inputs.append(
                    RunInput(
                        role: file.role, name: number == 1 ? name : "\(name) (\(number))", sha256: digest, bytes: bytes)
                )
            }
            return try inputs + (folder?.inputs() ?? [])
        }
    }

    private func record(
        of dictionary: ForeignDictionary, name: String, runID: Int64, modelID: Int64?
    ) throws -> DictionaryRecord {
        DictionaryRecord(
            dictionary.configuration, runID: runID, languageModelID: modelID, name: name,
            configJSON: String(decoding: try config(of: dictionary).canonicalBytes, as: UTF8.self))
    }

    /// The column `config`: what it computes, and what its files say of where it comes from.
    private func config(of dictionary: ForeignDictionary) throws -> JSONValue {
        var source: JSONObject = ["format": .string(dictionary.format.rawValue)]
        source["model"] = dictionary.modelName.map { .string($0) }
        source["repository"] = dictionary.repository.map { .string($0) }
        source["hook"] = dictionary.hook.map { .string($0) }
        if !dictionary.details.members.isEmpty { source["details"] = .object(dictionary.details) }
        return .object([
            "configuration": try JSONParser.parse(Data(try canonicalJSON(dictionary.configuration).utf8)),
            "source": .object(source),
        ])
    }
}

extension ModelFolder {
    /// Checks that a model has the width and the layers that a dictionary reads.
    fileprivate func check(_ configuration: DictionaryConfiguration, of name: String) throws(WorkflowError) {
        let layer = configuration.layers.max() ?? 0
        guard model.configuration.dModel == configuration.dModel, layer < model.configuration.layerCount else {
            throw .refused(
                "\(path): has width \(model.configuration.dModel) and \(model.configuration.layerCount) layers; "
                    + "dictionary \"\(name)\" needs width \(configuration.dModel) and layer \(layer)")
        }
    }
}
