import Foundation
import Glibc
import TestSupport
import Testing

/// A catalog that several processes have open, that lies where nothing can be written, or whose name looks like
/// something else.
@Suite(.serialized) struct SharedCatalogTests {
    private let directory: TemporaryDirectory

    /// A small catalog, made by the program itself, once.
    private static let bytes = Result {
        let directory = try TemporaryDirectory()
        let outcome = try Program.run(
            [
                "train", "c.sqlite", "--model", CommandTests.model, "--text", CommandTests.heldout, "--latents", "64",
                "--k", "4", "--shuffle-buffer", "2048", "--batch-tokens", "256", "--steps", "3", "--context", "64",
                "--name", "small", "-q",
            ], in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try Data(contentsOf: URL(filePath: directory.file("c.sqlite")))
    }

    private static let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"

    init() throws {
        directory = try TemporaryDirectory()
        try Self.bytes.get().write(to: URL(filePath: directory.file("c.sqlite")))
    }

    private func files(_ prefix: String = "c.sqlite") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasPrefix(prefix) }.sorted()
    }

    private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Program.Outcome {
        try Program.run(arguments, in: directory, environment: environment)
    }

    /// Another program that reads the file in one state until it is killed; returns when it has begun.
    private func reader() throws -> Program.Background {
        let script = """
            from sqlite3 import connect; from sys import argv; from time import sleep
            file = connect(argv[1])
            file.execute("BEGIN")
            file.execute("SELECT count(*) FROM run").fetchall()
            print("reading", flush=True)
            sleep(1e6)
            """
        let reader = try Program.start(
            ["-c", script, directory.file("c.sqlite")], in: directory,
            executable: URL(filePath: "/usr/bin/python3"))
        let log = directory.file("background.log")
        while reader.isRunning, try !String(contentsOfFile: log, encoding: .utf8).contains("reading") {
            usleep(10_000)
        }
        return reader
    }

    private func index(tokens: Int) -> [String] {
        [
            "index", "c.sqlite", "--model", CommandTests.model, "--text", CommandTests.heldout, "--tokens",
            "\(tokens)", "--context", "64", "-q",
        ]
    }

    // MARK: Readers and writers

    @Test("A reader delays a writer and is not reported as one")
    func aReaderHoldsAWriterUpAndIsNotTakenForOne() throws {
        let reader = try reader()
        let outcome = try Program.run(index(tokens: 500), in: directory) {
            guard Program.hasSaid("is reading it", in: directory) else { return false }
            reader.kill()
            return true
        }
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("process \(reader.processID) (python3) is reading it"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("writing"))
        #expect(try files() == ["c.sqlite"])
    }

    @Test("A writer that ends beside a reader leaves one file")
    func aWriterThatEndsBesideAReaderLeavesOneFile() throws {
        var reader: Program.Background?
        let writer = try Program.run(index(tokens: 20_000), in: directory) {
            if let reader {
                guard Program.hasSaid("is reading it", in: directory) else { return false }
                reader.kill()
                return true
            }
            // As soon as it is in WAL mode.
            if FileManager.default.fileExists(atPath: directory.file("c.sqlite-wal")) { reader = try self.reader() }
            return false
        }
        #expect(writer.status == 0, "\(writer.errors)")
        reader?.kill()
        #expect(try files() == ["c.sqlite"])
        // A copy of the one file is all of it.
        try FileManager.default.copyItem(atPath: directory.file("c.sqlite"), toPath: directory.file("sent.sqlite"))
        let verify = try run(["verify", "sent.sqlite"])
        #expect(verify.status == 0, "\(verify.errors)")
    }

    @Test func anInterruptedWaitEnds() throws {
        let reader = try reader()
        let outcome = try Program.run(
            index(tokens: 500), in: directory, signal: SIGTERM, whenItSays: "is reading it")
        #expect(outcome.status == 75 && outcome.errors.contains("is reading it"), "\(outcome.errors)")
        #expect(reader.isRunning)
        reader.kill()
    }

    // MARK: Where nothing can be written

    /// Runs the program as a user who may not write.
    private func runAsNobody(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run(arguments, in: directory, asNobody: true)
    }

    private func setMode(_ mode: mode_t, _ path: String) throws {
        try #require(chmod(directory.file(path), mode) == 0)
    }

    private func useLog(_ path: String) throws {
        // The header's two bytes are all that says so.
        var bytes = try Data(contentsOf: URL(filePath: directory.file(path)))
        (bytes[18], bytes[19]) = (2, 2)
        try bytes.write(to: URL(filePath: directory.file(path)))
    }

    @Test func aCatalogInAFolderThatCannotBeWrittenIsRead() throws {
        try FileManager.default.createDirectory(atPath: directory.file("ro"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: directory.file("c.sqlite"), toPath: directory.file("ro/c d%41?.sqlite"))
        let name = "ro/c d%41?.sqlite"
        try useLog(name)
        try setMode(0o444, name)
        try setMode(0o555, "ro")
        try setMode(0o755, "")
        for arguments in [
            ["sql", name, "SELECT count(*) FROM run", "--format", "csv"], ["runs", name], ["verify", name],
        ] {
            let outcome = try runAsNobody(arguments)
            #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
        }
        #expect(try runAsNobody(["sql", name, "SELECT count(*) FROM run", "--format", "csv"]).output.contains("1"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("ro")).count == 1)
        // Nor does a log keep it from being read that holds nothing, or nonsense.
        for log in [Data(), Data(count: 5000)] {
            try setMode(0o755, "ro")
            try log.write(to: URL(filePath: directory.file(name + "-wal")))
            try setMode(0o555, "ro")
            #expect(try runAsNobody(["runs", name]).status == 0)
        }
        try setMode(0o755, "ro")
    }

    @Test("A write-ahead log in a read-only folder is read") func aLogInAFolderThatCannotBeWrittenIsRead() throws {
        // A killed writer leaves its run in the log.
        let writer = try Program.start(
            [
                "index", "c.sqlite", "--model", CommandTests.model, "--text", CommandTests.heldout, "--context", "64",
                "-q",
            ], in: directory)
        while writer.isRunning, try size("c.sqlite-wal") < 4096 { usleep(10_000) }
        usleep(100_000)
        writer.kill()
        try FileManager.default.createDirectory(atPath: directory.file("ro"), withIntermediateDirectories: true)
        for name in try files() {
            try FileManager.default.copyItem(atPath: directory.file(name), toPath: directory.file("ro/" + name))
            try setMode(0o444, "ro/" + name)
        }
        try setMode(0o755, "")
        let count = ["sql", "ro/c.sqlite", "SELECT count(*) FROM run", "--format", "csv"]
        for hasIndex in [true, false] {
            if !hasIndex { try FileManager.default.removeItem(atPath: directory.file("ro/c.sqlite-shm")) }
            try setMode(0o555, "ro")
            let outcome = try runAsNobody(count)
            #expect(outcome.status == 0 && outcome.output.hasSuffix("2\r\n"), "\(outcome.output)\(outcome.errors)")
            #expect(try runAsNobody(["verify", "ro/c.sqlite"]).status == 0)
            try setMode(0o755, "ro")
        }
        // Where it may be written, the next writer makes one file of it.
        let sizes = try size("c.sqlite")
        #expect(try run(["migrate", "c.sqlite"]).status == 0)
        #expect(try files() == ["c.sqlite"] && size("c.sqlite") >= sizes)
        #expect(try run(["runs", "c.sqlite", "--format", "csv"]).output.contains("interrupted"))
    }

    private func size(_ name: String) throws -> Int {
        (try? FileManager.default.attributesOfItem(atPath: directory.file(name))[.size] as? Int) ?? 0
    }

    // MARK: Names

    @Test(
        "A catalog's name is always a file name",
        arguments: ["file:x.sqlite", ":memory:", "file:x.sqlite?mode=memory", "file::memory:", "a b%20.sqlite"])
    func aNameIsThatOfAFile(name: String) throws {
        try FileManager.default.moveItem(atPath: directory.file("c.sqlite"), toPath: directory.file(name))
        let count = try run(["sql", name, "SELECT count(*) FROM run", "--format", "csv"])
        #expect(count.status == 0 && count.output.hasSuffix("1\r\n"), "\(count.errors)")
        let pack = try run(["pack", name, name + ".packed", "-q"])
        #expect(pack.status == 0, "\(pack.errors)")
        #expect(try run(["verify", name + ".packed"]).status == 0)
        let index = try run(
            [
                "index", name, "--model", CommandTests.model, "--text", CommandTests.heldout, "--tokens", "300",
                "--context", "64", "-q",
            ])
        #expect(index.status == 0, "\(index.errors)")
        #expect(try run(["verify", name]).status == 0)
        #expect(try files("").filter { !$0.hasSuffix(".log") } == [name, name + ".packed"].sorted())
    }

    // MARK: Temporary files and drafts

    @Test("An unwritable folder for temporary files is named")
    func aFolderForTemporaryFilesThatCannotBeWrittenIsNamed() throws {
        for arguments in [
            ["reproduce", "c.sqlite", "1", "-q"], ["benchmark", "catalog", "--features", "4", "--contexts", "2", "-q"],
        ] {
            for folder in ["/proc", directory.file("missing")] {
                let outcome = try run(arguments, environment: ["TMPDIR": folder])
                #expect(outcome.status == 73, "\(outcome.errors)")
                #expect(outcome.errors.contains("\(folder): temporary files cannot be written"), "\(outcome.errors)")
                #expect(!outcome.errors.contains("NSCocoa"))
            }
        }
    }

    @Test func sortingNamesTheFolderThatCannotBeWritten() throws {
        let sort =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000) SELECT i FROM n ORDER BY -i"
        let outcome = try run(["sql", "c.sqlite", sort, "--limit", "1"], environment: ["TMPDIR": "/proc"])
        // Who may not write there at all sorts elsewhere.
        #expect(outcome.status == (geteuid() == 0 ? 73 : 0))
        #expect(outcome.errors.contains("TMPDIR") || geteuid() != 0, "\(outcome.errors)")
    }

    @Test("Leftovers of killed processes are removed by the next run")
    func whatKilledProcessesLeftGoesWithTheNextRun() throws {
        let folder = directory.file("tmp")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let killed = try Program.start(
            ["reproduce", "c.sqlite", "1", "-q"], in: directory, environment: ["TMPDIR": folder])
        while killed.isRunning, try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty { usleep(2000) }
        killed.kill()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        let outcome = try run(["reproduce", "c.sqlite", "1", "-q"], environment: ["TMPDIR": folder])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    // MARK: Bounds

    @Test(
        "An endless result takes bounded time and memory",
        arguments: ["table", "csv", "jsonl", "json", "tsv", "markdown"])
    func anEndlessAnswerTakesBoundedTimeAndMemory(format: String) throws {
        let query = try Program.start(
            [
                "sql", "c.sqlite", Self.endless + " i, 'some text' FROM n", "--limit", "0", "--format", format,
                "--time-limit", "3",
            ], in: directory, discardingOutput: true)
        var peak = 0
        while query.isRunning {
            peak = max(peak, query.peakMemory ?? 0)
            usleep(20_000)
        }
        #expect([0, 77].contains(query.wait()))
        #expect(peak < 400 << 20, "\(peak)")
    }

    @Test(arguments: [
        "SELECT length(printf('%.*c', 999999999, 'x'))",
        "SELECT count(*) FROM passage_text WHERE passage_text MATCH replace(hex(zeroblob(50000)), '00', 'a ')",
    ])
    func oneLongFunctionEndsInTime(sql: String) throws {
        // Under a limit of processor time that would kill it, the clock on the wall being everybody's.
        let outcome = try Program.run(["sql", "c.sqlite", sql, "--time-limit", "1"], in: directory, limit: "-t 5")
        #expect([0, 64, 65, 77].contains(outcome.status), "\(outcome.status) \(outcome.errors)")
    }

    @Test func aStatementThatFailsPrintsNothing() throws {
        let sql = "SELECT i, CASE WHEN i = 500 THEN json('x') END FROM (\(Self.endless) i FROM n LIMIT 1000)"
        for format in ["csv", "jsonl", "json"] {
            let outcome = try run(["sql", "c.sqlite", sql, "--format", format])
            #expect(outcome.status == 65 && outcome.output.isEmpty, "\(outcome.errors)")
        }
    }

    @Test func aQueryOfThousandsOfWordsIsRefused() throws {
        let words = (0..<5000).map { "w\($0)" }
        #expect(try run(["search", "c.sqlite", words.joined(separator: " "), "--fts"]).status == 77)
        #expect(try run(["search", "c.sqlite"] + words).status == 77)
        // The same word a thousand times is one.
        #expect(try run(["search", "c.sqlite"] + words.map { _ in "the" }).status == 0)
    }

    // MARK: Messages

    @Test("Values from a file are quoted shortened") func whatAFileHoldsIsQuotedShort() throws {
        let long = String(repeating: "F99", count: 40_000)
        let header = #"{"x":{"dtype":"\#(long)","shape":[1],"data_offsets":[0,4]}}"#
        var bytes = Data()
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(Data(header.utf8) + Data(count: 4))
        try bytes.write(to: URL(filePath: directory.file("a.safetensors")))
        for arguments in [
            ["train", "t.sqlite", "--activations", "a.safetensors", "--latents", "8", "--k", "2", "--steps", "1"],
            ["sql", "c.sqlite", "SELECT \(long)"], ["features", "c.sqlite", "--sort", long], [long],
            ["features", long], ["search", "c.sqlite", "x", "--dictionary", long], ["runs", "c.sqlite", "--\(long)"],
        ] {
            let outcome = try run(arguments)
            #expect(outcome.status != 0)
            #expect(outcome.errors.utf8.count < 4000, "\(arguments[0]): \(outcome.errors.utf8.count)")
            #expect(!outcome.errors.isEmpty)
        }
    }
}
