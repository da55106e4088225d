import Foundation
import JSON
import SparseCoding
import Vocabulary

/// Reads a folder that a trainer of dictionary_learning saved: `config.json` and `ae.pt`, a state dict.
///
/// What counts is what `encode` and `decode` of the class give with the state dict as it is (dictionary_learning 0.1.0).
/// `AutoEncoder.from_pretrained` by default moves the decoder's norms into the encoder as well, which scales activations
/// and leaves reconstructions; that is not done here, so that the weights stay those of the file.
enum DictionaryLearningReader {
    /// One class of dictionaries.
    enum DictionaryClass: String, CaseIterable {
        case autoEncoder = "AutoEncoder"
        case autoEncoderNew = "AutoEncoderNew"
        case gated = "GatedAutoEncoder"
        case topK = "AutoEncoderTopK"
        case batchTopK = "BatchTopKSAE"
        case matryoshka = "MatryoshkaBatchTopKSAE"
        case jumpReLU = "JumpReluAutoEncoder"

        /// The architecture by our name. BatchTopK uses its threshold by default when it encodes.
        var architecture: Architecture {
            switch self {
            case .autoEncoder, .autoEncoderNew: .vanilla
            case .gated: .gated
            case .topK: .topk
            case .batchTopK, .matryoshka, .jumpReLU: .jumprelu
            }
        }

        /// Whether the decoder's bias is subtracted before encoding.
        var subtractsPreBias: Bool { self != .autoEncoderNew && self != .jumpReLU }

        /// Whether matrices are parameters of their own (`W_enc [d, m]`) and not those of linear layers.
        var hasOwnMatrices: Bool { self == .matryoshka || self == .jumpReLU }

        /// The tensor that is the decoder's bias.
        var preBias: String {
            switch self {
            case .autoEncoder: "bias"
            case .autoEncoderNew: "decoder.bias"
            case .gated: "decoder_bias"
            case .topK, .batchTopK, .matryoshka, .jumpReLU: "b_dec"
            }
        }

        /// The meaning of its thresholds.
        var thresholdForm: ThresholdForm? {
            switch self {
            case .batchTopK, .matryoshka: .shared
            case .jumpReLU: .value
            default: nil
            }
        }
    }

    /// Reads a state dict with the configuration in its folder or, for a checkpoint of training, in the one above.
    ///
    /// - Parameter path: the `.pt` file.
    /// - Throws: `ForeignDictionaryError`, `WeightFileError`.
    static func read(_ path: String, _ context: ReadingContext) throws -> ForeignDictionary {
        let file = try ConfigurationFile(path: configurationPath(beside: path))
        guard let trainer = try file.object("trainer") else { throw file.wrong("trainer", expected: "an object") }
        let kind = try dictionaryClass(trainer)
        let (layer, hook, remark) = try place(trainer, file, context)
        var tensors = TensorMapping(try PyTorchFile(path: path))
        let (latents, width) = try extents(tensors, kind)
        for (key, extent) in [("dict_size", latents), ("activation_dim", width)] {
            if let said = try trainer.whole(key), said != extent {
                throw trainer.wrong(key, expected: "\(extent), as the tensors have it")
            }
        }
        let saidK = try tensors.whole("k")
        if let saidK, let other = try trainer.whole("k"), other != saidK {
            throw trainer.wrong("k", expected: "\(saidK), as tensor \"k\" has it")
        }
        let trainedK = try saidK ?? trainer.whole("k")
        let k = try kind == .topK ? context.k(trainedK, in: file.path) : nil
        if kind != .topK { try context.checkNoK(kind.rawValue, in: file.path) }
        let made = try ForeignDictionary.configuration(at: file.path) { () throws(SparseCodingError) in
            try DictionaryConfiguration(
                architecture: kind.architecture, dModel: width, latents: latents, k: k, layers: [layer], input: .none,
                subtractsPreBias: kind.subtractsPreBias, thresholdForm: kind.thresholdForm)
        }
        var remarks = [remark].compactMap { $0 }
        if kind == .autoEncoder {
            remarks.append(
                "\(path): activations are those of the weights as they are; AutoEncoder.from_pretrained also scales each "
                    + "latent to a decoder vector of norm 1")
        }
        let mapped = try take(&tensors, kind, made, path, &remarks)
        return ForeignDictionary(
            format: .dictionaryLearning, configuration: made, tensors: mapped,
            files: [ForeignFile(path: path, role: "weights"), ForeignFile(path: file.path, role: "config")],
            suggestedName: "", modelName: try trainer.text("lm_name"), repository: PathNames(path).repository,
            hook: hook, details: try details(file, trainer, kind, trainedK), remarks: remarks)
    }

