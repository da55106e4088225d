import ActivationPipeline
import FeatureCatalog
import Foundation
import LinearAlgebra
import Safetensors
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Tokenization
import Training
import Vocabulary
import WorkflowWorlds

@Suite struct TrainingRunTests {
    private func train(
        _ settings: TrainingSettings, catalog path: String, threads: Int = 2, weightsOutput: String? = nil,
        cancelled: @escaping () -> Bool = { false }
    ) throws -> TrainingRun.Result {
        try WorkflowWorlds.train(
            [settings], catalog: path, threads: threads, weightsOutput: weightsOutput, cancelled: cancelled)[0]
    }

    /// Rendered chats: BOS in front of the text, within it and at its end.
    private static let chats = DemoModel.texts.flatMap { text in
        [
            "<|begin_of_text|>user: \(text)<|end_of_text|><|begin_of_text|>assistant: \(text)<|begin_of_text|>",
            "<|begin_of_text|>", text,
        ]
    }

    @Test("Live and exported activations give the same bits", arguments: [DemoModel.texts, chats], [false, true])
    func liveAndFromFilesGiveTheSameBits(texts: [String], withBOS: Bool) throws {
        let demo = try DemoModel()
        let text = try demo.text(texts)
        let shard = demo.directory.file("a.safetensors")
        _ = try ActivationExport(model: DemoModel.path, text: [text], layers: [1, 2, 3], output: shard, context: 64)
            .run(workers: Workers(threads: 2), announce: { _ in }, progress: { _, _ in })
        var settings = TrainingSettings(
            model: DemoModel.path, text: [text], layers: [1, 2, 3], latents: 256, k: 8, batchTokens: 32, steps: 5,
            choices: .init {
                $0.learningRate = 1e-3
                // Layers are drawn by a token's place in the text or in the file.
                $0.exploration = 0
            }, context: 64, shuffle: false, includesBOS: withBOS, seed: 3)
        let live = try train(settings, catalog: demo.directory.file("live.sqlite"))
        settings.model = nil
        settings.text = []
        settings.context = nil
        settings.activations = [shard]
        let stored = try train(settings, catalog: demo.directory.file("stored.sqlite"))
        #expect(live.reports == stored.reports)
        // A BOS of the text is a row like any other.
        let tokenizer = demo.folder.tokenizer
        let bos = try #require(tokenizer.bosTokenID)
        let file = try ActivationShard(path: shard)
        let own = texts.flatMap { tokenizer.encode($0, addSpecialTokens: false) }
        #expect(file.isPrefix.count { !$0 } == own.count)
        #expect(zip(file.tokenIDs, file.isPrefix).filter { !$1 && $0 == bos }.count == own.count { $0 == bos })
        #expect(zip(file.tokenIDs, file.isPrefix).allSatisfy { !$1 || $0 == bos })
    }

    /// Earlier files recognise the prefix by its id alone.
    @Test("In a file without marks every BOS is left out") func aFileWithoutMarksLeavesOutEveryBOS() throws {
        let demo = try DemoModel()
        let path = demo.directory.file("a.safetensors")
        _ = try ActivationExport(
            model: DemoModel.path, text: [try demo.text(Self.chats)], layers: [1], output: path, context: 64
        ).run(workers: Workers(threads: 2), announce: { _ in }, progress: { _, _ in })
        let file = try SafetensorsFile(path: path)
        let old = demo.directory.file("old.safetensors")
        let tokens = try file.integers("token_ids")
        let writer = try SafetensorsWriter(
            path: old,
            tensors: [
                (name: "activations", dtype: .f32, shape: try file.tensor("activations").shape),
                (name: "token_ids", dtype: .i64, shape: [tokens.count]),
            ], metadata: file.metadata)
        try writer.append("activations", floats: try file.floats("activations"))
        try writer.append("token_ids", integers: tokens)
        try writer.finish()
        let bos = try #require(file.metadata["bos_token_id"].flatMap { Int64($0) })
        #expect(try ActivationShard(path: old).isPrefix == tokens.map { $0 == bos })
    }

