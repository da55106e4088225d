import LinearAlgebra
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// What a dictionary does to its input and which latents it keeps, as other programs' do, against an fp64 oracle.
@Suite struct EncodingRulesTests {
    /// Rules as a test argument.
    struct Rules: CustomTestStringConvertible, Sendable {
        var architecture = Architecture.topk
        var input = InputNormalization.none
        var subtractsPreBias = true
        var selection = LatentSelection.activation
        var thresholdForm: ThresholdForm?
        var testDescription: String {
            "\(architecture) \(input) \(subtractsPreBias) \(selection) \(thresholdForm?.rawValue ?? "")"
        }

        func configuration() throws -> DictionaryConfiguration {
            try DictionaryConfiguration(
                architecture: architecture, dModel: 21, latents: 72, k: architecture == .topk ? 6 : nil, layers: [5],
                input: input, subtractsPreBias: subtractsPreBias, selection: selection, thresholdForm: thresholdForm)
        }
    }

    static let inputs: [InputNormalization] = [
        .none, .layerNorm(epsilon: 1e-5), .layerNorm(epsilon: 0.5), .scale(0.37), .unitNorm,
    ]
    static let all: [Rules] = inputs.flatMap { input in
        [true, false].flatMap { subtracts in
            [
                Rules(input: input, subtractsPreBias: subtracts),
                Rules(input: input, subtractsPreBias: subtracts, selection: .activationTimesNorm),
                Rules(input: input, subtractsPreBias: subtracts, selection: .groups),
                Rules(architecture: .vanilla, input: input, subtractsPreBias: subtracts),
                Rules(architecture: .gated, input: input, subtractsPreBias: subtracts),
            ]
                + ThresholdForm.allCases.map {
                    Rules(architecture: .jumprelu, input: input, subtractsPreBias: subtracts, thresholdForm: $0)
                }
        }
    }

    /// Weights whose decoder rows are not of unit norm; folded where the encoder takes them so.
    private func weights(_ configuration: DictionaryConfiguration) -> (raw: DictionaryWeights, used: DictionaryWeights)
    {
        func make() -> DictionaryWeights {
            let weights = livelyWeights(configuration, seed: 11)
            for latent in 0..<configuration.latents {
                // One of zeros, which is silent where its norm counts.
                let factor =
                    latent == 9 && configuration.selection == .activationTimesNorm ? 0 : 0.6 + Float(latent % 7) / 5
                for column in 0..<weights.decoder.columns { weights.decoder[latent, column] *= factor }
            }
            if configuration.thresholdForm != .logarithm {
                for index in 0..<weights.threshold.count {
                    weights.threshold.pointer[index] = 0.3 - Float(index % 5) / 5
                }
            }
            return weights
        }
        let (raw, used) = (make(), make())
        if configuration.selection == .activationTimesNorm {
            used.foldNorms(by: Workers(threads: 1), silencingZeros: true)
        }
        return (raw, used)
    }

