import Foundation
import LanguageModel
import TestSupport
import Testing

/// What `config.json` says of each family, and what is refused of it.
@Suite struct FamilyConfigurationTests {
    private func read(_ settings: [String: Any]) throws -> LanguageModelConfiguration {
        let directory = try TemporaryDirectory()
        let path = directory.file("config.json")
        try JSONSerialization.data(withJSONObject: settings).write(to: URL(filePath: path))
        return try LanguageModelConfiguration(path: path)
    }

    private func settings(_ name: String, _ changes: [String: Any] = [:]) throws -> [String: Any] {
        let bytes = try Data(contentsOf: URL(filePath: fixture("models/\(name)/config.json")))
        let settings = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        return settings.merging(changes) { $1 }
    }

    private func refusal(_ settings: [String: Any]) -> String {
        do {
            _ = try read(settings)
            return "accepted"
        } catch {
            return "\(error)".split(separator: ": ", maxSplits: 1).last.map(String.init) ?? ""
        }
    }

    @Test("GPT-2 has its own names of sizes, and four times the width inside") func gpt2() throws {
        let model = try read([
            "model_type": "gpt2", "vocab_size": 60, "n_embd": 12, "n_layer": 2, "n_head": 3, "n_positions": 40,
        ])
        #expect(model.dModel == 12 && model.dFeedForward == 48 && model.layerCount == 2 && model.queryHeads == 3)
        #expect(model.keyValueHeads == 3 && model.headDimension == 4 && model.maximumPositions == 40)
        #expect(model.norm == .layer && model.normParameters == .weightAndBias && model.normEpsilon == 1e-5)
        #expect(model.learnedPositions == 40 && model.rotaries.isEmpty && model.tiesEmbeddings)
        #expect(model.activation == .geluTanh && !model.isGated)
        #expect(model.biasesQueriesKeysValues && model.biasesAttentionOutput && model.biasesFeedForward)
        let layer = 4 * 12 + 12 * 36 + 36 + 12 * 12 + 12 + 2 * 12 * 48 + 48 + 12
        #expect(model.parameterCount == 2 * layer + 2 * 12 + 60 * 12 + 40 * 12)
    }

    @Test("The text part of a model of several parts has the usual sizes where it is silent") func textPart() throws {
        let model = try read([
            "model_type": "gemma3", "eos_token_id": [1, 106], "torch_dtype": "bfloat16",
            "vision_config": ["hidden_size": 1152],
            "text_config": [
                "model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34,
                "sliding_window": 1024, "rope_scaling": ["factor": 8.0, "rope_type": "linear"],
            ],
        ])
        #expect(model.family == .gemma3 && model.wrapper == "gemma3")
        #expect(model.vocabularySize == 262_208 && model.queryHeads == 8 && model.keyValueHeads == 4)
        #expect(model.headDimension == 256 && model.tiesEmbeddings && model.endOfSequence == [1, 106])
        #expect(model.rotaries.map(\.theta) == [10_000, 1_000_000])
        #expect(model.rotaries.map(\.scaling) == [.none, .linear(factor: 8)])
        #expect(model.layers.map(\.window) == (1...34).map { $0 % 6 == 0 ? nil : 1024 })
        #expect(model.layers.map(\.rotary) == (1...34).map { $0 % 6 == 0 ? 1 : 0 })
        #expect(model.storedType == "bfloat16")
    }

    @Test(
        "What else computes is refused by what it is",
        arguments: [
            ("mixtral", "a mixture of experts"), ("mamba2", "state-space"), ("qwen3_next", "linear attention"),
            ("bert", "an encoder"), ("t5", "an encoder with a decoder"), ("clip", "images"), ("whisper", "sound"),
        ])
    func othersAreRefused(_ type: String, _ kind: String) throws {
        let message = refusal(["model_type": type])
        #expect(message.contains("\"model_type\" is \"\(type)\"") && message.contains(kind))
        #expect(message.contains("gpt_neox") && message.contains("tools/export_activations.py"))
        let inner = refusal(["model_type": "some_vlm", "text_config": ["model_type": type]])
        #expect(inner.contains("\"text_config.model_type\" is \"\(type)\"") && inner.contains(kind))
    }

