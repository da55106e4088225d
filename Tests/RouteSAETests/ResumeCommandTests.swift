import Foundation
import Glibc
import TestSupport
import Testing

/// The program killed in the middle of training, and started again.
@Suite struct ResumeCommandTests {
    private static let model = repositoryFile("Demo/model")
    private let steps = 60

    /// Writes a text and a sweep of two dictionaries over it.
    private func prepare(_ directory: TemporaryDirectory) throws {
        let text = (0..<400).map { "Line \($0) of the text says \($0 * $0 % 97) and then \($0 * 31 % 53).\n" }.joined()
        try text.write(toFile: directory.file("t.txt"), atomically: true, encoding: .utf8)
        let sweep = """
            {"model": "\(Self.model)", "text": ["t.txt"], "steps": \(steps), "batchTokens": 64, "latents": 96,
             "context": 32, "shuffleBuffer": 500,
             "dictionaries": [{"architecture": "route", "layers": [0, 1], "k": 4, "deadAfterTokens": 300},
                              {"architecture": "vanilla", "layer": 1}]}
            """
        try sweep.write(toFile: directory.file("sweep.json"), atomically: true, encoding: .utf8)
    }

    private func sweep(_ catalog: String) -> [String] {
        ["sweep", catalog, "--config", "sweep.json", "--checkpoint-every", "2", "--quiet", "--threads", "2"]
    }

    /// All results of training, without timings.
    private func contents(_ catalog: String, in directory: TemporaryDirectory) throws -> String {
        try [
            "SELECT name, config, n_tokens_trained FROM dictionary ORDER BY name",
            "SELECT name, sha256 FROM dictionary_tensor ORDER BY dictionary_id, name",
            "SELECT * FROM run_metric WHERE name NOT LIKE '%_per_second' ORDER BY 1, 2, 3",
            "SELECT run_id, kind, status, config FROM run ORDER BY 1",
        ].map { try Program.run(["sql", catalog, $0, "--format", "csv"], in: directory).output }.joined()
    }

    @Test("Killed at many moments, training ends in the same bits")
    func killedAtManyMomentsItEndsInTheSameBits() throws {
        let directory = try TemporaryDirectory()
        try prepare(directory)
        let clock = ContinuousClock()
        let started = clock.now
        #expect(try Program.run(sweep("whole.sqlite"), in: directory).status == 0)
        let whole = clock.now - started
        let expected = try contents("whole.sqlite", in: directory)
        #expect(expected.contains("vanilla") && expected.utf8.count > 10_000)
        // Moments all over a run's life, from its first breath to its last.
        let moments = [2, 5, 8, 11, 14, 17, 20, 9, 18, 13].map { Int(whole / .milliseconds(20)) * $0 }
        var kills = 0
        for moment in moments {
            let outcome = try Program.run(
                sweep("broken.sqlite") + ["--resume"], in: directory, signal: SIGKILL, afterMilliseconds: moment)
            #expect([0, SIGKILL].contains(outcome.status), "after \(moment) ms: \(outcome.errors)")
            kills += outcome.status == SIGKILL ? 1 : 0
        }
        #expect(kills >= 3)
        // Once more than needed does no harm.
        for _ in 0..<2 {
            let outcome = try Program.run(sweep("broken.sqlite") + ["--resume"], in: directory)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try contents("broken.sqlite", in: directory) == expected)
            #expect(!FileManager.default.fileExists(atPath: directory.file("broken.sqlite.checkpoint")))
        }
    }

    @Test("A job killed while it closed its catalog has nothing left to do")
    func killedWhileItClosedTheCatalogItIsComplete() throws {
        let directory = try TemporaryDirectory()
        try prepare(directory)
        #expect(try Program.run(sweep("c.sqlite"), in: directory).status == 0)
        let expected = try contents("c.sqlite", in: directory)
        let bytes = try Data(contentsOf: URL(filePath: directory.file("c.sqlite")))
        let pageSize = UInt32(bytes[16]) << 8 | UInt32(bytes[17])
        // The header of a rollback journal without pages (SQLite's file format, section 3): its magic number, pages, the
        // checksums' beginning, pages of the database before, bytes of a sector and of a page.
        var journal = Data([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7])
        for number in [0, 0, UInt32(bytes.count) / pageSize, 512, pageSize] {
            withUnsafeBytes(of: number.bigEndian) { journal.append(contentsOf: $0) }
        }
        journal.append(Data(count: 512 - journal.count))
        try journal.write(to: URL(filePath: directory.file("c.sqlite-journal")))
        #expect(try Program.run(["sql", "c.sqlite", "SELECT 1"], in: directory).status == 77)
        let outcome = try Program.run(sweep("c.sqlite") + ["--resume"], in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try contents("c.sqlite", in: directory) == expected)
    }

    @Test("SIGINT and SIGTERM end training in good order", arguments: [SIGINT, SIGTERM])
    func aSignalEndsItInGoodOrder(signal: Int32) throws {
        let directory = try TemporaryDirectory()
        try prepare(directory)
        var outcome = Program.Outcome(status: 0, output: "", errors: "")
        // The moment of the signal is not ours to choose: the program may still be starting, or be done.
        for delay in [300, 500, 800, 1200, 2000, 4000] {
            outcome = try Program.run(
                sweep("c.sqlite") + ["--force", "--steps", "1000"], in: directory, signal: signal,
                afterMilliseconds: delay)
            if outcome.status == 75 { break }
        }
        #expect(outcome.status == 75, "\(outcome.errors)")
        #expect(outcome.errors.contains("training was stopped after") && outcome.errors.contains("--resume"))
        let runs = try Program.run(["runs", "c.sqlite", "--format", "csv"], in: directory)
        #expect(runs.output.contains("interrupted"))
        // A checkpoint is in the way of another training, and leads on to the end of this one.
        let again = try Program.run(sweep("c.sqlite") + ["--append"], in: directory)
        #expect(again.status == 77 && again.errors.contains("--resume' goes on with it"))
        let resumed = try Program.run(
            ["sweep", "c.sqlite", "--resume", "--quiet"], in: directory, signal: SIGTERM, afterMilliseconds: 400)
        #expect([0, 75].contains(resumed.status), "\(resumed.errors)")
    }
}
