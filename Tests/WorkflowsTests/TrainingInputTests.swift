import FeatureCatalog
import Foundation
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Workflows

/// Training on what it cannot be done with: found before a run begins where the beginning shows it.
@Suite struct TrainingInputTests {
    /// A shard of 40 rows, 2 layers, width 8; `damage` is the place of one NaN.
    private func shard(in directory: TemporaryDirectory, row: Int?, layer: Int = 0) throws -> String {
        let path = directory.file("a.safetensors")
        var values = (0..<640).map { Float(sin(Double($0 * $0))) }
        if let row { values[(row * 2 + layer) * 8 + 3] = .nan }
        let writer = try SafetensorsWriter(
            path: path,
            tensors: [
                (name: "activations", dtype: .f32, shape: [40, 2, 8]), (name: "token_ids", dtype: .i64, shape: [40]),
                (name: "document_ids", dtype: .i64, shape: [40]),
            ], metadata: ["layers": "[4,5]"], overwrite: true)
        try values.withUnsafeBufferPointer { try writer.append("activations", floats: $0) }
        try writer.append("token_ids", integers: (0..<40).map { 100 + Int64($0) })
        try writer.append("document_ids", integers: (0..<40).map { Int64($0 / 10) })
        try writer.finish()
        return path
    }

    private func run(_ path: String, layers: [Int] = [4, 5], latents: Int = 16) -> TrainingRun {
        TrainingRun(
            settings: TrainingSettings(
                activations: [path], layers: layers, latents: latents, k: 2, batchTokens: 10, steps: 4, shuffle: false),
            workers: Workers(threads: 1))
    }

    @Test func aNotFiniteFirstBatchIsRefusedBeforeTheRunBegins() throws {
        let directory = try TemporaryDirectory()
        let path = try shard(in: directory, row: 7, layer: 1)
        #expect(
            throws: WorkflowError.badInput(
                path: path,
                problem: "an activation holds an infinity or a NaN (layer 5, a token of id 107 in document 0)")
        ) { try run(path).prepare() }
        // A layer that nobody asked for does not matter.
        _ = try run(path, layers: [4]).prepare()
    }

    @Test func aLaterOneEndsTheRunAndIsNamed() throws {
        let directory = try TemporaryDirectory()
        let path = try shard(in: directory, row: 25)
        let catalog = try Catalog.create(at: directory.file("c.sqlite"), replacing: false)
        defer { _ = try? catalog.close() }
        let job = run(path)
        let error = #expect(throws: WorkflowError.self) { try job.run(try job.prepare(), into: catalog) }
        #expect(error?.description.contains("layer 4, a token of id 125 in document 2") == true)
        #expect(try catalog.runs().map(\.status) == [.failed])
        #expect(try catalog.runMetrics(1, name: "loss").count == 2)
        #expect(try catalog.dictionaries().isEmpty)
    }

    @Test func moreThanTheMachineHoldsIsRefused() throws {
        let directory = try TemporaryDirectory()
        let path = try shard(in: directory, row: nil)
        let job = TrainingRun(
            settings: TrainingSettings(
                activations: [path], latents: 16_777_216, k: 2, batchTokens: 16_777_216, steps: 1),
            workers: Workers(threads: 64))
        let error = #expect(throws: WorkflowError.self) { try job.prepare() }
        guard case .refused(let problem)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(problem.contains("GB of memory"))
    }

    @Test func aNameInUseIsFoundBeforeTraining() throws {
        let directory = try TemporaryDirectory()
        let path = try shard(in: directory, row: nil)
        let catalog = try Catalog.create(at: directory.file("c.sqlite"), replacing: false)
        defer { _ = try? catalog.close() }
        var job = run(path)
        var settings = job.settings
        settings.name = "x"
        job = TrainingRun(settings: settings, workers: job.workers)
        _ = try job.run(try job.prepare(), into: catalog)
        #expect(throws: WorkflowError.self) { try job.run(try job.prepare(), into: catalog) }
        #expect(try catalog.runs().count == 1)
    }

    @Test func whatNothingWouldReadIsRefused() throws {
        let directory = try TemporaryDirectory()
        let path = try shard(in: directory, row: nil)
        let base = TrainingSettings(activations: [path], latents: 16, k: 2, batchTokens: 10, steps: 4)
        for change in [
            { (settings: inout TrainingSettings) in settings.text = ["t.txt"] },
            { settings in settings.context = 12 },
            { settings in settings.tokens = 100 },
        ] {
            var settings = base
            change(&settings)
            let error = #expect(throws: WorkflowError.self) {
                try TrainingRun(settings: settings, workers: Workers(threads: 1)).prepare()
            }
            guard case .usage? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test(
        arguments: [
            ("", "is not a JSON object"), ("[]", "is not a JSON object"),
            (#"{"kind":"index","config":{}}"#, "tells of a run of kind 'index'; a training run is needed"),
            (#"{"config":3}"#, "key 'config' is not a JSON object"),
            (#"{"latents":3}"#, "has no key 'architecture', which a training run needs"),
            (#"{"latents":3,"learning_rate":1}"#, "has a key 'learning_rate', which no training run has"),
        ])
    func settingsSayWhatIsWrongWithThem(json: String, problem: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("run.json")
        try json.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: WorkflowError.badInput(path: path, problem: problem)) { try TrainingSettings(file: path) }
    }

    @Test func aSettingOfTheWrongKindIsNamed() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("run.json")
        let data = try JSONEncoder().encode(TrainingSettings(latents: 8, k: 2))
        for (key, value, problem) in [
            ("k", "two" as Any, "key 'k' is of the wrong kind"),
            ("routing", "x", "key 'routing' has a value that is not allowed"),
        ] {
            var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            object[key] = value
            try JSONSerialization.data(withJSONObject: object).write(to: URL(filePath: path))
            #expect(throws: WorkflowError.badInput(path: path, problem: problem)) { try TrainingSettings(file: path) }
        }
    }
}
