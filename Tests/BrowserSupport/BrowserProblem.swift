/// What a browser did not do, in one line.
package struct BrowserProblem: Error, CustomStringConvertible {
    /// What was awaited, and what came instead.
    package let description: String

    init(_ description: String) { self.description = description }
}
