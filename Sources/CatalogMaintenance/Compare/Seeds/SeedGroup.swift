import ActivationPipeline
package import FeatureCatalog
import Foundation
import JSON

/// Dictionaries that were trained alike but for their seeds.
package struct SeedGroup: Sendable {
    /// The dictionaries, by number.
    package let dictionaries: [DictionaryRecord]

    /// The name of the first.
    package var name: String { dictionaries[0].name }

    /// Whether they read one layer.
    package var readsOneLayer: Bool { dictionaries[0].layers.count == 1 }

    /// Groups the dictionaries of a catalog, by the first of each group.
    ///
    /// Those belong together whose training runs have the same configuration except for the seeds, the name and the
    /// initial weights. One that was not trained here is alone.
    ///
    /// - Throws: `CatalogError`.
    package static func all(in catalog: Catalog) throws -> [SeedGroup] {
        var keys: [String] = []
        var members: [String: [DictionaryRecord]] = [:]
        for record in try catalog.dictionaries() {
            let key = try key(of: record, in: catalog)
            if members[key] == nil { keys.append(key) }
            members[key, default: []].append(record)
        }
        return keys.compactMap { members[$0] }.map { SeedGroup(dictionaries: $0) }
    }

    private static let seedKeys: Set<String> = ["seed", "streamSeed", "name", "initialWeights"]

    private static func key(of record: DictionaryRecord, in catalog: Catalog) throws -> String {
        let run = try catalog.run(record.runID)
        guard run.kind == .train,
            let config = try? JSONSerialization.jsonObject(with: Data(run.configJSON.utf8)) as? [String: Any],
            let known = try? JSONSerialization.data(
                withJSONObject: config.filter { !seedKeys.contains($0.key) }, options: .sortedKeys)
        else { return "dictionary \(record.dictionaryID)" }
        return String(decoding: known, as: UTF8.self)
    }
}
