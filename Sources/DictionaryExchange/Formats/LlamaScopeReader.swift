import JSON
import SparseCoding
import Vocabulary

/// Reads a dictionary of Llama Scope: `hyperparams.json` and `checkpoints/final.safetensors`.
///
/// `encoder.weight [m, d]`, `encoder.bias`, `decoder.weight [d, m]`, `decoder.bias`; a JumpReLU with one threshold.
/// It reads x · s with s = √d / (mean norm of x); SAELens folds s into the weights (`W_enc · s`, `W_dec / s`,
/// `b_dec / s`) and compares pre-activations with `jump_relu_threshold` · s. A dictionary of the input s · x with that
/// threshold computes the same without a changed weight: its reconstruction is divided by s.
enum LlamaScopeReader {
    /// Reads a folder.
    ///
    /// - Throws: `ForeignDictionaryError`, `WeightFileError`.
    static func read(_ folder: String, _ context: ReadingContext) throws -> ForeignDictionary {
        let file = try ConfigurationFile(path: folder + "/hyperparams.json")
        let path = folder + "/checkpoints/final.safetensors"
        try check(file)
        let (d, m) = (try file.extent("d_model"), try file.extent("d_sae"))
        let scale = try scale(file, width: d)
        guard let threshold = try file.number("jump_relu_threshold"), Float(threshold * scale).isFinite else {
            throw file.wrong("jump_relu_threshold", expected: "a number")
        }
        try context.checkNoK("a JumpReLU dictionary", in: file.path)
        let hook = try file.text("hook_point_in")
        let layer = try context.layer(ofHook: hook, key: "hook_point_in", in: file.path)
        let made = try ForeignDictionary.configuration(at: file.path) { () throws(SparseCodingError) in
            try DictionaryConfiguration(
                architecture: .jumprelu, dModel: d, latents: m, layers: [layer], input: .scale(scale),
                subtractsPreBias: false, thresholdForm: .shared)
        }
        var tensors = TensorMapping(try SafetensorsWeightFile(path: path))
        try tensors.take("encoder", from: "encoder.weight", [m, d])
        try tensors.takeTransposed("decoder", from: "decoder.weight", rows: m, columns: d)
        try tensors.take("latent_bias", from: "encoder.bias", [m])
        try tensors.take("pre_bias", from: "decoder.bias", [d])
        tensors.add("threshold", value: Float(threshold * scale))
        let names = PathNames(folder)
        let isPublished = names.last(holding: "Llama3_1-8B-Base") != nil
        return ForeignDictionary(
            format: .llamaScope, configuration: made, tensors: try tensors.finish("a Llama Scope dictionary"),
            files: [ForeignFile(path: path, role: "weights"), ForeignFile(path: file.path, role: "config")],
            suggestedName: "", modelName: isPublished ? "meta-llama/Llama-3.1-8B" : nil, repository: names.repository,
            hook: hook, details: JSONObject(file.details(besides: ["d_model", "d_sae", "hook_point_in"])),
            remarks: [
                "\(file.path): the threshold is jump_relu_threshold · √d / (mean norm), as SAELens reads it"
            ])
    }

    /// s.
    private static func scale(_ file: ConfigurationFile, width: Int) throws(ForeignDictionaryError) -> Double {
        guard let norms = try file.object("dataset_average_activation_norm") else {
            throw file.wrong("dataset_average_activation_norm", expected: "an object with a number \"in\"")
        }
        guard let norm = try norms.number("in"), norm > 0, norm.isFinite else {
            throw norms.wrong("in", expected: "a number above 0")
        }
        let scale = Double(width).squareRoot() / norm
        guard Float(scale) > 0, Float(scale).isFinite, (1 / Float(scale)).isFinite else {
            throw norms.wrong("in", expected: "the mean norm of activations")
        }
        return scale
    }

    private static func check(_ file: ConfigurationFile) throws(ForeignDictionaryError) {
        if let read = try file.text("hook_point_in"), let written = try file.text("hook_point_out"), read != written {
            throw file.refused(
                "hook_point_out",
                "it reads \(read.quoted); transcoders, which write another place, cannot be represented")
        }
        if let activation = try file.text("act_fn"), activation.lowercased() != "jumprelu" {
            throw file.refused("act_fn", "expected jumprelu")
        }
        if let norm = try file.text("norm_activation"), norm != "dataset-wise" {
            throw file.refused("norm_activation", "expected dataset-wise")
        }
        for key in ["use_glu_encoder", "apply_decoder_bias_to_pre_encoder"] where try file.flag(key) ?? false {
            throw file.refused(key, "no published dictionary has it, and it is not read")
        }
    }
}
