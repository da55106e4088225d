import Foundation
import SparseCoding
import SparseTraining

/// What a dictionary's column `config` holds: its shape and rules, and how it was trained.
struct DictionarySettings: Codable {
    let configuration: DictionaryConfiguration
    let training: TrainingOptions
}

/// A value as JSON with sorted keys, so that equal values give equal text.
func canonicalJSON(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
