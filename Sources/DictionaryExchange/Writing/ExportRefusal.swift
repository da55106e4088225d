/// What another program's format cannot say of a dictionary, or what could not be written.
package struct ExportRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line: what, where, and what to do.
    package let description: String

    /// Makes a refusal of one line.
    package init(_ description: String) { self.description = description }
}
