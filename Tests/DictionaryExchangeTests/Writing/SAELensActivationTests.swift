import DictionaryExchange
import LinearAlgebra
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// SAELens, by its formulas, computes from a written folder what the program's encoder computes.
@Suite struct SAELensActivationTests {
    static let inputs: [InputNormalization] = [
        .none, .layerNorm(epsilon: 1e-5), .standardised, .scale(0.37), .unitNorm,
    ]

    static func configurations() throws -> [DictionaryConfiguration] {
        try inputs.flatMap { input in
            try [true, false].flatMap { subtracts in
                func make(
                    _ architecture: Architecture, k: Int? = nil, fidelity: Fidelity = .corrected,
                    selection: LatentSelection = .activation, form: ThresholdForm? = nil
                ) throws -> DictionaryConfiguration {
                    try DictionaryConfiguration(
                        architecture: architecture, dModel: 19, latents: 23, k: k, layers: [3], fidelity: fidelity,
                        input: input, subtractsPreBias: subtracts, selection: selection, thresholdForm: form)
                }
                return try [
                    make(.topk, k: 4), make(.topk, k: 4, selection: .activationTimesNorm), make(.route, k: 4),
                    make(.vanilla), make(.vanilla, fidelity: .reference), make(.gated),
                    make(.jumprelu), make(.jumprelu, form: .value), make(.jumprelu, form: .shared),
                    make(.jumprelu, fidelity: .reference),
                ]
            }
        }
    }

    @Test(arguments: try configurations()) func theActivationsAreTheEncodersOwn(
        _ configuration: DictionaryConfiguration
    ) throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(configuration)
        _ = try SAELensWriter.write(dictionary.toExport, into: directory.file("out"))
        try compare(dictionary, try NaiveSAELens(directory.file("out")))
    }

    @Test(arguments: [InputNormalization.none, .scale(0.37)]) func aDecoderRowOfZerosMakesNoNaN(
        _ input: InputNormalization
    ) throws {
        let directory = try TemporaryDirectory()
        let dictionary = DictionaryOfRandomWeights(
            try DictionaryConfiguration(
                architecture: .topk, dModel: 19, latents: 23, k: 4, layers: [3], input: input,
                selection: .activationTimesNorm)
        ) { name, matrix in
            if name == "decoder" { matrix.row(5).update(repeating: 0, count: matrix.columns) }
            // So that the encoder itself does not choose latent 5, whose activation is 0 by definition.
            if name == "latent_bias" { matrix.pointer[5] = -100 }
        }
        _ = try SAELensWriter.write(dictionary.toExport, into: directory.file("out"))
        let written = try NaiveSAELens(directory.file("out"))
        try compare(dictionary, written)
        #expect(try written.tensor("b_enc")[5] == 0)
    }

    private func compare(_ dictionary: DictionaryOfRandomWeights, _ written: NaiveSAELens) throws {
        let streams = dictionary.streams()
        let expected = try dictionary.latents(of: streams)
        // SAELens's layer norm has another epsilon than ours.
        let bound: Float = dictionary.configuration.input == .standardised ? 5e-5 : 2e-6
        #expect(expected.joined().contains { $0 != 0 })
        for (token, stream) in streams.enumerated() {
            let (latents, reconstruction) = try written.run(stream)
            expectClose(latents.map { Float($0) }, expected[token], relative: bound, absolute: 1e-6, "latents")
            #expect(latents.map { $0 != 0 } == expected[token].map { $0 != 0 })
            expectClose(
                reconstruction.map { Float($0) },
                dictionary.reconstruction(of: stream, expected[token]).map { Float($0) }, relative: bound,
                absolute: 1e-6, "reconstruction")
        }
    }
}
