import Foundation
import JSON
import SparseCoding
import Vocabulary

/// Reads a hookpoint's folder that EleutherAI's sparsify saved: `cfg.json` and `sae.safetensors`.
///
/// `SparseCoder.load_from_disk` of sparsify 1.3: `encoder.weight [m, d]`, `encoder.bias [m]`, `W_dec [m, d]`,
/// `b_dec [d]`, which is subtracted before encoding; no normalisation of x. A folder that was exported from here may
/// say that its x is a normalised stream (`RecordedInput`). The folder's name is the path of the module
/// whose output is read; a run with several seeds has a folder for each inside it.
enum SparsifyReader {
    /// Keys that decide something.
    private static let usedKeys: Set = [
        "activation", "d_in", "num_latents", "expansion_factor", "k", "transcode", "skip_connection", "signed",
        RecordedInput.key,
    ]

    /// Keys of training, and one about the decoder's norms, which are in the weights.
    private static let harmlessKeys: Set = ["normalize_decoder", "multi_topk"]

    /// Reads a folder.
    ///
    /// - Throws: `ForeignDictionaryError`, `WeightFileError`.
    static func read(_ folder: String, _ context: ReadingContext) throws -> ForeignDictionary {
        let file = try ConfigurationFile(path: folder + "/cfg.json")
        let path = folder + "/sae.safetensors"
        if try file.flag("transcode") ?? false {
            throw file.refused(
                "transcode", "transcoders, which read one place and write another, cannot be represented")
        }
        if try file.flag("skip_connection") ?? false {
            throw file.refused("skip_connection", "a linear map beside the dictionary cannot be represented")
        }
        if try file.flag("signed") ?? false {
            throw file.refused("signed", "activations below zero cannot be represented")
        }
        var remarks: [String] = []
        let width = try file.extent("d_in")
        let latents = try latents(file, width: width)
        let (k, remark) = try context.k(file.whole("k"), orOf: "sparsify", 32, in: file.path)
        if let remark { remarks.append(remark) }
        let selection = try selection(file)
        let input = try RecordedInput.read(file)
        let hook = hookPoint(folder)
        let layer = try layer(ofHook: hook, folder, context)
        let made = try ForeignDictionary.configuration(at: file.path) { () throws(SparseCodingError) in
            try DictionaryConfiguration(
                architecture: .topk, dModel: width, latents: latents, k: k, layers: [layer],
                input: input ?? .none,
                subtractsPreBias: true, selection: selection)
        }
        if let input {
            remarks.append(
                "\(file.path): exported by RouteSAE for a stream under the rule \(input.rule.rawValue), which is restored; "
                    + "sparsify does not apply it")
        }
        var tensors = TensorMapping(try SafetensorsWeightFile(path: path))
        try tensors.take("encoder", from: "encoder.weight", [latents, width])
        try tensors.take("latent_bias", from: "encoder.bias", [latents])
        try tensors.take("decoder", from: "W_dec", [latents, width])
        try tensors.take("pre_bias", from: "b_dec", [width])
        if let remark = file.remark(onKeysBesides: usedKeys.union(harmlessKeys)) { remarks.append(remark) }

        var details = JSONObject(
            file.details(besides: usedKeys.subtracting(["activation", "expansion_factor", "signed"])))
        var files = [ForeignFile(path: path, role: "weights"), ForeignFile(path: file.path, role: "config")]
        let run = try runConfiguration(above: folder)
        if let run {
            files.append(ForeignFile(path: run.path, role: "config"))
            details["dataset"] = run["dataset"]
            details["context_size"] = run["ctx_len"]
            details["revision"] = run["revision"]
        }
        return ForeignDictionary(
            format: .sparsify, configuration: made, tensors: try tensors.finish("a sparse coder of sparsify"),
            files: files, suggestedName: "", modelName: try run?.text("model"),
            repository: PathNames(folder).repository, hook: hook, details: details, remarks: remarks)
    }

    private static func latents(_ file: ConfigurationFile, width: Int) throws(ForeignDictionaryError) -> Int {
        let said = try file.whole("num_latents") ?? 0
        if said != 0 { return try file.extent("num_latents") }
        let factor = try file["expansion_factor"] == nil ? 32 : file.extent("expansion_factor")
        let (latents, overflow) = width.multipliedReportingOverflow(by: factor)
        guard !overflow, latents <= 16_777_216 else {
            throw file.wrong("expansion_factor", expected: "a factor that makes at most 16777216 latents of \(width)")
        }
        return latents
    }

    private static func selection(_ file: ConfigurationFile) throws(ForeignDictionaryError) -> LatentSelection {
        switch try file.text("activation") {
        case nil, "topk": return .activation
        case "groupmax": return .groups
        default: throw file.refused("activation", "expected topk or groupmax")
        }
    }

    /// The module that the folder's name says; nil for a name that says none.
    private static func hookPoint(_ folder: String) -> String? {
        let names = PathNames(folder).components.suffix(2).reversed()
        return names.first { HookPoint($0) != .unknown }
    }

    private static func layer(
        ofHook hook: String?, _ folder: String, _ context: ReadingContext
    ) throws(ForeignDictionaryError) -> Int {
        guard let hook, case .elsewhere(let place) = HookPoint(hook) else {
            return try context.layer(ofHook: hook, key: "the folder's name", in: folder)
        }
        throw ForeignDictionaryError(
            .refused, folder,
            "the folder's name \(hook.quoted) says that it reads \(place); only dictionaries of the residual stream "
                + "behind a decoder layer can be imported")
    }

    /// The run's `config.json`, one or two folders above.
    private static func runConfiguration(above folder: String) throws(ForeignDictionaryError) -> ConfigurationFile? {
        let url = URL(filePath: folder)
        for above in [url.deletingLastPathComponent(), url.deletingLastPathComponent().deletingLastPathComponent()] {
            let path = above.appending(path: "config.json").path
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let file = try ConfigurationFile(path: path)
            // A model's own config.json may lie there as well.
            return file["sae"] != nil || file["hookpoints"] != nil ? file : nil
        }
        return nil
    }
}
