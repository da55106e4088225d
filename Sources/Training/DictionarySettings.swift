import Foundation
import SparseCoding
import SparseTraining

/// The column `config` of a dictionary: its configuration and its training.
struct DictionarySettings: Encodable {
    let configuration: DictionaryConfiguration
    let training: TrainingOptions
}
