@preconcurrency import Glibc

/// Output that is held back, as far as memory is given for it, until its verb knows that it will come to its end: what
/// fails early prints nothing, and a file is not kept locked because someone reads the output slowly.
final class HeldOutput {
    private static let limit = 8 << 20

    private var held = ""

    /// Whether some of it has been written.
    private(set) var hasBegun = false

    /// Takes a piece.
    func write(_ text: String) {
        held += text
        if held.utf8.count > Self.limit { release() }
    }

    /// Writes out what is held.
    func release() {
        guard !held.isEmpty else { return }
        hasBegun = true
        held.withUTF8 { _ = fwrite($0.baseAddress, 1, $0.count, stdout) }
        held = ""
    }
}