    @Test("Each setting that calls for another computation is refused by name") func settingsAreRefused() throws {
        func check(_ name: String, _ changes: [String: Any], _ expected: String) throws {
            let message = refusal(try settings(name, changes))
            #expect(message.hasPrefix(expected), "\(name) \(changes): \(message)")
        }

        try check("gpt2", ["add_cross_attention": true], "\"add_cross_attention\" is true")
        try check("gemma2", ["use_bidirectional_attention": true], "\"use_bidirectional_attention\" is true")
        try check("phi", ["qk_layernorm": true], "\"qk_layernorm\" is true")
        try check("stablelm", ["qk_layernorm": true], "\"qk_layernorm\" is true")
        try check("gpt_neox", ["hidden_act": "quick_gelu"], "\"hidden_act\" is \"quick_gelu\"")
        try check("gpt_neox", ["rotary_pct": 1.5], "\"partial_rotary_factor\" is")
        try check("gpt_neox", ["num_attention_heads": 5], "\"hidden_size\" is 32, expected a multiple")
        try check("gptj", ["rotary_dim": 3], "\"rotary_dim\" is 3, expected an even number")
        try check("gptj", ["rotary_dim": 4096], "\"rotary_dim\" is 4096")
        try check("gpt_neo", ["attention_types": [[["global"], 1]]], "\"attention_types\" is")
        try check("gpt_neo", ["attention_types": [[["global", "cubic"], 2]]], "\"attention_types\" is")
        try check("smollm3", ["no_rope_layers": [1, 2]], "\"no_rope_layers\" is")
        try check("phi3", ["rope_scaling": ["type": "linear", "factor": 2]], "\"rope_scaling.type\" is \"linear\"")
        try check(
            "phi3", ["rope_scaling": ["type": "longrope", "short_factor": [1], "long_factor": [1]]],
            "\"rope_scaling.short_factor\" is a list of 1")
        try check("gemma3_text", ["layer_types": ["linear_attention"]], "\"layer_types\" is")
        try check("gemma3_text", ["rope_parameters": ["rope_theta": 3]], "\"rope_parameters\" is")
        try check("gemma2", ["attn_logit_softcapping": 0], "\"attn_logit_softcapping\" is 0")
        try check("gemma2", ["query_pre_attn_scalar": -1], "\"query_pre_attn_scalar\" is -1")
        try check("granite", ["logits_scaling": 0], "\"logits_scaling\" is 0")
        try check("llama-dynamic", ["rope_scaling": ["type": "dynamic", "factor": 0.5]], "\"rope_scaling.factor\"")
        try check("llama-yarn", ["rope_theta": 1], "\"rope_theta\" is 1, expected a number above 1")
        try check("olmo", ["clip_qkv": -1], "\"clip_qkv\" is -1")
        try check("qwen3", ["is_causal": false], "\"is_causal\" is false")
        try check("granite", ["residual_multiplier": 1e-45], "\"residual_multiplier\" is")
        try check("gemma3_text", ["head_dim": 7], "\"head_dim\" is 7, expected heads of an even number")
    }

    @Test("Two sets of positions, caps and scales are read") func positionsAndScales() throws {
        let gemma2 = try read(try settings("gemma2"))
        #expect(gemma2.scoreCap != nil && gemma2.logitCap != nil && gemma2.addsOneToNorms)
        #expect(gemma2.block.normsAttentionOutput && gemma2.block.normsFeedForwardOutput)
        let silent = try settings("gemma2").filter { !$0.key.hasSuffix("softcapping") }
        #expect(try read(silent).scoreCap == 50 && read(silent).logitCap == 30)
        #expect(try read(silent.merging(["attn_logit_softcapping": NSNull()]) { $1 }).scoreCap == nil)
        let inverse = try read(try settings("gpt2-bare"))
        #expect(inverse.layers[1].scoreScale == inverse.layers[0].scoreScale / 2)
        #expect(try read(try settings("gpt_neo")).layers.allSatisfy { $0.scoreScale == 1 })
    }
}
