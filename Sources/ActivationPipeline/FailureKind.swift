import DictionaryExchange
import FeatureCatalog
import FeatureScoring
import LanguageModel
import Safetensors
import SparseCoding
import SparseTraining
import Tokenization

/// What kind of thing went wrong, whichever part of the program found it.
package enum FailureKind: Sendable {
    /// A setting has a value that makes no sense.
    case usage
    /// A file holds what cannot be used.
    case badInput
    /// A file, a row or a dictionary is not there.
    case missing
    /// A file would be overwritten, or cannot be written.
    case cannotWrite
    /// The work was stopped, or another process holds the file; it can be tried again.
    case interrupted
    /// The work would do what was not agreed to.
    case refused
    /// An error of the program itself.
    case `internal`

    /// Sorts an error of this package; nil for one of somebody else's.
    package init?(_ error: any Error) {
        switch error {
        case let error as WorkflowError:
            self =
                switch error {
                case .usage: .usage
                case .badInput: .badInput
                case .missing: .missing
                case .cannotWrite: .cannotWrite
                case .interrupted: .interrupted
                case .refused: .refused
                }
        case let error as CatalogError:
            self =
                switch error.code {
                case .missing, .notFound: .missing
                case .exists, .cannotWrite: .cannotWrite
                case .notACatalog, .tooNew, .tooOld, .damaged, .invalidSQL, .invalidValue: .badInput
                case .refused, .timedOut: .refused
                case .busy: .interrupted
                case .failed: .internal
                }
        case let error as SafetensorsError:
            self =
                switch error {
                case .missing: .missing
                case .exists, .cannotWrite: .cannotWrite
                default: .badInput
                }
        case let error as SparseCodingError:
            self = if case .setting = error { .usage } else { .badInput }
        case is TrainingError, is ScoringError:
            self = .badInput
        case let error as WeightFileError: self = error.isMissing ? .missing : .badInput
        case let error as ForeignDictionaryError:
            self =
                switch error.kind {
                case .missing: .missing
                case .unrecognised, .malformed: .badInput
                case .notSaid, .contradiction: .usage
                case .refused: .refused
                }
        case is ExportRefusal: self = .refused
        case let error as LanguageModelError:
            self =
                switch error {
                case .missing, .weights(.missing): .missing
                case .malformedBatch, .emptySequence, .tokenOutOfRange, .sequenceTooLong, .unreadable, .tensorShape,
                    .malformedConfiguration, .unsupportedConfiguration, .nonFiniteWeight, .weights, .noUnembedding,
                    .notAModel:
                    .badInput
                case .noSuchLayer: .usage
                }
        case let error as TokenizerError:
            self = if case .missing = error { .missing } else { .badInput }
        default: return nil
        }
    }
}
