import Foundation
import Glibc
import TestSupport

/// The built program, run as a person runs it.
enum Program {
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The program lies beside the test bundle, since both come from one build.
    static let url: URL = {
        var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        // Newer toolchains put the bundle's executable into a folder of its own.
        while folder.path.count > 1,
            !FileManager.default.isExecutableFile(atPath: folder.appending(path: "routesae").path)
        {
            folder.deleteLastPathComponent()
        }
        return folder.appending(path: "routesae")
    }()

    /// Runs it in a folder.
    ///
    /// - Parameters:
    ///   - input: what a person types.
    ///   - environment: variables besides those of the tests.
    static func run(
        _ arguments: [String], in directory: TemporaryDirectory, input: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Outcome {
        try run(arguments, in: directory, input: input, environment: environment) { _ in }
    }

    /// Runs it in a folder under limits of the shell's `ulimit`, such as "-n 8".
    static func run(_ arguments: [String], in directory: TemporaryDirectory, limit: String) throws -> Outcome {
        try run(
            ["-c", "ulimit \(limit) && exec \"$0\" \"$@\"", url.path] + arguments, in: directory,
            executable: URL(filePath: "/bin/sh")
        ) { _ in }
    }

    /// Runs a line of shell in a folder, a file there.
    static func shell(_ file: String, in directory: TemporaryDirectory) throws -> Outcome {
        try run([file], in: directory, executable: URL(filePath: "/bin/bash")) { _ in }
    }

    /// Runs it in a folder and does something while it runs.
    ///
    /// - Parameter meanwhile: asked again and again, every hundredth of a second, until it says that it is done.
    static func run(_ arguments: [String], in directory: TemporaryDirectory, meanwhile: () throws -> Bool) throws
        -> Outcome
    {
        try run(arguments, in: directory) { process in
            while process.isRunning, try !meanwhile() { usleep(10_000) }
        }
    }

    /// Runs it in a folder and sends it a signal after a while, if it still runs then.
    static func run(
        _ arguments: [String], in directory: TemporaryDirectory, signal: Int32, afterMilliseconds delay: Int
    ) throws -> Outcome {
        try run(arguments, in: directory) { process in
            usleep(UInt32(delay) * 1000)
            if process.isRunning { kill(process.processIdentifier, signal) }
        }
    }

    /// Runs it in a folder and sends it a signal as soon as it has said something on standard error.
    static func run(_ arguments: [String], in directory: TemporaryDirectory, signal: Int32, whenItSays words: String)
        throws -> Outcome
    {
        try run(arguments, in: directory) { process in
            while process.isRunning, !hasSaid(words, in: directory) { usleep(10_000) }
            if process.isRunning { kill(process.processIdentifier, signal) }
        }
    }

    /// Whether what runs in the folder has said something on standard error.
    static func hasSaid(_ words: String, in directory: TemporaryDirectory) -> Bool {
        (try? String(contentsOfFile: directory.file("stderr.log"), encoding: .utf8))?.contains(words) == true
    }

    /// Runs it in a folder as a user who owns nothing there; as the tests' own user, unless that one may do anything.
    static func run(_ arguments: [String], in directory: TemporaryDirectory, asNobody: Bool) throws -> Outcome {
        guard asNobody, geteuid() == 0 else { return try run(arguments, in: directory) }
        return try run(
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", url.path] + arguments, in: directory,
            executable: URL(filePath: "/usr/bin/setpriv")
        ) { _ in }
    }

    /// The program at work.
    struct Background {
        fileprivate let process: Process

        var processID: Int32 { process.processIdentifier }
        var isRunning: Bool { process.isRunning }

        /// The most memory that it has held until now, bytes; nil if it has ended.
        var peakMemory: Int? {
            let status = try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
            let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
        }

        /// Waits for its end.
        ///
        /// - Returns: the exit status.
        func wait() -> Int32 {
            process.waitUntilExit()
            return process.terminationStatus
        }

        /// Ends it at once.
        func kill() {
            Glibc.kill(processID, SIGKILL)
            process.waitUntilExit()
        }
    }

    /// Starts it, or another program, in a folder; what it prints is left in `background.log`, or thrown away.
    static func start(
        _ arguments: [String], in directory: TemporaryDirectory, environment: [String: String] = [:],
        executable: URL? = nil, discardingOutput: Bool = false
    ) throws -> Background {
        let process = Process()
        process.executableURL = executable ?? url
        process.arguments = arguments
        process.currentDirectoryURL = directory.url
        let log = directory.file("background.log")
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let output = discardingOutput ? FileHandle.nullDevice : FileHandle(forWritingAtPath: log)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        try process.start()
        return Background(process: process)
    }

    private static func run(
        _ arguments: [String], in directory: TemporaryDirectory, input: String? = nil,
        environment: [String: String] = [:], executable: URL? = nil, meanwhile: (Process) throws -> Void
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = executable ?? url
        process.arguments = arguments
        process.currentDirectoryURL = directory.url
        let (output, errors) = (directory.file("stdout.log"), directory.file("stderr.log"))
        for path in [output, errors] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        process.standardInput = FileHandle.nullDevice
        if let input {
            let path = directory.file("stdin.log")
            try Data(input.utf8).write(to: URL(filePath: path))
            process.standardInput = FileHandle(forReadingAtPath: path)
        }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        try process.start()
        try meanwhile(process)
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self),
            errors: String(decoding: FileManager.default.contents(atPath: errors) ?? Data(), as: UTF8.self))
    }
}
