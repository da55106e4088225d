import Foundation
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing

@Suite struct DictionaryWeightsTests {
    private func configuration(layers: [Int] = [1, 4, 6]) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(dModel: 12, latents: 40, k: 3, layers: layers)
    }

    private func matrices(_ weights: DictionaryWeights) -> [[Float]] {
        [weights.router, weights.preBias, weights.latentBias, weights.encoder, weights.decoder].map(\.elements)
    }

    @Test func seededInitialisation() throws {
        let configuration = try DictionaryConfiguration(dModel: 64, latents: 500, k: 3, layers: [0, 1])
        let weights = DictionaryWeights(configuration, seed: 5)
        #expect(matrices(weights) == matrices(DictionaryWeights(configuration, seed: 5)))
        #expect(weights.encoder.elements != DictionaryWeights(configuration, seed: 6).encoder.elements)
        #expect(weights.preBias.elements.allSatisfy { $0 == 0 } && weights.latentBias.elements.allSatisfy { $0 == 0 })
        for matrix in [weights.router, weights.encoder] {
            let values = matrix.elements
            let bound: Float = 1 / 8
            #expect(values.allSatisfy { abs($0) <= bound })
            #expect(values.max()! > 0.9 * bound && values.min()! < -0.9 * bound)
            // A uniform distribution over ±b has a variance of b²/3.
            let variance = values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
            #expect(abs(variance * 3 / (bound * bound) - 1) < 0.25)
        }
        for latent in 0..<500 {
            let encoder = (0..<64).map { Double(weights.encoder[latent, $0]) }
            let norm = encoder.reduce(0) { $0 + $1 * $1 }.squareRoot()
            expectClose(
                (0..<64).map { weights.decoder[latent, $0] }, encoder.map { Float($0 / norm) }, relative: 1e-6)
        }
        #expect(Array(weights.router.elements.prefix(8)) != Array(weights.encoder.elements.prefix(8)))
    }

    @Test func normaliseDecoderLeavesZeroAlone() throws {
        let configuration = try DictionaryConfiguration(dModel: 5, latents: 600, k: 1, layers: [0])
        let weights = DictionaryWeights(configuration)
        var generator = CounterGenerator(seed: 1)
        for latent in 0..<600 where latent != 300 {
            for column in 0..<5 { weights.decoder[latent, column] = 10 * generator.uniform() - 5 }
        }

        let before = weights.decoder.copy()
        weights.normaliseDecoder(by: Workers(threads: 3))
        for latent in 0..<600 where latent != 300 {
            let norm = (0..<5).reduce(0.0) { $0 + Double(before[latent, $1]) * Double(before[latent, $1]) }.squareRoot()
            expectClose(
                (0..<5).map { weights.decoder[latent, $0] }, (0..<5).map { Float(Double(before[latent, $0]) / norm) },
                relative: 1e-6)
        }
        #expect((0..<5).allSatisfy { weights.decoder[300, $0] == 0 })
    }

    @Test func roundTrip() throws {
        let directory = try TemporaryDirectory()
        let configuration = try configuration()
        let weights = randomWeights(configuration, seed: 1)
        let path = directory.file("weights.safetensors")
        try weights.write(configuration, to: path, metadata: ["note": "kept"])
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata["note"] == "kept")
        #expect(
            file.tensors.mapValues(\.shape) == [
                "router.weight": [3, 12], "sae.pre_bias": [12], "sae.latent_bias": [40],
                "sae.encoder.weight": [40, 12], "sae.decoder.weight": [12, 40],
            ])
        // On disk the decoder is the transpose of the rows in memory.
        let stored = try file.floats("sae.decoder.weight")
        #expect(stored[3 * 40 + 17] == weights.decoder[17, 3])
        #expect(matrices(try DictionaryWeights(configuration, reading: file)) == matrices(weights))

        #expect(throws: SafetensorsError.exists(path: path)) { try weights.write(configuration, to: path) }
        try DictionaryWeights(configuration).write(configuration, to: path, overwrite: true)
        #expect(
            matrices(try DictionaryWeights(configuration, reading: SafetensorsFile(path: path)))
                == matrices(DictionaryWeights(configuration)))
    }

    /// Writes the tensors of a dictionary, changed by `change`, and returns the file.
    private func file(
        _ directory: TemporaryDirectory, _ change: (inout [String: (shape: [Int], values: [Float])]) -> Void
    ) throws -> SafetensorsFile {
        var tensors: [String: (shape: [Int], values: [Float])] = [:]
        for (name, shape) in [
            ("router.weight", [3, 12]), ("sae.pre_bias", [12]), ("sae.latent_bias", [40]),
            ("sae.encoder.weight", [40, 12]), ("sae.decoder.weight", [12, 40]),
        ] {
            let count = shape.reduce(1, *)
            tensors[name] = (shape, (0..<count).map { Float($0) / Float(count) })
        }
        change(&tensors)
        let path = directory.file("changed.safetensors")
        let writer = try SafetensorsWriter(
            path: path, tensors: tensors.map { (name: $0.key, dtype: .f32, shape: $0.value.shape) }, overwrite: true)
        for (name, tensor) in tensors { try writer.append(name, floats: tensor.values) }
        try writer.finish()
        return try SafetensorsFile(path: path)
    }

    static let names = [
        "router.weight", "sae.pre_bias", "sae.latent_bias", "sae.encoder.weight", "sae.decoder.weight",
    ]

    @Test(arguments: names) func missingTensor(name: String) throws {
        let directory = try TemporaryDirectory()
        let file = try file(directory) { $0[name] = nil }
        #expect(throws: SafetensorsError.noSuchTensor(name: name, path: file.path)) {
            try DictionaryWeights(try configuration(), reading: file)
        }
    }

    @Test(arguments: names) func wrongShape(name: String) throws {
        let directory = try TemporaryDirectory()
        // As many elements as before, in another shape.
        var expected: [Int] = []
        let file = try file(directory) { tensors in
            expected = tensors[name]!.shape
            tensors[name]!.shape = expected.count == 1 ? [1] + expected : expected.reversed()
        }

        let found = try file.tensor(name).shape
        #expect(throws: SparseCodingError.shape(tensor: name, path: file.path, found: found, expected: expected)) {
            try DictionaryWeights(try configuration(), reading: file)
        }
    }

    @Test(arguments: names) func notFinite(name: String) throws {
        let directory = try TemporaryDirectory()
        for bad in [Float.nan, .infinity, -.infinity] {
            let file = try file(directory) { $0[name]!.values[$0[name]!.values.count - 1] = bad }
            #expect {
                try DictionaryWeights(try configuration(), reading: file)
            } throws: { error in
                guard case .notFinite(let what) = error as? SparseCodingError else { return false }
                return what.contains(name) && what.contains(file.path)
            }
        }
    }

    @Test func aSingleLayerNeedsNoPrefixAndNoRouter() throws {
        let directory = try TemporaryDirectory()
        let single = try configuration(layers: [4])
        let plain = try file(directory) { tensors in
            tensors["router.weight"] = nil
            for name in Self.names.dropFirst() {
                tensors[String(name.dropFirst(4))] = tensors.removeValue(forKey: name)
            }
        }

        let weights = try DictionaryWeights(single, reading: plain)
        #expect(weights.encoder.elements == (0..<480).map { Float($0) / 480 })
        #expect(weights.decoder[7, 2] == Float(2 * 40 + 7) / 480)
        #expect(weights.preBias.elements == (0..<12).map { Float($0) / 12 })
        #expect(weights.router.rows == 0)
        // What it writes itself has neither.
        let path = directory.file("single.safetensors")
        try weights.write(single, to: path)
        #expect(try SafetensorsFile(path: path).names.sorted() == plain.names.sorted())
        #expect(matrices(try DictionaryWeights(single, reading: SafetensorsFile(path: path))) == matrices(weights))
        // Several layers need both.
        #expect(throws: SafetensorsError.self) { try DictionaryWeights(try configuration(), reading: plain) }
    }
}
