import ActivationPipeline
import ArgumentParser
@preconcurrency import Glibc
import TerminalOutput

/// An error that ends the program.
struct Failure {
    private let error: any Error

    init(_ error: any Error) {
        self.error = error
    }

    /// Prints one line and ends the process. Help and version are left to the argument parser.
    func exit() -> Never {
        guard let status else { RouteSAE.exit(withError: error) }
        fputs(message, stderr)
        Glibc.exit(status)
    }

    /// Prints one line and ends the process at once, whatever other threads do: their unwritten output is lost.
    func endAtOnce() -> Never {
        let bytes = Array(message.utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
        _exit(status ?? 70)
    }

    /// The line with its line feed.
    private var message: String {
        TerminalStyle.standardError().paint("routesae:", .red) + " " + BriefText.of(OptionNames.spelled(line)) + "\n"
    }

    /// The problem and its remedy.
    private var line: String {
        if let error = FileFailure(error) { return error.line }
        guard isUsage else { return "\(error)" }
        let full = RouteSAE.fullMessage(for: error).split(separator: "\n")
        // An option that is not there is the reason also where the parser finds another one missing.
        let advice = CommandLineAdvice(arguments: FormerOptions.arguments)
        let message =
            advice.optionProblem ?? RouteSAE.message(for: error).split(separator: "\n").joined(separator: " ")
        // The parser takes an argument that begins with '-' for an option, except in '--name=-1'.
        let remedy =
            message.hasPrefix("Missing value for") ? " (a value that begins with '-' is written NAME=VALUE)" : ""
        // "See 'routesae train --help' for more information."
        let help = full.last { $0.contains("--help'") }.map { $0.split(separator: "'") } ?? []
        let sentence = message.hasSuffix(".") ? String(message.dropLast()) : message
        let separator = sentence.hasSuffix("?") && remedy.isEmpty ? " " : "; "
        return sentence + remedy + (help.count > 1 ? "\(separator)'\(help[1])' tells more" : "")
    }

    /// Whether the command line itself is wrong, by the argument parser.
    private var isUsage: Bool {
        !(error is CleanExit) && RouteSAE.exitCode(for: error) == .validationFailure
    }

    /// The documented exit status; nil to leave it to the argument parser.
    private var status: Int32? {
        if let kind = FailureKind(error) { return kind.exitStatus }
        if let file = FileFailure(error) { return file.status }
        if error is CleanExit || error is ExitCode { return nil }
        if isUsage { return FailureKind.usage.exitStatus }
        return RouteSAE.exitCode(for: error) == .failure ? FailureKind.internal.exitStatus : nil
    }
}

extension FailureKind {
    /// The documented exit status.
    fileprivate var exitStatus: Int32 {
        switch self {
        case .usage: 64
        case .badInput: 65
        case .missing: 66
        case .internal: 70
        case .cannotWrite: 73
        case .interrupted: 75
        case .refused: 77
        }
    }
}
