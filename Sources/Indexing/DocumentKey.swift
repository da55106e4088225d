import ActivationPipeline

/// A document's key, computed from its content: contexts are sampled by it, independent of the
/// corpus or part the document is in.
package enum DocumentKey {
    /// The first 16 digits of the digest.
    package static func of(sha256: String) -> UInt64 { UInt64(sha256.prefix(16), radix: 16) ?? 0 }
}
