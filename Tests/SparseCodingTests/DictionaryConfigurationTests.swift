import Foundation
import SparseCoding
import Testing
import Vocabulary

@Suite struct DictionaryConfigurationTests {
    /// The name of the setting that a configuration is refused for; nil if it is accepted.
    private func refusal(dModel: Int = 8, latents: Int = 16, k: Int = 4, layers: [Int] = [1, 2]) -> String? {
        do {
            _ = try DictionaryConfiguration(dModel: dModel, latents: latents, k: k, layers: layers)
            return nil
        } catch .setting(let name, let found, let allowed) {
            #expect(!found.isEmpty && !allowed.isEmpty)
            return name
        } catch {
            return "another error: \(error)"
        }
    }

    @Test func acceptsTheLimits() throws {
        #expect(refusal(dModel: 2, latents: 1, k: 1, layers: [0]) == nil)
        #expect(refusal(k: 16, layers: [0, 99_999]) == nil)
        #expect(refusal(dModel: 1_048_576, latents: 16_777_216, k: 16_777_216) == nil)
    }

    @Test(arguments: [-1, 0, 1, 1_048_577]) func widthOutOfRange(dModel: Int) {
        #expect(refusal(dModel: dModel)?.contains("d-model") == true)
    }

    @Test(arguments: [Int.min, 0, 16_777_217, .max]) func latentsOutOfRange(latents: Int) {
        #expect(refusal(latents: latents)?.contains("number of latents") == true)
    }

    @Test(arguments: [-5, 0, 17]) func kOutOfRange(k: Int) {
        #expect(refusal(k: k)?.hasPrefix("k,") == true)
    }

    @Test(arguments: [[], [2, 1], [1, 1], [-1, 3], [0, 100_000]] as [[Int]]) func layerListNotInOrder(layers: [Int]) {
        #expect(refusal(layers: layers) == "the layer list")
    }

    @Test func theMessageIsOneLine() {
        #expect(throws: SparseCodingError.self) {
            try DictionaryConfiguration(dModel: 8, latents: 4, k: 5, layers: [0])
        }

        let error = SparseCodingError.setting(name: "k", found: "5", allowed: "1 … 4")
        #expect(error.description == "k is 5; allowed: 1 … 4")
    }

    @Test func fidelityDecidesTheRules() throws {
        for routing in RoutingMode.allCases {
            let reference = try DictionaryConfiguration(
                dModel: 8, latents: 16, k: 2, layers: [0, 1], routing: routing, fidelity: .reference)
            #expect(!reference.rectified)
            #expect(reference.scalesByProbability == (routing == .hard))
            let corrected = try DictionaryConfiguration(dModel: 8, latents: 16, k: 2, layers: [0, 1], routing: routing)
            #expect(corrected.fidelity == .corrected && corrected.rectified && !corrected.scalesByProbability)
        }
    }

    @Test(arguments: [
        (16, Array(3...11)), (8, Array(1...5)), (12, Array(2...8)), (4, [0, 1, 2]), (3, [0, 1]), (2, [0]), (1, [0]),
        (0, [0]), (28, Array(6...20)), (18, Array(3...12)),
    ])
    func routedLayers(decoderLayers: Int, layers: [Int]) {
        #expect(DictionaryConfiguration.routedLayers(ofModelWith: decoderLayers) == layers)
    }

    @Test func survivesJSON() throws {
        let configuration = try DictionaryConfiguration(
            dModel: 8, latents: 16, k: 2, layers: [3, 5], routing: .soft, aggregation: .mean, fidelity: .reference)
        let json = try JSONEncoder().encode(configuration)
        #expect(try JSONDecoder().decode(DictionaryConfiguration.self, from: json) == configuration)
    }

    @Test func rulesOfOtherProgramsSurviveJSON() throws {
        for rules in EncodingRulesTests.all {
            let configuration = try rules.configuration()
            let json = try JSONEncoder().encode(configuration)
            #expect(try JSONDecoder().decode(DictionaryConfiguration.self, from: json) == configuration)
        }
    }

    /// Runs and checkpoints of dictionaries made before read as they did.
    @Test(arguments: System.all) func whatGoesWithoutSayingIsLeftOut(system: System) throws {
        let json = try JSONEncoder().encode(try system.configuration())
        let names = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any]).keys
        let all = ["aggregation", "architecture", "dModel", "fidelity", "k", "latents", "layers", "routing"]
        #expect(names.sorted() == all.filter { $0 != "k" || system.usesTopK })
    }

    @Test func refusesInJSONWhatItRefusesElsewhere() throws {
        let configuration = try DictionaryConfiguration(dModel: 8, latents: 16, k: 2, layers: [3, 5])
        let json = try #require(String(data: try JSONEncoder().encode(configuration), encoding: .utf8))
        let changes = [("\"k\":2", "\"k\":17"), ("\"latents\":16", "\"latents\":-1"), ("[3,5]", "[5,3]")]
        for (old, new) in changes {
            #expect(json.contains(old))
            let changed = Data(json.replacingOccurrences(of: old, with: new).utf8)
            #expect(throws: SparseCodingError.self) {
                try JSONDecoder().decode(DictionaryConfiguration.self, from: changed)
            }
        }
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(DictionaryConfiguration.self, from: Data("{}".utf8))
        }
    }
}