    private static func configurationPath(beside path: String) -> String {
        let folder = URL(filePath: path).deletingLastPathComponent()
        let beside = folder.appending(path: "config.json").path
        let above = folder.deletingLastPathComponent().appending(path: "config.json").path
        let isCheckpoint = folder.lastPathComponent == "checkpoints"
        return isCheckpoint && !FileManager.default.fileExists(atPath: beside) ? above : beside
    }

    private static func dictionaryClass(
        _ trainer: ConfigurationFile
    ) throws(ForeignDictionaryError) -> DictionaryClass {
        let names = DictionaryClass.allCases.map(\.rawValue).joined(separator: ", ")
        guard let name = try trainer.text("dict_class") else {
            throw trainer.wrong("dict_class", expected: "one of \(names)")
        }
        guard let kind = DictionaryClass(rawValue: name) else {
            throw trainer.refused("dict_class", "expected one of \(names)")
        }
        return kind
    }

    /// The layer: what `submodule_name` says, or else `layer`.
    private static func place(
        _ trainer: ConfigurationFile, _ file: ConfigurationFile, _ context: ReadingContext
    ) throws(ForeignDictionaryError) -> (layer: Int, hook: String?, remark: String?) {
        if let buffer = try file.object("buffer"), let side = try buffer.text("io"), side != "out" {
            throw buffer.refused("io", "only dictionaries of a decoder layer's output can be imported")
        }
        let number = try trainer.whole("layer")
        if let number, !(0...99_999).contains(number) {
            throw trainer.wrong("layer", expected: "a layer number from 0 to 99999")
        }
        guard let name = try trainer.text("submodule_name") else {
            return (try context.layer(number, in: file.path), nil, nil)
        }
        guard HookPoint(name) == .unknown else {
            let layer = try context.layer(ofHook: name, key: "trainer.submodule_name", in: file.path)
            if let number, number != layer, !name.contains("pre"), !name.contains("input") {
                throw trainer.wrong("layer", expected: "\(layer), as submodule_name says")
            }
            return (layer, name, nil)
        }
        let layer = try context.layer(number, in: file.path)
        return (
            layer, name,
            "\(file.path): submodule_name \(name.quoted) is taken for the residual stream behind layer \(layer)"
        )
    }

    private static func extents(
        _ tensors: TensorMapping, _ kind: DictionaryClass
    ) throws -> (latents: Int, width: Int) {
        if kind.hasOwnMatrices {
            let (width, latents) = try tensors.extents("W_enc")
            return (latents, width)
        }
        let (latents, width) = try tensors.extents("encoder.weight")
        return (latents, width)
    }

    private static func take(
        _ tensors: inout TensorMapping, _ kind: DictionaryClass, _ made: DictionaryConfiguration, _ path: String,
        _ remarks: inout [String]
    ) throws -> [ForeignTensor] {
        let (d, m) = (made.dModel, made.latents)
        try tensors.take("pre_bias", from: kind.preBias, [d])
        if kind.hasOwnMatrices {
            try tensors.takeTransposed("encoder", from: "W_enc", rows: m, columns: d)
            try tensors.take("decoder", from: "W_dec", [m, d])
            try tensors.take("latent_bias", from: "b_enc", [m])
        } else {
            try tensors.take("encoder", from: "encoder.weight", [m, d])
            try tensors.takeTransposed("decoder", from: "decoder.weight", rows: m, columns: d)
            if kind != .gated { try tensors.take("latent_bias", from: "encoder.bias", [m]) }
        }
        switch kind {
        case .autoEncoder, .autoEncoderNew: break
        case .gated:
            try tensors.take("gate_bias", from: "gate_bias", [m])
            try tensors.take("mag_bias", from: "mag_bias", [m])
            try tensors.take("r_mag", from: "r_mag", [m])
        case .topK: tensors.pass(over: "threshold")
        case .jumpReLU: try tensors.take("threshold", from: "threshold", [m])
        case .batchTopK, .matryoshka:
            try tensors.takeSharedThreshold(from: "threshold")
            if kind == .matryoshka { tensors.pass(over: "group_sizes") }
            if try tensors.file.scalar("threshold") < 0 {
                remarks.append(
                    "\(path): the threshold is below zero, as before training has set it; every latent above zero fires"
                )
            }
        }
        return try tensors.finish("class \(kind.rawValue)")
    }

    private static func details(
        _ file: ConfigurationFile, _ trainer: ConfigurationFile, _ kind: DictionaryClass, _ k: Int?
    ) throws(ForeignDictionaryError) -> JSONObject {
        var details = JSONObject(
            trainer.details(besides: [
                "activation_dim", "dict_size", "k", "layer", "lm_name", "submodule_name", "device", "wandb_name",
            ]))
        details["trained_k"] = kind == .topK ? nil : k.map { .integer($0) }
        details["context_size"] = try file.object("buffer")?["ctx_len"]
        return details
    }
}
