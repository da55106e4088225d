import Foundation
import TestSupport
import Testing
import Workflows

@Suite struct TextCorpusTests {
    private func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(filePath: path))
    }

    @Test func readsFoldersByPathAndLinesInOrder() throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: directory.file("sub/.hidden"), withIntermediateDirectories: true)
        try write(Array("second".utf8), to: directory.file("b.txt"))
        try write(Array("{\"text\":\"one\",\"title\":\"T\"}\n\n{\"text\":\"two\"}".utf8), to: directory.file("a.jsonl"))
        try write(Array("third".utf8), to: directory.file("sub/c.txt"))
        try write(Array("never".utf8), to: directory.file("sub/.hidden/d.txt"))
        try write(Array("never".utf8), to: directory.file("readme.md"))
        let corpus = try TextCorpus(paths: [directory.path])
        let documents = try (0..<corpus.count).map { try corpus.document($0) }
        #expect(documents.map(\.text) == ["one", "two", "second", "third"])
        #expect(documents.map(\.title) == ["T", "a.jsonl:3", "b.txt", "c.txt"])
        #expect(corpus.files.map(\.bytes) == [42, 6, 5])
    }

    @Test func aBlankFileKeepsItsNumber() throws {
        let directory = try TemporaryDirectory()
        try write(Array("one".utf8), to: directory.file("a.txt"))
        try write(Array(" \n".utf8), to: directory.file("b.txt"))
        try write([], to: directory.file("c.txt"))
        try write(Array("four".utf8), to: directory.file("d.txt"))
        let corpus = try TextCorpus(paths: [directory.path])
        #expect(corpus.count == 4)
        #expect(try corpus.document(3).text == "four")
    }

    @Test func repairsInvalidUTF8() throws {
        let directory = try TemporaryDirectory()
        try write([0x61, 0xFF, 0x62], to: directory.file("a.txt"))
        try write(Array("{\"text\":\"a".utf8) + [0xC3] + Array("b\"}".utf8), to: directory.file("b.jsonl"))
        let corpus = try TextCorpus(paths: [directory.path])
        #expect(try corpus.document(0).text == "a\u{FFFD}b")
        #expect(try corpus.document(1).text == "a\u{FFFD}b")
    }

    @Test(arguments: ["[1]", "{\"text\":1}", "{\"body\":\"x\"}", "{\"text\":\"x\""])
    func namesTheLineOfADamagedRecord(line: String) throws {
        let directory = try TemporaryDirectory()
        try write(Array("{\"text\":\"fine\"}\n\(line)\n".utf8), to: directory.file("a.jsonl"))
        let corpus = try TextCorpus(paths: [directory.file("a.jsonl")])
        #expect(
            throws: WorkflowError.badInput(
                path: directory.file("a.jsonl") + ":2", problem: "is not a JSON object with a string named 'text'")
        ) { try corpus.document(1) }
    }

    @Test func refusesWhatIsNotText() throws {
        let directory = try TemporaryDirectory()
        try write(Array(" \n\t".utf8), to: directory.file("blank.txt"))
        try write(Array("x".utf8), to: directory.file("a.bin"))
        func problem(_ path: String) -> WorkflowError? {
            do { _ = try TextCorpus(paths: [path]) } catch { return error as? WorkflowError }
            return nil
        }
        #expect(
            problem(directory.file("blank.txt"))
                == .badInput(path: directory.file("blank.txt"), problem: "holds no text"))
        #expect(
            problem(directory.file("none")) == .missing(path: directory.file("none"), what: "file or folder of text"))
        guard case .badInput = problem(directory.file("a.bin")) else {
            Issue.record("a file of another kind was taken")
            return
        }
    }
}
