import ActivationPipeline
import FeatureCatalog
import Foundation
import LinearAlgebra
import Safetensors
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Training
import WorkflowWorlds

/// Unusable training inputs: found before a run begins if the beginning shows it.
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

    private func settings(_ path: String, layers: [Int] = [4, 5], latents: Int = 16) -> TrainingSettings {
        TrainingSettings(
            activations: [path], layers: layers, latents: latents, k: 2, batchTokens: 10, steps: 4, shuffle: false)
    }

    /// Checks settings as training does before it begins.
    private func prepare(_ settings: TrainingSettings, threads: Int = 1) throws {
        _ = try TrainingJob([settings], workers: Workers(threads: threads))
    }

    @Test("A first batch that is not finite is refused before the run begins")
    func aNotFiniteFirstBatchIsRefusedBeforeTheRunBegins() throws {
        let directory = try TemporaryDirectory()
        let path = try shard(in: directory, row: 7, layer: 1)
        #expect(
            throws: WorkflowError.badInput(
                path: path,
                problem:
                    "an activation holds an infinity or a NaN, or is too large to square (layer 5, a token of id 107 in document 0)"
            )
        ) { try prepare(settings(path)) }
        // A layer that nobody asked for does not matter.
        try prepare(settings(path, layers: [4]))
    }

    @Test("A later bad batch ends the run and is named") func aLaterOneEndsTheRunAndIsNamed() throws {
        let directory = try TemporaryDirectory()
        let path = try shard(in: directory, row: 25)
        let file = directory.file("c.sqlite")
        let error = #expect(throws: WorkflowError.self) { try train([settings(path)], catalog: file) }
        let catalog = try Catalog.open(at: file, mode: .readOnly)
        defer { _ = try? catalog.close() }
        #expect(error?.description.contains("layer 4, a token of id 125 in document 2") == true)
        #expect(try catalog.runs().map(\.status) == [.failed])
        #expect(try catalog.runMetrics(1, name: "loss").count == 2)
        #expect(try catalog.dictionaries().isEmpty)
    }

    @Test("A job that exceeds memory is refused") func moreThanTheMachineHoldsIsRefused() throws {
        let directory = try TemporaryDirectory()
        let path = try shard(in: directory, row: nil)
        let settings = TrainingSettings(
            activations: [path], latents: 16_777_216, k: 2, batchTokens: 16_777_216, steps: 1)
        let error = #expect(throws: WorkflowError.self) { try prepare(settings, threads: 64) }
        guard case .refused(let problem)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(problem.contains("GB of memory"))
    }

    @Test func aNameInUseIsFoundBeforeTraining() throws {
        let directory = try TemporaryDirectory()
        let path = try shard(in: directory, row: nil)
        let file = directory.file("c.sqlite")
        var settings = settings(path)
        settings.name = "x"
        try train([settings], catalog: file)
        let catalog = try Catalog.open(at: file, mode: .readWrite)
        defer { _ = try? catalog.close() }
        let job = try TrainingJob([settings], workers: Workers(threads: 1))
        let run = TrainingRun(
            job, workers: Workers(threads: 1), checkpoints: try CheckpointPolicy(path: file + ".checkpoint"))
        #expect(throws: WorkflowError.self) { try run.run(into: catalog) }
        #expect(try catalog.runs().count == 1)
    }

    @Test("Options that nothing would read are refused") func whatNothingWouldReadIsRefused() throws {
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
                try prepare(settings)
            }
            guard case .usage? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test(
        "Invalid settings are explained",
        arguments: [
            ("", "is not a JSON object"), ("[]", "is not a JSON object"),
            (#"{"kind":"index","config":{}}"#, "tells of a run of kind 'index'; a training run is needed"),
            (#"{"config":3}"#, "key 'config' is not a JSON object"),
            (#"{"k":3}"#, "has no key 'latents', which a training run needs"),
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

    @Test("The command line is merged over the file") func whatIsGivenIsLaidOverTheFile() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("run.json")
        let settings = TrainingSettings(
            model: "m", text: ["t"], latents: 8, k: 2, steps: 5, choices: .init { $0.gradientClip = 0.5 }, seed: 1)
        try JSONEncoder().encode(settings).write(to: URL(filePath: path))

        var given = SettingsDocument()
        try given.set("seed", 2)
        try given.set("tokens", 100)
        try given.set("activations", ["a"])
        var wanted = settings
        (wanted.seed, wanted.tokens, wanted.steps) = (2, 100, nil)
        (wanted.model, wanted.text, wanted.activations) = (nil, [], ["a"])
        #expect(try TrainingSettings(file: path, given: given) == wanted)
        #expect(try TrainingSettings(file: path) == settings)

        // No number is refused where its setting is checked, in that setting's words.
        try given.set("gradientClip", Float.nan)
        #expect(try TrainingSettings(file: path, given: given).choices.gradientClip?.isNaN == true)
    }
}
