import ActivationPipeline
import FeatureCatalog
import Foundation
import Interchange
import LinearAlgebra
import RandomNumbers
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Training
import Vocabulary
import WorkflowWorlds

@Suite struct EncodingRunTests {
    private let tiny: TinyModel
    private let workers = Workers(threads: 2)

    init() throws { tiny = try TinyModel() }

    private func file(_ name: String) -> String { tiny.directory.file(name) }

    /// Random activations of some layers, or of one in a bare tensor.
    private func activations(_ name: String, tokens: Int = 70, layers: [Int]?, tensor: String = "activations") throws {
        let shape = [tokens] + (layers.map { [$0.count] } ?? []) + [16]
        var generator = CounterGenerator(seed: 3, stream: name)
        let writer = try SafetensorsWriter(
            path: file(name), tensors: [(tensor, .f32, shape)],
            metadata: layers.map { ["layers": "\($0)"] } ?? [:], overwrite: true)
        try writer.append(tensor, floats: (0..<shape.reduce(1, *)).map { _ in 4 * generator.uniform() - 2 })
        try writer.finish()
    }

    private func trained(_ architecture: Architecture, layers: [Int]) throws -> String {
        var settings = tiny.settings
        settings.shape.architecture = architecture
        settings.shape.layers = layers
        if architecture.activeLatents == .penalised { settings.shape.k = nil }
        let path = file("\(architecture).sqlite")
        try train([settings], catalog: path)
        return path
    }

    @Test("With soft routing, and by the reference's rules", arguments: [Fidelity.corrected, .reference])
    func softRoutingToo(fidelity: Fidelity) throws {
        var settings = tiny.settings
        settings.shape.routing = .soft
        settings.shape.fidelity = fidelity
        try train([settings], catalog: file("soft.sqlite"))
        try activations("x", layers: [0, 1])
        let (sparse, dense) = (try encode(file("soft.sqlite"), "x"), try encode(file("soft.sqlite"), "x", dense: true))
        #expect(shape(sparse, "reconstruction") == [70, 16])
        #expect(try sparse.floats("reconstruction") == dense.floats("reconstruction"))
        let (indices, values) = (try sparse.integers("indices"), try sparse.floats("values"))
        let latents = try dense.floats("latents")
        for (entry, (latent, value)) in zip(indices, values).enumerated() {
            #expect(latents[entry / 2 * 32 + Int(latent)] == value)
        }
        #expect(latents.filter { $0 != 0 }.count == values.filter { $0 != 0 }.count)
    }

    private func encode(_ catalog: String, _ input: String, dense: Bool = false) throws -> SafetensorsFile {
        let output = file("z-\(dense)")
        try tiny.open(catalog) { catalog in
            _ = try EncodingRun(
                dictionary: nil, activations: file(input), output: output, isDense: dense, overwriting: true
            ).run(on: catalog, workers: workers)
        }
        return try SafetensorsFile(path: output)
    }

    private func shape(_ file: SafetensorsFile, _ name: String) -> [Int]? { file.tensors[name]?.shape }

