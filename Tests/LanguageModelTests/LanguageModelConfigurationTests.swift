import Foundation
import LanguageModel
import TestSupport
import Testing

@Suite struct LanguageModelConfigurationTests {
    private func read(_ changes: [String: Any?] = [:]) throws -> LanguageModelConfiguration {
        let scratch = try ScratchModel()
        var config = scratch.config
        for (key, value) in changes { config[key] = value }
        var changed = scratch
        changed.config = config
        return try LanguageModelConfiguration(path: changed.writeConfig())
    }

    /// The key that a configuration is refused for, and whether as malformed or as unsupported.
    private func refusal(_ changes: [String: Any?]) -> String {
        do {
            _ = try read(changes)
            return "accepted"
        } catch let error as LanguageModelError {
            switch error {
            case .malformedConfiguration(_, let key, _, _): return "malformed \(key)"
            case .unsupportedConfiguration(_, let key, _, _): return "unsupported \(key)"
            default: return "\(error)"
            }
        } catch {
            return "\(error)"
        }
    }

    @Test func everyValueIsRead() throws {
        let model = try read([
            "head_dim": 10, "attention_bias": true, "mlp_bias": true, "bos_token_id": 3, "eos_token_id": [4, 5],
            "torch_dtype": "bfloat16", "rms_norm_eps": 0.25,
        ])
        #expect(model.family == .llama)
        #expect(model.vocabularySize == 50)
        #expect(model.dModel == 24)
        #expect(model.dFeedForward == 40)
        #expect(model.layerCount == 3)
        #expect(model.queryHeads == 4)
        #expect(model.keyValueHeads == 2)
        #expect(model.headDimension == 10)
        #expect(model.maximumPositions == 1024)
        #expect(model.normEpsilon == 0.25)
        #expect(model.rotaries[0].theta == 10000)
        #expect(model.rotaries[0].scaling == .none)
        #expect(!model.tiesEmbeddings)
        #expect(model.biasesQueriesKeysValues && model.biasesAttentionOutput && model.biasesFeedForward)
        #expect(model.queryKeyNorm == .none)
        #expect(model.layers.map(\.window) == [nil, nil, nil])
        #expect(model.beginOfSequence == 3)
        #expect(model.endOfSequence == [4, 5])
        #expect(model.storedType == "bfloat16")
        let layer = 2 * 24 + (40 + 2 * 20) * 24 + 80 + 24 * 40 + 24 + 3 * 24 * 40 + 2 * 40 + 24
        #expect(model.parameterCount == 3 * layer + 24 + 2 * 50 * 24)
    }

    @Test func missingKeysHaveTheirDefaults() throws {
        let model = try read([
            "rms_norm_eps": nil, "rope_theta": nil, "num_key_value_heads": nil, "max_position_embeddings": nil,
            "tie_word_embeddings": nil,
        ])
        #expect(model.normEpsilon == 1e-6)
        #expect(model.rotaries[0].theta == 10_000)
        #expect(model.keyValueHeads == 4)
        #expect(model.headDimension == 6)
        #expect(model.maximumPositions == 2048)
        #expect(!model.tiesEmbeddings)
        #expect(model.endOfSequence.isEmpty && model.beginOfSequence == nil && model.storedType == nil)
    }

