import Foundation
import Glibc
import TestSupport
import Testing

/// A producer and a trainer on both ends of a pipe, run as a person runs them.
@Suite struct StreamCommandTests {
    private static let model = repositoryFile("Demo/model")

    /// Runs a line of shell in which `$routesae`, `$producer`, `$files` and `$trainer` stand for the program and usual
    /// arguments.
    private func shell(_ line: String, in directory: TemporaryDirectory) throws -> Program.Outcome {
        if !FileManager.default.fileExists(atPath: directory.file("t.txt")) {
            let text = (0..<300).map { "Line \($0) says \($0 * $0 % 97) and then \($0 * 31 % 53).\n" }.joined()
            try text.write(toFile: directory.file("t.txt"), atomically: true, encoding: .utf8)
        }
        let source = "--model \(Self.model) --text t.txt --layers 0-15 --context 32 --tokens 3500 --threads 1 --quiet"
        let script = """
            set -o pipefail
            routesae='\(Program.url.path)'
            # Waits while fed some bytes of a stream by a pipe that stays open; the trainer's number is in $job.
            feed() {
                mkfifo fed.$1; (head -c $1 all.stream; exec sleep 60) > fed.$1 & feeder=$!
                $routesae train c.sqlite --activations - $trainer $2 < fed.$1 & job=$!
            }
            producer="$routesae activations \(source) --output -"
            files="$routesae activations \(source) --output"
            trainer="--layers 3,7 --latents 64 --k 4 --batch-tokens 64 --steps 40 --shuffle-buffer 300 --quiet --threads 1"
            \(line)
            """
        try script.write(toFile: directory.file("line.sh"), atomically: true, encoding: .utf8)
        return try Program.shell("line.sh", in: directory)
    }

    private func weights(_ catalog: String, in directory: TemporaryDirectory) throws -> String {
        let digests = try Program.run(
            ["sql", catalog, "SELECT sha256 FROM dictionary_tensor ORDER BY name", "--format", "csv"], in: directory)
        #expect(digests.output.utf8.count > 300, "\(digests.errors)")
        return digests.output
    }

    @Test("A pipe and files give the same dictionary")
    func aPipeAndFilesGiveTheSameDictionary() throws {
        let directory = try TemporaryDirectory()
        let outcome = try shell(
            """
            $producer | $routesae train pipe.sqlite --activations - $trainer &&
            $files a.safetensors && $routesae train file.sqlite --activations a.safetensors $trainer &&
            $files b --shard-tokens 1000 && $routesae train files.sqlite --activations b $trainer &&
            $routesae verify pipe.sqlite
            """, in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let expected = try weights("file.sqlite", in: directory)
        #expect(try weights("pipe.sqlite", in: directory) == expected)
        #expect(try weights("files.sqlite", in: directory) == expected)
    }

    @Test("A sweep learns from a pipe, and its config repeats it")
    func aSweepLearnsFromAPipe() throws {
        let directory = try TemporaryDirectory()
        try """
        {"activations": ["-"], "steps": 20, "batchTokens": 64, "latents": 64, "k": 4,
         "dictionaries": [{"architecture": "route"}, {"architecture": "topk", "layers": [[0], [1]]}]}
        """.write(toFile: directory.file("sweep.json"), atomically: true, encoding: .utf8)
        let outcome = try shell(
            """
            $producer | $routesae sweep s.sqlite --config sweep.json --quiet --format csv &&
            $routesae runs s.sqlite 2 --format json > run.json &&
            $producer | $routesae train one.sqlite --config run.json --quiet
            """, in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let both = try ["s.sqlite", "one.sqlite"].map { catalog in
            try Program.run(
                [
                    "sql", catalog,
                    "SELECT sha256 FROM dictionary_tensor JOIN dictionary USING (dictionary_id) WHERE layers = '[0]'",
                    "--format", "csv",
                ], in: directory
            ).output
        }
        #expect(both[0].utf8.count > 200 && both[0] == both[1])
    }

    @Test("A killed producer leaves a checkpoint, and training goes on with another one")
    func aKilledProducerLeavesACheckpoint() throws {
        let directory = try TemporaryDirectory()
        let whole = try shell("$producer | $routesae train whole.sqlite --activations - $trainer", in: directory)
        #expect(whole.status == 0, "\(whole.errors)")
        let killed = try shell(
            """
            $producer > all.stream
            feed 13000000
            sleep 2; kill -9 $feeder; wait $job
            """, in: directory)
        #expect(killed.status == 75, "\(killed.errors)")
        let line = killed.errors.split(separator: "\n").first { $0.hasPrefix("routesae:") }.map(String.init) ?? ""
        #expect(line.contains("the stream was cut off after row") && line.contains("--resume goes on with the stream"))
        let from = try #require(line.firstMatch(of: /from row ([0-9]+) on \(--from-token\)/)).1
        let late = try shell("$producer --from-token 3400 | $routesae train c.sqlite --resume --quiet", in: directory)
        #expect(late.status == 65 && late.errors.contains("(--from-token \(from)) or at 0"), "\(late.errors)")
        let resumed = try shell(
            "$producer --from-token \(from) | $routesae train c.sqlite --resume --quiet", in: directory)
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try weights("c.sqlite", in: directory) == weights("whole.sqlite", in: directory))
        // Nothing is left to do, and the producer is told so by the closed pipe.
        let again = try shell("$producer | $routesae train c.sqlite --resume", in: directory)
        #expect(again.status == 0 && again.errors.contains("nothing is left to do"), "\(again.errors)")
    }

    @Test("A killed trainer goes on from its checkpoint to the same bits")
    func aKilledTrainerGoesOn() throws {
        let directory = try TemporaryDirectory()
        let outcome = try shell(
            """
            $producer > all.stream
            $routesae train whole.sqlite --activations - $trainer < all.stream || exit 1
            for bytes in 9000000 14000000 22000000; do
                feed $bytes "--resume --checkpoint-every 1"
                sleep 1; kill -9 $job; wait $job; echo "ended with $?"; kill -9 $feeder
            done
            $routesae train c.sqlite --resume --quiet < all.stream
            """, in: directory)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("ended with 137"), "\(outcome.output)")
        #expect(try weights("c.sqlite", in: directory) == weights("whole.sqlite", in: directory))
    }

