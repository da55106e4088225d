import FeatureCatalog
import Foundation
import Glibc
import TestSupport
import Testing

/// Pipes, links and other files beside a catalog under the names of SQLite's journals.
@Suite struct CompanionFileTests {
    private let directory: MemoryDirectory
    private let path: String

    init() throws {
        directory = try MemoryDirectory()
        path = try TinyCatalog.make(at: directory.file("a.catalog"))
    }

    private func expectRefusal(of companion: String) {
        for mode in [Catalog.Mode.readOnly, .readWrite] {
            let error = #expect(throws: CatalogError.self) { _ = try Catalog.open(at: path, mode: mode) }
            #expect(error?.code == .refused)
            #expect(error?.message.hasPrefix("\(companion): ") == true, "\(String(describing: error))")
        }
        #expect(throws: CatalogError.self) { _ = try Catalog.migrate(at: path) }
    }

    @Test("A named pipe beside the catalog does not block opening", arguments: ["-journal", "-wal", "-shm"])
    func aPipeIsNotWaitedFor(suffix: String) throws {
        try #require(mkfifo(path + suffix, 0o600) == 0)
        expectRefusal(of: path + suffix)
    }

    @Test("The target of a symbolic link is not touched", arguments: ["-journal", "-wal", "-shm"])
    func whatALinkLeadsToIsNotTouched(suffix: String) throws {
        let other = directory.file("other")
        try Data("of someone else".utf8).write(to: URL(filePath: other))
        try FileManager.default.createSymbolicLink(atPath: path + suffix, withDestinationPath: other)
        expectRefusal(of: path + suffix)
        #expect(try Data(contentsOf: URL(filePath: other)) == Data("of someone else".utf8))
        // Beside the file that a link leads to, as SQLite looks there.
        let link = directory.file("link.catalog")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        let error = #expect(throws: CatalogError.self) { _ = try Catalog.open(at: link, mode: .readOnly) }
        #expect(error?.code == .refused)
    }

    @Test("Once the files are removed the catalog is unchanged")
    func afterTheyAreRemovedTheCatalogIsWhatItWas() throws {
        let before = try Data(contentsOf: URL(filePath: path))
        try #require(mkdir(path + "-wal", 0o700) == 0)
        expectRefusal(of: path + "-wal")
        try #require(rmdir(path + "-wal") == 0)
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        #expect(try Catalog.open(at: path, mode: .readOnly).verify() == [])
    }
}
