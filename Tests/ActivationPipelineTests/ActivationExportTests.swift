import ActivationPipeline
import Foundation
import LanguageModel
import LinearAlgebra
import Safetensors
import TestSupport
import Testing
import Tokenization
import WorkflowWorlds

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
        #expect(try file.tensor("activations").shape == [result.tokens, 2, DemoModel.width])
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
        #expect(try export(demo, layers: nil).layers == Array(0..<DemoModel.layerCount))
    }

    @Test("Exporting narrows activations to the type asked for") func narrowsToTheTypeAskedFor() throws {
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

    @Test("A failed export leaves no file behind") func leavesNothingBehindWhereALayerIsMissing() throws {
        let demo = try DemoModel()
        #expect(throws: WorkflowError.self) { try export(demo, layers: [DemoModel.layerCount]) }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: demo.directory.path) == ["text.jsonl"]
                || FileManager.default.contentsOfDirectory(atPath: demo.directory.path).isEmpty)
    }

    // MARK: Several files

    private func sharded(
        _ demo: DemoModel, by shardTokens: Int, output: String = "a", overwrite: Bool = false,
        free: Int? = Int.max, announce: (ActivationExport.Result) -> Void = { _ in }
    ) throws -> ActivationExport.Result {
        var export = ActivationExport(
            model: DemoModel.path, text: [try demo.text()], layers: [1, 4], output: demo.directory.file(output),
            dtype: .bf16, context: 64, shardTokens: shardTokens, overwrite: overwrite)
        export.freeBytes = { _ in free }
        return try export.run(workers: Workers(threads: 2), announce: announce, progress: { _, _ in })
    }

    /// What lies in the folder beside the text.
    private func files(_ demo: DemoModel) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: demo.directory.path).filter { $0 != "text.jsonl" }.sorted()
    }

    @Test func dividesTheRowsAmongFiles() throws {
        let demo = try DemoModel()
        _ = try export(demo, layers: [1, 4], dtype: .bf16)
        let whole = try SafetensorsFile(path: demo.directory.file("a.safetensors"))
        let rows = try whole.tensor("token_ids").shape[0]
        // A number that divides no segment, so that a segment's rows lie in two files.
        for (size, output) in [(50, "b"), (50, "c.safetensors"), (rows, "d"), (rows - 1, "e"), (1_000_000, "f")] {
            let count = (rows + size - 1) / size
            let prefix = output.replacing(".safetensors", with: "")
            let result = try sharded(demo, by: size, output: output)
            let digits = String(format: "%05d", count)
            let names = (0..<count).map { String(format: "%@-%05d-of-", prefix, $0) + digits + ".safetensors" }
            #expect(result.files == names.map { demo.directory.file($0) })
            #expect(try files(demo).filter { $0.hasPrefix(prefix + "-") } == names)
            let parts = try result.files.map { try SafetensorsFile(path: $0) }
            for (index, part) in parts.enumerated() {
                var metadata = part.metadata
                #expect(metadata.removeValue(forKey: "shard") == (count > 1 ? String(index) : nil))
                #expect(metadata.removeValue(forKey: "shards") == (count > 1 ? String(count) : nil))
                #expect(metadata == whole.metadata)
                let length = index < count - 1 ? size : rows - (count - 1) * size
                #expect(try part.tensor("activations").shape == [length, 2, DemoModel.width])
                #expect(try part.tensor("activations").dtype == .bf16)
            }
            #expect(try parts.flatMap { try $0.floats("activations") } == whole.floats("activations"))
            #expect(try parts.flatMap { try $0.integers("token_ids") } == whole.integers("token_ids"))
            #expect(try parts.flatMap { try $0.integers("document_ids") } == whole.integers("document_ids"))
        }
    }

    @Test("The size of an export is known before it is written") func saysTheSizeBeforehand() throws {
        let demo = try DemoModel()
        var said: ActivationExport.Result?
        let result = try sharded(demo, by: 100, free: 50_000_000) { plan in
            said = plan
            // Nothing has been begun.
            #expect((try? files(demo)) == [])
        }

        let rows = try result.files.reduce(0) { try $0 + SafetensorsFile(path: $1).tensor("token_ids").shape[0] }
        let plan = try #require(said)
        #expect(plan.tokens == rows && plan.freeBytes == 50_000_000)
        #expect(plan.files == result.files && plan.files.count == (rows + 99) / 100)
        #expect(plan.bytes == rows * (2 * DemoModel.width * 2 + 17))
        let bytes = try result.files.reduce(0) { try $0 + SafetensorsFile(path: $1).byteCount }
        #expect(bytes >= plan.bytes && bytes <= plan.bytes + plan.files.count * 4096)
    }

    @Test("An export larger than the free disk space is refused") func refusesWhatTheDiskDoesNotHold() throws {
        let demo = try DemoModel()
        var bytes = 0
        _ = try sharded(demo, by: 100) { bytes = $0.bytes + $0.files.count * 4096 }
        let error = #expect(throws: WorkflowError.self) {
            try sharded(demo, by: 100, output: "b", free: bytes - 1)
        }
        #expect(error?.description.contains("are needed and") == true)
        #expect(try files(demo).allSatisfy { $0.hasPrefix("a-") })
        _ = try sharded(demo, by: 100, output: "b", free: bytes)
        // Where the system does not say, the export is tried.
        _ = try sharded(demo, by: 100, output: "c", free: nil)
        #expect(try files(demo).contains { $0.hasPrefix("c-") })
    }

    @Test func theDiskOfAFolderHasRoom() throws {
        let demo = try DemoModel()
        let result = try export(demo, layers: [1])
        #expect(try #require(result.freeBytes) > 1_000_000)
    }

    @Test("The files of an export are replaced together or not at all")
    func filesOfAnExportAreReplacedTogetherOrNotAtAll() throws {
        let demo = try DemoModel()
        let first = try sharded(demo, by: 100)
        let before = try files(demo)
        let error = #expect(throws: WorkflowError.self) { try sharded(demo, by: 100) }
        #expect(error == .cannotWrite(path: first.files[0], problem: "exists already; add `overwriting` to replace it"))
        _ = try sharded(demo, by: 100, overwrite: true)
        #expect(try files(demo) == before)
        // Files of another number would be read together with the new ones.
        let other = #expect(throws: WorkflowError.self) { try sharded(demo, by: 50, overwrite: true) }
        #expect(
            other
                == .cannotWrite(
                    path: first.files[0],
                    problem: "belongs to an export of another number of files; remove that one first"))
        #expect(try files(demo) == before)
    }

    @Test("A stopped export leaves no file") func whatIsStoppedLeavesNoFile() throws {
        let demo = try DemoModel()
        let texts = (0..<30).map { _ in String(repeating: "And the waters prevailed upon the earth. ", count: 60) }
        let text = try demo.text(texts)
        let old = demo.directory.file("a-00000-of-00001.safetensors")
        try "old".write(toFile: old, atomically: true, encoding: .utf8)
        for shardTokens in [nil, 5000] {
            var asked = 0
            let export = ActivationExport(
                model: DemoModel.path, text: [text], layers: [1],
                output: demo.directory.file(shardTokens == nil ? "one" : "many"), shardTokens: shardTokens)
            let error = #expect(throws: WorkflowError.self) {
                try export.run(
                    workers: Workers(threads: 2), announce: { _ in },
                    cancelled: {
                        asked += 1
                        return asked > 2
                    }, progress: { _, _ in })
            }
            #expect(error?.description.contains("no file is left") == true)
            #expect(try files(demo) == ["a-00000-of-00001.safetensors"])
        }
        #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
    }

    @Test("Token counts out of range are refused") func numbersOfTokensThatMakeNoSense() throws {
        let demo = try DemoModel()
        for size in [0, -1, Int.max] {
            let error = #expect(throws: WorkflowError.self) { try sharded(demo, by: size) }
            #expect(error?.description.contains("`shardTokens` is \(size)") == true)
        }
    }

    // MARK: PyTorch

    /// `tools/export_activations.py` and this export write the same of one model and text.
    @Test("The export equals the one by PyTorch") func agreesWithTheExportByPyTorch() throws {
        let directory = try TemporaryDirectory()
        let model = directory.file("llama-untied")
        try FileManager.default.copyItem(atPath: fixture("models/llama-untied"), toPath: model)
        for name in ["tokenizer.json", "tokenizer_config.json"] {
            try FileManager.default.copyItem(
                atPath: fixture("activations/llama-untied/" + name), toPath: model + "/" + name)
        }

        let export = ActivationExport(
            model: model, text: [fixture("activations/text.jsonl")], layers: [0, 2],
            output: directory.file("decoder"), dtype: .bf16, context: 16, shardTokens: 60)
        let result = try export.run(workers: Workers(threads: 1), announce: { _ in }, progress: { _, _ in })
        #expect(result.documents == 3 && result.files.count == 2)
        for path in result.files {
            let ours = try SafetensorsFile(path: path)
            let theirs = try SafetensorsFile(
                path: fixture("activations/" + URL(filePath: path).lastPathComponent))
            #expect(try ours.integers("token_ids") == theirs.integers("token_ids"))
            #expect(try ours.integers("document_ids") == theirs.integers("document_ids"))
            #expect(try ours.tensor("activations").shape == theirs.tensor("activations").shape)
            // Both are rounded, so they are at most one unit in the last of eight bits apart.
            for (a, b) in zip(try ours.floats("activations"), try theirs.floats("activations")) {
                #expect(abs(a - b) <= max(abs(a), abs(b)) / 128 + 1e-5)
            }
            // The script says more about how it computed.
            let theirWords = theirs.metadata.filter { ours.metadata[$0.key] != nil }
            #expect(ours.metadata == theirWords)
            #expect(Set(theirs.metadata.keys).subtracting(ours.metadata.keys) == ["attention", "compute_dtype"])
        }
    }
}
