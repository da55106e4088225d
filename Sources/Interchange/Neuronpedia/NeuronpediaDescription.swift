import FeatureCatalog
import Foundation
import JSON
import Vocabulary

/// The lines on release, model, source set and source. The importer hands them to the database as they are: a key that it
/// does not know is an error, and one that is left out takes its default; so nothing is null here.
struct NeuronpediaDescription {
    let names: NeuronpediaNames
    let dictionary: DictionaryRecord
    let languageModel: LanguageModelRecord
    let indexing: IndexingRecord
    let corpus: String
    /// When the dictionary was indexed.
    let createdAt: String

    /// How the dictionary reads layers, for people.
    private var reading: String {
        let layers = dictionary.layers.map(String.init).joined(separator: ", ")
        return dictionary.layers.count == 1
            ? "\(dictionary.architecture.rawValue) dictionary of \(dictionary.latentCount) features, layer \(layers)"
            : "\(dictionary.architecture.rawValue) dictionary of \(dictionary.latentCount) features that reads layers "
                + "\(layers) with the same weights"
    }

    /// Table `SourceRelease`.
    var release: JSONObject {
        [
            "name": .string(names.release), "description": .string("RouteSAE \(reading)"),
            "descriptionShort": .string(names.release), "creatorName": .string(names.creatorID),
            "creatorId": .string(names.creatorID), "urls": .array([]), "visibility": .string("PUBLIC"),
            "isNewUi": .boolean(true), "featured": .boolean(false), "createdAt": .string(createdAt),
        ]
    }

    /// Table `Model`.
    var model: JSONObject {
        [
            "id": .string(names.modelID), "instruct": .boolean(false), "creatorId": .string(names.creatorID),
            "displayNameShort": .string(names.modelID), "displayName": .string(languageModel.name),
            "dimension": .integer(languageModel.dModel), "visibility": .string("PUBLIC"),
            "inferenceEnabled": .boolean(false), "layers": .integer(languageModel.layerCount),
            "neuronsPerLayer": .integer(neuronsPerLayer), "owner": .string(""), "createdAt": .string(createdAt),
            "updatedAt": .string(createdAt),
        ]
    }

    /// Table `SourceSet`.
    var sourceSet: JSONObject {
        [
            "modelId": .string(names.modelID), "name": .string(names.sourceSet), "creatorId": .string(names.creatorID),
            "creatorName": .string(names.creatorID), "description": .string(reading),
            "type": .string("Residual Stream"),
            "urls": .array([]), "releaseName": .string(names.release), "visibility": .string("PUBLIC"),
            "hasDashboards": .boolean(true), "allowInferenceSearch": .boolean(false), "defaultRange": .integer(1),
            "defaultShowBreaks": .boolean(true), "showDfa": .boolean(false), "showCorrelated": .boolean(false),
            "showHeadAttribution": .boolean(false), "showUmap": .boolean(false), "createdAt": .string(createdAt),
        ]
    }

    /// Table `Source`.
    func source(layer: Int, createdAt: String) -> JSONObject {
        let shared =
            dictionary.layers.count == 1
            ? ""
            : " Rates, largest activations and texts are of the tokens read from layer \(layer); histograms, and the "
                + "shares of tokens in bins, of all tokens."
        return [
            "id": .string(names.sourceID(layer: layer)), "modelId": .string(names.modelID),
            "setName": .string(names.sourceSet), "creatorId": .string(names.creatorID),
            "hasDashboards": .boolean(true), "inferenceEnabled": .boolean(false), "visibility": .string("PUBLIC"),
            "dataset": .string(corpus),
            "notes": .string(
                "Indexed on \(indexing.tokenCount) tokens of \(indexing.documentCount) documents, in windows of "
                    + "\(indexing.window) tokens.\(shared)"),
            "createdAt": .string(createdAt),
        ]
    }

    /// The width of the model's MLPs, under one of the names that configurations have for it; 0 where it is unknown.
    private var neuronsPerLayer: Int {
        guard let config = try? JSONParser.parse(Data(languageModel.configJSON.utf8)) else { return 0 }
        let keys = ["intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"]
        let width = keys.lazy.compactMap { config[$0]?.wholeNumber }.first { (1...Int(Int32.max)).contains($0) }
        return width ?? 0
    }
}
