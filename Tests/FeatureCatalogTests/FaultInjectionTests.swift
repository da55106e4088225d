import FeatureCatalog
import Foundation
import GRDBSQLite
import TestSupport
import Testing
import Vocabulary

/// A full or broken disk at every single operation of the program on a catalog.
@Suite struct FaultInjectionTests {
    /// The work on a catalog while its disk fails.
    enum Work: String, CaseIterable {
        case addDocuments, writeIndex, replaceIndex, finishRun, migrate

        /// Opens the catalog, does the work and closes it.
        func run(at path: String) throws {
            guard self != .migrate else {
                try Catalog.migrate(at: path)
                return
            }

            let catalog = try Catalog.open(at: path, mode: .readWrite)
            do {
                switch self {
                case .addDocuments:
                    let documents = (1...20).map { TinyCatalog.document($0) }
                    _ = try catalog.addDocuments(corpusID: 1, documents)
                case .writeIndex: try TinyCatalog.index(catalog, 1)
                case .replaceIndex: try TinyCatalog.index(catalog, 1, replacing: true)
                case .finishRun: try catalog.finishRun(2, status: .failed, error: "no")
                case .migrate: break
                }
            } catch {
                _ = try? catalog.close()
                throw error
            }
            try catalog.close()
        }

        /// The catalog it starts from.
        func start(in directory: MemoryDirectory) throws -> String {
            let path = directory.file("start")
            if self == .migrate {
                try FrozenCatalog.one.bytes().write(to: URL(filePath: path))
                return path
            }
            return try TinyCatalog.make(at: path, isIndexed: self != .writeIndex)
        }
    }

    /// How a disk fails.
    enum Failure: String, CaseIterable {
        case fullOnce, fullForGood, tornWrite, syncFails, truncateFails, openFails, deleteFails, shareFails, goneForGood

        func fault(at position: Int) -> FaultyDisk.Fault {
            switch self {
            case .fullOnce: .init(operation: .write, position: position, code: SQLITE_FULL)
            case .fullForGood:
                .init(operation: .write, position: position, code: SQLITE_FULL, staysBroken: true, isTorn: true)
            case .tornWrite:
                .init(operation: .write, position: position, code: SQLITE_IOERR | 3 << 8, isTorn: true)
            case .syncFails: .init(operation: .sync, position: position, code: SQLITE_IOERR | 4 << 8)
            case .truncateFails: .init(operation: .truncate, position: position, code: SQLITE_IOERR | 6 << 8)
            case .openFails: .init(operation: .open, position: position, code: SQLITE_CANTOPEN)
            case .deleteFails: .init(operation: .delete, position: position, code: SQLITE_IOERR | 10 << 8)
            case .shareFails: .init(operation: .share, position: position, code: SQLITE_IOERR | 21 << 8)
            case .goneForGood:
                .init(operation: nil, position: position, code: SQLITE_IOERR | 3 << 8, staysBroken: true)
            }
        }
    }

    @Test("A fault at any disk operation leaves a whole catalog", arguments: Work.allCases, Failure.allCases)
    func atEveryPosition(work: Work, failure: Failure) throws {
        let directory = try MemoryDirectory()
        let start = try work.start(in: directory)
        let before = work == .migrate ? nil : try digest(of: start)
        let path = directory.file("catalog")
        try copy(start, to: path)
        try work.run(at: path)
        let after = try digest(of: path)

        let disk = FaultyDisk(folder: directory.path + "/catalog")
        defer { disk.remove() }
        // All operations are tried by those who have some minutes, else every third one; migrating writes hundreds of pages.
        let isThorough = ProcessInfo.processInfo.environment["ROUTESAE_FAULTS"] == "all"
        let step = isThorough ? 1 : work == .migrate ? 31 : 3
        // What fails for good fails in between.
        var position = !isThorough && [.fullForGood, .goneForGood].contains(failure) ? 1 : 0
        var count = 0
        while true {
            try copy(start, to: path)
            let place = Comment(rawValue: "\(work.rawValue), \(failure.rawValue) at \(position)")
            disk.arm(failure.fault(at: position))
            var thrown: (any Error)?
            do { try work.run(at: path) } catch { thrown = error }
            let failures = disk.disarm().failures
            if failures == 0 {
                #expect(thrown == nil, place)
                break
            }
            if let thrown {
                let error = try #require(thrown as? CatalogError, place)
                #expect(error.code == .cannotWrite, "\(place): \(error.code) \(error.message)")
                #expect(!error.message.contains("\n") && error.message.contains("catalog"), place)
            }

            let left = try state(of: path, before: before)
            #expect(left == before || left == after, place)
            if thrown == nil { #expect(left == after, place) }
            // The disk is well again, and so is the catalog: the same work can be done.
            if left == before, isThorough || count.isMultiple(of: 5) {
                try work.run(at: path)
                #expect(try digest(of: path) == after, place)
            }
            count += 1
            position += step
        }
        // Every kind of work writes, opens and syncs.
        if [.fullOnce, .fullForGood, .tornWrite, .syncFails, .openFails, .goneForGood].contains(failure) {
            #expect(count > 0)
        }
        Self.report("\(work.rawValue) \(failure.rawValue): \(count) positions")
    }

    /// The digest of a catalog that is sound; nil for one that is still to be migrated.
    private func state(of path: String, before: String?) throws -> String? {
        do { return try digest(of: path) } catch let error as CatalogError where error.code == .tooOld && before == nil
        {
            return nil
        }
    }

    private func digest(of path: String) throws -> String {
        // What a writer that died left in its journal takes a writer to move into the file.
        try Catalog.open(at: path, mode: .readWrite).close()
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        #expect(try catalog.verify() == [])
        return try catalog.contentDigest()
    }

    private func copy(_ start: String, to path: String) throws {
        let files = FileManager.default
        for suffix in ["", "-wal", "-shm", "-journal"] where files.fileExists(atPath: path + suffix) {
            try files.removeItem(atPath: path + suffix)
        }
        try files.copyItem(atPath: start, toPath: path)
    }

    /// Counts, printed on request.
    static func report(_ line: String) {
        if ProcessInfo.processInfo.environment["ROUTESAE_FIGURES"] != nil { print(line) }
    }
}
