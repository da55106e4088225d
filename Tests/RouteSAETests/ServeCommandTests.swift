import Foundation
import Glibc
import TestSupport
import Testing

/// The server as a program.
@Suite(.serialized) struct ServeCommandTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try MadeOnce.catalog("served by the program", at: directory.file("c.sqlite")) { path in
            let outcome = try Program.run(
                [
                    "train", path, "--model", repositoryFile("Demo/model"), "--text",
                    repositoryFile("Demo/text/heldout/bible.jsonl"), "--latents", "64", "--k", "4", "--shuffle-buffer",
                    "2048", "--batch-tokens",
                    "512", "--steps", "2", "--context", "128", "--quiet",
                ], in: directory)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
    }

    /// Runs a server while `body` is given its address, and interrupts it.
    ///
    /// - Parameter limit: of the shell's `ulimit`.
    /// - Returns: its exit status.
    private func serve(
        _ arguments: [String] = [], limit: String? = nil, _ body: (_ address: URL) throws -> Void
    ) throws -> Int32 {
        let process = Process()
        let command = ["serve", directory.file("c.sqlite")] + arguments
        process.executableURL = limit == nil ? Program.url : URL(filePath: "/bin/sh")
        process.arguments =
            limit.map { ["-c", "ulimit \($0) && exec \"$0\" \"$@\"", Program.url.path] + command } ?? command
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        defer {
            if process.isRunning { process.terminate() }
        }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let address = try #require(
            line.wholeMatch(of: /Listening on (http:\/\/127\.0\.0\.1:\d+\/)\n/)?.1, "\(line)")
        try body(try #require(URL(string: String(address))))
        process.interrupt()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Where a process may open few files, connections wait until others have ended.
    @Test func fewDescriptorsAreEnough() throws {
        let status = try serve(limit: "-n 40") { address in
            var sockets: [Int32] = []
            defer { for socket in sockets { close(socket) } }
            for _ in 0..<120 {
                let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                var target = sockaddr_in()
                target.sin_family = sa_family_t(AF_INET)
                target.sin_port = UInt16(try #require(address.port)).bigEndian
                target.sin_addr.s_addr = inet_addr("127.0.0.1")
                let isConnected = withUnsafePointer(to: &target) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                    }
                }
                #expect(isConnected)
                sockets.append(socket)
            }
            // Beside them, and after them.
            #expect(try String(contentsOf: address, encoding: .utf8).contains("c.sqlite"))
            for socket in sockets { close(socket) }
            sockets = []
            #expect(try String(contentsOf: address, encoding: .utf8).contains("c.sqlite"))
        }
        #expect(status == 0)
    }

    @Test func whatCannotBeServedIsOneLine() throws {
        let model = repositoryFile("Demo/model")
        try "{}".write(toFile: directory.file("config.json"), atomically: true, encoding: .utf8)
        for (arguments, status, words) in [
            (["none.sqlite"], 66, "none.sqlite"), (["c.sqlite", "--model", "none"], 66, "none: no such model folder"),
            (["c.sqlite", "--model", "c.sqlite"], 65, "is a file"),
            (["c.sqlite", "--model", "."], 65, "tokenizer.json"),
            (["c.sqlite", "--host", "example.org"], 64, "--host"), (["c.sqlite", "--host", "192.0.2.1"], 77, "--host"),
            (["c.sqlite", "--port", "70000"], 64, "--port"),
        ] as [([String], Int32, String)] {
            let outcome = try Program.run(["serve"] + arguments, in: directory)
            #expect(outcome.status == status, "\(arguments): \(outcome.status) \(outcome.errors)")
            #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output.isEmpty)
        }
        let status = try serve(["--model", model, "--review"]) { address in
            let taken = try Program.run(["serve", "c.sqlite", "--port", "\(address.port ?? 0)"], in: directory)
            #expect(taken.status == 77 && taken.errors.contains("name another --host or --port"), "\(taken.errors)")
            let review = try String(contentsOf: address.appending(path: "review"), encoding: .utf8)
            #expect(review.contains("name=\"reviewer\""))
        }
        #expect(status == 0)
    }
}
