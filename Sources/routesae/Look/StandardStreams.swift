import ActivationPipeline
@preconcurrency import Glibc
import TerminalOutput

/// Output of reading commands other than rows: pages on standard output, remarks on standard error.
enum StandardStreams {
    /// Buffers standard output for the size of most commands' output, so that a file is not kept locked while someone
    /// reads it page by page.
    static func begin() {
        if isatty(STDOUT_FILENO) == 0 { setvbuf(stdout, nil, _IOFBF, 1 << 22) }
    }

    /// Writes text on standard output unchanged: untrusted content must be escaped already.
    static func write(_ text: String) {
        print(text, terminator: "")
    }

    /// Flushes the output at the end of a command.
    ///
    /// - Throws: `WorkflowError.cannotWrite` if output has been lost, as on a full disk. A reader that has
    ///   closed the pipe is not an error.
    static func finish() throws {
        let isFlushed = fflush(stdout) == 0
        let reason = errno
        if isFlushed && ferror(stdout) == 0 || !isFlushed && reason == EPIPE { return }
        let problem = isFlushed ? "the output is incomplete" : String(cString: strerror(reason))
        throw WorkflowError.cannotWrite(path: "standard output", problem: problem)
    }

    /// Writes a prompt on standard error, to be answered on the same line.
    static func question(_ text: String) {
        fflush(nil)
        fputs(text, stderr)
    }

    /// Writes a line of text on standard error.
    static func remark(_ line: String) {
        // Pending standard output comes first on a shared terminal.
        fflush(nil)
        fputs(BriefText.of(OptionNames.spelled(line)) + "\n", stderr)
    }
}
