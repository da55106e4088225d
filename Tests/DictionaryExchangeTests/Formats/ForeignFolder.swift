import DictionaryExchange
import Foundation
import Safetensors
import TestSupport

/// The path of a fixture that another program wrote, `Fixtures/interchange/NAME`.
func interchangeFixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/interchange").appending(path: name).path
}

/// A folder of small files in the formats of other programs, which a test writes and changes.
struct ForeignFolder {
    /// Where it is; it disappears with this value.
    let directory: TemporaryDirectory

    /// The folder itself.
    var path: String { directory.path }

    /// An empty one.
    init() throws { directory = try TemporaryDirectory() }

    /// A copy of a fixture.
    init(copying fixture: String) throws {
        directory = try TemporaryDirectory()
        let manager = FileManager.default
        for entry in try manager.contentsOfDirectory(atPath: interchangeFixture(fixture)) {
            try manager.copyItem(
                atPath: interchangeFixture(fixture) + "/" + entry, toPath: directory.path + "/" + entry)
        }
    }

    /// Writes a text, with the folders above it.
    func write(_ text: String, as name: String) throws {
        let url = directory.url.appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// Writes a safetensors file of numbers that differ, with the folders above it.
    func write(
        _ tensors: KeyValuePairs<String, [Int]>, dtypes: [String: TensorDType] = [:],
        values: [String: [Float]] = [:], as name: String
    ) throws {
        try write(tensors.map { ($0.key, $0.value) }, dtypes: dtypes, values: values, as: name)
    }

    /// The same, of pairs that are put together.
    func write(
        _ tensors: [(key: String, value: [Int])], dtypes: [String: TensorDType] = [:],
        values: [String: [Float]] = [:], as name: String
    ) throws {
        let url = directory.url.appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        let writer = try SafetensorsWriter(
            path: url.path,
            tensors: tensors.map { (name: $0.key, dtype: dtypes[$0.key] ?? .f32, shape: $0.value) }, metadata: [:],
            overwrite: true)
        for (index, tensor) in tensors.enumerated() {
            let count = tensor.value.reduce(1, *)
            if dtypes[tensor.key] == .i32 {
                try writer.append(tensor.key, integers: (0..<count).map { Int64($0) })
            } else {
                try writer.append(tensor.key, floats: values[tensor.key] ?? Self.numbers(count, from: index))
            }
        }
        try writer.finish()
    }

    /// Numbers of both signs that a float of 16 bits holds as well.
    static func numbers(_ count: Int, from start: Int = 0) -> [Float] {
        (0..<count).map { Float(($0 * 37 + start * 11) % 29 - 14) / 16 }
    }

    /// Replaces a text in a file; the test fails where it is missing.
    func replace(_ old: String, with new: String, in name: String) throws {
        let url = directory.url.appending(path: name)
        let text = try String(contentsOf: url, encoding: .utf8)
        try requireEqual(text.contains(old), true)
        try Data(text.replacingOccurrences(of: old, with: new).utf8).write(to: url)
    }

    /// Removes a file or a folder.
    func remove(_ name: String) throws {
        try FileManager.default.removeItem(at: directory.url.appending(path: name))
    }

    /// What is found in it, or in a folder or file in it.
    func find(_ request: ForeignRequest = ForeignRequest(), in name: String = "") throws -> [ForeignDictionary] {
        try ForeignDictionaries.find(at: name.isEmpty ? path : path + "/" + name, request)
    }

    /// The one dictionary found in it.
    func one(_ request: ForeignRequest = ForeignRequest()) throws -> ForeignDictionary {
        let found = try find(request)
        try requireEqual(found.count, 1)
        return found[0]
    }

    /// The kind and the text of the failure to find anything in it, without the folder's own path.
    func failure(
        _ request: ForeignRequest = ForeignRequest(), in name: String = ""
    ) -> (kind: ForeignDictionaryError.Kind?, text: String) {
        do {
            let found = try find(request, in: name)
            return (nil, "found \(found.count)")
        } catch {
            let text = "\(error)".replacingOccurrences(of: path + "/", with: "")
            return ((error as? ForeignDictionaryError)?.kind, text.replacingOccurrences(of: path, with: ""))
        }
    }
}

extension ForeignFolder {
    /// A SAELens dictionary of 3 latents and 4 dimensions, with keys changed or added.
    func writeSAELens(
        _ architecture: String = "standard", in folder: String = "", hook: String = "\"blocks.3.hook_resid_post\"",
        changing keys: [String: String] = [:], dtype: TensorDType = .f32
    ) throws {
        var values = [
            "architecture": "\"\(architecture)\"", "d_in": "4", "d_sae": "3", "dtype": "\"float32\"",
            "metadata": "{\"sae_lens_version\": \"6.54.12\", \"hook_name\": \(hook), \"model_name\": \"m\"}",
        ]
        if architecture == "topk" { values["k"] = "2" }
        values.merge(keys) { $1 }
        let members = values.filter { $0.value != "-" }.sorted { $0.key < $1.key }
        let text = members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
        let prefix = folder.isEmpty ? "" : folder + "/"
        try write("{\(text)}", as: prefix + "cfg.json")
        let weights = prefix + "sae_weights.safetensors"
        let types = ["W_enc": dtype, "W_dec": dtype]
        switch architecture {
        case "gated":
            try write(
                ["W_enc": [4, 3], "W_dec": [3, 4], "b_dec": [4], "b_gate": [3], "b_mag": [3], "r_mag": [3]],
                dtypes: types, as: weights)
        case "jumprelu":
            try write(
                ["W_enc": [4, 3], "W_dec": [3, 4], "b_dec": [4], "b_enc": [3], "threshold": [3]], dtypes: types,
                as: weights)
        default:
            try write(["W_enc": [4, 3], "W_dec": [3, 4], "b_dec": [4], "b_enc": [3]], dtypes: types, as: weights)
        }
    }

