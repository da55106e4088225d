import Foundation
import LinearAlgebra
import Safetensors
import TestSupport

/// A small model with random weights in a directory of its own, and the same weights at hand for a reference.
struct ScratchModel {
    let directory: TemporaryDirectory
    var config: [String: Any]
    var tensors: [String: (shape: [Int], elements: [Float])] = [:]
    /// How tensors are stored; f32 for those that are not named.
    var types: [String: TensorDType] = [:]

    /// A Llama of 3 layers, d = 24, 4 heads that share 2 key heads, vocabulary 50; `changes` overrides config values
    /// (nil removes a key) before the weights are drawn.
    init(_ changes: [String: Any?] = [:], seed: UInt64 = 1) throws {
        directory = try TemporaryDirectory()
        config = [
            "model_type": "llama", "vocab_size": 50, "hidden_size": 24, "intermediate_size": 40,
            "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0, "max_position_embeddings": 1024, "tie_word_embeddings": false,
        ]
        for (key, value) in changes { config[key] = value }

        var generator = CounterGenerator(seed: seed)
        func random(_ name: String, _ shape: [Int], spread: Float, around center: Float = 0) {
            let elements = (0..<shape.reduce(1, *)).map { _ in center + spread * (2 * generator.uniform() - 1) }
            tensors[name] = (shape, elements)
        }

        let d = int("hidden_size")
        let ff = int("intermediate_size")
        let headDimension = config["head_dim"] as? Int ?? d / int("num_attention_heads")
        let queries = int("num_attention_heads") * headDimension
        let keys = int("num_key_value_heads") * headDimension
        let type = config["model_type"] as? String
        let attentionBias = config["attention_bias"] as? Bool ?? false
        random("model.embed_tokens.weight", [int("vocab_size"), d], spread: 1)
        for layer in 0..<int("num_hidden_layers") {
            func weight(_ name: String, _ shape: [Int]) {
                random("model.layers.\(layer).\(name).weight", shape, spread: 1.5 / Float(shape[1]).squareRoot())
            }

            func norm(_ name: String, _ count: Int) {
                random("model.layers.\(layer).\(name).weight", [count], spread: 0.5, around: 1)
            }

            func bias(_ name: String, _ count: Int) {
                random("model.layers.\(layer).\(name).bias", [count], spread: 0.5)
            }
            norm("input_layernorm", d)
            norm("post_attention_layernorm", d)
            weight("self_attn.q_proj", [queries, d])
            weight("self_attn.k_proj", [keys, d])
            weight("self_attn.v_proj", [keys, d])
            weight("self_attn.o_proj", [d, queries])
            weight("mlp.gate_proj", [ff, d])
            weight("mlp.up_proj", [ff, d])
            weight("mlp.down_proj", [d, ff])
            if type == "qwen2" || attentionBias {
                bias("self_attn.q_proj", queries)
                bias("self_attn.k_proj", keys)
                bias("self_attn.v_proj", keys)
            }
            if attentionBias { bias("self_attn.o_proj", d) }
            if config["mlp_bias"] as? Bool ?? false {
                bias("mlp.gate_proj", ff)
                bias("mlp.up_proj", ff)
                bias("mlp.down_proj", d)
            }
            if type == "qwen3" {
                norm("self_attn.q_norm", headDimension)
                norm("self_attn.k_norm", headDimension)
            }
        }
        random("model.norm.weight", [d], spread: 0.5, around: 1)
        if !(config["tie_word_embeddings"] as? Bool ?? false) {
            random("lm_head.weight", [int("vocab_size"), d], spread: 1)
        }
    }

    func int(_ key: String) -> Int { config[key] as? Int ?? 0 }

    /// Writes the directory and returns its path.
    func write() throws -> String {
        try writeConfig()
        let names = tensors.keys.sorted()
        let writer = try SafetensorsWriter(
            path: directory.file("model.safetensors"),
            tensors: names.map { (name: $0, dtype: types[$0] ?? .f32, shape: tensors[$0]?.shape ?? []) },
            overwrite: true)
        for name in names { try writer.append(name, floats: tensors[name]?.elements ?? []) }
        try writer.finish()
        return directory.path
    }

    /// Writes `config.json` alone and returns its path.
    @discardableResult
    func writeConfig() throws -> String {
        let path = directory.file("config.json")
        try JSONSerialization.data(withJSONObject: config).write(to: URL(filePath: path))
        return path
    }
}
