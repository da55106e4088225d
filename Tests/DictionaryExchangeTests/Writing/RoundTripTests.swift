import DictionaryExchange
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// A dictionary that is exported and imported again is the same dictionary.
@Suite struct RoundTripTests {
    private static let types: [TensorDType] = [.f32, .f16, .bf16]

    /// Exports a dictionary and finds what an import takes from the folder, or from one in it.
    private func exported(
        _ dictionary: DictionaryOfRandomWeights, to format: ForeignFormat = .saelens, in directory: TemporaryDirectory,
        finding name: String = ""
    ) throws -> [ForeignDictionary] {
        let folder = directory.file("sae")
        switch format {
        case .sparsify: _ = try SparsifyWriter.write(dictionary.toExport, into: folder)
        default: _ = try SAELensWriter.write(dictionary.toExport, into: folder)
        }
        return try ForeignDictionaries.find(at: folder + name, ForeignRequest())
    }

    /// Names of tensors that come back with another type or value.
    private func changed(_ found: ForeignDictionary, _ original: DictionaryOfRandomWeights) throws -> Set<String> {
        let tensors = Dictionary(uniqueKeysWithValues: found.tensors.map { ($0.name, $0) })
        return try Set(
            original.toExport.tensors.compactMap { name, dtype, shape in
                guard let tensor = tensors[name] else { return name }
                let isSame =
                    try tensor.dtype == dtype && tensor.shape == shape
                    && tensor.read().elements == original.toExport.read(name).elements
                return isSame ? nil : name
            })
    }

    private func latents(_ found: ForeignDictionary, of streams: [[Double]]) throws -> [Float] {
        try found.run(on: streams.joined().map { Float($0) }).activations
    }

    struct Routing: Sendable, CustomTestStringConvertible {
        let input: InputNormalization
        let routing: RoutingMode
        let fidelity: Fidelity
        var testDescription: String { "\(input) \(routing) \(fidelity)" }
    }

    static let routings = SAELensActivationTests.inputs.flatMap { input in
        RoutingMode.allCases.flatMap { routing in
            Fidelity.allCases.map { Routing(input: input, routing: routing, fidelity: $0) }
        }
    }

    @Test("A routed dictionary comes back whole", arguments: routings)
    func routedDictionariesComeBackWhole(_ example: Routing) throws {
        for (number, aggregation) in (RouterAggregation.allCases + RouterAggregation.allCases).enumerated() {
            let configuration = try DictionaryConfiguration(
                architecture: .route, dModel: 7, latents: 11, k: 3, layers: [2, 3, 5], routing: example.routing,
                aggregation: aggregation, fidelity: example.fidelity, input: example.input,
                subtractsPreBias: number < 2)
            let directory = try TemporaryDirectory()
            let dictionary = DictionaryOfRandomWeights(configuration, dtype: Self.types[number % 3])
            let found = try exported(dictionary, in: directory)
            try requireEqual(found.count, 1)
            #expect(found[0].configuration == configuration)
            #expect(try changed(found[0], dictionary) == [])
            #expect(found[0].tensors.map(\.name) == dictionary.weights.tensors.map(\.name))
            #expect(found[0].modelName == "meta/model")
            let hasLayers = example.routing == .hard && example.fidelity == .corrected
            #expect(found[0].remarks.count == (hasLayers ? 1 : 0), "\(found[0].remarks)")
        }
    }

    @Test(arguments: SAELensActivationTests.inputs) func oneLayerOfARoutedDictionaryIsATopK(
        _ input: InputNormalization
    ) throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(
            try DictionaryConfiguration(
                architecture: .route, dModel: 7, latents: 11, k: 3, layers: [2, 3, 5], input: input), dtype: .bf16)
        let found = try exported(dictionary, in: directory, finding: "/layer_5")
        let isScale = input.rule == .scale
        let expected = try DictionaryConfiguration(
            architecture: .topk, dModel: 7, latents: 11, k: 3, layers: [5], input: isScale ? .none : input)
        #expect(found.map(\.configuration) == [expected])
        #expect(
            try changed(found[0], dictionary) == (isScale ? ["router", "pre_bias", "encoder", "decoder"] : ["router"]))
    }

    @Test(
        "SAELens's format holds every dictionary of one layer", arguments: try SAELensActivationTests.configurations())
    func dictionariesOfOneLayerComeBackFromSAELens(_ configuration: DictionaryConfiguration) throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(configuration)
        let found = try exported(dictionary, in: directory)
        try requireEqual(found.count, 1)
        let one = found[0].configuration
        let isScale = configuration.input.rule == .scale
        #expect(one.input == (isScale ? .none : configuration.input))
        #expect(one.subtractsPreBias == configuration.subtractsPreBias && one.k == configuration.k)
        #expect(one.architecture == (configuration.architecture == .route ? .topk : configuration.architecture))

        let streams = dictionary.streams()
        let (expected, latents) = (try dictionary.latents(of: streams), try latents(found[0], of: streams))
        #expect(latents.contains { $0 != 0 })
        if isScale {
            #expect(latents.map { $0 != 0 } == expected.joined().map { $0 != 0 })
            expectClose(latents, Array(expected.joined()), relative: 2e-6, absolute: 1e-6)
        } else {
            let isValue = configuration.thresholdForm == nil || configuration.thresholdForm == .value
            #expect(try changed(found[0], dictionary) == (isValue ? [] : ["threshold"]))
            #expect(one.selection == configuration.selection)
            #expect(latents == Array(expected.joined()), "not the same to the bit")
        }
    }

    @Test(arguments: SAELensActivationTests.inputs, LatentSelection.allCases)
    func dictionariesComeBackFromSparsify(_ input: InputNormalization, _ selection: LatentSelection) throws {
        for subtracts in [true, false] {
            let configuration = try DictionaryConfiguration(
                architecture: .topk, dModel: 19, latents: 24, k: 4, layers: [3], input: input,
                subtractsPreBias: subtracts, selection: selection)
            let directory = try TemporaryDirectory()
            let dictionary = DictionaryOfRandomWeights(configuration)
            let found = try exported(dictionary, to: .sparsify, in: directory)
            try requireEqual(found.count, 1)
            #expect(found[0].configuration.input == (input.rule == .scale ? .none : input))
            let isRestored = input.rule == .layerNorm || input.rule == .unitNorm
            #expect(found[0].remarks.count == (isRestored ? 1 : 0), "\(found[0].remarks)")
            let streams = dictionary.streams()
            let expected = Array(try dictionary.latents(of: streams).joined())
            let outcome = try found[0].run(on: streams.joined().map { Float($0) })
            if subtracts, selection != .activationTimesNorm, input.rule != .scale {
                #expect(found[0].configuration == configuration)
                #expect(try changed(found[0], dictionary) == [])
                #expect(outcome.activations == expected, "not the same to the bit")
            } else {
                #expect(outcome.activations.map { $0 != 0 } == expected.map { $0 != 0 })
                expectClose(outcome.activations, expected, relative: 4e-6, absolute: 2e-6)
            }
            let m = configuration.latents
            let reconstructions = streams.enumerated().flatMap { token, stream in
                dictionary.reconstruction(of: stream, Array(expected[token * m..<(token + 1) * m])).map { Float($0) }
            }
            expectClose(outcome.reconstructions, reconstructions, relative: 4e-6, absolute: 4e-6)
        }
    }
}