    @Test func defaultsOfTheArchitectures() throws {
        let mistral = try read(["model_type": "mistral", "attention_bias": true])
        #expect(mistral.layers.map(\.window) == [4096, 4096, 4096])
        #expect(!mistral.biasesQueriesKeysValues && !mistral.biasesAttentionOutput)
        #expect(
            try read(["model_type": "mistral", "sliding_window": NSNull()]).layers.map(\.window) == [nil, nil, nil])
        #expect(
            try read(["model_type": "mistral", "num_attention_heads": 8, "num_key_value_heads": nil, "hidden_size": 32])
                .keyValueHeads == 8)

        let qwen2 = try read(["model_type": "qwen2", "sliding_window": 8, "max_window_layers": 1])
        #expect(qwen2.biasesQueriesKeysValues && !qwen2.biasesAttentionOutput)
        #expect(qwen2.layers.map(\.window) == [nil, nil, nil])

        let qwen3 = try read(["model_type": "qwen3"])
        #expect(qwen3.queryKeyNorm == .eachHead && !qwen3.biasesQueriesKeysValues)
        #expect(qwen3.headDimension == 128)
    }

    @Test func windows() throws {
        let some = try read([
            "model_type": "qwen3", "use_sliding_window": true, "sliding_window": 8, "max_window_layers": 1,
        ])
        #expect(some.layers.map(\.window) == [nil, 8, 8])
        let listed = try read([
            "model_type": "qwen2", "use_sliding_window": true, "sliding_window": 8,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        ])
        #expect(listed.layers.map(\.window) == [8, nil, 8])
    }

    @Test func rotaryParametersOfBothKinds() throws {
        let llama3: [String: Any] = [
            "factor": 8.0, "low_freq_factor": 1, "high_freq_factor": 4.0, "original_max_position_embeddings": 512,
            "rope_type": "llama3",
        ]
        let expected = RotaryScaling.llama3(
            factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 512)
        let older = try read(["rope_scaling": llama3, "rope_theta": 500_000.0])
        #expect(older.rotaries[0].scaling == expected)
        #expect(older.rotaries[0].theta == 500_000)
        let newer = try read([
            "rope_theta": nil, "rope_parameters": llama3.merging(["rope_theta": 250_000.0]) { $1 },
        ])
        #expect(newer.rotaries[0].scaling == expected)
        #expect(newer.rotaries[0].theta == 250_000)
        #expect(try read(["rope_scaling": ["type": "linear", "factor": 2]]).rotaries[0].scaling == .linear(factor: 2))
        #expect(try read(["rope_scaling": ["rope_type": "default"]]).rotaries[0].scaling == .none)
        #expect(try read(["rope_scaling": NSNull()]).rotaries[0].scaling == .none)
        let short = llama3.filter { $0.key != "original_max_position_embeddings" }
        guard case .llama3(_, _, _, let positions) = try read(["rope_scaling": short]).rotaries[0].scaling else {
            Issue.record("not llama3")
            return
        }
        #expect(positions == 1024)
    }

    @Test(arguments: [
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "max_position_embeddings", "head_dim",
    ])
    func sizesAreBounded(_ key: String) {
        for value in [0, -1, Int.max, "8", 2.5, [8], true] as [Any] {
            #expect(refusal([key: value]) == "malformed \(key)", "\(value)")
        }
    }

    @Test(arguments: ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"])
    func sizesAreRequired(_ key: String) {
        #expect(refusal([key: nil]) == "malformed \(key)")
        #expect(refusal([key: NSNull()]) == "malformed \(key)")
    }

    @Test func sizesFitEachOther() {
        #expect(refusal(["num_key_value_heads": 3]) == "malformed num_key_value_heads")
        #expect(refusal(["hidden_size": 26]) == "malformed hidden_size")
        #expect(refusal(["head_dim": 5]) == "malformed head_dim")
        #expect(refusal(["hidden_size": 12]) == "malformed hidden_size")
        #expect(refusal(["num_attention_heads": 4096, "head_dim": 512]) == "malformed head_dim")
    }

    @Test("Unsupported architectures are named") func architecturesAreRefusedByName() {
        #expect(refusal(["model_type": "gpt3"]) == "unsupported model_type")
        #expect(refusal(["model_type": nil]) == "malformed model_type")
        #expect(refusal(["hidden_act": "quick_gelu"]) == "unsupported hidden_act")
        let error = LanguageModelError.unsupportedConfiguration(
            path: "m/config.json", key: "model_type", found: "\"gpt3\"", supported: "llama, gpt2")
        #expect(
            error.description
                == #"m/config.json: "model_type" is "gpt3", which is not supported (supported: llama, gpt2); "#
                + "tools/export_activations.py exports the activations of any model for training"
        )
    }

    @Test func numbersAreChecked() {
        for value in [0, -1e-5, 1e-60, "1e-5"] as [Any] {
            #expect(refusal(["rms_norm_eps": value]) == "malformed rms_norm_eps")
        }
        #expect(refusal(["rope_theta": 0]) == "malformed rope_theta")
        #expect(refusal(["rope_theta": 1e300]) == "malformed rope_theta")
        #expect(refusal(["tie_word_embeddings": 1]) == "malformed tie_word_embeddings")
        #expect(refusal(["attention_bias": "yes"]) == "malformed attention_bias")
        #expect(refusal(["eos_token_id": -1]) == "malformed eos_token_id")
        #expect(refusal(["eos_token_id": [1, "2"]]) == "malformed eos_token_id")
        #expect(refusal(["bos_token_id": 1 << 40]) == "malformed bos_token_id")
        #expect(refusal(["torch_dtype": 16]) == "malformed torch_dtype")
    }

    @Test func rotaryParametersAreChecked() {
        func scaling(_ parameters: [String: Any]) -> String { refusal(["rope_scaling": parameters]) }
        #expect(scaling(["rope_type": "mrope", "factor": 2]) == "unsupported rope_scaling.rope_type")
        #expect(scaling(["type": "ntk", "factor": 2]) == "unsupported rope_scaling.type")
        #expect(scaling(["type": "linear"]) == "malformed rope_scaling.factor")
        #expect(scaling(["type": "linear", "factor": 0]) == "malformed rope_scaling.factor")
        #expect(scaling(["rope_type": "llama3", "factor": 2]) == "malformed rope_scaling.low_freq_factor")
        #expect(
            scaling(["rope_type": "llama3", "factor": 2, "low_freq_factor": 4, "high_freq_factor": 4])
                == "malformed rope_scaling.high_freq_factor")
        #expect(
            scaling([
                "rope_type": "llama3", "factor": 2, "low_freq_factor": 1, "high_freq_factor": 4,
                "original_max_position_embeddings": 0,
            ]) == "malformed rope_scaling.original_max_position_embeddings")
        #expect(refusal(["rope_scaling": 3]) == "malformed rope_scaling")
        #expect(refusal(["partial_rotary_factor": 0.5]) == "unsupported partial_rotary_factor")
        #expect(
            refusal(["rope_parameters": ["rope_type": "default", "partial_rotary_factor": 0.5]])
                == "unsupported rope_parameters.partial_rotary_factor")
        #expect(
            refusal(["rope_parameters": ["full_attention": ["rope_type": "default"]]])
                == "unsupported rope_parameters.full_attention")
    }

    @Test func windowsAreChecked() {
        let full = "full_attention", sliding = "sliding_attention"
        #expect(refusal(["model_type": "mistral", "sliding_window": 0]) == "malformed sliding_window")
        #expect(
            refusal(["model_type": "mistral", "layer_types": [full, sliding, full]]) == "unsupported layer_types")
        #expect(refusal(["layer_types": [full, sliding, full]]) == "unsupported layer_types")
        #expect(refusal(["model_type": "qwen2", "layer_types": [full, sliding, full]]) == "malformed layer_types")
        #expect(refusal(["model_type": "qwen2", "layer_types": [full, full]]) == "malformed layer_types")
        #expect(refusal(["model_type": "qwen2", "layer_types": [full, full, 3]]) == "malformed layer_types")
        #expect(refusal(["layer_types": [full, full, "chunked_attention"]]) == "unsupported layer_types")
        #expect(
            refusal([
                "model_type": "qwen3", "use_sliding_window": true, "sliding_window": NSNull(),
                "layer_types": [full, sliding, full],
            ]) == "malformed sliding_window")
    }

    @Test("Files that are not a configuration are refused") func filesThatAreNoConfiguration() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("config.json")
        #expect(throws: LanguageModelError.missing(path: path)) { try LanguageModelConfiguration(path: path) }
        for text in ["", "[]", "{", "7", "{\"model_type\": llama}", String(repeating: "[", count: 100_000)] {
            try Data(text.utf8).write(to: URL(filePath: path))
            #expect {
                try LanguageModelConfiguration(path: path)
            } throws: { error in
                guard case .unreadable(path: path, _)? = error as? LanguageModelError else { return false }
                return true
            }
        }
        #expect {
            try LanguageModelConfiguration(path: directory.path)
        } throws: { error in
            error as? LanguageModelError == .unreadable(path: directory.path, reason: "it is not a regular file")
        }
    }

    /// Untrusted content of a file appears in messages shortened and on one line.
    @Test("Error messages are one line") func messagesAreOneLine() throws {
        do {
            _ = try read(["model_type": "gpt2\n\u{1B}[2J" + String(repeating: "x", count: 10_000)])
            Issue.record("accepted")
        } catch {
            let text = "\(error)"
            #expect(text.count < 500)
            #expect(!text.contains("\n") && !text.contains("\u{1B}"))
        }
    }
}
