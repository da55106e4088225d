import Foundation
import TestSupport
import Testing

/// The program under low system limits.
@Suite struct ProcessLimitsTests {
    /// Indexes a dictionary, trained without the limit.
    private func indexing(_ limit: String) throws -> Program.Outcome {
        let directory = try TemporaryDirectory()
        try "In the beginning God created the heaven and the earth.".write(
            toFile: directory.file("t.txt"), atomically: true, encoding: .utf8)
        try MadeOnce.catalog("limited in what it takes", at: directory.file("c.sqlite")) { path in
            let training = try Program.run(
                [
                    "train", path, "--model", CommandTests.model, "--text", "t.txt", "--latents", "32", "--k", "2",
                    "--steps", "1", "--shuffle-buffer", "2048", "--batch-tokens", "16", "--quiet",
                ], in: directory)
            #expect(training.status == 0, "\(training.errors)")
        }
        return try Program.run(
            ["index", "c.sqlite", "--model", CommandTests.model, "--text", "t.txt", "--quiet"], in: directory,
            limit: limit)
    }

    @Test("Too few file descriptors are reported at once", arguments: [5, 8, 20])
    func fewDescriptorsAreToldAtOnce(count: Int) throws {
        let outcome = try indexing("-n \(count)")
        #expect(outcome.status == 77, "\(outcome.errors)")
        #expect(
            outcome.errors == "routesae: this process may open \(count) files, it needs 32; raise 'ulimit -n'\n")
    }

    @Test func aLowSoftLimitOnDescriptorsIsRaised() throws {
        let outcome = try indexing("-S -n 8")
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test("Too little memory is reported before it is allocated", arguments: ["-v", "-d"])
    func littleMemoryIsToldBeforeItIsTaken(option: String) throws {
        let outcome = try indexing("\(option) 350000")
        #expect(outcome.status == 77, "\(outcome.errors)")
        #expect(outcome.errors.contains("MB of memory, this process may take"), "\(outcome.errors)")
        #expect(outcome.errors.contains("'ulimit \(option)'"), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test("Sufficient limits are accepted") func enoughIsEnough() throws {
        let outcome = try indexing("-v 4000000")
        #expect(outcome.status == 0, "\(outcome.errors)")
    }
}
