import DictionaryExchange
import JSON
import LinearAlgebra
import Safetensors
import SparseCoding
import Testing
import Vocabulary

/// Folders that SAELens saved.
@Suite struct SAELensReaderTests {
    @Test func tensorsAreArrangedByLatent() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens("gated", dtype: .bf16)
        let one = try folder.one()
        #expect(one.tensors.map(\.name) == ["pre_bias", "encoder", "decoder", "gate_bias", "mag_bias", "r_mag"])
        #expect(one.tensors.map(\.shape) == [[4], [3, 4], [3, 4], [3], [3], [3]])
        #expect(one.tensors.map(\.dtype) == [.f32, .bf16, .bf16, .f32, .f32, .f32])
        let stored = ForeignFolder.numbers(12)
        let encoder = try one.tensors[1].read()
        for latent in 0..<3 {
            for column in 0..<4 { #expect(encoder[latent, column] == stored[column * 3 + latent]) }
        }
        #expect(try one.tensors[2].read().elements == ForeignFolder.numbers(12, from: 1))
        #expect(try one.tensors[5].read().elements == ForeignFolder.numbers(3, from: 5))
    }

    @Test func whatTheFileSaysOfItsOriginIsKept() throws {
        let folder = try ForeignFolder()
        let metadata = """
            {"sae_lens_version": "6.1.0", "hook_name": "blocks.3.hook_resid_post", "model_name": "gpt2",
             "dataset_path": "text", "context_size": 128, "prepend_bos": true, "training_architecture": "batchtopk"}
            """
        try folder.writeSAELens("jumprelu", changing: ["metadata": metadata, "device": "\"cuda\""])
        let one = try folder.one()
        #expect(one.modelName == "gpt2")
        #expect(one.hook == "blocks.3.hook_resid_post")
        #expect(one.details["context_size"] == .integer(128))
        #expect(one.details["training_architecture"] == .string("batchtopk"))
        #expect(one.details["prepend_bos"] == .boolean(true))
        #expect(one.files.map(\.role) == ["weights", "config"])
        #expect(one.remarks == [])
    }

