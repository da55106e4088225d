import Foundation
import LinearAlgebra
import SparseCoding
import Testing
import Vocabulary

/// Requirements of the architectures on a configuration, and derived properties.
@Suite struct ArchitectureRulesTests {
    /// The message that a configuration is refused with; nil if it is accepted.
    private func refusal(
        _ architecture: Architecture, k: Int?, layers: [Int], dModel: Int = 8, latents: Int = 16
    ) -> String? {
        do {
            _ = try DictionaryConfiguration(
                architecture: architecture, dModel: dModel, latents: latents, k: k, layers: layers)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("k is given exactly where it applies") func kIsGivenWhereItBelongs() {
        for architecture in [Architecture.route, .topk, .mlsae, .random] {
            #expect(refusal(architecture, k: 4, layers: [2]) == nil)
            #expect(
                refusal(architecture, k: nil, layers: [2])
                    == "k, the number of active latents, is not given; allowed: 1 … 16 for \(architecture)")
        }
        for architecture in [Architecture.vanilla, .gated, .jumprelu] {
            #expect(refusal(architecture, k: nil, layers: [2]) == nil)
            #expect(
                refusal(architecture, k: 4, layers: [2])
                    == "k, the number of active latents, is 4; allowed: none for \(architecture), which a penalty keeps sparse"
            )
        }
        #expect(
            refusal(.crosscoder, k: nil, layers: [2, 3]) == nil && refusal(.crosscoder, k: 4, layers: [2, 3]) == nil)
    }

    @Test(arguments: [Architecture.route, .topk, .mlsae, .random, .crosscoder]) func kIsInRange(
        architecture: Architecture
    ) {
        for k in [1, 16] { #expect(refusal(architecture, k: k, layers: [2]) == nil) }
        for k in [Int.min, -1, 0, 17, .max] {
            #expect(
                refusal(architecture, k: k, layers: [2])
                    == "k, the number of active latents, is \(k); allowed: 1 … 16")
        }
    }

    @Test(arguments: Architecture.allCases) func layers(architecture: Architecture) {
        let readsOne = [.topk, .vanilla, .gated, .jumprelu].contains(architecture)
        #expect(architecture.readsOneLayer == readsOne)
        let k = [.vanilla, .gated, .jumprelu].contains(architecture) ? nil : 4
        #expect(refusal(architecture, k: k, layers: [0]) == nil)
        #expect(
            refusal(architecture, k: k, layers: [1, 2])
                == (readsOne ? "the layer list is [1, 2]; allowed: one layer for \(architecture)" : nil))
        for layers in [[], [2, 1], [1, 1], [-1, 3], [0, 100_000]] {
            #expect(
                refusal(architecture, k: k, layers: layers)
                    == "the layer list is \(layers); allowed: ascending layer numbers from 0, each once")
        }
    }

    @Test("Derived properties of each configuration", arguments: System.all) func whatFollows(system: System) throws {
        let configuration = try system.configuration()
        let (architecture, corrected) = (system.architecture, system.fidelity == .corrected)
        let isCrosscoder = architecture == .crosscoder
        #expect(configuration.routes == (architecture == .route))
        #expect(configuration.inputWidth == (isCrosscoder ? 63 : 21) && configuration.parts == (isCrosscoder ? 3 : 1))
        #expect(configuration.samplesPerToken == (architecture == .mlsae ? 3 : 1))
        #expect(configuration.hasPreBias == (!isCrosscoder || corrected))
        #expect(configuration.subtractsPreBias == !(isCrosscoder || (architecture == .jumprelu && corrected)))
        #expect(configuration.rectified == corrected)
        #expect(configuration.scalesByProbability == (architecture == .route && !corrected))
    }

    @Test("Each architecture has its tensors", arguments: System.all) func tensorsThereAre(system: System) throws {
        let configuration = try system.configuration()
        let width = system.architecture == .crosscoder ? 63 : 21
        var expected: [String: [Int]] = ["encoder": [70, width], "decoder": [70, width]]
        if system.architecture == .route { expected["router"] = [3, 21] }
        if system.architecture != .crosscoder || system.fidelity == .corrected { expected["pre_bias"] = [1, width] }
        if system.architecture == .gated {
            for name in ["gate_bias", "mag_bias", "r_mag"] { expected[name] = [1, 70] }
        } else {
            expected["latent_bias"] = [1, 70]
        }
        if system.architecture == .jumprelu { expected["threshold"] = [1, 70] }
        let tensors = DictionaryWeights(configuration).tensors
        #expect(
            Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, [$0.matrix.rows, $0.matrix.columns]) }) == expected
        )
        #expect(tensors.allSatisfy { $0.isVector == ($0.matrix.rows == 1) })
    }

    @Test(arguments: System.all) func survivesJSON(system: System) throws {
        for layers in [nil, [7]] {
            let configuration = try system.configuration(layers: layers)
            let json = try JSONEncoder().encode(configuration)
            #expect(try JSONDecoder().decode(DictionaryConfiguration.self, from: json) == configuration)
        }
    }

    @Test func configurationsOfVersion01AreOfTwoKinds() throws {
        func decode(_ layers: String, _ more: String = "") throws -> DictionaryConfiguration {
            let json =
                "{\"dModel\":8,\"latents\":16,\"k\":2,\"layers\":\(layers),\"routing\":\"hard\","
                + "\"aggregation\":\"sum\",\"fidelity\":\"reference\"\(more)}"
            return try JSONDecoder().decode(DictionaryConfiguration.self, from: Data(json.utf8))
        }
        #expect(try decode("[3]").architecture == .topk && (try decode("[3,4]").architecture) == .route)
        #expect(try decode("[3,4]", ",\"architecture\":\"mlsae\"").architecture == .mlsae)
        #expect(throws: SparseCodingError.self) { try decode("[3]", ",\"architecture\":\"vanilla\"") }
        #expect(throws: SparseCodingError.self) { try decode("[3,4]", ",\"architecture\":\"topk\"") }
        #expect(throws: DecodingError.self) { try decode("[3]", ",\"architecture\":\"unheard\"") }
    }

    @Test(arguments: [Fidelity.corrected, .reference]) func crosscodersStartAtTheNormsOfTheirKind(
        fidelity: Fidelity
    ) throws {
        for usesTopK in [false, true] {
            let system = System(architecture: .crosscoder, fidelity: fidelity, usesTopK: usesTopK)
            let weights = DictionaryWeights(try system.configuration(), seed: 2)
            let bound = 1 / Float(fidelity == .corrected ? 63 : 21).squareRoot()
            let largest = weights.encoder.elements.map(abs).max()!
            #expect(largest <= bound && largest > 0.98 * bound)
            let unit = fidelity == .corrected ? 63 : 21
            for start in stride(from: 0, to: weights.decoder.count, by: unit) {
                let norm = (start..<start + unit).reduce(0.0) {
                    $0 + Double(weights.decoder.pointer[$1]) * Double(weights.decoder.pointer[$1])
                }
                #expect(abs(norm - 1) < 1e-6)
            }
        }
    }

    @Test func thresholdsStartWhereAsked() throws {
        let corrected = System(architecture: .jumprelu, fidelity: .corrected, usesTopK: false)
        let reference = System(architecture: .jumprelu, fidelity: .reference, usesTopK: false)
        let logarithms = DictionaryWeights(try corrected.configuration(), seed: 1, threshold: 0.05).threshold.elements
        #expect(logarithms.allSatisfy { abs(exp(Double($0)) - 0.05) < 1e-8 })
        let values = DictionaryWeights(try reference.configuration(), seed: 1, threshold: 0.05).threshold.elements
        #expect(values.allSatisfy { $0 == 0.05 })
    }
}
