package import FeatureCatalog
import Foundation
import LanguageModel
import LinearAlgebra
package import SparseCoding
import Vocabulary

/// A dictionary read back from a catalog, ready to encode.
package struct StoredDictionary: Sendable {
    /// Its row in the catalog.
    package let record: DictionaryRecord
    /// Its architecture, sizes and rules.
    package let configuration: DictionaryConfiguration
    /// Its weights, as they encode: where latents are kept by activation times norm, the norms of the decoder vectors are
    /// folded into the encoder, so that the activations are those products and the decoder vectors have unit norm.
    package let weights: DictionaryWeights
    /// The norms of the decoder vectors in the file, where they are folded.
    private let foldedNorms: [Double]?
    /// The norms of the decoder vectors in the file, by latent.
    package var decoderNorms: [Double] { foldedNorms ?? weights.decoderNorms }

    /// Reads a dictionary.
    ///
    /// - Parameter name: the dictionary's name; nil takes the only one, or the last one added.
    /// - Throws: `CatalogError` where there is none or it is damaged, `SparseCodingError` where its
    ///   row or its tensors do not fit together.
    package init(named name: String?, in catalog: Catalog) throws {
        try self.init(try StoredDictionary.record(named: name, in: catalog), in: catalog)
    }

    /// Reads the dictionary of a row.
    ///
    /// - Throws: `CatalogError` where it is damaged, `SparseCodingError` where the row and its tensors do not agree.
    package init(_ record: DictionaryRecord, in catalog: Catalog) throws {
        self.record = record
        configuration = try StoredDictionary.configuration(of: record)
        weights = try DictionaryWeights(configuration, dictionary: record.dictionaryID, in: catalog)
        let isFolded = configuration.selection == .activationTimesNorm
        foldedNorms = isFolded ? weights.decoderNorms : nil
        if isFolded {
            weights.foldNorms(by: Workers(threads: 1), silencingZeros: true)
        }
    }

    /// The configuration that a row states.
    ///
    /// - Throws: `SparseCodingError` for an impossible one.
    package static func configuration(of record: DictionaryRecord) throws(SparseCodingError) -> DictionaryConfiguration
    {
        try DictionaryConfiguration(
            architecture: record.architecture, dModel: record.dModel, latents: record.latentCount, k: record.k,
            layers: record.layers, routing: record.routing ?? .hard, aggregation: record.aggregation ?? .sum,
            fidelity: record.fidelity,
            input: InputNormalization(
                record.rules.input, epsilon: record.rules.inputEpsilon, factor: record.rules.inputScale),
            subtractsPreBias: record.rules.subtractsPreBias, selection: record.rules.selection ?? .activation,
            thresholdForm: record.rules.thresholdForm
                ?? (record.k == nil && [.route, .random].contains(record.architecture) ? .shared : nil))
    }

    /// Finds a dictionary's row: by name, by number, or the last one added.
    package static func record(named name: String?, in catalog: Catalog) throws -> DictionaryRecord {
        guard let name else {
            guard let last = try catalog.dictionaries().last else {
                throw WorkflowError.refused("\(catalog.path): holds no dictionary yet; train one first")
            }
            return last
        }
        // A name may be a number: the dictionary of that name comes before the one of that number.
        if let number = Int64(name), try !catalog.dictionaries().contains(where: { $0.name == name }),
            let record = try? catalog.dictionary(number)
        {
            return record
        }
        return try catalog.dictionary(named: name)
    }

    /// Checks that a model is the one the dictionary was trained on, by its weights, with the same tokenizer.
    ///
    /// - Throws: `WorkflowError.refused` for another model or another tokenizer.
    package func check(_ folder: ModelFolder, in catalog: Catalog) throws {
        try StoredDictionary.check(record, against: folder, in: catalog)
    }

    /// The same, before the dictionary's weights are read.
    package static func check(_ record: DictionaryRecord, against folder: ModelFolder, in catalog: Catalog) throws {
        let layer = record.layers.max() ?? 0
        guard folder.model.configuration.dModel == record.dModel, layer < folder.model.configuration.layerCount else {
            throw WorkflowError.refused(
                "\(folder.path): has width \(folder.model.configuration.dModel) and "
                    + "\(folder.model.configuration.layerCount) layers; dictionary \"\(record.name)\" needs width "
                    + "\(record.dModel) and layer \(layer)")
        }

        let models = try catalog.languageModels()
        guard let modelID = record.languageModelID, let known = models.first(where: { $0.languageModelID == modelID })
        else {
            // Trained from files: its indexes determine the tokenizer.
            return try folder.checkTokenizer(
                against: try models.filter { try folder.hasWeights($0.sha256) }, in: catalog)
        }
        guard try folder.hasWeights(known.sha256) else {
            throw WorkflowError.refused(
                "\(folder.path): is not the model that dictionary \"\(record.name)\" was trained on "
                    + "(weights \(try folder.weightsDigest().prefix(12))…, expected \(known.sha256.prefix(12))… of "
                    + "\(known.name))")
        }
        try folder.checkTokenizer(against: [known], in: catalog)
    }
}
