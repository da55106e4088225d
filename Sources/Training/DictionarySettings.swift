import Foundation
import SparseCoding
import SparseTraining

/// What a dictionary's column `config` holds: its shape and rules, and how it was trained.
struct DictionarySettings: Encodable {
    let configuration: DictionaryConfiguration
    let training: TrainingOptions
}
