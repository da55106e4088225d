import Foundation
import Glibc
import TestSupport
import Testing

/// Files truncated by another program while being read.
@Suite struct ShortenedFileTests {
    @Test("Training names a shortened shard and resumes once it is whole")
    func trainingSaysWhichShardHasBecomeShorterAndGoesOnOnceItIsWhole() throws {
        let directory = try TemporaryDirectory()
        let text = (0..<400).map { "Line \($0) of the text says \($0 * $0 % 97) and then \($0 * 31 % 53).\n" }.joined()
        try text.write(toFile: directory.file("t.txt"), atomically: true, encoding: .utf8)
        let export = try Program.run(
            [
                "activations", "--model", repositoryFile("Demo/model"), "--text", "t.txt", "--layers", "0-1",
                "--context", "32", "--output", "a.safetensors", "--quiet",
            ], in: directory)
        #expect(export.status == 0, "\(export.errors)")
        let shard = directory.file("a.safetensors")
        let whole = try #require(FileManager.default.contents(atPath: shard))
        let checkpoint = directory.file("c.sqlite.checkpoint")
        let outcome = try Program.run(
            [
                "train", "c.sqlite", "--activations", "a.safetensors", "--latents", "96", "--k", "4",
                "--batch-tokens", "64", "--steps", "1000000", "--checkpoint-every", "10", "--quiet",
            ], in: directory
        ) {
            guard FileManager.default.fileExists(atPath: checkpoint) else { return false }
            return truncate(shard, 100_000) == 0
        }
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(outcome.errors.contains("a.safetensors: has become shorter while it was being read"))
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(FileManager.default.fileExists(atPath: checkpoint))
        let runs = try Program.run(["runs", "c.sqlite", "--format", "csv"], in: directory)
        #expect(runs.output.contains("failed") && !runs.output.contains("running"))

        let cut = try Program.run(["train", "c.sqlite", "--resume", "--quiet"], in: directory)
        #expect(cut.status == 65 && cut.errors.contains("a.safetensors"), "\(cut.errors)")
        try whole.write(to: URL(filePath: shard))
        let resumed = try Program.run(
            ["train", "c.sqlite", "--resume", "--quiet"], in: directory, signal: SIGTERM, afterMilliseconds: 2000)
        #expect(resumed.status == 75 && resumed.errors.contains("--resume goes on with it"), "\(resumed.errors)")
    }
}
