/// The software that makes a run, as the ledger records it.
package struct SoftwareIdentity: Equatable, Sendable {
    /// The released version, such as `routesae 0.1.0`.
    package let version: String

    /// The source revision it was built from, where known.
    package let revision: String?

    /// Describes a build of the software.
    package init(version: String, revision: String? = nil) {
        self.version = version
        self.revision = revision
    }

    /// For callers that are not a released program.
    package static let unknown = SoftwareIdentity(version: "unknown")
}
