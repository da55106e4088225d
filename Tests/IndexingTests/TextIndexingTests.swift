import ActivationPipeline
import Evaluation
import FeatureCatalog
import Foundation
import Indexing
import LinearAlgebra
import TestSupport
import Testing
import Tokenization
import Training
import WorkflowWorlds

/// Which tokens of a text enter an index and an evaluation.
@Suite struct TextIndexingTests {
    /// A catalog with an index of a text, by a dictionary that was trained on it.
    private func indexed(_ text: [String], _ demo: DemoModel) throws -> (Catalog, IndexingRun.Result) {
        let path = demo.directory.file("c.sqlite")
        let training = TrainingSettings(
            name: "d", model: DemoModel.path, text: text, layers: [1, 2], latents: 32, k: 4, batchTokens: 32, steps: 2,
            context: 48, seed: 1)
        try train([training], catalog: path)
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        let result = try IndexingRun(
            settings: IndexingSettings(
                dictionary: "d", model: DemoModel.path, text: text,
                options: IndexingOptions(
                    context: 48, topContexts: 4, sampleContexts: 5, quietContexts: 3, window: 16), seed: 5),
            workers: Workers(threads: 2)
        ).run(on: catalog)
        return (catalog, result)
    }

    /// The rule about BOS: a BOS within a text is text, in an index and in an evaluation of files and of the catalog.
    @Test("A BOS within the text counts as text") func aBOSOfTheTextIsText() throws {
        let demo = try DemoModel()
        let texts = ["<|begin_of_text|>user: the king<|begin_of_text|>said", "<|begin_of_text|>", "the old man"]
        let text = try demo.text(texts)
        let (catalog, result) = try indexed([text], demo)
        defer { _ = try? catalog.close() }
        let tokens = texts.map { demo.folder.tokenizer.encode($0, addSpecialTokens: false) }
        let count = tokens.reduce(0) { $0 + $1.count }
        #expect(result.tokens == count)
        let documents = try catalog.documentIDs(corpusID: result.key.corpusID).map { try catalog.document($0).tokenIDs }
        #expect(documents == tokens)
        for named in [[text], []] {
            let evaluations = try EvaluationRun(
                settings: EvaluationSettings(model: DemoModel.path, text: named, context: 48, resamples: 10),
                workers: Workers(threads: 2)
            ).run(on: catalog)
            #expect(evaluations[0].figures.first { $0.metric == "l0" && $0.layer == nil }?.tokenCount == count)
        }
    }

    @Test("Zero characters of titles and sources become ␀")
    func zeroCharactersOfTitlesAndSourcesBecomeTheirPicture() throws {
        let demo = try DemoModel()
        let path = demo.directory.file("a.jsonl")
        let line = #"{"text":"the king \u0000 said","title":"part one\u0000part two","source":"\u0000start\ud800"}"#
        try Data(line.utf8).write(to: URL(filePath: path))
        let (catalog, result) = try indexed([path], demo)
        defer { _ = try? catalog.close() }
        let document = try catalog.document(catalog.documentIDs(corpusID: result.key.corpusID)[0])
        #expect(document.title == "part one\u{2400}part two" && document.source == "\u{2400}start\u{FFFD}")
        let shown = try catalog.rows(sql: "SELECT title, source, typeof(title), length(title) FROM document").rows[0]
        #expect(
            shown == [.text("part one\u{2400}part two"), .text("\u{2400}start\u{FFFD}"), .text("text"), .integer(17)])
    }

    @Test("Corpora of files of one name are told apart") func filesOfOneNameAreToldApart() throws {
        let demo = try DemoModel()
        for folder in ["a", "b", "c"] {
            try FileManager.default.createDirectory(
                atPath: demo.directory.file("t/\(folder)"), withIntermediateDirectories: true)
            try "the king said \(folder)".write(
                toFile: demo.directory.file("t/\(folder)/x.txt"), atomically: true, encoding: .utf8)
        }

        let (catalog, result) = try indexed([demo.directory.file("t")], demo)
        defer { _ = try? catalog.close() }
        let inputs = try catalog.runInputs(result.runID).filter { $0.role == "text" }
        #expect(inputs.map(\.name) == ["x.txt", "x.txt (2)", "x.txt (3)"])
        #expect(Set(inputs.map(\.sha256)).count == 3)
    }

    @Test func aPromptFileMayHaveAByteOrderMark() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("p.txt")
        for bytes in [
            [0xEF, 0xBB, 0xBF] + Array("the é".utf8),
            [0xFE, 0xFF] + "the é".utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] },
        ] as [[UInt8]] {
            try Data(bytes).write(to: URL(filePath: path))
            #expect(try PlainText.read(path, what: "file") == "the é")
        }
        try Data([0x61, 0xE9]).write(to: URL(filePath: path))
        #expect(throws: WorkflowError.badInput(path: path, problem: "is not UTF-8 text")) {
            try PlainText.read(path, what: "file")
        }
        #expect(throws: WorkflowError.missing(path: path + "x", what: "file")) {
            try PlainText.read(path + "x", what: "file")
        }
    }
}