    @Test(arguments: [
        ("blocks.0.hook_resid_post", 0), ("blocks.1.hook_resid_pre", 0), ("blocks.12.hook_resid_pre", 11),
        ("layers.7", 7), ("model.layers.7.output", 7), ("model.layers.7.input", 6), ("transformer.h.2", 2),
        ("gpt_neox.layers.5", 5), ("model.language_model.layers.9", 9), ("resid_post_layer_4", 4),
        ("resid_pre_layer_4", 3), ("blocks.99999.hook_resid_post", 99_999),
    ])
    func hookPointsNameALayer(_ hook: String, _ layer: Int) throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(hook: "\"\(hook)\"")
        #expect(try folder.one().configuration.layers == [layer])
    }

    @Test(arguments: [
        ("blocks.0.hook_resid_pre", "the embedding"), ("hook_embed", "the embedding"),
        ("blocks.3.hook_mlp_out", "the MLP"), ("blocks.3.hook_attn_out", "the attention"),
        ("blocks.3.attn.hook_z", "the attention"), ("blocks.3.hook_resid_mid", "between attention and MLP"),
        ("model.layers.3.mlp", "the MLP"), ("layers.3.self_attn", "the attention"),
        ("model.embed_tokens", "the embedding"),
        ("blocks.x.hook_resid_post", "not known"), ("blocks.-1.hook_resid_post", "not known"),
        ("blocks.100000.hook_resid_post", "not known"), ("somewhere", "not known"), ("layers.3.", "inside a layer"),
    ])
    func otherPlacesAreRefusedByName(_ hook: String, _ place: String) throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(hook: "\"\(hook)\"")
        let failure = folder.failure()
        #expect(failure.kind == .refused)
        #expect(failure.text.contains("\"\(hook)\"") && failure.text.contains(place), "\(failure.text)")
    }

    @Test func theLayerOptionFillsInWhatTheFileDoesNotSay() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(hook: "null")
        #expect(try folder.one(ForeignRequest(layers: [7])).configuration.layers == [7])
        let without = folder.failure()
        #expect(without.kind == .notSaid && without.text == "cfg.json: does not say which layer it reads; add `layer`")
        let several = folder.failure(ForeignRequest(layers: [1, 2]))
        #expect(several.kind == .contradiction && several.text.contains("reads one layer"))
    }

    @Test func optionsThatContradictTheFileAreRefused() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens("topk")
        #expect(try folder.one(ForeignRequest(layers: [3], k: 2)).configuration.k == 2)
        #expect(folder.failure(ForeignRequest(layers: [4])).text.contains("reads layer 3, `layer` says 4"))
        #expect(folder.failure(ForeignRequest(k: 1)).text.contains("k = 2, `k` says 1"))
        #expect(folder.failure(ForeignRequest(architecture: .topk)).text.contains("leave `architecture` out"))
        try folder.writeSAELens("gated")
        #expect(folder.failure(ForeignRequest(k: 1)).kind == .contradiction)
    }

    @Test func defaultsAreThoseOfSAELens() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens("topk", changing: ["k": "-", "d_sae": "200"])
        try folder.write(
            ["W_enc": [4, 200], "W_dec": [200, 4], "b_dec": [4], "b_enc": [200]], as: "sae_weights.safetensors")
        let one = try folder.one()
        #expect(one.configuration.k == 100)
        #expect(try folder.one(ForeignRequest(k: 7)).configuration.k == 7)
        #expect(try folder.one(ForeignRequest(k: 7)).remarks == [])
        #expect(one.remarks.count == 1 && one.remarks[0].contains("100 is taken"))
        #expect(one.configuration.subtractsPreBias)
        #expect(one.configuration.input == .none)
    }

    @Test func normalisationsThatSAELensDoesNotApplyAreRemarked() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(changing: ["normalize_activations": "\"expected_average_only_in\""])
        let one = try folder.one()
        #expect(one.configuration.input == .none)
        #expect(one.remarks.first?.contains("expected_average_only_in is not applied") == true)
    }

    @Test func versionsAndKeysThatAreNewAreRemarked() throws {
        let folder = try ForeignFolder()
        let metadata = #"{"sae_lens_version": "7.0.1", "hook_name": "blocks.3.hook_resid_post"}"#
        try folder.writeSAELens(changing: ["metadata": metadata, "tempered": "3"])
        let one = try folder.one()
        #expect(one.remarks.count == 2)
        #expect(one.remarks.contains { $0.contains("\"tempered\"") })
        #expect(one.remarks.contains { $0.contains("written by SAELens 7.0.1") })
    }

    @Test func theFlatFormOfOlderVersionsIsRead() throws {
        let folder = try ForeignFolder()
        let values = [
            "metadata": "-", "architecture": "-", "hook_point": "\"blocks.8.hook_resid_pre\"", "hook_layer": "8",
            "normalize_activations": "true", "lr": "0.1", "activation_fn_str": "\"topk\"",
            "activation_fn_kwargs": "{\"k\": 2}", "dtype": "\"torch.float32\"", "model_name": "\"gpt2\"",
        ]
        try folder.writeSAELens(changing: values)
        let one = try folder.one()
        #expect(one.configuration.architecture == .topk && one.configuration.k == 2)
        #expect(one.configuration.layers == [7])
        #expect(one.modelName == "gpt2")
        #expect(one.remarks.count == 1 && one.remarks[0].contains("expected_average_only_in"))
        #expect(one.details["lr"] == .number(0.1))
    }

    @Test func metadataWithoutAVersionStillNamesTheHook() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(changing: ["metadata": #"{"hook_name": "blocks.6.hook_resid_post", "model_name": "m"}"#]
        )
        #expect(try folder.one().configuration.layers == [6])
        #expect(try folder.one().modelName == "m")
    }

    @Test func detailsHaveEveryNameOnce() throws {
        let folder = try ForeignFolder()
        let hook = "\"sae_lens_version\": \"6.0.0\", \"hook_name\": \"blocks.3.hook_resid_post\""
        let many = (0..<5000).map { "\"a\($0)\": \($0)" }.joined(separator: ", ")
        let long = String(repeating: "x", count: 5000)
        try folder.writeSAELens(
            changing: ["metadata": "{\(hook), \"architecture\": 1, \"dtype\": 2, \"long\": \"\(long)\", \(many)}"])
        let details = try folder.one().details
        #expect(Set(details.members.map(\.name)).count == details.members.count)
        #expect(details["architecture"] == .string("standard") && details["dtype"] == .string("float32"))
        #expect(details.members.count < 300 && details["long"] == nil)
    }

    @Test func logarithmsOfThresholdsStayLogarithms() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens("jumprelu")
        try folder.write(
            ["W_enc": [4, 3], "W_dec": [3, 4], "b_dec": [4], "b_enc": [3], "log_threshold": [3]],
            as: "sae_weights.safetensors")
        let one = try folder.one()
        #expect(one.configuration.thresholdForm == .logarithm)
        #expect(try one.tensors.last?.read().elements == ForeignFolder.numbers(3, from: 4))
    }

    @Test func scalingFactorsOfOnesAreDropped() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens()
        let shapes: KeyValuePairs = [
            "W_enc": [4, 3], "W_dec": [3, 4], "b_dec": [4], "b_enc": [3], "scaling_factor": [3],
        ]
        try folder.write(shapes, values: ["scaling_factor": [1, 1, 1]], as: "sae_weights.safetensors")
        #expect(try folder.one().tensors.count == 4)
        try folder.write(shapes, values: ["scaling_factor": [1, 1, 1.1]], as: "sae_weights.safetensors")
        #expect(folder.failure().kind == .refused && folder.failure().text.contains("scaling_factor"))
    }

    @Test func computationInSixteenBitsIsRemarked() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(changing: ["dtype": "\"bfloat16\""])
        #expect(try folder.one().remarks.first?.contains("rounds these weights") == true)
    }
}
