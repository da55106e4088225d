import ActivationPipeline
import SparseTraining
import Vocabulary

/// A name that stands for an architecture with other settings: a `topk` with `sparsity` batchtopk.
package enum ArchitectureShorthand: String, CaseIterable, Sendable {
    /// BatchTopK of one layer.
    case batchtopk
    /// The same with prefixes.
    case matryoshka

    /// The prefixes by default: m/16, m/8, m/4, m/2 and m; nil for none.
    package func prefixes(latents: Int) -> [Int]? {
        self == .matryoshka && latents >= 16 ? [16, 8, 4, 2].map { latents / $0 } : nil
    }

    /// A document of settings with the shorthand, if it has one, spelled out.
    ///
    /// - Throws: `WorkflowError.usage` where another sparsity is given.
    static func spelledOut(in object: [String: Any]) throws(WorkflowError) -> [String: Any] {
        guard let shorthand = (object["architecture"] as? String).flatMap(Self.init(rawValue:)) else { return object }
        let sparsity = ActivationSparsity.batchtopk.rawValue
        if let given = object["sparsity"] as? String, given != sparsity {
            throw .usage("`sparsity` is \(given); a \(shorthand.rawValue) has \(sparsity)")
        }
        var object = object
        object["architecture"] = Architecture.topk.rawValue
        object["sparsity"] = sparsity
        if object["prefixes"] == nil, let latents = object["latents"] as? Int {
            object["prefixes"] = shorthand.prefixes(latents: latents)
        }
        return object
    }
}

extension TrainingSettings {
    /// Settings for a shorthand's architecture.
    package mutating func take(_ shorthand: ArchitectureShorthand) {
        shape.architecture = .topk
        shape.sparsity = .batchtopk
        choices.prefixes = choices.prefixes ?? shorthand.prefixes(latents: shape.latents)
    }
}
