import FeatureCatalog
import Foundation
import GRDB
import Glibc
import TestSupport
import Testing

/// Draft files: leftovers of killed processes, and names too long for them.
@Suite struct DraftTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() }
    }

    private func make(_ name: String, replacing: Bool = false) throws {
        try Catalog.build(at: directory.file(name), replacing: replacing, software: .unknown) { catalog in
            let run = try catalog.beginRun(kind: .merge, config: "{}", seed: nil)
            try catalog.finishRun(run, status: .complete)
        }
    }

    /// The number of a process that has ended.
    private func endedProcess() throws -> pid_t {
        var process = pid_t()
        let name = strdup("true")
        defer { free(name) }
        var arguments: [UnsafeMutablePointer<CChar>?] = [name, nil]
        try #require(posix_spawn(&process, "/bin/true", nil, nil, &arguments, nil) == 0)
        waitpid(process, nil, 0)
        return process
    }

    @Test("Drafts of killed processes are removed by the next run")
    func leftoversOfKilledProcessesGoWithTheNext() throws {
        let gone = try endedProcess()
        let left = [
            "b.sqlite.\(gone).draft", "b.sqlite.\(gone).draft-journal", "b.sqlite.\(gone).draft-wal",
            "b.sqlite.\(gone).draft.\(gone).partial", "b.sqlite.\(gone).partial-journal",
        ]
        // The test's parent is at work; the others are no drafts of this file.
        let kept = [
            "b.sqlite.\(getppid()).draft", "b.sqlite.\(gone).draft.txt", "b.sqlite.\(gone).drafts",
            "bb.sqlite.\(gone).draft", "b.sqlite.x.draft", "b.sqlite.\(gone)", "b.sqlite.-1.draft",
        ]
        for name in left + kept { try Data("x".utf8).write(to: URL(filePath: directory.file(name))) }
        try make("b.sqlite")
        #expect(try files == (kept + ["b.sqlite"]).sorted())
    }

    @Test("A draft's name that is not a file is left alone") func whatIsNoFileIsLeftAlone() throws {
        let gone = try endedProcess()
        let name = "b.sqlite.\(gone).draft"
        try FileManager.default.createSymbolicLink(
            atPath: directory.file(name), withDestinationPath: directory.file("elsewhere"))
        try make("b.sqlite")
        #expect(try files == ["b.sqlite", name])
    }

    @Test("Long names have drafts", arguments: [200, 217, 230, 247]) func longNamesHaveDrafts(length: Int) throws {
        let name = String(repeating: "n", count: length)
        try make(name)
        #expect(try files == [name])
        try make(name, replacing: true)
        let catalog = try Catalog.open(at: directory.file(name), mode: .readWrite)
        #expect(try catalog.runs().count == 1)
        try catalog.close()
        #expect(try files == [name])
    }

    @Test(arguments: [248, 255, 300]) func namesWithoutRoomForAJournalAreRefused(length: Int) throws {
        let name = String(repeating: "n", count: length)
        expectCatalogError(.cannotWrite, containing: "name is too long") { try make(name) }
        expectCatalogError(.cannotWrite, containing: "name is too long") {
            _ = try Catalog.create(at: directory.file(name), replacing: false)
        }
        #expect(try files.isEmpty)
    }

    @Test func pathsThatSQLiteDoesNotOpenAreRefused() throws {
        let folder = directory.file((0..<4).map { _ in String(repeating: "d", count: 150) }.joined(separator: "/"))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        expectCatalogError(.cannotWrite, containing: "path is too long") {
            _ = try Catalog.create(at: folder + "/c", replacing: false)
        }
    }

    @Test func aMissingFolderIsNamedAsSuch() {
        expectCatalogError(.cannotWrite, containing: "folder is not there") {
            _ = try Catalog.create(at: directory.file("none/c"), replacing: false)
        }
    }

    @Test("A named pipe is not a catalog") func aPipeIsNoCatalog() throws {
        let path = directory.file("pipe")
        try #require(mkfifo(path, 0o600) == 0)
        expectCatalogError(.notACatalog, containing: "pipe") { _ = try Catalog.open(at: path, mode: .readOnly) }
    }

    @Test("A dead run is shown as dead, and nothing is written")
    func aDeadRunIsShownAsDeadAndNothingIsWritten() throws {
        let path = directory.file("c.sqlite")
        let catalog = try Catalog.create(at: path, replacing: false)
        let run = try catalog.beginRun(kind: .index, config: "{}", seed: nil)
        let other = try catalog.beginRun(kind: .score, config: "{}", seed: nil)
        try catalog.close()
        let gone = try endedProcess()
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "UPDATE run SET process_id = \(gone) WHERE run_id = \(run)") }
        try queue.close()
        let before = try Data(contentsOf: URL(filePath: path))
        let reader = try Catalog.open(at: path, mode: .readOnly)
        #expect(try reader.runs().map(\.status) == [.interrupted, .running])
        #expect(try reader.run(run).error == "the process ended without finishing the run")
        #expect(try reader.run(run).finishedAt == nil)
        #expect(try reader.run(other).error == nil)
        try reader.close()
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
    }

    @Test("A long error message is shortened") func aLongErrorIsKeptShort() throws {
        let catalog = try Catalog.create(at: directory.file("c.sqlite"), replacing: false)
        let run = try catalog.beginRun(kind: .index, config: "{}", seed: nil)
        try catalog.finishRun(run, status: .failed, error: String(repeating: "ä", count: 100_000))
        #expect(try #require(try catalog.run(run).error).count < 3000)
    }
}