    @Test("SIGINT ends a trainer that waits for its pipe", arguments: [0, 40, 10_000_000])
    func aSignalEndsAWait(bytes: Int) throws {
        let directory = try TemporaryDirectory()
        let outcome = try shell(
            """
            $producer > all.stream
            feed \(bytes)
            sleep 1.5; kill -INT $job; wait $job
            echo "ended with $?"; kill -9 $feeder
            """, in: directory)
        #expect(outcome.output.contains("ended with 75"), "\(outcome.output)\(outcome.errors)")
        let exists = FileManager.default.fileExists(atPath: directory.file("c.sqlite.checkpoint"))
        #expect(exists == (bytes > 1000))
        #expect(outcome.errors.contains(exists ? "training was stopped after" : "nothing was written"))
    }

    @Test("What cannot be streamed is refused in one line")
    func whatCannotBeStreamedIsRefused() throws {
        let directory = try TemporaryDirectory()
        func refused(_ line: String, _ status: Int32, _ words: String) throws {
            let outcome = try shell(line, in: directory)
            let lines = outcome.errors.split(separator: "\n")
            #expect(outcome.status == status, "\(outcome.errors)")
            #expect(lines.count == 1 && lines[0].contains(words), "\(outcome.errors)")
            #expect(!FileManager.default.fileExists(atPath: directory.file("c.sqlite")))
        }
        let train = "$routesae train c.sqlite --activations - $trainer"
        try refused("\(train) < /dev/null", 65, "is empty")
        try refused("\(train) < t.txt", 65, "is no stream of activations")
        try refused("\(train) <&-", 65, "cannot be read")
        try refused("$files x.safetensors && \(train) < x.safetensors", 65, "name the file itself with --activations")
        try refused(
            "$producer | \(train) --layers 0,16", 64, "--layers names layer 16; standard input holds layers 0, 1")
        try refused("$producer --from-token 2048 | \(train)", 65, "training begins at row 0")
        try refused("$producer --from-token 99999 | cat > /dev/null", 64, "--from-token is 99999; the text has")
        try refused("$producer --shard-tokens 10 | cat > /dev/null", 64, "--shard-tokens divides files")
        try refused("$files y.safetensors --from-token 5", 64, "--from-token goes with --output -")
        try refused("$producer > /dev/full", 73, "standard output: No space left on device")
    }
}
