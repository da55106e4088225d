import DictionaryExchange
import LinearAlgebra
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// State dicts of the RouteSAE authors' models, and files written here in their names.
@Suite struct RouteSAEReaderTests {
    private static let route = "routesae-pytorch/route.pt"
    private static let crosscoder = "routesae-pytorch/crosscoder.pt"

    private func find(_ name: String, _ request: ForeignRequest) throws -> ForeignDictionary {
        try #require(ForeignDictionaries.find(at: interchangeFixture(name), request).first)
    }

    private func failure(_ name: String, _ request: ForeignRequest) -> (ForeignDictionaryError.Kind?, String) {
        do {
            _ = try find(name, request)
            return (nil, "found")
        } catch {
            return ((error as? ForeignDictionaryError)?.kind, "\(error)")
        }
    }

    @Test func aRouterMakesARoute() throws {
        let one = try find(Self.route, ForeignRequest(layers: [3, 4], k: 2))
        let expected = try DictionaryConfiguration(
            architecture: .route, dModel: 4, latents: 3, k: 2, layers: [3, 4], fidelity: .reference)
        #expect(one.configuration == expected)
        #expect(one.format == .routesaePyTorch)
        #expect(one.tensors.map(\.name) == ["router", "pre_bias", "latent_bias", "encoder", "decoder"])
        #expect(try one.tensors[0].read().elements == ForeignFolder.numbers(8, from: 4))
        #expect(try one.tensors[3].read().elements == ForeignFolder.numbers(12, from: 2))
        let stored = ForeignFolder.numbers(12, from: 3)
        let decoder = try one.tensors[4].read()
        for latent in 0..<3 {
            for column in 0..<4 { #expect(decoder[latent, column] == stored[column * 3 + latent]) }
        }
        #expect(one.suggestedName == "route")
    }

    @Test func whatTheFileDoesNotSayIsAsked() {
        #expect(failure(Self.route, ForeignRequest(k: 2)).1.hasSuffix("add `layer` or `layers`"))
        #expect(failure(Self.route, ForeignRequest(layers: [3, 4])).1.hasSuffix("add `k`"))
        #expect(
            failure(Self.route, ForeignRequest(layers: [3, 4, 5], k: 2)).1.contains("has shape [2, 4]; expected [3, 4]")
        )
        #expect(failure(Self.route, ForeignRequest(layers: [4, 3], k: 2)).0 == .malformed)
        #expect(failure(Self.route, ForeignRequest(layers: [3, 4], k: 2, architecture: .topk)).0 == .contradiction)
    }

    @Test func routingIsTakenFromTheOptions() throws {
        let one = try find(
            Self.route,
            ForeignRequest(layers: [3, 4], k: 2, routing: .soft, aggregation: .mean, fidelity: .corrected))
        #expect(one.configuration.routing == .soft && one.configuration.aggregation == .mean)
        #expect(one.configuration.fidelity == .corrected)
    }

    @Test func aCrosscodersLayersStandSideBySide() throws {
        let one = try find(Self.crosscoder, ForeignRequest(layers: [3, 4]))
        #expect(one.configuration.architecture == .crosscoder && one.configuration.k == nil)
        #expect(one.tensors.map(\.name) == ["latent_bias", "encoder", "decoder"])
        #expect(one.tensors.map(\.shape) == [[3], [3, 8], [3, 8]])
        let (encoder, decoder) = (try one.tensors[1].read(), try one.tensors[2].read())
        for part in 0..<2 {
            let storedEncoder = ForeignFolder.numbers(12, from: 1 + part)
            let storedDecoder = ForeignFolder.numbers(12, from: 3 + part)
            for latent in 0..<3 {
                for column in 0..<4 {
                    #expect(encoder[latent, part * 4 + column] == storedEncoder[latent * 4 + column])
                    #expect(decoder[latent, part * 4 + column] == storedDecoder[column * 3 + latent])
                }
            }
        }
        #expect(failure(Self.crosscoder, ForeignRequest(layers: [3])).1.contains("encoders of 2 layers"))
        #expect(try find(Self.crosscoder, ForeignRequest(layers: [3, 4], k: 1)).configuration.k == 1)
    }

    @Test(arguments: Architecture.allCases, Fidelity.allCases)
    func filesWrittenHereComeBack(_ architecture: Architecture, _ fidelity: Fidelity) throws {
        let layers = architecture.readsOneLayer ? [5] : [2, 5, 6]
        let k = architecture.activeLatents == .penalised ? nil : 3
        let configuration = try DictionaryConfiguration(
            architecture: architecture, dModel: 10, latents: 7, k: k, layers: layers, fidelity: fidelity,
            thresholdForm: architecture == .jumprelu ? .value : nil)
        let weights = DictionaryWeights(configuration, seed: 3, threshold: 0.5)
        let directory = try TemporaryDirectory()
        let path = directory.file("weights.safetensors")
        try weights.write(configuration, to: path)
        let one = try #require(
            ForeignDictionaries.find(
                at: path,
                ForeignRequest(layers: layers, k: k, architecture: architecture, fidelity: fidelity)
            ).first)
        #expect(one.configuration == configuration)
        for (tensor, original) in zip(one.tensors, weights.tensors) {
            #expect(tensor.name == original.name)
            #expect(try tensor.read().elements == original.matrix.elements)
        }
        #expect(one.tensors.count == weights.tensors.count)
    }

    @Test func severalLayersNeedAnArchitecture() throws {
        let folder = try ForeignFolder()
        try folder.write(
            ["pre_bias": [4], "latent_bias": [3], "encoder.weight": [3, 4], "decoder.weight": [4, 3]],
            as: "sae.weights.safetensors")
        let name = "sae.weights.safetensors"
        let failure = folder.failure(ForeignRequest(layers: [1, 2], k: 2), in: name)
        #expect(failure.kind == .notSaid && failure.text.contains("topk, mlsae, random"))
        let request = ForeignRequest(layers: [1, 2], k: 2, architecture: .mlsae)
        #expect(try folder.find(request, in: name)[0].configuration.architecture == .mlsae)
        #expect(try folder.find(ForeignRequest(layers: [1]), in: name)[0].configuration.architecture == .vanilla)
        #expect(try folder.find(ForeignRequest(layers: [1], k: 2), in: name)[0].configuration.architecture == .topk)
    }

    @Test func filesOfOtherNamesAreRefused() throws {
        let folder = try ForeignFolder()
        try folder.write(["W": [3, 4]], as: "x.safetensors")
        #expect(folder.failure(in: "x.safetensors").kind == .unrecognised)
        let failure = folder.failure(ForeignRequest(format: .routesaePyTorch, layers: [1]), in: "x.safetensors")
        #expect(failure.kind == .malformed && failure.text.contains("has tensors \"W\"; expected"), "\(failure.text)")
    }
}