    /// Every latent, and the reconstruction, of one layer's dictionary by loops over the formulas of docs/exchange.md.
    @Test(arguments: [Fidelity.corrected, .reference]) func theLoopsOverTheFormulasAgree(fidelity: Fidelity) throws {
        var settings = tiny.settings
        settings.shape.architecture = .topk
        settings.shape.layers = [1]
        settings.shape.fidelity = fidelity
        let path = file("topk.sqlite")
        try train([settings], catalog: path)
        try activations("x", layers: nil)
        let found = try encode(path, "x", dense: true)
        let (latents, reconstructions) = (try found.floats("latents"), try found.floats("reconstruction"))
        let weights = try tiny.open(path) { try StoredDictionary(named: nil, in: $0).weights }
        let stream = try SafetensorsFile(path: file("x")).floats("activations").map(Double.init)
        for token in 0..<70 {
            let h = Array(stream[token * 16..<(token + 1) * 16])
            let mean = h.reduce(0, +) / 16
            let deviation = (h.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 15).squareRoot() + 1e-6
            let x = h.indices.map { (h[$0] - mean) / deviation - Double(weights.preBias[0, $0]) }
            let products = (0..<32).map { latent in
                x.indices.reduce(Double(weights.latentBias[0, latent])) {
                    $0 + Double(weights.encoder[latent, $1]) * x[$1]
                }
            }
            let kept = products.indices.sorted { products[$0] > products[$1] }.prefix(2)
            var expected = x.indices.map { Double(weights.preBias[0, $0]) }
            for latent in 0..<32 {
                let isActive = kept.contains(latent) && (fidelity == .reference || products[latent] > 0)
                let value = isActive ? products[latent] : 0
                #expect(abs(Double(latents[token * 32 + latent]) - value) < 1e-4)
                for column in x.indices { expected[column] += value * Double(weights.decoder[latent, column]) }
            }
            for column in x.indices {
                let value = expected[column] * deviation + mean
                #expect(abs(Double(reconstructions[token * 16 + column]) - value) < 1e-3)
            }
        }
    }

    @Test func whereNothingFiresAllIsZero() throws {
        // A bias that no activation makes up for.
        let sae = file("sae")
        try ForeignSAE(architecture: "standard").write(to: sae)
        let weights = try SafetensorsFile(path: sae + "/sae_weights.safetensors")
        let changed = try SafetensorsWriter(
            path: sae + "/changed",
            tensors: ["W_enc", "W_dec", "b_enc", "b_dec"].map {
                (name: $0, dtype: .f32, shape: try weights.tensor($0).shape)
            })
        for name in ["W_enc", "W_dec", "b_enc", "b_dec"] {
            let values = try weights.floats(name)
            try changed.append(name, floats: name == "b_enc" ? values.map { _ in -1000 } : values)
        }
        try changed.finish()
        try FileManager.default.removeItem(atPath: sae + "/sae_weights.safetensors")
        try FileManager.default.moveItem(atPath: sae + "/changed", toPath: sae + "/sae_weights.safetensors")
        let catalog = try Catalog.create(at: file("c"), replacing: false)
        _ = try ImportRun(ImportSettings(path: sae), workers: workers).run(into: catalog)
        try catalog.close()
        try activations("x", tokens: 3, layers: nil)
        let (sparse, dense) = (try encode(file("c"), "x"), try encode(file("c"), "x", dense: true))
        #expect(try dense.floats("latents") == Array(repeating: 0, count: 120))
        #expect(try sparse.floats("values").allSatisfy { $0 == 0 })
        #expect(try sparse.floats("reconstruction") == dense.floats("reconstruction"))
    }

    @Test(arguments: Architecture.allCases) func sparseAndDenseSayTheSame(architecture: Architecture) throws {
        let layers = architecture.readsOneLayer ? [1] : [0, 1]
        let path = try trained(architecture, layers: layers)
        try activations("x", layers: [0, 1, 2])
        let (sparse, dense) = (try encode(path, "x"), try encode(path, "x", dense: true))
        #expect(try sparse.floats("reconstruction") == dense.floats("reconstruction"))
        let extents = architecture == .mlsae ? [70, 2] : [70]
        #expect(shape(dense, "latents") == extents + [32])
        let width = try #require(shape(sparse, "indices")?.last)
        #expect(shape(sparse, "indices") == extents + [width] && shape(sparse, "values") == extents + [width])
        #expect(
            shape(sparse, "reconstruction") == (layers.count > 1 && !chooses(architecture) ? [70, 2, 16] : [70, 16]))
        #expect((shape(sparse, "layers") == [70]) == chooses(architecture))

