import ActivationPipeline
import FeatureCatalog
import Foundation

/// A feature catalog: one SQLite file with dictionaries, the statistics of their features, contexts and explanations.
///
///     let catalog = try Catalog(opening: "demo.sqlite")
///     for feature in try catalog.features(where: ["firing_rate > 0.001"], sortedBy: "max_activation", limit: 20) {
///         print(feature.index, feature.firingRate, feature.explanation ?? "")
///     }
public struct Catalog: Sendable {
    let file: FeatureCatalog.Catalog

    /// Opens a catalog. It may come from anyone: its schema is checked, and nothing in it is executed.
    ///
    /// - Parameter forWriting: whether dictionaries may be trained into it; otherwise the file is only read.
    /// - Throws: ``RouteSAEError`` `.missing`, `.badInput` for a file that is no catalog, damaged or of another version,
    ///   `.interrupted` where another process is writing it.
    public init(opening path: String, forWriting: Bool = false) throws(RouteSAEError) {
        file = try RouteSAEError.wrapping {
            try FeatureCatalog.Catalog.open(at: path, mode: forWriting ? .readWrite : .readOnly)
        }
    }

    /// Creates an empty catalog.
    ///
    /// - Throws: ``RouteSAEError`` `.cannotWrite`, also where the file exists.
    public init(creating path: String) throws(RouteSAEError) {
        file = try RouteSAEError.wrapping {
            try FeatureCatalog.Catalog.create(at: path, replacing: false, software: Software.identity)
        }
    }

    /// The names of its dictionaries, in the order in which they were added.
    ///
    /// - Throws: ``RouteSAEError`` `.badInput` for a damaged file.
    public var dictionaryNames: [String] {
        get throws(RouteSAEError) { try RouteSAEError.wrapping { try file.dictionaries().map(\.name) } }
    }

    /// Reads a dictionary with its weights.
    ///
    /// - Parameter name: its name; nil takes the one added last.
    /// - Throws: ``RouteSAEError`` `.missing`, `.refused` where the catalog holds none, `.badInput` for damaged weights.
    public func dictionary(_ name: String? = nil) throws(RouteSAEError) -> FeatureDictionary {
        try RouteSAEError.wrapping { FeatureDictionary(try StoredDictionary(named: name, in: file)) }
    }

    /// Closes the file; one that was written becomes a single file again. The catalog is of no use afterwards.
    ///
    /// - Throws: ``RouteSAEError`` `.cannotWrite`; `.interrupted` where others read the file, so that part of it is still in
    ///   the file `-wal` beside it: copy both, or open and close it again later.
    public func close() throws(RouteSAEError) {
        guard try RouteSAEError.wrapping({ try file.close() }) else {
            throw RouteSAEError(
                .interrupted, "\(file.path): others read it, so part of it is still in \(file.path)-wal; copy both")
        }
    }
}
