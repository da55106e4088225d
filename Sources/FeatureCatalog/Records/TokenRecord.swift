/// One entry of a model's vocabulary (table `token`).
package struct TokenRecord: Equatable, Sendable {
    /// The token's number in the model's vocabulary.
    package let tokenID: Int

    /// The token as text; bytes that are not UTF-8 by themselves appear as U+FFFD.
    package let text: String

    /// The token's exact bytes, only where `text` cannot hold them; nil otherwise.
    package let bytes: [UInt8]?

    /// Describes a token.
    package init(tokenID: Int, text: String, bytes: [UInt8]? = nil) {
        self.tokenID = tokenID
        self.text = text
        self.bytes = bytes
    }
}
