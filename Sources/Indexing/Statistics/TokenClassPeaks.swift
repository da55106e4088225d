/// A token class with its two strongest activations.
package struct TokenClassPeaks: Hashable, Sendable {
    /// The class.
    package let tokenClass: Int32
    /// The strongest activation.
    package let strongest: Float
    /// The second strongest, `nil` if the class fired once.
    package let second: Float?

    /// Makes a class with its peaks.
    package init(tokenClass: Int32, strongest: Float, second: Float? = nil) {
        self.tokenClass = tokenClass
        self.strongest = strongest
        self.second = second
    }
}
