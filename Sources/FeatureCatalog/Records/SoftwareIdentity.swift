/// The software that makes a run, as the ledger records it.
public struct SoftwareIdentity: Equatable, Sendable {
    /// The released version, such as `routesae 0.1.0`.
    public let version: String

    /// The source revision it was built from, where known.
    public let revision: String?

    /// Describes a build of the software.
    public init(version: String, revision: String? = nil) {
        self.version = version
        self.revision = revision
    }

    /// For callers that are not a released program.
    public static let unknown = SoftwareIdentity(version: "unknown")
}
