package import FeatureCatalog
package import SparseCoding
import Vocabulary

extension DictionaryRecord {
    /// The row of a dictionary that is yet to be written; `StoredDictionary.configuration(of:)` reads it back.
    package init(
        _ configuration: DictionaryConfiguration, runID: Int64, languageModelID: Int64?, name: String,
        configJSON: String, trainedTokenCount: Int? = nil
    ) {
        let routes = configuration.architecture == .route
        self.init(
            runID: runID, languageModelID: languageModelID, name: name, architecture: configuration.architecture,
            dModel: configuration.dModel, latentCount: configuration.latents, k: configuration.k,
            layers: configuration.layers, aggregation: routes ? configuration.aggregation : nil,
            routing: routes ? configuration.routing : nil, fidelity: configuration.fidelity,
            rules: EncodingRules(
                input: configuration.input.rule, inputEpsilon: configuration.input.epsilon,
                inputScale: configuration.input.factor, subtractsPreBias: configuration.subtractsPreBias,
                selection: configuration.k == nil ? nil : configuration.selection,
                // A column for jumprelu alone; of the others those without a k have one threshold.
                thresholdForm: configuration.architecture == .jumprelu ? configuration.thresholdForm : nil),
            activationThreshold: CountingThreshold.absolute(width: configuration.inputWidth),
            relativeThreshold: CountingProtocol.relativeThreshold, configJSON: configJSON,
            trainedTokenCount: trainedTokenCount)
    }
}
