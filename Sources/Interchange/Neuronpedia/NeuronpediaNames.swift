package import ActivationPipeline
import Foundation

/// The names under which Neuronpedia knows a dictionary, checked by the rules that it refuses others by.
package struct NeuronpediaNames: Sendable, Equatable {
    /// The model's id there, such as `gemma-2-2b`; by convention TransformerLens's name.
    package let modelID: String
    /// The id of the user that everything will belong to.
    package let creatorID: String
    /// The set of sources, one source for each layer.
    package let sourceSet: String
    /// The release that the set belongs to.
    package let release: String

    /// Checks names.
    ///
    /// - Parameters:
    ///   - sourceSet: nil makes one of the dictionary's name.
    ///   - release: nil takes the source set's name.
    ///   - dictionary: the dictionary's name.
    /// - Throws: `WorkflowError.usage` for the first name that Neuronpedia refuses, or one that is not given and has to
    ///   be.
    package init(
        modelID: String?, creatorID: String?, sourceSet: String? = nil, release: String? = nil, dictionary: String
    ) throws(WorkflowError) {
        guard let modelID else {
            throw .usage("`modelId` is needed: the model's id on Neuronpedia, such as gemma-2-2b")
        }
        guard let creatorID else {
            throw .usage("`creatorId` is needed: the id of the user on Neuronpedia that the features will belong to")
        }
        try Self.check(modelID, "`modelId`", allowing: "-_", "lower-case letters, digits, - and _") {
            !("A"..."Z").contains($0)
        }
        try Self.check(creatorID, "`creatorId`", allowing: "-_", "letters, digits, - and _")
        let set = sourceSet ?? Self.name(madeOf: dictionary)
        guard !set.isEmpty else {
            throw .usage("`sourceSet` is needed: \"\(dictionary)\" has no letters or digits to make a name of")
        }
        try Self.check(set, "`sourceSet`", allowing: "-", "letters, digits and -")
        if let release { try Self.check(release, "`release`", allowing: "-", "letters, digits and -") }
        self.modelID = modelID
        self.creatorID = creatorID
        self.sourceSet = set
        self.release = release ?? set
    }

    /// The id of a layer's source: `3-name`.
    package func sourceID(layer: Int) -> String { "\(layer)-\(sourceSet)" }

    private static let longest = 128

    private static func check(
        _ name: String, _ what: String, allowing others: String, _ allowed: String,
        _ isAllowed: (Unicode.Scalar) -> Bool = { _ in true }
    ) throws(WorkflowError) {
        let fits = name.unicodeScalars.allSatisfy {
            (isPlain($0) || others.unicodeScalars.contains($0)) && isAllowed($0)
        }
        guard fits, !name.isEmpty, name.utf8.count <= longest else {
            throw .usage("\(what) is \"\(name)\"; Neuronpedia takes 1 to \(longest) of \(allowed)")
        }
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
    }

    /// A text with everything but letters and digits as single dashes.
    private static func name(madeOf text: String) -> String {
        let words = text.unicodeScalars.split { !isPlain($0) }.map { String(String.UnicodeScalarView($0)) }
        return String(words.joined(separator: "-").prefix(longest)).trimmingCharacters(in: ["-"])
    }
}
