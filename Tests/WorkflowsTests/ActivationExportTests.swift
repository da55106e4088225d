import Foundation
import LanguageModel
import LinearAlgebra
import Safetensors
import TestSupport
import Testing
import Tokenization
import Workflows

@Suite struct ActivationExportTests {
    private func export(
        _ demo: DemoModel, layers: [Int]?, context: Int = 64, dtype: TensorDType = .f32, overwrite: Bool = false
    ) throws -> ActivationExport.Result {
        try ActivationExport(
            model: DemoModel.path, text: [try demo.text()], layers: layers,
            output: demo.directory.file("a.safetensors"),
            dtype: dtype, context: context, overwrite: overwrite
        ).run(workers: Workers(threads: 2), announce: { _ in }, progress: { _, _ in })
    }

    @Test func writesOneRowForEveryTokenFed() throws {
        let demo = try DemoModel()
        let result = try export(demo, layers: [1, 4])
        let file = try SafetensorsFile(path: demo.directory.file("a.safetensors"))
        #expect(try file.tensor("activations").shape == [result.tokens, 2, 192])
        #expect(file.metadata["layers"] == "[1,4]")

        // Every document on its own, in segments of 64 with BOS.
        let bos = try #require(demo.folder.tokenizer.bosTokenID)
        var tokens: [Int64] = []
        var documents: [Int64] = []
        var rows: [Float] = []
        for (index, text) in DemoModel.texts.enumerated() {
            let ids = demo.folder.tokenizer.encode(text, addSpecialTokens: false)
            for start in stride(from: 0, to: ids.count, by: 63) {
                let segment = [bos] + ids[start..<min(start + 63, ids.count)]
                tokens += segment.map(Int64.init)
                documents += segment.map { _ in Int64(index) }
                let streams = try demo.folder.model.residualStreams(
                    of: TokenBatch(sequences: [segment]), layers: [1, 4])
                rows += streams.values.elements
            }
        }
        #expect(try file.integers("token_ids") == tokens)
        #expect(try file.integers("document_ids") == documents)
        expectClose(try file.floats("activations"), rows, relative: 1e-5)
    }

    @Test func allLayersAreEveryDecoderLayer() throws {
        let demo = try DemoModel()
        #expect(try export(demo, layers: nil).layers == Array(0..<8))
    }

    @Test func narrowsToTheTypeAskedFor() throws {
        let demo = try DemoModel()
        _ = try export(demo, layers: [3])
        let full = try SafetensorsFile(path: demo.directory.file("a.safetensors")).floats("activations")
        _ = try export(demo, layers: [3], dtype: .bf16, overwrite: true)
        let narrow = try SafetensorsFile(path: demo.directory.file("a.safetensors"))
        #expect(try narrow.tensor("activations").dtype == .bf16)
        for (a, b) in zip(full, try narrow.floats("activations")) { #expect(abs(a - b) <= abs(a) / 256) }
    }

    @Test func keepsAnExistingFile() throws {
        let demo = try DemoModel()
        try "precious".write(toFile: demo.directory.file("a.safetensors"), atomically: true, encoding: .utf8)
        #expect(throws: WorkflowError.self) { try export(demo, layers: [1]) }
        #expect(try String(contentsOfFile: demo.directory.file("a.safetensors"), encoding: .utf8) == "precious")
    }

    @Test func leavesNothingBehindWhereALayerIsMissing() throws {
        let demo = try DemoModel()
        #expect(throws: WorkflowError.self) { try export(demo, layers: [8]) }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: demo.directory.path) == ["text.jsonl"]
                || FileManager.default.contentsOfDirectory(atPath: demo.directory.path).isEmpty)
    }
}
