import FeatureCatalog
import Safetensors

extension DictionaryTensor.DataType {
    /// The type that a file has, where a catalog stores it.
    init?(_ dtype: TensorDType) {
        guard let same = Self.allCases.first(where: { $0.inFiles == dtype }) else { return nil }
        self = same
    }

    /// The same type in files.
    var inFiles: TensorDType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        }
    }
}
