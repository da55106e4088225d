import Foundation

/// The capabilities of an output stream.
package struct TerminalStyle: Hashable, Sendable {
    /// Whether the output goes to a terminal.
    package let isTerminal: Bool
    /// Whether a line can be rewritten, which a dumb terminal cannot.
    package let rewritesLines: Bool
    /// Whether colours are wanted.
    package let hasColour: Bool
    /// The columns of the terminal; `nil` without a terminal or if unknown.
    package let width: Int?

    /// Makes a style. All but the first apply to terminals only.
    package init(isTerminal: Bool, rewritesLines: Bool = true, hasColour: Bool = false, width: Int? = nil) {
        self.isTerminal = isTerminal
        self.rewritesLines = isTerminal && rewritesLines
        self.hasColour = isTerminal && hasColour
        self.width = isTerminal ? width : nil
    }

    /// A file or a pipe: no colours, nothing cut.
    package static let plain = TerminalStyle(isTerminal: false)

    /// The capabilities of standard output.
    package static func standardOutput() -> TerminalStyle { detect(fileDescriptor: 1) }

    /// The capabilities of standard error.
    package static func standardError() -> TerminalStyle { detect(fileDescriptor: 2) }

    private static func detect(fileDescriptor: Int32) -> TerminalStyle {
        resolve(
            isTerminal: isatty(fileDescriptor) == 1,
            reportedWidth: reportedWidth(fileDescriptor),
            environment: ProcessInfo.processInfo.environment
        )
    }

    /// Colours unless `NO_COLOR` is set to something (no-color.org) or `TERM` is `dumb` or absent; the width that the
    /// terminal reports, else `COLUMNS`.
    package static func resolve(isTerminal: Bool, reportedWidth: Int?, environment: [String: String]) -> TerminalStyle {
        let term = environment["TERM"] ?? ""
        let isDumb = term.isEmpty || term == "dumb"
        let isRefused = !(environment["NO_COLOR"] ?? "").isEmpty
        let named = environment["COLUMNS"].flatMap { Int($0) }.flatMap { (1...10_000).contains($0) ? $0 : nil }
        return TerminalStyle(
            isTerminal: isTerminal,
            rewritesLines: !isDumb,
            hasColour: !isRefused && !isDumb,
            width: reportedWidth ?? named
        )
    }

    private static func reportedWidth(_ fileDescriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(fileDescriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
