import FeatureCatalog
import Foundation
import Synchronization
import TestSupport
import Testing

/// How a writer shares a file with readers: what it waits for, what it says, what it leaves behind.
@Suite struct ClosingTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("a.catalog")
        try SampleCatalog(at: path).catalog.close()
    }

    private final class Remarks: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock(\.self) }
        func patience(_ seconds: Double) -> Patience {
            Patience(seconds: seconds, remark: { line in self.lines.withLock { $0.append(line) } })
        }
    }

    private var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() }
    }

    /// Reads in one state of the file for a while; returns when it has begun.
    private func reader(holding seconds: Double) -> Thread {
        let path = path
        let started = DispatchSemaphore(value: 0)
        let thread = Thread {
            guard let catalog = try? Catalog.open(at: path, mode: .readOnly) else { return }
            try? catalog.snapshot {
                _ = try catalog.runs()
                started.signal()
                Thread.sleep(forTimeInterval: seconds)
            }
            _ = try? catalog.close()
        }
        thread.start()
        started.wait()
        return thread
    }

    @Test func aWriterSaysWhatItLeavesBesideTheFile() throws {
        let writer = try Catalog.open(at: path, mode: .readWrite)
        let reader = try Catalog.open(at: path, mode: .readOnly)
        let remarks = Remarks()
        try reader.snapshot {
            // What is written from now on stays in the log as long as this state is looked at.
            #expect(try reader.runs().count == 2)
            _ = try writer.beginRun(kind: .score, config: "{}", seed: nil)
            #expect(try !writer.close(patience: remarks.patience(0.2)))
            #expect(try reader.runs().count == 2)
        }
        try reader.close()
        let remark = try #require(remarks.all.last)
        #expect(remark.contains("a.catalog-wal") && remark.contains("'routesae migrate \(path)'"), "\(remark)")
        #expect(try files.contains("a.catalog-wal"))
        // What it says to do does it.
        #expect(try Catalog.migrate(at: path) > 0)
        #expect(try files == ["a.catalog"])
        #expect(try Catalog.open(at: path, mode: .readOnly).runs().count == 3)
    }

    @Test func theNextWriterTidiesUp() throws {
        let writer = try Catalog.open(at: path, mode: .readWrite)
        let reader = try Catalog.open(at: path, mode: .readOnly)
        try reader.snapshot {
            _ = try reader.runs()
            _ = try writer.beginRun(kind: .score, config: "{}", seed: nil)
            #expect(try !writer.close())
        }
        try reader.close()
        try Catalog.open(at: path, mode: .readWrite).close()
        #expect(try files == ["a.catalog"])
    }

    @Test func aWriterWaitsForReadersAtItsEnd() throws {
        let writer = try Catalog.open(at: path, mode: .readWrite)
        let thread = reader(holding: 1.5)
        _ = try writer.beginRun(kind: .score, config: "{}", seed: nil)
        let remarks = Remarks()
        #expect(try writer.close(patience: remarks.patience(60)))
        #expect(try files == ["a.catalog"])
        // A wait of more than a second is worth a line, and one is enough.
        #expect(remarks.all.count == 1)
        withExtendedLifetime(thread) {}
    }

    @Test func aWriterWaitsForReadersAtItsBeginning() throws {
        let thread = reader(holding: 1.5)
        let remarks = Remarks()
        let start = ContinuousClock.now
        let writer = try Catalog.open(at: path, mode: .readWrite, patience: remarks.patience(60))
        #expect(ContinuousClock.now - start > .seconds(1))
        #expect(remarks.all.count == 1)
        #expect(try writer.close())
        withExtendedLifetime(thread) {}
    }

    @Test func waitingKeepsNobodyElseFromReading() throws {
        let thread = reader(holding: 2)
        let path = path
        let opened = DispatchSemaphore(value: 0)
        let other = Thread {
            _ = try? Catalog.open(at: path, mode: .readWrite, patience: Patience(seconds: 60)).close()
            opened.signal()
        }
        other.start()
        Thread.sleep(forTimeInterval: 0.3)
        let start = ContinuousClock.now
        let third = try Catalog.open(at: path, mode: .readOnly)
        #expect(try third.runs().count == 2)
        try third.close()
        #expect(ContinuousClock.now - start < .seconds(1.5))
        opened.wait()
        withExtendedLifetime((thread, other)) {}
    }

    @Test func aReaderThatStaysIsNoWriter() throws {
        let reader = try Catalog.open(at: path, mode: .readOnly)
        try reader.snapshot {
            _ = try reader.runs()
            do throws(CatalogError) {
                _ = try Catalog.open(at: path, mode: .readWrite, patience: Patience(seconds: 0.2))
                Issue.record("opened")
            } catch {
                #expect(error.code == .busy && !error.message.contains("writing"), "\(error.message)")
            }
        }
    }

    @Test func whoWillNotWaitDoesNot() throws {
        let reader = try Catalog.open(at: path, mode: .readOnly)
        try reader.snapshot {
            _ = try reader.runs()
            let start = ContinuousClock.now
            expectCatalogError(.busy) {
                _ = try Catalog.open(at: path, mode: .readWrite, patience: Patience(seconds: 60, isOver: { true }))
            }
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }
}
