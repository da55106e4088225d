import DictionaryExchange
import Foundation
import JSON
import LinearAlgebra
import SparseCoding
import Testing
import Vocabulary

/// Gemma Scope, Qwen-Scope and Llama Scope.
@Suite struct PublishedSuiteTests {
    private static let gemma = "gemma-scope-2b-pt-res"

    /// A folder that holds the fixture's `params.npz` at several places.
    private func gemmaScope(_ places: [String]) throws -> ForeignFolder {
        let folder = try ForeignFolder()
        for place in places {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/" + place, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: interchangeFixture("gemma-scope/layer_3/width_16k/average_l0_20/params.npz"),
                toPath: folder.path + "/" + place + "/params.npz")
        }
        return folder
    }

    @Test func gemmaScopeIsFoundFromAnyFolderAbove() throws {
        let inner = "\(Self.gemma)/layer_20/width_16k/average_l0_71"
        let folder = try gemmaScope([inner, "\(Self.gemma)/layer_20/width_16k/average_l0_9"])
        for path in ["", Self.gemma, "\(Self.gemma)/layer_20", "\(Self.gemma)/layer_20/width_16k"] {
            let found = try folder.find(in: path)
            #expect(
                found.map(\.suggestedName) == [
                    "\(Self.gemma)-layer_20-width_16k-average_l0_71", "\(Self.gemma)-layer_20-width_16k-average_l0_9",
                ])
            #expect(found.map(\.configuration.layers) == [[20], [20]])
            #expect(found.map(\.modelName) == ["google/gemma-2-2b", "google/gemma-2-2b"])
            #expect(found.map(\.repository) == [Self.gemma, Self.gemma])
            #expect(found.map { $0.details["average_l0"] } == [.integer(71), .integer(9)])
        }
        for path in [inner, inner + "/params.npz"] { #expect(try folder.find(in: path).count == 1) }
    }

    @Test func cachedDownloadsNameTheirRepository() throws {
        let folder = try gemmaScope([
            "models--google--gemma-scope-9b-it-res/snapshots/0123abcd/layer_9/width_16k/average_l0_14"
        ])
        let one = try folder.one()
        #expect(one.repository == "google/gemma-scope-9b-it-res")
        #expect(one.modelName == "google/gemma-2-9b-it")
    }

    @Test(arguments: [
        ("gemma-scope-2b-pt-att/layer_3/width_16k/average_l0_71", "the attention"),
        ("gemma-scope-2b-pt-mlp/layer_3/width_16k/average_l0_71", "the MLP"),
        ("gemma-scope-2b-pt-transcoders/layer_3/width_16k/average_l0_71", "transcoder"),
        ("gemma-scope-2b-pt-res/embedding/width_4k/average_l0_6", "the embedding"),
    ])
    func gemmaScopeOfOtherPlacesIsRefusedByName(_ place: String, _ what: String) throws {
        let failure = try gemmaScope([place]).failure()
        #expect(failure.kind == .refused && failure.text.contains(what), "\(failure.text)")
    }

    @Test func gemmaScopeWithoutALayerInItsPathNeedsOne() throws {
        let folder = try gemmaScope(["here"])
        #expect(folder.failure().kind == .notSaid)
        #expect(try folder.one(ForeignRequest(layers: [11])).configuration.layers == [11])
    }

    @Test func gemmaScope2NamesModelAndLayer() throws {
        let folder = try ForeignFolder()
        try folder.writeGemmaScope2(
            configuration: """
                {"architecture": "jump_relu", "model_name": "gemma-v3-4b-pt", "type": "sae", "l0": 20, "width": 3,
                 "hf_hook_point_in": "model.language_model.layers.5.output",
                 "hf_hook_point_out": "model.language_model.layers.5.output", "affine_connection": false}
                """)
        let one = try folder.one()
        #expect(one.modelName == "google/gemma-3-4b-pt")
        #expect(one.configuration.layers == [5])
        #expect(one.details["l0"] == .integer(20))
        #expect(one.suggestedName == "gemma-scope-2-270m-pt-layer_5_width_16k_l0_small")
        #expect(one.files.map(\.role) == ["weights", "config"])
        try folder.remove("gemma-scope-2-270m-pt/resid_post/layer_5_width_16k_l0_small/config.json")
        #expect(try folder.one().configuration.layers == [5])
    }

    @Test(arguments: [
        (#"{"architecture": "topk"}"#, ForeignDictionaryError.Kind.refused, "expected jump_relu"),
        (#"{"type": "transcoder"}"#, .refused, "expected sae"),
        (#"{"affine_connection": true}"#, .refused, "linear map"),
        (#"{"hf_hook_point_in": "model.layers.5.output", "hf_hook_point_out": "x"}"#, .refused, "transcoders"),
        (#"{"hf_hook_point_in": "model.layers.4.output"}"#, .malformed, "expected layer 5, as the folder's name says"),
        (#"{"hf_hook_point_in": "model.layers.5.self_attn.o_proj.input"}"#, .refused, "the attention"),
        (#"{"width": 16384}"#, .malformed, "expected 3, as the tensors have it, found 16384"),
    ])
    func gemmaScope2SaysWhatIsWrong(
        _ configuration: String, _ kind: ForeignDictionaryError.Kind, _ text: String
    ) throws {
        let folder = try ForeignFolder()
        try folder.writeGemmaScope2(configuration: configuration)
        let failure = folder.failure()
        #expect(failure.kind == kind && failure.text.contains(text), "\(failure.text)")
    }

    @Test(arguments: ["attn_out", "mlp_out", "transcoder_all", "clt"])
    func gemmaScope2OfOtherPlacesIsRefusedByName(_ place: String) throws {
        let folder = try ForeignFolder()
        try folder.writeGemmaScope2(
            in: "gemma-scope-2-270m-pt/\(place)/layer_5_width_16k_l0_small", configuration: nil)
        #expect(folder.failure().kind == .refused && folder.failure().text.contains("\"\(place)\""))
    }

    @Test func skipConnectionsAreRefusedByName() throws {
        let folder = try ForeignFolder()
        try folder.writeGemmaScope2(in: "layer_5", configuration: nil)
        try folder.write(
            [
                "w_enc": [4, 3], "w_dec": [3, 4], "b_enc": [3], "b_dec": [4], "threshold": [3],
                "affine_skip_connection": [4, 4],
            ], as: "layer_5/params.safetensors")
        #expect(folder.failure().kind == .refused && folder.failure().text.contains("affine_skip_connection"))
    }

    /// The fixture's file under a repository's name.
    private func qwenScope(_ release: String) throws -> ForeignFolder {
        let folder = try ForeignFolder()
        try FileManager.default.copyItem(
            atPath: interchangeFixture("qwen-scope"), toPath: folder.path + "/" + release)
        return folder
    }

    @Test func qwenScopeTakesKFromTheRepositoryOrTheOption() throws {
        let plain = try qwenScope("sae")
        #expect(plain.failure().kind == .notSaid && plain.failure().text.hasSuffix("add `k`"))
        #expect(try plain.one(ForeignRequest(k: 9)).configuration.k == 9)
        let named = try qwenScope("Res-Qwen3-1.7B-Base-L0_20")
        #expect(try named.one().configuration.k == 20)
        #expect(named.failure(ForeignRequest(k: 9)).text.contains("has k = 20, `k` says 9"))
        let release = try qwenScope("models--Qwen--SAE-Res-Qwen3-1.7B-Base-W32K-L0_50")
        #expect(release.failure().kind == .malformed)
        #expect(release.failure().text.contains("has 40 latents; expected 32768, as the folder's name says"))
    }

    @Test func qwenScopeLayersAreAllFound() throws {
        let folder = try qwenScope("sae")
        try FileManager.default.copyItem(
            atPath: folder.path + "/sae/layer3.sae.pt", toPath: folder.path + "/sae/layer12.sae.pt")
        let found = try folder.find(ForeignRequest(k: 6), in: "sae")
        #expect(found.map(\.configuration.layers) == [[3], [12]])
        #expect(found.map(\.suggestedName) == ["sae-layer3", "sae-layer12"])
        #expect(try folder.find(ForeignRequest(layers: [12], k: 6)).count == 1)
        #expect(try folder.find(ForeignRequest(k: 6), in: "sae/layer12.sae.pt")[0].configuration.layers == [12])
    }

    @Test func llamaScopeScalesInputAndThreshold() throws {
        let folder = try ForeignFolder()
        try folder.writeLlamaScope()
        let one = try folder.one()
        #expect(one.configuration.input == .scale(0.25))
        #expect(try one.tensors.last?.read().elements == [0.125])
        #expect(one.configuration.thresholdForm == .shared && !one.configuration.subtractsPreBias)
    }

    @Test(arguments: [
        ("hook_point_out", "\"blocks.3.hook_mlp_out\"", ForeignDictionaryError.Kind.refused, "transcoders"),
        ("hook_point_in", "\"blocks.3.hook_attn_out\"", .refused, "the attention"),
        ("act_fn", "\"topk\"", .refused, "expected jumprelu"),
        ("norm_activation", "\"token-wise\"", .refused, "expected dataset-wise"),
        ("use_glu_encoder", "true", .refused, "\"use_glu_encoder\" is true"),
        ("apply_decoder_bias_to_pre_encoder", "true", .refused, "apply_decoder_bias_to_pre_encoder"),
        ("jump_relu_threshold", "-", .malformed, "\"jump_relu_threshold\": expected a number, found none"),
        ("jump_relu_threshold", "1e300", .malformed, "expected a number"),
        ("dataset_average_activation_norm", "-", .malformed, "expected an object with a number"),
        ("dataset_average_activation_norm", "{\"in\": 0}", .malformed, "\"dataset_average_activation_norm.in\""),
        ("dataset_average_activation_norm", "{\"in\": 1e-300}", .malformed, "expected the mean norm of activations"),
        ("d_model", "8", .malformed, "has shape [3, 4]; expected [3, 8]"),
    ])
    func llamaScopeSaysWhatIsWrong(
        _ key: String, _ value: String, _ kind: ForeignDictionaryError.Kind, _ text: String
    ) throws {
        let folder = try ForeignFolder()
        try folder.writeLlamaScope(changing: [key: value])
        let failure = folder.failure()
        #expect(failure.kind == kind && failure.text.contains(text), "\(failure.text)")
    }

    @Test func optionsForKAreRefusedWhereThereIsNone() throws {
        let llama = try ForeignFolder()
        try llama.writeLlamaScope()
        #expect(llama.failure(ForeignRequest(k: 3)).kind == .contradiction)
        let gemma = try gemmaScope(["layer_3"])
        #expect(gemma.failure(ForeignRequest(k: 3)).kind == .contradiction)
    }
}
