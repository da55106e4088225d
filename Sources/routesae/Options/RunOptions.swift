import ArgumentParser
import Dispatch
@preconcurrency import Glibc
import LinearAlgebra
import Synchronization
import TerminalOutput
import Workflows

/// What long-running verbs have in common.
struct RunOptions: ParsableArguments {
    @Option(help: "Threads; results do not depend on them. All processors if not given.")
    var threads: Int?

    @Flag(name: .shortAndLong, help: "No progress and no summary on standard error.")
    var quiet = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); allowed: 1 … 1024")
        }
    }

    /// The threads asked for.
    var workers: Workers { Workers(threads: threads) }

    /// A progress line on standard error.
    func progress(_ label: String, total: Int?) -> ProgressLine {
        ProgressLine(label: label, total: total, isQuiet: quiet)
    }

    /// A line for people on standard error.
    func say(_ line: String) {
        if !quiet { fputs(line + "\n", stderr) }
    }
}

/// Outside the type: a signal's handler may capture nothing.
private let interruptionNoted = Atomic<Bool>(false)

/// Notes SIGINT and SIGTERM, so that a run can end in good order instead of dying.
enum Interruption {
    /// Whether a signal has come since `watch()`.
    static var isRequested: Bool { interruptionNoted.load(ordering: .relaxed) }

    /// Starts to watch; a second signal ends the process at once.
    static func watch() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                if interruptionNoted.exchange(true, ordering: .relaxed) {
                    _exit(128 + number)
                }
            }
        }
    }
}
