import DictionaryExchange
import Foundation
import Glibc
import JSON
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// Dictionaries of several layers in SAELens's format.
@Suite struct SAELensLayersTests {
    private static func configuration(
        _ architecture: Architecture = .route, routing: RoutingMode = .hard, fidelity: Fidelity = .corrected
    ) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            architecture: architecture, dModel: 7, latents: 11, k: 3, layers: [2, 3, 5], routing: routing,
            aggregation: .mean, fidelity: fidelity)
    }

    private static func entries(_ path: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: path))
    }

    private static func settings(_ path: String) throws -> JSONValue {
        try JSONParser.parse(Data(contentsOf: URL(fileURLWithPath: path)))
    }

    @Test func aRoutedDictionaryIsAFolderALayerAndTheWholeOfIt() throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.configuration(), dtype: .bf16)
        _ = try SAELensWriter.write(dictionary.toExport, into: directory.path)
        #expect(
            try Self.entries(directory.path) == [
                "layer_2", "layer_3", "layer_5", "routed", "router.safetensors", "README.md",
            ])
        for layer in [2, 3, 5] {
            let folder = directory.file("layer_\(layer)")
            #expect(try Self.entries(folder) == ["cfg.json", "sae_weights.safetensors"])
            let settings = try Self.settings(folder + "/cfg.json")
            #expect(settings["metadata"]?["hook_name"] == .string("blocks.\(layer).hook_resid_post"))
            let file = try SafetensorsFile(path: folder + "/sae_weights.safetensors")
            #expect(try file.floats("W_dec") == dictionary.weights.decoder.elements)
        }
        let router = try SafetensorsFile(path: directory.file("router.safetensors"))
        #expect(router.names == ["router"])
        #expect(try router.tensor("router").shape == [3, 7])
        #expect(try router.tensor("router").dtype == .bf16)
        #expect(try router.floats("router") == dictionary.weights.router.elements)
        #expect(router.metadata["layers"] == "2,3,5")
        #expect(router.metadata["aggregation"] == "mean")
    }

    @Test func theLayersShareTheirDiskSpace() throws {
        let directory = try TemporaryDirectory()
        _ = try SAELensWriter.write(DictionaryOfRandomWeights(try Self.configuration()).toExport, into: directory.path)
        let numbers = [2, 3, 5].map { layer in
            var entry = stat()
            #expect(stat(directory.file("layer_\(layer)/sae_weights.safetensors"), &entry) == 0)
            return entry.st_ino
        }
        #expect(Set(numbers).count == 1)
    }

    @Test func theRegisteredClassIsToldEverything() throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.configuration(routing: .hard, fidelity: .reference))
        _ = try SAELensWriter.write(dictionary.toExport, into: directory.path)
        let settings = try Self.settings(directory.file("routed/cfg.json"))
        let expected = """
            {"architecture": "routesae", "d_in": 21, "d_sae": 11, "dtype": "float32", "device": "cpu", "k": 3,
             "apply_b_dec_to_input": true, "normalize_activations": "none", "reshape_activations": "none",
             "layers": [2, 3, 5], "routing": "hard", "aggregation": "mean", "input_rule": "layer_norm",
             "input_epsilon": 1e-6, "input_scale": 1, "keeps_negative": true, "scales_by_probability": true}
            """
        guard case .object(var found) = settings else {
            Issue.record("no object")
            return
        }
        #expect(found["metadata"]?["hook_names"]?.kind == "an array")
        found["metadata"] = nil
        #expect(try JSONValue.object(found) == JSONParser.parse(Data(expected.utf8)))
        let file = try SafetensorsFile(path: directory.file("routed/sae_weights.safetensors"))
        #expect(Set(file.names) == ["W_enc", "W_dec", "b_enc", "b_dec", "router"])
        #expect(try file.floats("W_enc") == dictionary.weights.encoder.transposed().elements)
        #expect(try file.floats("router") == dictionary.weights.router.elements)
    }

    @Test(arguments: [(RoutingMode.soft, Fidelity.corrected), (.soft, .reference), (.hard, .reference)])
    func whatNoSingleLayerComputesHasNoFolderForOne(_ routing: RoutingMode, _ fidelity: Fidelity) throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.configuration(routing: routing, fidelity: fidelity))
        let remarks = try SAELensWriter.write(dictionary.toExport, into: directory.path)
        #expect(try Self.entries(directory.path) == ["routed", "router.safetensors", "README.md"])
        #expect(remarks.contains { $0.contains("no folder for single layers") })
    }

    @Test(arguments: [Architecture.mlsae, .random]) func withoutARouterThereAreTheLayersOnly(
        _ architecture: Architecture
    ) throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.configuration(architecture))
        _ = try SAELensWriter.write(dictionary.toExport, into: directory.path)
        #expect(try Self.entries(directory.path) == ["layer_2", "layer_3", "layer_5", "README.md"])
    }

    @Test func theGuideGivesTheFormulas() throws {
        let directory = try TemporaryDirectory()
        _ = try SAELensWriter.write(DictionaryOfRandomWeights(try Self.configuration()).toExport, into: directory.path)
        let text = try String(contentsOfFile: directory.file("README.md"), encoding: .utf8)
        #expect(text.contains("x_i = (h_i - h_i.mean()) / (h_i.std(ddof=1) + 1e-06)\n    r = (x_0 + … + x_2) / 3\n"))
        #expect(text.contains("SAE.load_from_disk(\"routed\")"))
    }
}
