import FeatureCatalog
import Foundation
import TestSupport

/// A populated catalog of an earlier schema, frozen when that was the newest.
enum FrozenCatalog: Int {
    case one = 1
    /// Two dictionaries and three corpora, with everything that the verbs of its time write.
    case five = 5
    /// The same, migrated when 6 was the newest: before dictionaries said what they do to their input.
    case six = 6

    /// Its file.
    func bytes() throws -> Data {
        let frame = try Data(contentsOf: URL(filePath: fixture("catalogs/version-\(rawValue).sqlite.zst")))
        return Data(try Zstd.decompress(Array(frame), limit: 1 << 24))
    }
}
