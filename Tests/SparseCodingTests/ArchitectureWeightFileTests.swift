import Foundation
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// Weight files of every system: names and shapes as documented, and what is refused.
@Suite struct ArchitectureWeightFileTests {
    /// The documented names and shapes, for d = 6, m = 10 and three layers (or one).
    private func documented(_ system: System) -> [String: [Int]] {
        let prefix = system.architecture == .route ? "sae." : ""
        var names: [String: [Int]] = [:]
        if system.architecture == .route { names["router.weight"] = [3, 6] }
        if system.architecture == .crosscoder {
            for layer in 0..<3 {
                names["encoder.\(layer).weight"] = [10, 6]
                names["decoder.\(layer).weight"] = [6, 10]
            }
            if system.fidelity == .corrected { names["pre_bias"] = [18] }
        } else {
            names[prefix + "encoder.weight"] = [10, 6]
            names[prefix + "decoder.weight"] = [6, 10]
            names[prefix + "pre_bias"] = [6]
        }

        let vectors =
            switch system.architecture {
            case .gated: ["gate_bias", "mag_bias", "r_mag"]
            case .jumprelu: ["latent_bias", "threshold"]
            default: ["latent_bias"]
            }
        for vector in vectors { names[prefix + vector] = [10] }
        return names
    }

    private func configuration(_ system: System) throws -> DictionaryConfiguration {
        try system.configuration(dModel: 6, latents: 10, k: 2)
    }

    /// A weight file of a system, its tensors changed.
    private func file(
        _ system: System, _ directory: TemporaryDirectory,
        _ change: (inout [String: (shape: [Int], values: [Float])]) -> Void = { _ in }
    ) throws -> SafetensorsFile {
        var generator = CounterGenerator(seed: 3)
        var tensors: [String: (shape: [Int], values: [Float])] = [:]
        for (name, shape) in documented(system).sorted(by: { $0.key < $1.key }) {
            // Above zero, as thresholds have to be.
            tensors[name] = (shape, (0..<shape.reduce(1, *)).map { _ in 0.1 + generator.uniform() })
        }
        change(&tensors)
        let path = directory.file("weights.safetensors")
        let writer = try SafetensorsWriter(
            path: path, tensors: tensors.map { (name: $0.key, dtype: .f32, shape: $0.value.shape) }, overwrite: true)
        for (name, tensor) in tensors { try writer.append(name, floats: tensor.values) }
        try writer.finish()
        return try SafetensorsFile(path: path)
    }