        let (indices, values) = (try sparse.integers("indices"), try sparse.floats("values"))
        var scattered = Array(repeating: Float(0), count: extents.reduce(1, *) * 32)
        for start in stride(from: 0, to: indices.count, by: width) {
            let row = indices[start..<start + width].map { Int($0) }
            // Each latent once, ascending: writing and adding give the same.
            #expect(zip(row, row.dropFirst()).allSatisfy(<))
            for (latent, value) in zip(row, values[start..<start + width]) {
                scattered[start / width * 32 + latent] = value
            }
        }
        #expect(try scattered == dense.floats("latents"))
    }

    private func chooses(_ architecture: Architecture) -> Bool { architecture == .route || architecture == .random }

    @Test func piecesChangeNothing() throws {
        let path = try trained(.topk, layers: [1])
        try activations("many", tokens: 2500, layers: nil)
        let whole = try encode(path, "many", dense: true)
        #expect(shape(whole, "latents") == [2500, 32])
        // The last rows alone are what they are within the file.
        let bytes = try SafetensorsFile(path: file("many")).floats("activations")
        let writer = try SafetensorsWriter(path: file("tail"), tensors: [("input", .f32, [3, 16])])
        try writer.append("input", floats: Array(bytes[2497 * 16..<2500 * 16]))
        try writer.finish()
        #expect(try encode(path, "tail", dense: true).floats("latents") == Array(whole.floats("latents").suffix(96)))
    }

    @Test func itIsTheEncodePathOfEverythingElse() throws {
        let path = try trained(.topk, layers: [1])
        try activations("x", layers: nil, tensor: "input")
        let dense = try encode(path, "x", dense: true).floats("latents")
        try tiny.open(path) { catalog in
            let stored = try StoredDictionary(named: nil, in: catalog)
            let encoder = DictionaryEncoder(
                configuration: stored.configuration, weights: stored.weights, workers: workers)
            let batch = ActivationBatch(capacity: 70, layers: [1], dModel: 16)
            let values = try SafetensorsFile(path: file("x")).floats("input")
            batch.values.pointer.update(from: values, count: values.count)
            batch.count = 70
            let input = AutoencoderInput(capacity: 70, configuration: stored.configuration)
            try encoder.read(batch, into: input)
            let latents = SparseLatents(capacity: 70, configuration: stored.configuration)
            encoder.encode(input, count: 70, into: latents)
            for token in 0..<70 {
                for slot in 0..<Int(latents.counts[token]) {
                    let latent = Int(latents.indices(of: token)[slot])
                    #expect(dense[token * 32 + latent] == latents.activations(of: token)[slot])
                }
            }
        }
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let topk = try trained(.topk, layers: [1])
        let route = try trained(.route, layers: [0, 1])
        try activations("bare", layers: nil)
        try activations("other", layers: nil, tensor: "hidden")
        try activations("two", layers: [0, 2])
        #expect(throws: WorkflowError.self) { try encode(route, "bare") }
        #expect(throws: WorkflowError.self) { try encode(topk, "other") }
        #expect(throws: SparseCodingError.self) { try encode(topk, "two") }
        let writer = try SafetensorsWriter(path: file("narrow"), tensors: [("input", .f32, [2, 8])])
        try writer.append("input", floats: Array(repeating: 1, count: 16))
        try writer.finish()
        #expect(throws: WorkflowError.self) { try encode(topk, "narrow") }
        let whole = try SafetensorsWriter(path: file("whole"), tensors: [("input", .i32, [2, 16])])
        try whole.append("input", integers: Array(repeating: 1, count: 32))
        try whole.finish()
        #expect(throws: SafetensorsError.self) { try encode(topk, "whole") }
        let nan = try SafetensorsWriter(path: file("nan"), tensors: [("input", .f32, [1, 16])])
        try nan.append("input", floats: Array(repeating: .nan, count: 16))
        try nan.finish()
        #expect(throws: SparseCodingError.self) { try encode(topk, "nan") }
        #expect(!FileManager.default.fileExists(atPath: file("z-false")))
        #expect(!FileManager.default.fileExists(atPath: file("z-false.partial")))
    }
}
