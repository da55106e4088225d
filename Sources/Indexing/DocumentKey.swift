import ActivationPipeline

/// A document's own number, made from its content: contexts are sampled by it, so that it does not matter which part of
/// which corpus the document is in.
package enum DocumentKey {
    /// Half of the digest's first 32 digits: as good as random.
    package static func of(sha256: String) -> UInt64 { UInt64(sha256.prefix(16), radix: 16) ?? 0 }
}