    @Test("Written weights read back", arguments: System.all) func whatIsWrittenIsReadAgain(system: System) throws {
        let directory = try TemporaryDirectory()
        let configuration = try configuration(system)
        let weights = livelyWeights(configuration, seed: 1)
        let path = directory.file("weights.safetensors")
        try weights.write(configuration, to: path, metadata: ["note": "kept"])
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata["note"] == "kept" && file.tensors.mapValues(\.shape) == documented(system))
        for (before, after) in zip(weights.tensors, try DictionaryWeights(configuration, reading: file).tensors) {
            #expect(before.name == after.name)
            if before.name == "threshold", system.fidelity == .corrected {
                // By way of its exponential.
                expectClose(after.matrix.elements, before.matrix.elements, absolute: 5e-7, "log θ")
            } else {
                #expect(before.matrix.elements == after.matrix.elements, "\(before.name)")
            }
        }
    }

    /// The position of each number of a file.
    @Test("Each number is stored under its name", arguments: System.all)
    func numbersGoWhereTheirNamesSay(system: System) throws {
        let directory = try TemporaryDirectory()
        let file = try file(system, directory)
        let weights = try DictionaryWeights(try configuration(system), reading: file)
        let prefix = system.architecture == .route ? "sae." : ""
        let isCrosscoder = system.architecture == .crosscoder
        for layer in 0..<(isCrosscoder ? 3 : 1) {
            let part = isCrosscoder ? ".\(layer)" : ""
            let encoder = try file.floats("\(prefix)encoder\(part).weight")
            let decoder = try file.floats("\(prefix)decoder\(part).weight")
            for latent in 0..<10 {
                for column in 0..<6 {
                    #expect(weights.encoder[latent, layer * 6 + column] == encoder[latent * 6 + column])
                    #expect(weights.decoder[latent, layer * 6 + column] == decoder[column * 10 + latent])
                }
            }
        }
        for (name, matrix) in [
            ("pre_bias", weights.preBias), ("latent_bias", weights.latentBias), ("gate_bias", weights.gateBias),
            ("mag_bias", weights.magnitudeBias), ("r_mag", weights.magnitudeScale),
        ] where file.tensors[prefix + name] != nil {
            #expect(try matrix.elements == file.floats(prefix + name), "\(name)")
        }
        if system.architecture == .route { #expect(try weights.router.elements == file.floats("router.weight")) }
        guard system.architecture == .jumprelu else { return }
        let thresholds = try file.floats("threshold")
        let expected = system.fidelity == .corrected ? thresholds.map { Float(log(Double($0))) } : thresholds
        expectClose(weights.threshold.elements, expected, absolute: 3e-7, "threshold")
    }

    @Test(arguments: System.all) func missingMisshapenAndDamagedTensors(system: System) throws {
        let directory = try TemporaryDirectory()
        let configuration = try configuration(system)
        for (name, shape) in documented(system) {
            let without = try file(system, directory) { $0[name] = nil }
            #expect(throws: SafetensorsError.noSuchTensor(name: name, path: without.path)) {
                try DictionaryWeights(configuration, reading: without)
            }
            // As many elements as before, in another shape.
            let found = shape.count == 1 ? [1] + shape : shape.reversed()
            let turned = try file(system, directory) { $0[name]!.shape = found }
            #expect(throws: SparseCodingError.shape(tensor: name, path: turned.path, found: found, expected: shape)) {
                try DictionaryWeights(configuration, reading: turned)
            }
            for bad in [Float.nan, .infinity, -.infinity] {
                let damaged = try file(system, directory) { $0[name]!.values[$0[name]!.values.count - 1] = bad }
                #expect(throws: SparseCodingError.notFinite(what: "\(damaged.path): tensor \(name)")) {
                    try DictionaryWeights(configuration, reading: damaged)
                }
            }
        }
    }

    @Test("Thresholds have to be positive", arguments: [Float(0), -0.0, -0.25, -1e-30])
    func thresholdsHaveToBeAboveZeroToHaveALogarithm(
        bad: Float
    ) throws {
        let directory = try TemporaryDirectory()
        let corrected = System(architecture: .jumprelu, fidelity: .corrected, usesTopK: false)
        let file = try file(corrected, directory) { $0["threshold"]!.values[7] = bad }
        let expected = SparseCodingError.setting(
            name: "\(file.path): threshold of latent 7", found: "\(bad)", allowed: "a number above 0")
        #expect(throws: expected) { try DictionaryWeights(try configuration(corrected), reading: file) }
        // The reference's may go below, and is stored as it is.
        let reference = System(architecture: .jumprelu, fidelity: .reference, usesTopK: false)
        #expect(try DictionaryWeights(try configuration(reference), reading: file).threshold[0, 7] == bad)
    }

    /// Sets beside one another are told apart by a prefix.
    @Test(arguments: System.all) func prefixes(system: System) throws {
        let directory = try TemporaryDirectory()
        let configuration = try configuration(system)
        let plain = try DictionaryWeights(configuration, reading: try file(system, directory))
        let prefixed = try file(system, directory) { tensors in
            for (name, tensor) in tensors {
                tensors["best." + name] = tensor
                tensors[name] = (tensor.shape, tensor.values.map { $0 + 1 })
            }
        }

        let read = try DictionaryWeights(configuration, reading: prefixed, prefix: "best.")
        for (a, b) in zip(plain.tensors, read.tensors) { #expect(a.matrix.elements == b.matrix.elements, "\(a.name)") }
        #expect(throws: SafetensorsError.self) {
            try DictionaryWeights(configuration, reading: prefixed, prefix: "other.")
        }
    }
}
