import FeatureCatalog
import Foundation
import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing
import Training
import WorkflowWorlds

@Suite struct PrecisionRunTests {
    private func settings(_ text: String, _ precision: Precision?) -> TrainingSettings {
        TrainingSettings(
            model: DemoModel.path, text: [text], layers: [1, 2, 3], latents: 256, k: 8, batchTokens: 32, steps: 8,
            choices: .init { $0.learningRate = 1e-3 }, context: 64, seed: 3, precision: precision)
    }

    @Test("A run records its precision, and one in f32 has the configuration and bits it had")
    func thePrecisionIsRecorded() throws {
        let demo = try DemoModel()
        let text = try demo.text()
        var losses: [[Float]] = []
        for (name, precision) in [("none", nil), ("f32", Precision.f32), ("bf16", .bf16)] {
            let path = demo.directory.file(name + ".sqlite")
            let result = try train([settings(text, precision)], catalog: path)[0]
            losses.append(result.reports.map(\.loss))
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            let config = try catalog.run(result.runID).configJSON
            #expect(config.contains("\"precision\"") == (precision != nil))
            #expect(config.contains("\"precision\":\"bf16\"") == (precision == .bf16))
            #expect(try JSONDecoder().decode(TrainingSettings.self, from: Data(config.utf8)).precision == precision)
        }
        #expect(losses[1] == losses[0])
        #expect(losses[2] != losses[0])
        expectClose(losses[2], losses[0], relative: 2e-2, "losses")
    }

    @Test("Interrupted training in bf16 resumes to the same bits") func resuming() throws {
        let demo = try DemoModel()
        let settings = settings(try demo.text(), .bf16)
        let whole = demo.directory.file("whole.safetensors")
        let pieces = demo.directory.file("pieces.safetensors")
        try train([settings], catalog: demo.directory.file("whole.sqlite"), weightsOutput: whole)
        let path = demo.directory.file("pieces.sqlite")
        var asked = 0
        #expect(throws: (any Error).self) {
            try train([settings], catalog: path, weightsOutput: pieces, everySteps: 2) {
                asked += 1
                return asked > 5
            }
        }
        try train([settings], catalog: path, weightsOutput: pieces, everySteps: 2, resuming: true)
        #expect(FileManager.default.contents(atPath: whole) == FileManager.default.contents(atPath: pieces))
    }
}
