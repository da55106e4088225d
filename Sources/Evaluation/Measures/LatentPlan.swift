import ActivationPipeline
import FeatureCatalog
import LanguageModel
import Vocabulary

/// What is measured on the latents of one dictionary, worked out before anything is read.
struct LatentPlan {
    let record: DictionaryRecord
    /// The run's settings, with the layers and dictionaries that are taken.
    let settings: EvaluationSettings
    /// The layers that coverage predicts and a census counts, ascending.
    let layers: [Int]
    /// The dictionaries whose features are counted; nil without a census.
    let union: CensusUnion?

    /// The layers that are covered and counted: those of the settings, or all that dictionaries of the same models read.
    ///
    /// - Throws: `WorkflowError.usage` for layers that the model has not.
    static func layers(
        _ settings: EvaluationSettings, of records: [DictionaryRecord], model: LanguageModelConfiguration,
        in catalog: Catalog
    ) throws -> [Int] {
        let models = Set(records.map(\.languageModelID))
        let layers =
            try settings.layers
            ?? catalog.dictionaries().filter { models.contains($0.languageModelID) }.flatMap(\.layers)
            .filter { $0 < model.layerCount }
        if let wrong = layers.first(where: { !(0..<model.layerCount).contains($0) }) {
            throw WorkflowError.usage(
                "`layers` names layer \(wrong); the model has layers 0 … \(model.layerCount - 1)")
        }
        return Set(layers).sorted()
    }

    /// Works out a plan.
    ///
    /// - Throws: `WorkflowError.badInput` for a census that lacks dictionaries.
    init(
        _ settings: EvaluationSettings, for record: DictionaryRecord, layers: [Int], in catalog: Catalog
    ) throws {
        self.record = record
        self.layers = layers
        let measuresCensus = settings.includes(.census)
        union =
            measuresCensus
            ? try CensusUnion(
                for: record, layers: layers, named: settings.union, minScore: settings.minScore, in: catalog) : nil
        var own = settings
        if measuresCensus || settings.includes(.coverage) { own.layers = layers }
        own.union = union?.members.map(\.record.name)
        self.settings = own
    }

    /// A warning about the census, a whole line.
    var remark: String? {
        guard let union, union.sharesSeed else { return nil }
        return "census of \"\(record.name)\": some layers have only single-layer dictionaries of its own seed, which "
            + "start from the same weights and resemble it whatever they have learned; its figures are called "
            + "\(CensusUnion.sameSeedSuffix), and say nothing until there are some of another seed"
    }
}
