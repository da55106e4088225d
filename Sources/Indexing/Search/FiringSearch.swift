import ActivationPipeline
package import FeatureCatalog
package import LinearAlgebra

/// Which features fire where in a text.
package struct FiringSearch {
    private let segments: [TokenSegment]
    private let reader: PromptReader

    /// Reads the model and the dictionary.
    ///
    /// - Parameters:
    ///   - model: folder of the language model.
    ///   - dictionary: its name or number; nil takes the last one added.
    /// - Throws: `WorkflowError.usage` for a text without tokens; what ``PromptReader`` throws.
    package init(
        text: String, model: String, dictionary: String?, in catalog: Catalog, workers: Workers
    ) throws {
        guard !text.isEmpty else { throw WorkflowError.usage("the text in which features fire is empty") }
        reader = try PromptReader(
            model: model, dictionaries: dictionary.map { [$0] } ?? [], in: catalog, workers: workers)
        segments = try reader.segments(of: text)
    }

    /// The dictionary's row.
    package var record: DictionaryRecord { reader.dictionaries[0] }

    /// Reads the text: see ``PromptReader/read(_:through:cancelled:progress:eachToken:)``.
    ///
    /// - Returns: the features that fire, by number.
    package func run(
        cancelled: () -> Bool = { false }, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in },
        eachToken: (TokenFirings) throws -> Void = { _ in }
    ) throws -> [FeatureFirings] {
        var found: [Int: FeatureFirings] = [:]
        try reader.read(segments, through: 0, cancelled: cancelled, progress: progress) { place in
            for firing in place.firings where found[firing.featureIndex]?.add(firing, at: place) == nil {
                found[firing.featureIndex] = FeatureFirings(firing, at: place)
            }
            try eachToken(place)
        }
        return found.values.sorted { $0.featureIndex < $1.featureIndex }
    }
}
