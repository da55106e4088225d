import DictionaryExchange
import Foundation
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// Dictionaries that each program wrote itself, against the activations and reconstructions that it computed.
@Suite struct ForeignGoldenTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let name: String
        let format: ForeignFormat
        let architecture: Architecture
        var k: Int?
        var askedK: Int?
        var input = InputNormalization.none
        var subtracts = true
        var selection = LatentSelection.activation
        var form: ThresholdForm?

        var testDescription: String { name }
    }

    static let examples = [
        Example(name: "saelens-topk", format: .saelens, architecture: .topk, k: 6),
        Example(
            name: "saelens-topk-rescale", format: .saelens, architecture: .topk, k: 6,
            selection: .activationTimesNorm),
        Example(
            name: "saelens-topk-layernorm", format: .saelens, architecture: .topk, k: 6,
            input: .layerNorm(epsilon: 1e-5)),
        Example(
            name: "saelens-topk-trained", format: .saelens, architecture: .topk, k: 6, selection: .activationTimesNorm),
        Example(name: "saelens-standard", format: .saelens, architecture: .vanilla),
        Example(name: "saelens-standard-nobdec", format: .saelens, architecture: .vanilla, subtracts: false),
        Example(
            name: "saelens-standard-layernorm", format: .saelens, architecture: .vanilla,
            input: .layerNorm(epsilon: 1e-5), subtracts: false),
        Example(name: "saelens-standard-expectedaverage", format: .saelens, architecture: .vanilla),
        Example(name: "saelens5-standard", format: .saelens, architecture: .vanilla),
        Example(
            name: "saelens-standard-constantnorm", format: .saelens, architecture: .vanilla, input: .unitNorm),
        Example(name: "saelens-gated", format: .saelens, architecture: .gated),
        Example(name: "saelens-jumprelu", format: .saelens, architecture: .jumprelu, form: .value),
        Example(
            name: "saelens-jumprelu-bf16", format: .saelens, architecture: .jumprelu, subtracts: false, form: .value),
        Example(name: "saelens-batchtopk-trained", format: .saelens, architecture: .jumprelu, form: .value),
        Example(name: "saelens5-topk", format: .saelens, architecture: .topk, k: 6),
        Example(name: "sparsify-topk", format: .sparsify, architecture: .topk, k: 6),
        Example(name: "sparsify-groupmax", format: .sparsify, architecture: .topk, k: 8, selection: .groups),
        Example(name: "dictionary_learning-standard", format: .dictionaryLearning, architecture: .vanilla),
        Example(name: "dictionary_learning-gated", format: .dictionaryLearning, architecture: .gated),
        Example(name: "dictionary_learning-topk", format: .dictionaryLearning, architecture: .topk, k: 6),
        Example(
            name: "dictionary_learning-batchtopk", format: .dictionaryLearning, architecture: .jumprelu, form: .shared),
        Example(
            name: "dictionary_learning-matryoshka", format: .dictionaryLearning, architecture: .jumprelu,
            form: .shared),
        Example(
            name: "dictionary_learning-jumprelu", format: .dictionaryLearning, architecture: .jumprelu,
            subtracts: false, form: .value),
        Example(name: "gemma-scope", format: .gemmaScope, architecture: .jumprelu, subtracts: false, form: .value),
        Example(name: "gemma-scope-2", format: .gemmaScope, architecture: .jumprelu, subtracts: false, form: .value),
        Example(name: "qwen-scope", format: .qwenScope, architecture: .topk, k: 6, askedK: 6, subtracts: false),
        Example(
            name: "llama-scope", format: .llamaScope, architecture: .jumprelu,
            input: .scale(Double(48).squareRoot() / 9), subtracts: false, form: .shared),
    ]

    @Test("A dictionary gives the activations and the reconstruction of the program that wrote it", arguments: examples)
    func givesWhatItsProgramGives(_ example: Example) throws {
        let path = interchangeFixture(example.name)
        let found = try ForeignDictionaries.find(at: path, ForeignRequest(k: example.askedK))
        try #require(found.count == 1)
        let outcome = try found[0].run(
            on: SafetensorsFile(path: interchangeFixture("input.safetensors")).floats("input"))
        let golden = try SafetensorsFile(path: path + "/golden.safetensors")
        let activations = try golden.floats("acts")
        expectClose(outcome.activations, activations, relative: 0, absolute: 2e-5, "activations")
        expectClose(outcome.reconstructions, try golden.floats("recon"), relative: 0, absolute: 2e-5, "reconstruction")
        #expect(outcome.activations.map { $0 != 0 } == activations.map { $0 != 0 }, "the firing sets differ")
    }

    @Test("Configuration and names are those that the files say", arguments: examples)
    func readsConfiguration(_ example: Example) throws {
        let found = try ForeignDictionaries.find(
            at: interchangeFixture(example.name), ForeignRequest(format: example.format, k: example.askedK))
        let one = try #require(found.first)
        let expected = try DictionaryConfiguration(
            architecture: example.architecture, dModel: 48, latents: 40, k: example.k, layers: [3],
            input: example.input, subtractsPreBias: example.subtracts, selection: example.selection,
            thresholdForm: example.form)
        #expect(one.configuration == expected)
        #expect(one.format == example.format)
        #expect(one.tensors.map(\.name) == DictionaryWeights(expected).tensors.map(\.name))
        #expect(one.tensors.allSatisfy { $0.dtype == .f32 } || example.name == "saelens-jumprelu-bf16")
        #expect(one.files.first?.role == "weights")
    }

    @Test func everyFixtureIsTested() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: interchangeFixture("")).filter {
            FileManager.default.fileExists(atPath: interchangeFixture($0) + "/golden.safetensors")
        }
        #expect(Set(folders) == Set(Self.examples.map(\.name)))
    }

    @Test func transcodersAreRefusedByName() throws {
        for name in ["saelens-transcoder-refuse", "sparsify-transcoder-skip-refuse"] {
            let error = #expect(throws: ForeignDictionaryError.self) {
                try ForeignDictionaries.find(at: interchangeFixture(name), ForeignRequest())
            }
            #expect(error?.kind == .refused)
            #expect(error?.description.contains("transcoders") == true)
        }
    }
}