    @Test func threadsDoNotChangeTheBits() throws {
        let demo = try DemoModel()
        let settings = TrainingSettings(
            model: DemoModel.path, text: [try demo.text()], layers: [1, 2, 3], latents: 300, k: 8, batchTokens: 64,
            steps: 4, context: 64, seed: 3)
        let one = try train(settings, catalog: demo.directory.file("1.sqlite"), threads: 1)
        let three = try train(settings, catalog: demo.directory.file("3.sqlite"), threads: 3)
        #expect(one.reports == three.reports)
    }

    @Test("Training follows PyTorch from end to end") func followsPyTorchThroughTheWholeCommand() throws {
        let directory = try TemporaryDirectory()
        let fixtures = "route-reference/"
        let golden = try SafetensorsFile(path: fixture(fixtures + "golden.safetensors"))
        let losses = try golden.floats("losses")
        let settings = TrainingSettings(
            activations: [fixture(fixtures + "activations.safetensors")], latents: 64, k: 4, fidelity: .reference,
            batchTokens: 32, steps: losses.count,
            choices: .init {
                $0.learningRate = 5e-3
                $0.normalizeEvery = 10
            },
            shuffle: false,
            initialWeights: fixture(fixtures + "initial.safetensors"))
        let output = directory.file("w.safetensors")
        let result = try train(settings, catalog: directory.file("c.sqlite"), weightsOutput: output)
        expectClose(result.reports.map(\.loss), losses, relative: 1e-5, "losses")
        let weights = try SafetensorsFile(path: output)
        for name in ["router.weight", "sae.pre_bias", "sae.latent_bias", "sae.encoder.weight", "sae.decoder.weight"] {
            expectClose(
                try weights.floats(name), try golden.floats("weights_\(losses.count).\(name)"), relative: 2e-4, name)
        }

        let catalog = try Catalog.open(at: directory.file("c.sqlite"), mode: .readOnly)
        defer { _ = try? catalog.close() }
        let recorded = try catalog.runMetrics(result.runID, name: "loss")
        #expect(recorded.map(\.step) == Array(losses.indices))
        expectClose(recorded.map { Float($0.value ?? .nan) }, losses, relative: 1e-5, "run_metric")
    }

    @Test func anInterruptedRunIsMarkedAndLeavesNoDictionary() throws {
        let demo = try DemoModel()
        let settings = TrainingSettings(
            model: DemoModel.path, text: [try demo.text()], latents: 64, k: 4, batchTokens: 32, steps: 50, context: 64)
        let path = demo.directory.file("c.sqlite")
        var asked = 0
        #expect(throws: WorkflowError.interrupted("training was stopped after 2 of 50 steps; `resume` goes on with it"))
        {
            try train(
                settings, catalog: path,
                cancelled: {
                    asked += 1
                    return asked > 2
                })
        }

        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        #expect(try catalog.runs().map(\.status) == [.interrupted])
        #expect(try catalog.runMetrics(1, name: "loss").count == 2)
        #expect(try catalog.dictionaries().isEmpty)
    }

    @Test("Stored weights read back") func storedWeightsComeBack() throws {
        let demo = try DemoModel()
        let path = demo.directory.file("c.sqlite")
        let output = demo.directory.file("w.safetensors")
        let settings = TrainingSettings(
            name: "n", model: DemoModel.path, text: [try demo.text()], latents: 64, k: 4, batchTokens: 32, steps: 3,
            context: 64)
        let result = try train(settings, catalog: path, weightsOutput: output)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let stored = try StoredDictionary(named: "n", in: catalog)
        let written = try DictionaryWeights(result.configuration, reading: SafetensorsFile(path: output))
        #expect(stored.configuration == result.configuration)
        #expect(stored.weights.encoder.elements == written.encoder.elements)
        #expect(stored.weights.decoder.elements == written.decoder.elements)
        #expect(stored.weights.router.elements == written.router.elements)
    }

    @Test func settingsRoundTripThroughJSON() throws {
        let directory = try TemporaryDirectory()
        let settings = TrainingSettings(
            model: "m", text: ["t"], layers: [1], latents: 8, k: 2,
            choices: .init { $0.learningRate = 0.1 }, seed: 9)
        let path = directory.file("run.json")
        let json = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        try json.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try TrainingSettings(file: path) == settings)
        try "{\"kind\": \"train\", \"config\": \(json)}".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try TrainingSettings(file: path) == settings)
        try "{\"k\": 3}".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: WorkflowError.self) { try TrainingSettings(file: path) }
    }
}
