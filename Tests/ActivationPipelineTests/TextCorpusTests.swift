import ActivationPipeline
import Foundation
import TestSupport
import Testing

@Suite struct TextCorpusTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @discardableResult
    private func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: directory.file(name)))
        return directory.file(name)
    }

    private func texts(_ path: String) throws -> [String] {
        let corpus = try TextCorpus(paths: [path])
        return try (0..<corpus.count).map { try corpus.document($0).text }
    }

    /// The problem with a text, without its path.
    private func problem(_ path: String) -> String? {
        do { _ = try TextCorpus(paths: [path]) } catch WorkflowError.badInput(let path, let problem) {
            return path.replacing(directory.path + "/", with: "") + ": " + problem
        } catch { return "\(error)" }
        return nil
    }

    @Test func readsFoldersByPathAndLinesInOrder() throws {
        try FileManager.default.createDirectory(
            atPath: directory.file("sub/.hidden"), withIntermediateDirectories: true)
        try write("second".utf8, to: "b.txt")
        try write("{\"text\":\"one\",\"title\":\"T\"}\n\n{\"text\":\"two\"}".utf8, to: "a.jsonl")
        try write("third".utf8, to: "sub/c.txt")
        try write("never".utf8, to: "sub/.hidden/d.txt")
        try write("never".utf8, to: "readme.md")
        let corpus = try TextCorpus(paths: [directory.path])
        let documents = try (0..<corpus.count).map { try corpus.document($0) }
        #expect(documents.map(\.text) == ["one", "two", "second", "third"])
        #expect(documents.map(\.title) == ["T", "a.jsonl:3", "b.txt", "c.txt"])
        #expect(corpus.files.map(\.bytes) == [42, 6, 5] && corpus.remarks.isEmpty)
    }

    @Test("A blank file keeps its document number") func aBlankFileKeepsItsNumber() throws {
        try write("one".utf8, to: "a.txt")
        try write(" \n".utf8, to: "b.txt")
        try write([], to: "c.txt")
        try write("four".utf8, to: "d.txt")
        #expect(try texts(directory.path) == ["one", " \n", "", "four"])
    }

    @Test("Files with upper-case extensions and symbolic links are read") func namesInCapitalsAndLinksAreRead() throws {
        let files = FileManager.default
        try files.createDirectory(atPath: directory.file("text"), withIntermediateDirectories: true)
        try files.createDirectory(atPath: directory.file("elsewhere"), withIntermediateDirectories: true)
        try write("capitals".utf8, to: "text/A.TXT")
        try write("{\"text\":\"lines\"}".utf8, to: "text/B.JsonL")
        try write("linked folder".utf8, to: "elsewhere/x.txt")
        try write("linked file".utf8, to: "y")
        for (link, target) in [
            ("text/c", "../elsewhere"), ("text/d.txt", "../y"), ("text/e", "."), ("text/f", "nowhere"),
        ] {
            try files.createSymbolicLink(atPath: directory.file(link), withDestinationPath: target)
        }

        let corpus = try TextCorpus(paths: [directory.file("text")])
        #expect(
            try (0..<corpus.count).map { try corpus.document($0).text } == [
                "capitals", "lines", "linked folder", "linked file",
            ])
        #expect(corpus.remarks.count == 2)
        #expect(corpus.remarks.contains { $0.contains("text/e") && $0.contains("read already") })
        #expect(corpus.remarks.contains { $0.contains("text/f") && $0.contains("is a link to nowhere") })
        #expect(try texts(directory.file("text/c")) == ["linked folder"])
    }

    @Test("A path that is not a file is named") func whatIsNoFileIsNamed() throws {
        let files = FileManager.default
        try files.createDirectory(atPath: directory.file("t"), withIntermediateDirectories: true)
        let path = directory.file("t/a.txt")
        for (make, phrase) in [
            ({ _ = mkfifo(path, 0o600) }, "is a pipe (FIFO)"),
            (
                { try files.createSymbolicLink(atPath: path, withDestinationPath: "a.txt") },
                "is a link that leads in a circle"
            ),
            (
                { try files.createSymbolicLink(atPath: path, withDestinationPath: "b") },
                "is a link to b, which is not there"
            ),
            ({ try files.createSymbolicLink(atPath: path, withDestinationPath: "/dev/zero") }, "is a device"),
        ] as [(() throws -> Void, String)] {
            try make()
            for named in [path, directory.file("t")] {
                #expect(problem(named)?.hasPrefix("t/a.txt: " + phrase) == true, "\(problem(named) ?? "")")
            }
            try files.removeItem(atPath: path)
        }
        // A name that is not UTF-8.
        let name = Array((directory.file("t") + "/caf").utf8CString.dropLast()) + [CChar(bitPattern: 0xE9)]
        let descriptor = open(name + Array(".txt".utf8CString), O_CREAT | O_WRONLY, 0o600)
        try #require(descriptor >= 0)
        close(descriptor)
        #expect(problem(directory.file("t")) == "t: holds a file whose name is not UTF-8, caf\\xE9.txt; rename it")
    }

    // MARK: Encodings

    private static let text = "The king said, naïve café 😀.\r\n"

    private static func encoded(_ text: String, _ encoding: String) -> [UInt8] {
        func bytes(_ units: some Sequence<some FixedWidthInteger>, big: Bool) -> [UInt8] {
            units.flatMap { unit in withUnsafeBytes(of: big ? unit.bigEndian : unit.littleEndian) { Array($0) } }
        }

        let marked = "\u{FEFF}" + text
        return switch encoding {
        case "UTF-16LE": bytes(marked.utf16, big: false)
        case "UTF-16BE": bytes(marked.utf16, big: true)
        case "UTF-32LE": bytes(marked.unicodeScalars.map(\.value), big: false)
        case "UTF-32BE": bytes(marked.unicodeScalars.map(\.value), big: true)
        default: Array(marked.utf8)
        }
    }

    @Test(
        "A byte-order mark decides the encoding", arguments: ["UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"])
    func aByteOrderMarkIsHonoured(encoding: String) throws {
        let txt = try write(Self.encoded(Self.text, encoding), to: "a.txt")
        #expect(try texts(txt) == [Self.text])
        let lines = "{\"text\":\"naïve 😀\",\"title\":\"t\u{4E0A}\"}\n \r\n{\"text\":\"\u{0A0A}two\"}\n"
        let jsonl = try write(Self.encoded(lines, encoding), to: "b.jsonl")
        let corpus = try TextCorpus(paths: [jsonl, txt])
        #expect(corpus.remarks.isEmpty && corpus.count == 3)
        let documents = try (0..<2).map { try corpus.document($0) }
        #expect(documents.map(\.text) == ["naïve 😀", "\u{0A0A}two"])
        #expect(documents.map(\.title) == ["t\u{4E0A}", "b.jsonl:3"] && documents[0].source == "b.jsonl")
        #expect(try corpus.document(2).text == Self.text)
    }

    @Test("A few invalid bytes are replaced and counted") func fewBytesThatAreNoTextAreReplacedAndCounted() throws {
        let txt = try write([0x61, 0xFF, 0x62, 0xE2, 0x82, 0x63], to: "a.txt")
        let jsonl = try write(
            Array("{\"x\":\"\\ud800".utf8) + [0xFF] + Array("\",\"text\":\"a".utf8) + [0xC3]
                + Array("b\\ud800c\"}".utf8), to: "b.jsonl")
        #expect(try texts(txt) == ["a\u{FFFD}b\u{FFFD}c"])
        #expect(try texts(jsonl) == ["a\u{FFFD}b\u{FFFD}c"])
        let remarks = try TextCorpus(paths: [txt, jsonl]).remarks
        #expect(remarks.count == 1)
        #expect(
            remarks[0].contains("a.txt: 3 of its bytes are no text of its encoding, the first at byte 1, and became"))
        #expect(remarks[0].contains("5 in 2 such files together"))
        #expect(try TextCorpus(paths: [jsonl]).remarks[0].contains("2 of its bytes") == true)
        // Also in UTF-16: half a pair, and half a character.
        let odd = try write([0xFF, 0xFE, 0x61, 0, 0, 0xD8, 0x62, 0, 0x63], to: "c.txt")
        #expect(try texts(odd) == ["a\u{FFFD}b\u{FFFD}"])
        #expect(try TextCorpus(paths: [odd]).remarks[0].contains("3 of its bytes"))
    }

    @Test("Many invalid bytes are refused, with their number") func moreAreRefusedWithTheirNumber() throws {
        let words = try write(
            "très ".unicodeScalars.map { UInt8($0.value) } + Array(repeating: 0xE9, count: 9), to: "a.txt")
        let expected = "a.txt: 10 of its 14 bytes are no text of its encoding, the first at byte 2; save it as UTF-8"
        #expect(problem(words)?.hasPrefix(expected) == true, "\(problem(words) ?? "")")
        #expect(problem(words)?.contains("WINDOWS-1252") == true)
        // A share of a long text may be.
        let long = try write(
            Array(repeating: 0x61, count: 200_000) + Array(repeating: 0xFF, count: 20), to: "long.txt")
        #expect(problem(long) == nil)
        try write(Array(repeating: 0x61, count: 180_000) + Array(repeating: 0xFF, count: 20), to: "long.txt")
        #expect(problem(long)?.contains("20 of its 180020 bytes") == true)
        // A few in each of many files are many.
        try FileManager.default.createDirectory(atPath: directory.file("many"), withIntermediateDirectories: true)
        for file in 0..<5 { try write([0x61, 0xE9, 0xE8], to: "many/\(file).txt") }
        #expect(problem(directory.file("many"))?.contains("10 of all 5 such files") == true)
        let lines = try write(
            Array("{\"text\":\"a\"}\n{\"text\":\"".utf8) + Array(repeating: 0xE9, count: 9) + Array("\"}".utf8),
            to: "b.jsonl")
        #expect(problem(lines)?.contains("the first at line 2") == true)
        // Keys that nobody asks for do not count.
        try write(
            Array("{\"text\":\"a\",\"b\":\"".utf8) + Array(repeating: 0xE9, count: 9) + Array("\"}".utf8), to: "b.jsonl"
        )
        #expect(problem(lines) == nil)
    }

    @Test("Zero bytes suggest another encoding") func zeroBytesTellOfAnotherEncoding() throws {
        let bare = try write(Self.encoded(Self.text, "UTF-16LE").dropFirst(2), to: "a.txt")
        #expect(problem(bare)?.contains("zero bytes") == true && problem(bare)?.contains("UTF-16") == true)
        let lines = try write(Self.encoded("{\"text\":\"a\"}", "UTF-16LE").dropFirst(2), to: "b.jsonl")
        #expect(problem(lines)?.hasPrefix("b.jsonl:1: is not a JSON object") == true)
        // A record may spell out as many as it likes, and a file hold one.
        let escaped = "{\"text\":\"" + String(repeating: "\\u0000", count: 40) + "\"}"
        #expect(try texts(write(escaped.utf8, to: "c.jsonl")) == [String(repeating: "\0", count: 40)])
        #expect(try texts(write("a\0b".utf8, to: "d.txt")) == ["a\0b"])
    }

    // MARK: Records

    @Test(
        "A bad record is found when the text is opened",
        arguments: [
            ("[1]", "it is an array"), ("7", "it is a number"), ("{}", "it has no key 'text'"),
            ("{\"body\":\"x\"}", "it has no key 'text'"), ("{\"text\":1}", "its 'text' is a number"),
            ("{\"text\":null}", "its 'text' is null"), ("{\"text\":\"a\",\"text\":NaN}", "its 'text' is no string"),
            ("{\"text\":\"x\"", "it ends in the middle"), ("{\"text\":\"x", "it ends in the middle"),
            ("{\"text\":\"x\"} {}", "something follows"), ("{\"text\":\"x\",}", "a key is missing"),
            ("{\"text\":\"x\" \"a\":1}", "a comma or '}' is missing"),
            ("{\"text\":\"x\",\"a\":}", "a value is missing"),
            ("{\"text\":\"x\",\"a\":[1}", "a comma or ']' is missing"),
            ("{\"x\":{\"text\":\"a\"}}", "it has no key 'text'"),
            ("{\"text\":\"\\x\"}", "an escape that JSON does not know"), ("{\"text\":\"\\u12\"}", "hexadecimal digits"),
            ("{'text':'x'}", "a key is missing"), ("the king", "it is no JSON"),
        ])
    func aBadRecordIsFoundWhenTheTextIsOpened(line: String, reason: String) throws {
        let path = try write("{\"text\":\"fine\"}\n\(line)\n{\"text\":\"fine\"}\n".utf8, to: "a.jsonl")
        let found = problem(path)
        #expect(
            found?.hasPrefix("a.jsonl:2: is not a JSON object with a string named 'text': ") == true, "\(found ?? "")")
        #expect(found?.contains(reason) == true, "\(found ?? "")")
    }

    @Test func allBadRecordsOfAFileAreCounted() throws {
        let path = try write("1\n{\"text\":\"\"}\n2\n3\n".utf8, to: "a.jsonl")
        #expect(problem(path)?.hasPrefix("a.jsonl:1: ") == true)
        #expect(problem(path)?.hasSuffix("so are 2 other lines of the file") == true)
    }

    @Test("Only the text of a record is checked") func ofARecordOnlyTheTextIsJudged() throws {
        let deep = 100_000
        let others = [
            "NaN", "-Infinity", "Infinity", "1e400", "-1e-400", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\u{FFFF}\"",
            "\"\\x\"", "undefined", String(repeating: "9", count: 5000), "\"a\tb\"", "[]", "{}", "[{}]", "{\"a\":[]}",
            String(repeating: "[", count: deep) + String(repeating: "]", count: deep),
            String(repeating: "{\"text\":", count: deep) + "1" + String(repeating: "}", count: deep),
            "{\"text\":1}", "[{\"text\":2},3]",
        ]
        let lines = others.flatMap { other in
            [
                "{\"text\":\"a\",\"x\":\(other)}", " {\"x\" : \(other) , \"text\" : \"a\" } \r",
                "{\"text\":\(other),\"x\":\(other),\"text\":\"a\",\"x\":\"text\"}",
            ]
        }

        let path = try write(lines.joined(separator: "\n").utf8, to: "a.jsonl")
        #expect(try texts(path) == Array(repeating: "a", count: lines.count))
    }

    @Test func escapesAreResolved() throws {
        let line = #"{"\u0074ext":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83dx\u0000","title":"\u0041","source":3}"#
        let corpus = try TextCorpus(paths: [write(line.utf8, to: "a.jsonl")])
        let document = try corpus.document(0)
        #expect(
            Array(document.text.unicodeScalars)
                == Array("\"\\/\u{8}\u{C}\n\r\té😀\u{FFFD}x\0".unicodeScalars))
        #expect(document.title == "A" && document.source == "a.jsonl")
    }

    /// Against Foundation's writer, on lines that both support.
    @Test("JSON lines written by Foundation are read") func readsWhatOthersWrite() throws {
        var generator = SystemRandomNumberGenerator()
        let words = ["a", "é", "😀", "\"", "\\", "\n", "\u{0}", "/", "{", "}", "[", ",", ":", "text", "\u{2028}"]
        func word() -> String { (0..<4).map { _ in words.randomElement(using: &generator) ?? "" }.joined() }
        var expected: [String] = []
        let lines = try (0..<300).map { _ in
            let text = word()
            expected.append(text)
            let object: [String: Any] = ["text": text, word(): word(), word(): [word(): [1, true, NSNull(), word()]]]
            return String(
                decoding: try JSONSerialization.data(withJSONObject: object.merging(["text": text]) { $1 }),
                as: UTF8.self)
        }
        #expect(try texts(write(lines.joined(separator: "\n").utf8, to: "a.jsonl")) == expected)
    }

    // MARK: What changes meanwhile

    @Test func aDocumentThatChangedIsNamed() throws {
        let path = try write("{\"text\":\"one\"}\n{\"text\":\"two\"}\n".utf8, to: "a.jsonl")
        let corpus = try TextCorpus(paths: [path])
        try Data("{\"text\":\"one\"}\n{\"text\":\"tow\"}\n{\"text\":\"more\"}".utf8).write(
            to: URL(filePath: path), options: .atomic)
        // Written anew, the file that was opened is still there.
        #expect(try corpus.document(1).text == "two")
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        let again = try TextCorpus(paths: [path])
        try handle.seek(toOffset: 24)
        try handle.write(contentsOf: Data("w".utf8))
        #expect(try again.document(0).text == "one")
        #expect(
            throws: WorkflowError.badInput(path: path + ":2", problem: "has changed since this run began to read it")
        ) { try again.document(1) }
        try handle.truncate(atOffset: 20)
        #expect(throws: WorkflowError.badInput(path: path, problem: "has become shorter while it was read")) {
            try again.document(1)
        }
    }

    @Test("Files that are not text are refused") func refusesWhatIsNotText() throws {
        try write(" \n\t".utf8, to: "blank.txt")
        try write("x".utf8, to: "a.bin")
        #expect(problem(directory.file("blank.txt")) == "blank.txt: holds no text")
        #expect(problem(directory.file("none")) == "\(directory.file("none")): no such file or folder of text")
        #expect(problem(directory.file("a.bin")) == "a.bin: is neither .txt nor .jsonl, which are read as text")
        try FileManager.default.createDirectory(atPath: directory.file("empty"), withIntermediateDirectories: true)
        #expect(problem(directory.file("empty")) == "empty: holds no .txt or .jsonl file")
    }
}
