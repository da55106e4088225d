import Foundation
import JSON
import SparseCoding
import Vocabulary

/// Reads a dictionary of Gemma Scope (`params.npz`) or Gemma Scope 2 (`params.safetensors`, with `config.json`).
///
/// Both hold JumpReLU dictionaries of x as it is: `W_enc [d, m]`, `W_dec [m, d]`, `b_enc`, `b_dec` and `threshold [m]`,
/// in lower case in the second; `b_dec` is not subtracted before encoding. The first says model, site and layer only in
/// the names of its repository and folders.
enum GemmaScopeReader {
    /// Keys of `config.json` that decide something.
    private static let usedKeys: Set = [
        "architecture", "type", "affine_connection", "hf_hook_point_in", "hf_hook_point_out", "width", "model_name",
    ]

    /// Reads a weight file.
    ///
    /// - Throws: `ForeignDictionaryError`, `WeightFileError`.
    static func read(_ path: String, _ context: ReadingContext) throws -> ForeignDictionary {
        let names = GemmaScopeNames(path)
        if let place = names.foreignPlace {
            throw ForeignDictionaryError(
                .refused, path,
                "folder \(place.folder.quoted) says that it reads \(place.what); only dictionaries of the residual stream "
                    + "behind a decoder layer can be imported")
        }
        let isFirst = path.hasSuffix(".npz")
        let file: any WeightFile = isFirst ? try NPZFile(path: path) : try SafetensorsWeightFile(path: path)
        let configuration = try isFirst ? nil : self.configuration(beside: path)
        if let configuration { try check(configuration) }
        try context.checkNoK("a JumpReLU dictionary", in: path)
        var tensors = TensorMapping(file)
        let isLowerCase = tensors.has("w_enc")
        let (encoder, decoder) = isLowerCase ? ("w_enc", "w_dec") : ("W_enc", "W_dec")
        let (d, m) = try tensors.extents(encoder)
        if let configuration, let width = try configuration.whole("width"), width != m {
            throw configuration.wrong("width", expected: "\(m), as the tensors have it")
        }
        let hook = try configuration?.text("hf_hook_point_in")
        let layer = try layer(names, hook, configuration, path, context)
        let made = try ForeignDictionary.configuration(at: path) { () throws(SparseCodingError) in
            try DictionaryConfiguration(
                architecture: .jumprelu, dModel: d, latents: m, layers: [layer], input: .none,
                subtractsPreBias: false, thresholdForm: .value)
        }
        try tensors.takeTransposed("encoder", from: encoder, rows: m, columns: d)
        try tensors.take("decoder", from: decoder, [m, d])
        try tensors.take("latent_bias", from: "b_enc", [m])
        try tensors.take("pre_bias", from: "b_dec", [d])
        try tensors.take("threshold", from: "threshold", [m])
        try tensors.passOverScalingFactor()
        if tensors.has("affine_skip_connection") {
            throw ForeignDictionaryError(
                .refused, path,
                "tensor \"affine_skip_connection\": a linear map beside the dictionary cannot be represented")
        }
        var files = [ForeignFile(path: path, role: "weights")]
        var details = JSONObject(names.details)
        if let configuration {
            files.append(ForeignFile(path: configuration.path, role: "config"))
            details.add(configuration.details(besides: usedKeys))
        }
        details["convention"] = .string("the token BOS is left out")
        return ForeignDictionary(
            format: .gemmaScope, configuration: made, tensors: try tensors.finish("a Gemma Scope dictionary"),
            files: files, suggestedName: "",
            modelName: try configuration?.text("model_name").map(GemmaScopeNames.model(named:)) ?? names.modelName,
            repository: names.repository, hook: hook, details: details, remarks: [])
    }

    private static func configuration(beside path: String) throws(ForeignDictionaryError) -> ConfigurationFile? {
        let beside = URL(filePath: path).deletingLastPathComponent().appending(path: "config.json").path
        return FileManager.default.fileExists(atPath: beside) ? try ConfigurationFile(path: beside) : nil
    }

    private static func check(_ file: ConfigurationFile) throws(ForeignDictionaryError) {
        if let architecture = try file.text("architecture"), architecture != "jump_relu" {
            throw file.refused("architecture", "expected jump_relu")
        }
        if let type = try file.text("type"), type != "sae" {
            throw file.refused(
                "type", "expected sae; only dictionaries that read and write one place can be represented")
        }
        if try file.flag("affine_connection") ?? false {
            throw file.refused("affine_connection", "a linear map beside the dictionary cannot be represented")
        }
        if let read = try file.text("hf_hook_point_in"), let written = try file.text("hf_hook_point_out"),
            read != written
        {
            throw file.refused(
                "hf_hook_point_out",
                "it reads \(read.quoted); transcoders, which write another place, cannot be represented")
        }
    }

    private static func layer(
        _ names: GemmaScopeNames, _ hook: String?, _ file: ConfigurationFile?, _ path: String, _ context: ReadingContext
    ) throws(ForeignDictionaryError) -> Int {
        guard let hook, let file else { return try context.layer(names.layer, in: path) }
        let layer = try context.layer(ofHook: hook, key: "hf_hook_point_in", in: file.path)
        if let other = names.layer, other != layer {
            throw file.wrong("hf_hook_point_in", expected: "layer \(other), as the folder's name says")
        }
        return layer
    }
}
