/// Where a stream of activations comes from, and how to wait for it.
package struct StreamInput: Sendable {
    /// The open file descriptor; standard input is 0.
    package let descriptor: Int32
    /// What messages call it.
    package let name: String
    /// Asked again and again while waiting; once true, the wait ends.
    package let cancelled: @Sendable () -> Bool
    /// Told, in a line, that nothing has come for a minute.
    package let remark: @Sendable (String) -> Void

    /// Describes an input.
    package init(
        descriptor: Int32 = 0, name: String = "standard input", cancelled: @escaping @Sendable () -> Bool = { false },
        remark: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        (self.descriptor, self.name, self.cancelled, self.remark) = (descriptor, name, cancelled, remark)
    }
}
