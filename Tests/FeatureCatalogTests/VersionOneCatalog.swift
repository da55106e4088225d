import FeatureCatalog
import Foundation
import TestSupport

/// A populated catalog of the first schema, frozen when that was the newest.
enum VersionOneCatalog {
    /// Its file.
    static func bytes() throws -> Data {
        let frame = try Data(contentsOf: URL(filePath: fixture("catalogs/version-1.sqlite.zst")))
        return Data(try Zstd.decompress(Array(frame), limit: 1 << 24))
    }
}
