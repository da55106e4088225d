import ActivationPipeline
import FeatureCatalog
import Foundation
import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Training
import Vocabulary
import WorkflowWorlds

/// Settings of BatchTopK, Matryoshka and exploration: their names, defaults, and what is refused.
@Suite struct BatchTopKSettingsTests {
    private func settings(_ given: [String: any Encodable]) throws -> TrainingSettings {
        var document = SettingsDocument()
        for (key, value) in given { try document.set(key, value) }
        return try TrainingSettings(given: document)
    }

    private func refusal(_ settings: TrainingSettings) -> String {
        let error = #expect(throws: (any Error).self) { try TrainingJob([settings], workers: Workers(threads: 1)) }
        return error.map { "\($0)" } ?? ""
    }

    @Test("batchtopk and matryoshka are short for a topk with other settings") func shorthands() throws {
        let batch = try settings(["architecture": "batchtopk", "latents": 512, "k": 16])
        #expect(batch.architecture == .topk && batch.sparsity == .batchtopk && batch.choices.prefixes == nil)
        let nested = try settings(["architecture": "matryoshka", "latents": 512, "k": 16])
        #expect(nested.architecture == .topk && nested.sparsity == .batchtopk)
        #expect(nested.choices.prefixes == [32, 64, 128, 256])
        let chosen = try settings(["architecture": "matryoshka", "latents": 512, "k": 16, "prefixes": [8, 512]])
        #expect(chosen.choices.prefixes == [8, 512])
        let error = #expect(throws: WorkflowError.self) {
            try settings(["architecture": "batchtopk", "sparsity": "topk", "latents": 512, "k": 16])
        }
        #expect(error == .usage("`sparsity` is topk; a batchtopk has batchtopk"))
        // As a run records them they read the same.
        let json = try JSONEncoder().encode(nested)
        let directory = try TemporaryDirectory()
        try json.write(to: URL(filePath: directory.file("run.json")))
        #expect(try TrainingSettings(file: directory.file("run.json")) == nested)
        // Another architecture is not made of the former one's parts.
        var other = SettingsDocument()
        try other.set("architecture", "topk")
        let plain = try TrainingSettings(file: directory.file("run.json"), given: other)
        #expect(plain.sparsity != .batchtopk && plain.choices.prefixes == nil && plain.kind == "topk")
        #expect(batch.kind == "batchtopk" && nested.kind == "matryoshka")
    }

    /// Defaults are not spelled out in a run's configuration.
    @Test func defaultsAreNotSpelledOut() throws {
        let tiny = try TinyModel()
        let json = try JSONEncoder().encode(tiny.settings)
        let text = String(decoding: json, as: UTF8.self)
        for key in ["sparsity", "prefixes", "exploration", "finalExploration", "routerErrors"] {
            #expect(!text.contains("\"\(key)\""))
        }
        let result = try train([tiny.settings], catalog: tiny.directory.file("c.sqlite"))
        let config = try tiny.open(tiny.directory.file("c.sqlite")) { try $0.dictionary(1).configJSON }
        for key in ["batchK", "prefixes"] { #expect(!config.contains("\"\(key)\"")) }
        // A dictionary's has what they were.
        #expect(config.contains(#""exploration":{"first":1,"last":0}"#))
        #expect(config.contains(#""routerErrors":"spanning""#))
        #expect(result[0].configuration.k == 2)
    }

    @Test func refusesWhatContradicts() throws {
        let tiny = try TinyModel()
        func with(_ change: (inout TrainingSettings) -> Void) -> String {
            var settings = tiny.settings
            settings.shape.sparsity = .batchtopk
            change(&settings)
            return refusal(settings)
        }
        #expect(with { $0.shape.fidelity = .reference }.contains("goes with `fidelity` corrected"))
        #expect(with { $0.shape.architecture = .mlsae }.contains("not with mlsae"))
        #expect(
            with {
                $0.shape.architecture = .vanilla; $0.shape.layers = [1]
            }.contains("not with vanilla"))
        #expect(with { $0.shape.k = nil }.contains("say with `k`"))
        #expect(with { $0.shape.k = 33 }.contains("allowed: 1 … 32"))
        #expect(with { $0.stream.batchTokens = 16 }.contains("`batchTokens` is 16; allowed: from 32"))
        #expect(with { $0.choices.prefixes = [8, 4] }.contains("ascending numbers"))
        #expect(with { $0.choices.prefixes = [33] }.contains("at most 32"))
        #expect(with { $0.choices.lambda = 1 }.contains("k keeps it sparse"))
    }

    @Test("In a sweep prefixes are one value") func sweeps() throws {
        let directory = try TemporaryDirectory()
        try """
        {"latents": 64, "k": 4, "layers": [1, 2], "tokens": 100, "dictionaries": [
          {"architecture": "matryoshka", "layers": 1},
          {"prefixes": [8, 16], "sparsity": ["topk", "batchtopk"]},
          {"prefixes": [[8], [16, 32]], "sparsity": "batchtopk", "architecture": "random"}]}
        """.write(toFile: directory.file("s.json"), atomically: true, encoding: .utf8)
        let settings = try SweepSettings.read(file: directory.file("s.json"))
        #expect(settings.map(\.choices.prefixes) == [[4, 8, 16, 32], [8, 16], [8, 16], [8], [16, 32]])
        #expect(settings.map(\.sparsity) == [.batchtopk, .topk, .batchtopk, .batchtopk, .batchtopk])
        #expect(
            settings.compactMap(\.name) == [
                "matryoshka-l1-m64-k4", "route-matryoshka-topk-m64-k4", "route-matryoshka-m64-k4",
                "random-matryoshka-m64-k4-p8", "random-matryoshka-m64-k4-p16-32",
            ])
    }
}
