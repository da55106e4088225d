import DictionaryExchange
import JSON
import SparseCoding
import Testing
import Vocabulary

/// Folders that sparsify saved.
@Suite struct SparsifyReaderTests {
    @Test func aRunGivesItsHookpointsSortedByLayer() throws {
        let folder = try ForeignFolder()
        for layer in [10, 2] { try folder.writeSparsify(in: "run/layers.\(layer)") }
        try folder.write(
            #"{"sae": {"k": 2}, "model": "EleutherAI/pythia-160m", "dataset": "pile", "ctx_len": 2048}"#,
            as: "run/config.json")
        let found = try folder.find(in: "run")
        #expect(found.map(\.configuration.layers) == [[2], [10]])
        #expect(found.map(\.suggestedName) == ["run-layers.2", "run-layers.10"])
        #expect(found.map(\.modelName) == ["EleutherAI/pythia-160m", "EleutherAI/pythia-160m"])
        #expect(found[0].details["context_size"] == .integer(2048))
        #expect(found[0].files.map(\.role) == ["weights", "config", "config"])
        #expect(found[0].hook == "layers.2")
        #expect(found.allSatisfy { $0.configuration.input == .none && $0.configuration.subtractsPreBias })
    }

    @Test func layersChooseAmongSeveralHookpoints() throws {
        let folder = try ForeignFolder()
        for layer in 0..<4 { try folder.writeSparsify(in: "layers.\(layer)") }
        #expect(try folder.find(ForeignRequest(layers: [3, 1])).map(\.configuration.layers) == [[1], [3]])
        let failure = folder.failure(ForeignRequest(layers: [1, 5]))
        #expect(failure.kind == .contradiction)
        #expect(failure.text.contains("no dictionary of layer 5, which `layer` asks for; it has 0, 1, 2, 3"))
    }

    @Test func hookpointsInsideLayersAreLeftOutWithARemark() throws {
        let folder = try ForeignFolder()
        try folder.writeSparsify(in: "layers.3")
        try folder.writeSparsify(in: "layers.3.mlp")
        let found = try folder.find()
        #expect(found.count == 1)
        #expect(found[0].remarks.count == 1)
        #expect(found[0].remarks[0].hasPrefix("left out: ") && found[0].remarks[0].contains("layers.3.mlp"))
        try folder.remove("layers.3")
        #expect(folder.failure().kind == .refused && folder.failure().text.contains("the MLP of a layer"))
    }

    @Test func seedsOfAHookpointHaveNamesOfTheirOwn() throws {
        let folder = try ForeignFolder()
        for seed in 0..<2 { try folder.writeSparsify(in: "run/layers.3/seed\(seed)") }
        let found = try folder.find(in: "run")
        #expect(found.map(\.suggestedName) == ["run-layers.3-seed0", "run-layers.3-seed1"])
        #expect(found.map(\.configuration.layers) == [[3], [3]])
    }

    @Test func aFolderOfAnotherNameNeedsALayer() throws {
        let folder = try ForeignFolder()
        try folder.writeSparsify(in: "mine")
        #expect(folder.failure().kind == .notSaid)
        #expect(try folder.one(ForeignRequest(layers: [6])).configuration.layers == [6])
        #expect(try folder.one(ForeignRequest(layers: [6])).suggestedName == "mine")
    }

    @Test func zeroLatentsMeanTheExpansionFactor() throws {
        let folder = try ForeignFolder()
        try folder.writeSparsify(changing: ["num_latents": "0", "expansion_factor": "3", "activation": "\"groupmax\""])
        try folder.write(
            ["encoder.weight": [12, 4], "encoder.bias": [12], "W_dec": [12, 4], "b_dec": [4]],
            as: "layers.3/sae.safetensors")
        let one = try folder.one()
        #expect(one.configuration.latents == 12)
        #expect(one.configuration.selection == .groups)
    }

    @Test func defaultsAreThoseOfSparsify() throws {
        let folder = try ForeignFolder()
        try folder.writeSparsify(changing: ["k": "-", "activation": "-", "num_latents": "0", "new_option": "1"])
        try folder.write(
            ["encoder.weight": [128, 4], "encoder.bias": [128], "W_dec": [128, 4], "b_dec": [4]],
            as: "layers.3/sae.safetensors")
        let one = try folder.one()
        #expect(try folder.one(ForeignRequest(k: 5)).configuration.k == 5)
        #expect(one.configuration.k == 32 && one.configuration.latents == 128)
        #expect(one.remarks.count == 2 && one.remarks[1].contains("\"new_option\""))
    }

    struct Example: Sendable {
        let key: String
        let value: String
        let kind: ForeignDictionaryError.Kind
        let text: String
    }

    @Test(
        "One line says what is wrong",
        arguments: [
            Example(key: "transcode", value: "true", kind: .refused, text: "transcoders"),
            Example(key: "skip_connection", value: "true", kind: .refused, text: "linear map"),
            Example(key: "signed", value: "true", kind: .refused, text: "below zero"),
            Example(key: "activation", value: "\"jumprelu\"", kind: .refused, text: "expected topk or groupmax"),
            Example(key: "d_in", value: "-", kind: .malformed, text: "\"d_in\": expected a whole number"),
            Example(key: "d_in", value: "5", kind: .malformed, text: "has shape [6, 4]; expected [6, 5]"),
            Example(key: "num_latents", value: "-6", kind: .malformed, text: "found -6"),
            Example(key: "k", value: "7", kind: .malformed, text: "is 7; allowed: 1 … 6"),
            Example(key: "k", value: "null", kind: .malformed, text: "is 32; allowed: 1 … 6"),
        ])
    func oneLineSaysWhatIsWrong(_ example: Example) throws {
        let folder = try ForeignFolder()
        try folder.writeSparsify(changing: [example.key: example.value])
        let failure = folder.failure()
        #expect(failure.kind == example.kind, "\(failure.text)")
        #expect(failure.text.hasPrefix("layers.3/") && failure.text.contains(example.text), "\(failure.text)")
    }

    @Test func expansionFactorsThatOverflowAreRefused() throws {
        let folder = try ForeignFolder()
        try folder.writeSparsify(
            changing: ["num_latents": "0", "expansion_factor": "16777216", "d_in": "1048576"])
        #expect(folder.failure().text.contains("expansion_factor"))
    }

    @Test func groupsMustDivideTheLatents() throws {
        let folder = try ForeignFolder()
        try folder.writeSparsify(changing: ["activation": "\"groupmax\"", "k": "4"])
        #expect(folder.failure().kind == .malformed && folder.failure().text.contains("divisor of 6"))
    }
}
