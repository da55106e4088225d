import DictionaryExchange
import Foundation
import JSON
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Vocabulary

@Suite struct SparsifyWriterTests {
    private static func configuration(
        _ input: InputNormalization = .none, subtracts: Bool = true, selection: LatentSelection = .activation
    ) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            architecture: .topk, dModel: 7, latents: 12, k: 4, layers: [3], input: input, subtractsPreBias: subtracts,
            selection: selection)
    }

    /// What sparsify 1.3.3 computes from a hookpoint's folder, in loops and double precision: latents and x̂ of x
    /// `[d]`.
    private static func run(_ folder: String, _ x: [Double]) throws -> (latents: [Double], reconstruction: [Double]) {
        let settings = try JSONParser.parse(Data(contentsOf: URL(fileURLWithPath: folder + "/cfg.json")))
        let file = try SafetensorsFile(path: folder + "/sae.safetensors")
        func values(_ name: String) throws -> [Double] { try file.floats(name).map { Double($0) } }
        let (weight, bias) = (try values("encoder.weight"), try values("encoder.bias"))
        let (decoder, shared) = (try values("W_dec"), try values("b_dec"))
        let (m, d) = (bias.count, x.count)
        let k = try #require(settings["k"]?.wholeNumber)
        let p = (0..<m).map { latent in
            max((0..<d).reduce(bias[latent]) { $0 + (x[$1] - shared[$1]) * weight[latent * d + $1] }, 0)
        }
        let kept: Set<Int>
        if settings["activation"] == .string("groupmax") {
            let size = m / k
            kept = Set((0..<k).compactMap { group in (group * size..<(group + 1) * size).max { p[$0] < p[$1] } })
        } else {
            kept = Set(p.indices.sorted { p[$0] > p[$1] }.prefix(k))
        }
        let latents = p.indices.map { kept.contains($0) ? p[$0] : 0 }
        let decoded = (0..<d).map { column in
            (0..<m).reduce(shared[column]) { $0 + latents[$1] * decoder[$1 * d + column] }
        }
        return (latents, decoded)
    }

    @Test(arguments: [InputNormalization.none, .scale(0.37)], LatentSelection.allCases)
    func theActivationsAreTheEncodersOwn(_ input: InputNormalization, _ selection: LatentSelection) throws {
        for subtracts in [true, false] {
            let directory = try TemporaryDirectory()
            let dictionary = DictionaryOfRandomWeights(
                try Self.configuration(input, subtracts: subtracts, selection: selection))
            _ = try SparsifyWriter.write(dictionary.toExport, into: directory.path)
            let streams = dictionary.streams()
            let expected = try dictionary.latents(of: streams)
            for (token, stream) in streams.enumerated() {
                let (latents, reconstruction) = try Self.run(directory.file("layers.3"), stream)
                expectClose(latents.map { Float($0) }, expected[token], relative: 2e-6, absolute: 1e-6)
                #expect(latents.map { $0 != 0 } == expected[token].map { $0 != 0 })
                expectClose(
                    reconstruction.map { Float($0) },
                    dictionary.reconstruction(of: stream, expected[token]).map { Float($0) }, relative: 2e-6,
                    absolute: 1e-6)
            }
        }
    }

    @Test(arguments: [TensorDType.f32, .f16, .bf16]) func tensorsKeepTheirTypeAndTheirValues(_ dtype: TensorDType)
        throws
    {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.configuration(), dtype: dtype)
        let remarks = try SparsifyWriter.write(dictionary.toExport, into: directory.path)
        #expect(remarks.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["layers.3"])
        let file = try SafetensorsFile(path: directory.file("layers.3/sae.safetensors"))
        #expect(Set(file.names) == ["encoder.weight", "encoder.bias", "W_dec", "b_dec"])
        #expect(file.names.allSatisfy { file.tensors[$0]?.dtype == dtype })
        #expect(try file.floats("encoder.weight") == dictionary.weights.encoder.elements)
        #expect(try file.floats("W_dec") == dictionary.weights.decoder.elements)
        #expect(try file.floats("encoder.bias") == dictionary.weights.latentBias.elements)
        #expect(try file.floats("b_dec") == dictionary.weights.preBias.elements)
    }

    @Test func tensorsOfSeveralTypesBecomeOne() throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.configuration(subtracts: false), dtype: .bf16)
        _ = try SparsifyWriter.write(dictionary.toExport, into: directory.path)
        let file = try SafetensorsFile(path: directory.file("layers.3/sae.safetensors"))
        #expect(file.names.allSatisfy { file.tensors[$0]?.dtype == .f32 })
    }

    @Test func theConfigurationIsSparsifys() throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.configuration(selection: .groups))
        _ = try SparsifyWriter.write(dictionary.toExport, into: directory.path)
        let expected = """
            {"activation": "groupmax", "expansion_factor": 1, "normalize_decoder": false, "num_latents": 12, "k": 4,
             "multi_topk": false, "skip_connection": false, "transcode": false, "d_in": 7}
            """
        let found = try Data(contentsOf: URL(fileURLWithPath: directory.file("layers.3/cfg.json")))
        #expect(try JSONParser.parse(found) == JSONParser.parse(Data(expected.utf8)))
    }

    @Test(arguments: [InputNormalization.standardised, .unitNorm]) func aNormalisedInputIsExplained(
        _ input: InputNormalization
    ) throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(try Self.configuration(input))
        let remarks = try SparsifyWriter.write(dictionary.toExport, into: directory.path)
        let formula = input == .unitNorm ? "x = h * sqrt(7) / norm(h)" : "x = (h - h.mean()) / (h.std(ddof=1) + 1e-06)"
        #expect(remarks.contains { $0.contains(formula) })
        let text = try String(contentsOfFile: directory.file("README.md"), encoding: .utf8)
        #expect(text.contains("    \(formula)\n    ĥ = x̂ * "))
        let settings = try JSONParser.parse(Data(contentsOf: URL(fileURLWithPath: directory.file("layers.3/cfg.json"))))
        let recorded: JSONObject =
            input == .unitNorm
            ? ["rule": .string("unit_norm")] : ["rule": .string("layer_norm"), "epsilon": .number(1e-6)]
        #expect(settings["routesae_input"] == .object(recorded))
    }

    @Test func aRoutedDictionaryIsAFolderALayerAndItsRouter() throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(
            try DictionaryConfiguration(architecture: .route, dModel: 7, latents: 12, k: 4, layers: [2, 5]))
        _ = try SparsifyWriter.write(dictionary.toExport, into: directory.path)
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: directory.path)) == [
                "layers.2", "layers.5", "router.safetensors", "README.md",
            ])
        let file = try SafetensorsFile(path: directory.file("layers.5/sae.safetensors"))
        #expect(try file.floats("encoder.weight") == dictionary.weights.encoder.elements)
    }
}
