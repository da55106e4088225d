import ActivationPipeline
@preconcurrency import Glibc
import TerminalOutput

/// Where the verbs that look write what is not rows: pages on standard output, remarks on standard error.
enum StandardStreams {
    /// Gives standard output room for what most verbs print, so that a file is not kept locked for as long as someone
    /// reads it page by page.
    static func begin() {
        if isatty(STDOUT_FILENO) == 0 { setvbuf(stdout, nil, _IOFBF, 1 << 22) }
    }

    /// Writes text on standard output as it is: whatever came from a file has to be harmless already.
    static func write(_ text: String) {
        print(text, terminator: "")
    }

    /// Writes out what is still held back, at the end of a command.
    ///
    /// - Throws: `WorkflowError.cannotWrite` if some of the output has been lost, as on a full disk. A reader that has
    ///   gone away has seen what it wanted.
    static func finish() throws {
        let isFlushed = fflush(stdout) == 0
        let reason = errno
        if isFlushed && ferror(stdout) == 0 || !isFlushed && reason == EPIPE { return }
        let problem = isFlushed ? "the output is incomplete" : String(cString: strerror(reason))
        throw WorkflowError.cannotWrite(path: "standard output", problem: problem)
    }

    /// Writes the start of a line on standard error, which a person's answer follows.
    static func question(_ text: String) {
        fflush(nil)
        fputs(text, stderr)
    }

    /// Writes a line for people on standard error.
    static func remark(_ line: String) {
        // What is on its way to the same terminal comes first.
        fflush(nil)
        fputs(BriefText.of(OptionNames.spelled(line)) + "\n", stderr)
    }
}
