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

@Suite struct SAELensWriterTests {
    private static func topk(_ input: InputNormalization = .none) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(architecture: .topk, dModel: 7, latents: 11, k: 3, layers: [5], input: input)
    }

    private static func settings(_ path: String) throws -> JSONValue {
        try JSONParser.parse(Data(contentsOf: URL(fileURLWithPath: path)))
    }

    @Test(arguments: [TensorDType.f32, .f16, .bf16]) func tensorsKeepTheirTypeAndTheirValues(_ dtype: TensorDType)
        throws
    {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.topk(), dtype: dtype)
        _ = try SAELensWriter.write(dictionary.toExport, into: directory.path)
        let file = try SafetensorsFile(path: directory.file("sae_weights.safetensors"))
        #expect(Set(file.names) == ["W_enc", "W_dec", "b_enc", "b_dec"])
        #expect(file.names.allSatisfy { file.tensors[$0]?.dtype == dtype })
        let weights = dictionary.weights
        #expect(try file.tensor("W_enc").shape == [7, 11])
        #expect(try file.tensor("W_dec").shape == [11, 7])
        let encoder = try file.floats("W_enc")
        for latent in 0..<11 {
            for column in 0..<7 { #expect(encoder[column * 11 + latent] == weights.encoder[latent, column]) }
        }
        #expect(try file.floats("W_dec") == weights.decoder.elements)
        #expect(try file.floats("b_enc") == weights.latentBias.elements)
        #expect(try file.floats("b_dec") == weights.preBias.elements)
    }

    @Test func matricesOfManyPiecesAreTransposedWhole() throws {
        let directory = try TemporaryDirectory()
        // A piece of a column-wise tensor holds 2²⁰ / 70,000 = 14 columns.
        let dictionary = DictionaryOfRandomWeights(
            try DictionaryConfiguration(
                architecture: .topk, dModel: 33, latents: 70_000, k: 3, layers: [5], input: .scale(2)))
        _ = try SAELensWriter.write(dictionary.toExport, into: directory.path)
        let file = try SafetensorsFile(path: directory.file("sae_weights.safetensors"))
        let (encoder, decoder) = (dictionary.weights.encoder, dictionary.weights.decoder)
        #expect(try file.floats("W_enc") == encoder.transposed().elements.map { 2 * $0 })
        #expect(try file.floats("W_dec") == decoder.elements.map { $0 / 2 })
    }

    @Test func theConfigurationIsSAELens() throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.topk(.standardised), dtype: .bf16)
        let remarks = try SAELensWriter.write(dictionary.toExport, into: directory.path)
        let expected = """
            {"d_in": 7, "d_sae": 11, "dtype": "float32", "device": "cpu", "apply_b_dec_to_input": true,
             "normalize_activations": "layer_norm", "reshape_activations": "none", "k": 3,
             "rescale_acts_by_decoder_norm": false, "architecture": "topk",
             "metadata": {"sae_lens_version": "6.54.12", "sae_lens_training_version": null,
              "model_name": "meta/model", "hook_name": "blocks.5.hook_resid_post", "hf_hook_name": "model.layers.5",
              "context_size": 256, "prepend_bos": false, "routesae_version": "0.1.0", "routesae_dictionary": "demo",
              "routesae_architecture": "topk", "routesae_layers": [5], "routesae_input": {"rule": "layer_norm", "epsilon": 1e-6},
              "routesae_source": "a test"}}
            """
        #expect(try Self.settings(directory.file("cfg.json")) == JSONParser.parse(Data(expected.utf8)))
        #expect(remarks.count == 1 && remarks[0].contains("1e-06"))
    }

    @Test func firingRatesAreLogarithms() throws {
        let directory = try TemporaryDirectory()
        let rates = [0, 1, 0.1] + Array(repeating: 0.01, count: 8)
        let dictionary = DictionaryOfRandomWeights(try Self.topk(), firingRates: rates)
        _ = try SAELensWriter.write(dictionary.toExport, into: directory.path)
        let file = try SafetensorsFile(path: directory.file("sparsity.safetensors"))
        #expect(file.names == ["sparsity"])
        expectClose(try file.floats("sparsity"), [-10, 0, -1] + Array(repeating: -2, count: 8))
    }

    @Test func withoutRatesThereIsNoFileOfThem() throws {
        let directory = try TemporaryDirectory()
        _ = try SAELensWriter.write(DictionaryOfRandomWeights(try Self.topk()).toExport, into: directory.path)
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: directory.path)) == [
                "cfg.json", "sae_weights.safetensors",
            ])
    }

    @Test(arguments: [[0.5], Array(repeating: 2, count: 11), Array(repeating: .nan, count: 11)])
    func ratesThatAreNoneAreRefused(_ rates: [Double]) throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.topk(), firingRates: rates)
        #expect(throws: ExportRefusal.self) { try SAELensWriter.write(dictionary.toExport, into: directory.path) }
    }

    @Test func thresholdsAreValuesForEveryLatent() throws {
        for form in ThresholdForm.allCases {
            let directory = try TemporaryDirectory()
            let dictionary = DictionaryOfRandomWeights(
                try DictionaryConfiguration(
                    architecture: .jumprelu, dModel: 7, latents: 11, layers: [5], thresholdForm: form)
            ) { name, matrix in if name == "threshold" { matrix.pointer[0] = 200 } }
            _ = try SAELensWriter.write(dictionary.toExport, into: directory.path)
            let stored = dictionary.weights.threshold.elements
            let expected: [Float] =
                switch form {
                // e²⁰⁰ is beyond 32-bit numbers.
                case .logarithm: [.greatestFiniteMagnitude] + stored.dropFirst().map { expf($0) }
                case .value: stored
                case .shared: Array(repeating: 200, count: 11)
                }
            let file = try SafetensorsFile(path: directory.file("sae_weights.safetensors"))
            #expect(try file.floats("threshold") == expected, "\(form)")
        }
    }

    @Test func anExistingFileIsNotReplaced() throws {
        let directory = try TemporaryDirectory()
        try "mine".write(toFile: directory.file("cfg.json"), atomically: false, encoding: .utf8)
        let dictionary = DictionaryOfRandomWeights(try Self.topk())
        let error = #expect(throws: SafetensorsError.self) {
            try SAELensWriter.write(dictionary.toExport, into: directory.path)
        }
        #expect(error?.description.hasPrefix(directory.file("cfg.json")) == true)
        #expect(try String(contentsOfFile: directory.file("cfg.json"), encoding: .utf8) == "mine")
    }
}
