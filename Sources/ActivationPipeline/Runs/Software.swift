package import FeatureCatalog

/// The software that writes a catalog.
package enum Software {
    /// The version, as `routesae --version` prints it.
    package static let version = "0.1.0"
    /// The version as a run records it.
    package static let identity = SoftwareIdentity(version: version)
}
