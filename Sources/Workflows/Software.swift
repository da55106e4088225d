public import FeatureCatalog

/// Who writes a catalog.
public enum Software {
    /// The version, as `routesae --version` prints it.
    public static let version = "0.1.0"
    /// The version as a run records it.
    public static let identity = SoftwareIdentity(version: version)
}