    /// A sparse coder of sparsify of 6 latents and 4 dimensions.
    func writeSparsify(in folder: String = "layers.3", changing keys: [String: String] = [:]) throws {
        var values = ["activation": "\"topk\"", "d_in": "4", "num_latents": "6", "k": "2", "multi_topk": "true"]
        values.merge(keys) { $1 }
        let members = values.filter { $0.value != "-" }.sorted { $0.key < $1.key }
        let text = members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
        try write("{\(text)}", as: folder + "/cfg.json")
        try write(
            ["encoder.weight": [6, 4], "encoder.bias": [6], "W_dec": [6, 4], "b_dec": [4]],
            as: folder + "/sae.safetensors")
    }

    /// A Gemma Scope 2 dictionary of 3 latents and 4 dimensions.
    func writeGemmaScope2(
        in folder: String = "gemma-scope-2-270m-pt/resid_post/layer_5_width_16k_l0_small",
        configuration: String? = #"{"architecture": "jump_relu", "hf_hook_point_in": "model.layers.5.output"}"#
    ) throws {
        if let configuration { try write(configuration, as: folder + "/config.json") }
        try write(
            ["w_enc": [4, 3], "w_dec": [3, 4], "b_enc": [3], "b_dec": [4], "threshold": [3]],
            as: folder + "/params.safetensors")
    }

    /// A Llama Scope dictionary of 3 latents and 4 dimensions, with keys changed or added.
    func writeLlamaScope(changing keys: [String: String] = [:]) throws {
        var values = [
            "d_model": "4", "d_sae": "3", "hook_point_in": "\"blocks.3.hook_resid_post\"",
            "jump_relu_threshold": "0.5", "dataset_average_activation_norm": "{\"in\": 8}",
        ]
        values.merge(keys) { $1 }
        let members = values.filter { $0.value != "-" }.sorted { $0.key < $1.key }
        try write(
            "{" + members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}",
            as: "llama/hyperparams.json")
        try write(
            ["encoder.weight": [3, 4], "encoder.bias": [3], "decoder.weight": [4, 3], "decoder.bias": [4]],
            as: "llama/checkpoints/final.safetensors")
    }
}
