import DictionaryExchange

extension ForeignFolder {
    /// The whole of a routed dictionary as an export for SAELens writes it: 3 latents, 4 dimensions, layers 2, 3 and 5.
    ///
    /// - Parameters:
    ///   - keys: keys of `cfg.json` that are changed, or left out where the value is `-`.
    ///   - shapes: shapes of tensors that are changed, or tensors left out where the shape is empty.
    func writeRouted(
        in folder: String = "routed", changing keys: [String: String] = [:], shapes: [String: [Int]] = [:]
    ) throws {
        var values = [
            "architecture": "\"routesae\"", "d_in": "12", "d_sae": "3", "dtype": "\"float32\"", "device": "\"cpu\"",
            "apply_b_dec_to_input": "true", "normalize_activations": "\"none\"", "reshape_activations": "\"none\"",
            "k": "2", "layers": "[2, 3, 5]", "routing": "\"hard\"", "aggregation": "\"mean\"",
            "input_rule": "\"layer_norm\"", "input_epsilon": "1e-6", "input_scale": "1", "keeps_negative": "false",
            "scales_by_probability": "false", "metadata": Self.routedMetadata(),
        ]
        values.merge(keys) { $1 }
        let members = values.filter { $0.value != "-" }.sorted { $0.key < $1.key }
        let text = members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
        try write("{\(text)}", as: folder + "/cfg.json")
        let whole: [(String, [Int])] = [
            ("W_enc", [4, 3]), ("W_dec", [3, 4]), ("b_enc", [3]), ("b_dec", [4]), ("router", [3, 4]),
        ]
        let extra = shapes.filter { name, _ in !whole.contains { $0.0 == name } }.map { ($0.key, $0.value) }
        let tensors = (whole + extra).map { ($0.0, shapes[$0.0] ?? $0.1) }.filter { !$0.1.isEmpty }
        try write(tensors, as: folder + "/sae_weights.safetensors")
    }

    /// What an export says of the dictionary.
    ///
    /// - Parameter more: further members.
    static func routedMetadata(name: String = "demo", more: String = "") -> String {
        """
        {"sae_lens_version": "6.54.12", "model_name": "meta/model", "routesae_version": "0.1.0",
         "routesae_dictionary": "\(name)", "routesae_architecture": "route", "routesae_layers": [2, 3, 5]\(more)}
        """
    }

    /// The folder of one layer beside it.
    func writeLayer(_ layer: Int, in folder: String, of name: String = "demo") throws {
        let hook = ", \"hook_name\": \"blocks.\(layer).hook_resid_post\""
        try writeSAELens(
            "topk", in: folder + "layer_\(layer)",
            changing: ["metadata": Self.routedMetadata(name: name, more: hook)])
    }
}
