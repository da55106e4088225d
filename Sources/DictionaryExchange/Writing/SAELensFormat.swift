import JSON
import SparseCoding
import Vocabulary

/// `cfg.json` as SAELens 6.54 writes it, and its other constants.
enum SAELensFormat {
    /// The version whose files are written.
    static let version = "6.54.12"
    /// What its `layer_norm` adds to the deviation.
    static let epsilon = 1e-5
    /// What its trainer adds to a firing rate before it takes the logarithm.
    static let rateFloor = 1e-10
    /// The architecture that `tools/python/routesae/saelens.py` registers.
    static let routedArchitecture = "routesae"

    /// The configuration of a dictionary that reads one layer.
    ///
    /// `dtype` is float32 whatever the tensors' types: SAELens widens them, and computes as RouteSAE does.
    static func configuration(
        _ dictionary: DictionaryToExport, _ translation: SAELensTranslation, layer: Int
    ) -> JSONObject {
        let configuration = dictionary.configuration
        var metadata = metadata(
            dictionary,
            hooks: [
                "hook_name": .string("blocks.\(layer).hook_resid_post"),
                "hf_hook_name": .string("model.layers.\(layer)"),
            ])
        metadata[RecordedInput.key] = RecordedInput.value(configuration.input)
        var object = common(
            configuration, width: configuration.dModel, normalization: translation.normalization, metadata: metadata)
        object.members += translation.settings.members
        object["architecture"] = .string(translation.architecture)
        return object
    }

    /// The configuration of a routed dictionary for the class in `tools/python`: its input is the streams of its
    /// layers, one after another. That class normalises by itself.
    static func routedConfiguration(_ dictionary: DictionaryToExport) -> JSONObject {
        let configuration = dictionary.configuration
        let layers = configuration.layers
        var object = common(
            configuration, width: layers.count * configuration.dModel, normalization: "none",
            metadata: metadata(
                dictionary,
                hooks: [
                    "hook_names": .array(layers.map { .string("blocks.\($0).hook_resid_post") }),
                    "hf_hook_names": .array(layers.map { .string("model.layers.\($0)") }),
                ]))
        object["k"] = configuration.k.map { .integer($0) } ?? .null
        object["layers"] = .array(layers.map { .integer($0) })
        object["routing"] = .string(configuration.routing.rawValue)
        object["aggregation"] = .string(configuration.aggregation.rawValue)
        object["input_rule"] = .string(configuration.input.rule.rawValue)
        object["input_epsilon"] = .number(configuration.input.epsilon ?? 0)
        object["input_scale"] = .number(configuration.input.factor ?? 1)
        object["keeps_negative"] = .boolean(!configuration.rectified)
        object["scales_by_probability"] = .boolean(configuration.scalesByProbability)
        object["architecture"] = .string(routedArchitecture)
        return object
    }

    private static func common(
        _ configuration: DictionaryConfiguration, width: Int, normalization: String, metadata: JSONObject
    ) -> JSONObject {
        [
            "d_in": .integer(width),
            "d_sae": .integer(configuration.latents),
            "dtype": .string("float32"),
            "device": .string("cpu"),
            "apply_b_dec_to_input": .boolean(configuration.subtractsPreBias),
            "normalize_activations": .string(normalization),
            "reshape_activations": .string("none"),
            "metadata": .object(metadata),
        ]
    }

    /// Where the dictionary comes from. What is not known is left out, so that SAELens reads None.
    private static func metadata(_ dictionary: DictionaryToExport, hooks: JSONObject) -> JSONObject {
        let configuration = dictionary.configuration
        var object: JSONObject = [
            "sae_lens_version": .string(version),
            // Without it SAELens would state its own version.
            "sae_lens_training_version": .null,
        ]
        if let name = dictionary.modelName { object["model_name"] = .string(name) }
        object.members += hooks.members
        if let tokens = dictionary.contextTokens { object["context_size"] = .integer(tokens) }
        if let prepends = dictionary.prependsBOS { object["prepend_bos"] = .boolean(prepends) }
        object[RecordedInput.versionKey] = .string(dictionary.softwareVersion)
        object["routesae_dictionary"] = .string(dictionary.name)
        object["routesae_architecture"] = .string(configuration.architecture.rawValue)
        object["routesae_layers"] = .array(configuration.layers.map { .integer($0) })
        if let source = dictionary.source { object["routesae_source"] = .string(source) }
        return object
    }
}
