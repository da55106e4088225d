/// A token class with its two strongest activations.
package struct TokenClassPeaks: Hashable, Sendable {
    /// The class.
    package let tokenClass: Int32
    /// The strongest activation.
    package let strongest: Float
    /// The second strongest, `nil` if the class fired once.
    package let second: Float?

    /// Names a class's two strongest activations.
    package init(tokenClass: Int32, strongest: Float, second: Float? = nil) {
        self.tokenClass = tokenClass
        self.strongest = strongest
        self.second = second
    }
}
