/// Rows that can be read once only, such as those of a pipe.
package protocol SinglePassRows: ActivationRows {
    /// Says that all rows have been read and more are needed.
    var exhausted: TrainingError { get }
}

extension SinglePassRows {
    /// - Throws: `exhausted`, always.
    package func startOver() throws { throw exhausted }
}
