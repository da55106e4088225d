import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import Foundation
import GRDB
import LinearAlgebra
import Safetensors
import TestSupport
import Testing
import Training
import WorkflowWorlds

/// A model's identity is its weights and tokenizer, not its files.
@Suite struct ModelIdentityTests {
    private let model: TinyModel

    init() throws { model = try TinyModel() }

    /// The reason why a catalog refuses the model; nil if it accepts it.
    private func refusal(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch WorkflowError.refused(let reason) {
            return reason
        } catch { return "another error: \(error)" }
    }

    private func file(_ name: String) -> URL { URL(filePath: model.path + "/" + name) }

    @Test("Files that the model does not use do not change its identity")
    func filesThatNothingReadsDoNotCount() throws {
        let path = try model.catalog("c.sqlite", indexed: false)
        let weights = try Data(contentsOf: file("model.safetensors"))
        for name in ["consolidated.safetensors", "adapter_model.safetensors", "exported.safetensors"] {
            try weights.dropLast(4).write(to: file(name))
        }
        try Data("{}".utf8).write(to: file("adapter_config.json"))
        #expect(refusal { try model.index(path, corpus: "one") } == nil)
        let models = try model.open(path) { try $0.languageModels() }
        #expect(models.count == 1)
    }

    @Test("A resharded copy is the same model") func aReshardedCopyIsTheSameModel() throws {
        let path = try model.catalog("c.sqlite")
        try model.reshard()
        // As a newer version writes it: other keys, the same meaning.
        var config = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file("config.json"))) as? [String: Any])
        config["transformers_version"] = "9.9.9"
        config["torch_dtype"] = config.removeValue(forKey: "dtype")
        try JSONSerialization.data(withJSONObject: config).write(to: file("config.json"))
        try model.changeTokenizer({ _ in }, options: [.prettyPrinted, .sortedKeys])
        #expect(refusal { try model.index(path, corpus: "two") } == nil)
        try model.open(path) { catalog in
            #expect(try catalog.languageModels().count == 1)
            for run in [1, 2] as [Int64] {
                let comparisons = try Reproduction(
                    settings: .init(runID: run), workers: Workers(threads: 2)
                ).run(on: catalog)
                #expect(comparisons.filter { !$0.isSame } == [])
            }
        }
    }

    /// tools/export_activations.py computes the same digest (test_export_activations.py).
    @Test func exportsNameTheWeights() throws {
        let output = model.directory.file("o.safetensors")
        _ = try ActivationExport(model: model.path, text: [model.text], layers: [0], output: output, maximumTokens: 10)
            .run(workers: Workers(threads: 2), announce: { _ in }, progress: { _, _ in })
        #expect(
            try SafetensorsFile(path: output).metadata["model_sha256"]
                == "f3b3c978f047cec55a34002ae044e36cd88fe9d23790772281920c5de335baeb")
    }

    @Test("Other weights are another model") func otherWeightsAreAnotherModel() throws {
        let path = try model.catalog("c.sqlite", indexed: false)
        var weights = try Data(contentsOf: file("model.safetensors"))
        weights[weights.count - 2] ^= 1
        try weights.write(to: file("model.safetensors"))
        #expect(refusal { try model.index(path, corpus: "one") }?.contains("is not the model that dictionary") == true)
    }

    /// A checkpoint resumes with the same tensors in other files; so does one written by version 0.1.
    @Test("Training resumes with the same weights in other files", arguments: [false, true])
    func trainingResumesWithTheSameWeights(isFormer: Bool) throws {
        let settings = [model.settings]
        let (path, whole) = (model.directory.file("c.sqlite"), model.directory.file("whole.sqlite"))
        try train(settings, catalog: whole)
        var asked = 0
        #expect(throws: WorkflowError.self) {
            try train(settings, catalog: path, everySteps: 1) {
                asked += 1
                return asked > 2
            }
        }

        var (record, state) = try TrainingCheckpoint.read(path + ".checkpoint")
        if isFormer {
            try Data("not read".utf8).write(to: file("unread.safetensors"))
            try model.makeFormer(path)
            record = try former(record)
        } else {
            try model.reshard()
        }

        let job = try TrainingJob(settings, workers: Workers(threads: 2))
        try model.open(path) { catalog in
            _ = try TrainingRun(
                job, workers: Workers(threads: 2), checkpoints: CheckpointPolicy(path: path + ".checkpoint")
            ).run(into: catalog, resuming: (record, state))
        }

        func tensors(_ path: String) throws -> [String] {
            try model.open(path) { catalog in
                try catalog.contentDigests().filter { $0.table == "dictionary_tensor" }.map(\.sha256)
            }
        }
        #expect(try tensors(path) == tensors(whole))
        // Other weights end it.
        var config = try String(contentsOf: file("config.json"), encoding: .utf8)
        config = config.replacing("\"rope_theta\": 10000.0", with: "\"rope_theta\": 20000.0")
        try config.write(to: file("config.json"), atomically: true, encoding: .utf8)
        let changed = try TrainingJob(settings, workers: Workers(threads: 2))
        let reason = refusal {
            try model.open(path) { catalog in
                _ = try TrainingRun(
                    changed, workers: Workers(threads: 2), checkpoints: CheckpointPolicy(path: path + ".checkpoint")
                ).run(into: catalog, resuming: (record, state))
            }
        }
        #expect(reason?.contains("config.json") == true, "\(reason ?? "accepted")")
    }

    /// A checkpoint's record with the digests of files.
    private func former(_ record: TrainingCheckpoint) throws -> TrainingCheckpoint {
        var object = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(record)) as? [String: Any])
        let text = (object["inputs"] as? [[String: Any]] ?? []).filter { $0["role"] as? String != "model" }
        let files = try ["model.safetensors", "config.json", "tokenizer.json"].map { name in
            let data = try Data(contentsOf: file(name))
            return ["role": "model", "name": name, "sha256": sha256(data), "bytes": data.count] as [String: Any]
        }
        object["inputs"] = files + text
        return try JSONDecoder().decode(
            TrainingCheckpoint.self, from: JSONSerialization.data(withJSONObject: object))
    }

    /// A catalog of version 0.1 remains usable.
    @Test("Digests of version 0.1 are recognised") func formerDigestsAreRecognised() throws {
        let path = try model.catalog("c.sqlite")
        try model.makeFormer(path)
        try Data("not read".utf8).write(to: file("unread.safetensors"))
        #expect(refusal { try model.index(path, corpus: "two") } == nil)
        try model.open(path) { catalog in
            #expect(try catalog.languageModels().count == 1)
            // But for what this test changed by another hand.
            #expect(try catalog.verify().allSatisfy { $0.reason.contains("something else has changed them") })
            let comparisons = try Reproduction(
                settings: .init(runID: 1), workers: Workers(threads: 2)
            ).run(on: catalog)
            #expect(comparisons.filter { !$0.isSame } == [])
        }
        // Written anew, its tokenizer is known by its tokens.
        try model.changeTokenizer({ _ in }, options: [.prettyPrinted, .sortedKeys])
        #expect(refusal { try model.index(path, corpus: "three") } == nil)
        try model.exchangeTokenizer()
        #expect(refusal { try model.index(path, corpus: "four") }?.contains("token 258 is \"jx\"") == true)
    }
}
