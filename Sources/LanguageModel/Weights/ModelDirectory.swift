internal import Foundation
import JSON

/// Checks a folder that should hold a model, and names common mistakes.
package enum ModelDirectory {
    /// Checks that a folder has a configuration and weights that could be read.
    ///
    /// - Throws: `.missing` where there is no `config.json`, `.notAModel` naming what is there and what to do.
    package static func check(_ path: String) throws(LanguageModelError) {
        let listing = DirectoryListing(path)
        let hasWeights = listing.hasFile(named: "model.safetensors") || listing.hasFile(named: weightIndex)
        if !hasWeights, listing.hasFile(named: "adapter_config.json") { throw adapter(path) }
        guard listing.hasFile(named: "config.json") else { throw otherThanModel(listing, path) }
        try checkPointers(listing.names.filter { $0.hasSuffix(".json") || isWeightFile($0) }, in: path)
        try checkQuantization(path)
        if !hasWeights, let problem = otherWeights(listing, path) { throw .notAModel(path: path, problem: problem) }
    }

    /// Checks that a folder has a `tokenizer.json`.
    ///
    /// - Throws: `.notAModel` naming what is there and what to do.
    package static func checkTokenizer(_ path: String) throws(LanguageModelError) {
        let listing = DirectoryListing(path)
        guard !listing.hasFile(named: "tokenizer.json") else { return }
        let others = ["tokenizer.model", "spiece.model", "tekken.json", "vocab.json", "tiktoken.model"]
        let found = others.first(where: listing.hasFile).map { ", only \($0)" } ?? ""
        throw .notAModel(
            path: path,
            problem: "has no tokenizer.json\(found); download it with the model, or write it in Python: "
                + "AutoTokenizer.from_pretrained(\"\(path)\").save_pretrained(\"\(path)\")")
    }

    private static let weightIndex = "model.safetensors.index.json"
    private static let wanted = "a folder in Hugging Face layout (config.json, tokenizer.json, model.safetensors)"

    private static func isWeightFile(_ name: String) -> Bool {
        name.hasPrefix("model") && name.hasSuffix(".safetensors")
    }

    private static func adapter(_ path: String) -> LanguageModelError {
        let document = try? ConfigurationDocument(path: path + "/adapter_config.json")
        let base = document.flatMap { try? $0.text("base_model_name_or_path") }.map { " \(Self.quoted($0))" } ?? ""
        return .notAModel(
            path: path,
            problem:
                "holds an adapter (adapter_config.json) and no model; merge it into its base model\(base) with PEFT "
                + "(merge_and_unload, then save_pretrained) and name the folder of the result")
    }

    /// Describes a folder without a `config.json`.
    private static func otherThanModel(_ listing: DirectoryListing, _ path: String) -> LanguageModelError {
        let inner = listing.subfolders(holding: "config.json")
        if let first = inner.first {
            let all = inner.prefix(3).map { path + "/" + $0 }.joined(separator: ", ")
            return .notAModel(
                path: path,
                problem: inner.count == 1
                    ? "the model lies in a folder within it; name \(path)/\(first)"
                    : "models lie in folders within it; name one of them: \(all)\(inner.count > 3 ? ", …" : "")")
        }
        if let problem = otherWeights(listing, path) { return .notAModel(path: path, problem: problem) }
        return .missing(path: path + "/config.json")
    }

    /// Names unsupported weight files in the folder; nil if there are none.
    private static func otherWeights(_ listing: DirectoryListing, _ path: String) -> String? {
        func first(_ condition: (String) -> Bool) -> String? { listing.names.first(where: condition) }
        if let name = first({ $0.hasPrefix("model-") && $0.hasSuffix(".safetensors") }) {
            return "has shards such as \(quoted(name)) and not their index; download \(weightIndex) as well"
        }
        if let name = first({ $0.hasPrefix("consolidated") }) {
            return
                "has its weights only as \(quoted(name)), the vendor's own layout; download model*.safetensors of the "
                + "same model, or convert it with transformers"
        }
        if let name = first({ $0.hasSuffix(".gguf") }) {
            return "has its weights only as \(quoted(name)) (GGUF, for llama.cpp); name \(wanted)"
        }

        let pickles = [".bin", ".pth", ".pt", ".h5", ".msgpack"]
        if let name = first({ name in
            name != "training_args.bin" && !name.hasPrefix("tokenizer") && pickles.contains(where: name.hasSuffix)
        }) {
            return
                "has its weights only as \(quoted(name)); convert them to safetensors, in Python: AutoModelForCausalLM"
                + ".from_pretrained(\"\(path)\").save_pretrained(\"NEW\"), and name that folder with the tokenizer's files"
        }
        if let name = first({ $0.hasSuffix(".safetensors") && !$0.hasPrefix("adapter") }) {
            return
                "has no model.safetensors, and \(quoted(name)) is not read under that name; rename it if it holds the "
                + "model's weights"
        }
        if let name = first({ $0.hasSuffix(".onnx") }) {
            return "has its weights only as \(quoted(name)) (ONNX); name \(wanted)"
        }
        return nil
    }

    /// Files cloned without Git LFS hold three lines instead of the content.
    private static func checkPointers(_ names: [String], in path: String) throws(LanguageModelError) {
        for name in names where DirectoryListing.isPointer(path + "/" + name) {
            throw .notAModel(
                path: path + "/" + name,
                problem:
                    "is a Git LFS pointer and not the file itself; run `git lfs pull` in \(path), or download the file")
        }
    }

    private static func checkQuantization(_ path: String) throws(LanguageModelError) {
        let document = try ConfigurationDocument(path: path + "/config.json")
        for key in ["quantization_config", "quantization", "compression_config"] {
            guard case .object(let values)? = document.value(key) else { continue }
            var method = "\(key) in config.json"
            if case .string(let name)? = values["quant_method"] { method = quoted(name) }
            // Written as well where a model was loaded without it.
            let loads = ["load_in_4bit", "load_in_8bit"].compactMap { values[$0] }
            if !loads.isEmpty, loads.allSatisfy({ $0 == .boolean(false) }) { continue }
            throw .notAModel(
                path: path,
                problem:
                    "is a quantised model (\(method)), which is not supported; take the model it was made of, with weights "
                    + "in bf16, f16 or f32")
        }
    }

    /// A name from an untrusted file, short and on one line.
    private static func quoted(_ name: String) -> String { JSONValue.string(name).excerpt }
}
