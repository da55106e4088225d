import ArgumentParser
import Dispatch
@preconcurrency import Glibc
import LinearAlgebra
import Synchronization
import TerminalOutput

/// Options of long-running commands.
struct RunOptions: ParsableArguments {
    @Option(help: "Threads; by default all processors. Results do not depend on it.")
    var threads: Int?

    @OptionGroup var quietness: QuietOption

    /// Whether nothing is said on standard error.
    var quiet: Bool { quietness.quiet }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); allowed: 1 … 1024")
        }
    }

    /// The threads asked for.
    var workers: Workers { Workers(threads: threads) }

    /// A progress line on standard error.
    ///
    /// - Parameter done: steps of earlier attempts, when a task is resumed.
    func progress(_ label: String, done: Int = 0) -> RunProgress {
        RunProgress(label: label, done: done, isQuiet: quiet)
    }

    /// Writes a line of text on standard error, unless that is unwanted.
    func say(_ line: String) { quietness.say(line) }
}

/// Whether a command tells of its work.
struct QuietOption: ParsableArguments {
    @Flag(name: .shortAndLong, help: "No progress and no summary on standard error.")
    var quiet = false

    /// Writes a line of text on standard error, unless that is unwanted.
    func say(_ line: String) {
        if !quiet { StandardStreams.remark(line) }
    }
}

/// A progress line that appears with the first report, when the total is known.
final class RunProgress {
    private let label: String
    private let done: Int
    private let isQuiet: Bool
    private var line: ProgressLine?

    init(label: String, done: Int = 0, isQuiet: Bool) {
        self.label = label
        self.done = done
        self.isQuiet = isQuiet
    }

    /// Reports how much is done, of how much.
    func update(_ done: Int, of total: Int?, fields: [(name: String, value: String)] = []) {
        let line = self.line ?? ProgressLine(label: label, total: total, done: self.done, isQuiet: isQuiet)
        self.line = line
        line.update(done, fields: fields)
    }

    /// Ends the line.
    func finish() { line?.finish() }

    /// Ends the line without a word, so that the message of an error stands alone.
    func abandon() { line?.abandon() }
}

/// Outside the type: a signal handler may capture nothing.
private let interruptionNoted = Atomic<Bool>(false)

/// Notes SIGINT and SIGTERM, so that a run can end in good order.
enum Interruption {
    /// Whether a signal has come since `watch()`.
    static var isRequested: Bool { interruptionNoted.load(ordering: .relaxed) }

    /// Starts to watch; a second signal ends the process at once.
    static func watch() {
        var watched = sigset_t()
        sigemptyset(&watched)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&watched, number)
            signal(number) { number in
                if interruptionNoted.exchange(true, ordering: .relaxed) {
                    _exit(128 + number)
                }
            }
        }
        // A process inherits the blocked signals of its parent's thread.
        pthread_sigmask(SIG_UNBLOCK, &watched, nil)
    }
}