    @Test(arguments: all) func followTheOracle(rules: Rules) throws {
        let configuration = try rules.configuration()
        let (raw, used) = weights(configuration)
        let batch = randomBatch(count: 300, layers: [5], dModel: 21, seed: 4)
        let encoder = DictionaryEncoder(configuration: configuration, weights: used, workers: Workers(threads: 2))
        let input = AutoencoderInput(capacity: 300, configuration: configuration)
        try encoder.read(batch, into: input)
        let latents = SparseLatents(capacity: 300, configuration: configuration)
        encoder.encode(input, count: 300, into: latents)
        var compared = 0
        var result = Array(repeating: Float(0), count: 21)
        for token in 0..<300 {
            let naive = NaiveDictionaryEncoding.samples(configuration, raw, batch, token: token)[0]
            // Closer than round-off, the choice is anyone's.
            guard naive.margin > 1e-4 else { continue }
            compared += 1
            let found = (0..<Int(latents.counts[token])).map {
                (Int(latents.indices(of: token)[$0]), latents.activations(of: token)[$0])
            }.filter { $0.1 != 0 }
            let expected = naive.active.filter { $0.activation != 0 }
            #expect(found.map(\.0) == expected.map(\.latent))
            expectClose(found.map(\.1), expected.map { Float($0.activation) }, relative: 1e-5, absolute: 1e-5)
            result.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { encoder.reconstruct(token, input, latents, into: base) }
            }
            expectClose(
                result, undone(naive.reconstruction, of: token, in: batch, rules.input), relative: 2e-5, absolute: 2e-5)
        }
        #expect(compared > 200)
    }

    /// A reconstruction in the units of the stream.
    private func undone(
        _ x: [Double], of token: Int, in batch: ActivationBatch, _ input: InputNormalization
    ) -> [Float] {
        let h = (0..<21).map { Double(batch.values[token, $0]) }
        let mean = h.reduce(0, +) / 21
        switch input {
        case .none: return x.map { Float($0) }
        case .scale(let factor): return x.map { Float($0 / factor) }
        case .unitNorm:
            let norm = h.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return x.map { Float($0 * norm / 21.0.squareRoot()) }
        case .layerNorm:
            let deviation = (h.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20).squareRoot()
            return x.map { Float($0 * deviation + mean) }
        }
    }

    @Test func zerosStayZerosUnderUnitNorm() {
        let h = Array(repeating: Float(0), count: 5)
        var x = Array(repeating: Float(7), count: 5)
        let (mean, deviation) = InputNormalization.unitNorm.apply(h, width: 5, into: &x)
        #expect(x == h && mean == 0 && deviation == 0)
    }

    @Test(arguments: inputs) func whatCannotBeSquaredIsNoticed(input: InputNormalization) {
        for bad: Float in [.nan, .infinity, 3e38] {
            var x = Array(repeating: Float(0), count: 4)
            #expect(!input.apply([1, bad, -bad, 2], width: 4, into: &x).deviation.isFinite, "\(bad)")
        }
    }

    @Test func numbersThatMakeNoSenseAreRefused() {
        func refusal(_ rule: InputRule, _ epsilon: Double?, _ factor: Double?) -> String? {
            do {
                _ = try InputNormalization(rule, epsilon: epsilon, factor: factor)
                return nil
            } catch { return "\(error)" }
        }
        #expect(refusal(.layerNorm, 1e-5, nil) == nil && refusal(.scale, nil, 2) == nil)
        #expect(refusal(.layerNorm, nil, nil)?.contains("epsilon") == true)
        #expect(refusal(.layerNorm, -1, nil)?.contains("epsilon") == true)
        #expect(refusal(.layerNorm, 1e-5, 2)?.contains("scale") == true)
        #expect(refusal(.none, 1e-5, nil)?.contains("none for none") == true)
        for factor in [0, -1, .infinity, .nan, 1e-46, 1e39] {
            #expect(refusal(.scale, nil, factor)?.contains("scale of the input") == true, "\(factor)")
        }
    }

    @Test func groupsHaveToBeEqual() throws {
        func refusal(_ k: Int) -> String? {
            do {
                _ = try DictionaryConfiguration(
                    architecture: .topk, dModel: 4, latents: 12, k: k, layers: [0], selection: .groups)
                return nil
            } catch { return "\(error)" }
        }
        #expect(refusal(4) == nil)
        #expect(refusal(5)?.contains("a divisor of 12") == true)
        #expect(throws: SparseCodingError.self) {
            try DictionaryConfiguration(
                architecture: .mlsae, dModel: 4, latents: 12, k: 4, layers: [0, 1], selection: .groups)
        }
        #expect(throws: SparseCodingError.self) {
            try DictionaryConfiguration(
                architecture: .vanilla, dModel: 4, latents: 12, layers: [0], thresholdForm: .shared)
        }
    }
}
