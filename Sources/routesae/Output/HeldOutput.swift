@preconcurrency import Glibc

/// Output held back, up to a memory limit, until its command is certain to complete: a command that
/// fails early prints nothing, and a file is not kept locked while someone reads the output slowly.
final class HeldOutput {
    private static let limit = 8 << 20

    private var held = ""

    /// Whether any of it has been written.
    private(set) var hasBegun = false

    /// Adds a piece.
    func write(_ text: String) {
        held += text
        if held.utf8.count > Self.limit { release() }
    }

    /// Writes what is held.
    func release() {
        guard !held.isEmpty else { return }
        hasBegun = true
        held.withUTF8 { _ = fwrite($0.baseAddress, 1, $0.count, stdout) }
        held = ""
    }
}
