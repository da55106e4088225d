/// A file that a run read (table `run_input`).
package struct RunInput: Equatable, Sendable {
    /// The role of the file, such as `model`, `tokenizer`, `text`.
    package let role: String

    /// The file's own name, not its path, so that it is the same on every machine.
    package let name: String

    /// Lower-case hexadecimal SHA-256 of the file's bytes.
    package let sha256: String

    /// The file's length in bytes.
    package let bytes: Int

    /// Describes an input; a run has at most one of the same role and name.
    package init(role: String, name: String, sha256: String, bytes: Int) {
        self.role = role
        self.name = name
        self.sha256 = sha256
        self.bytes = bytes
    }
}
