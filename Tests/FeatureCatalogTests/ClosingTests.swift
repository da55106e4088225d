import FeatureCatalog
import Foundation
import Synchronization
import TestSupport
import Testing

/// How a writer shares a file with readers: what it waits for, reports and leaves behind.
@Suite struct ClosingTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("a.catalog")
        try SampleCatalog(at: path).catalog.close()
    }

    /// The messages of a wait, and an action on each.
    private final class Remarks: Sendable {
        private let lines = Mutex<[String]>([])
        private let then: @Sendable () -> Void
        var all: [String] { lines.withLock(\.self) }

        init(then: @escaping @Sendable () -> Void = {}) { self.then = then }

        func patience(_ seconds: Double) -> Patience {
            Patience(
                seconds: seconds,
                remark: { line in
                    self.lines.withLock { $0.append(line) }
                    self.then()
                })
        }
    }

    private var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() }
    }

    /// Reads in one snapshot until told to end; returns when it has begun.
    private func reader() -> (thread: Thread, end: DispatchSemaphore) {
        let path = path
        let (started, end) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let thread = Thread {
            guard let catalog = try? Catalog.open(at: path, mode: .readOnly) else { return }
            try? catalog.snapshot {
                _ = try catalog.runs()
                started.signal()
                end.wait()
            }
            _ = try? catalog.close()
        }
        thread.start()
        started.wait()
        return (thread, end)
    }

    @Test("A writer reports the files it leaves beside the catalog")
    func aWriterSaysWhatItLeavesBesideTheFile() throws {
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

    @Test("The next writer removes leftover files") func theNextWriterTidiesUp() throws {
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

    @Test("A writer waits for readers when it closes") func aWriterWaitsForReadersAtItsEnd() throws {
        let writer = try Catalog.open(at: path, mode: .readWrite)
        let (thread, end) = reader()
        _ = try writer.beginRun(kind: .score, config: "{}", seed: nil)
        // A wait of more than a second is worth a line, and one is enough.
        let remarks = Remarks { end.signal() }
        #expect(try writer.close(patience: remarks.patience(60)))
        #expect(try files == ["a.catalog"])
        #expect(remarks.all.count == 1)
        withExtendedLifetime(thread) {}
    }

    @Test("A writer waits for readers when it opens") func aWriterWaitsForReadersAtItsBeginning() throws {
        let (thread, end) = reader()
        let remarks = Remarks { end.signal() }
        let writer = try Catalog.open(at: path, mode: .readWrite, patience: remarks.patience(60))
        #expect(remarks.all.count == 1)
        #expect(try writer.close())
        withExtendedLifetime(thread) {}
    }

    @Test("Waiting does not block readers") func waitingKeepsNobodyElseFromReading() throws {
        let (thread, end) = reader()
        let path = path
        let (waits, opened) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let remarks = Remarks { waits.signal() }
        let other = Thread {
            _ = try? Catalog.open(at: path, mode: .readWrite, patience: remarks.patience(60)).close()
            opened.signal()
        }
        other.start()
        waits.wait()
        let third = try Catalog.open(at: path, mode: .readOnly)
        #expect(try third.runs().count == 2)
        try third.close()
        #expect(opened.wait(timeout: .now()) == .timedOut)
        end.signal()
        opened.wait()
        withExtendedLifetime((thread, other)) {}
    }

    @Test("A lasting reader is not reported as a writer") func aReaderThatStaysIsNoWriter() throws {
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

    @Test("A writer that does not wait fails as busy") func whoWillNotWaitDoesNot() throws {
        let reader = try Catalog.open(at: path, mode: .readOnly)
        try reader.snapshot {
            _ = try reader.runs()
            // With more patience than any test has.
            expectCatalogError(.busy) {
                _ = try Catalog.open(at: path, mode: .readWrite, patience: Patience(seconds: 1e5, isOver: { true }))
            }
        }
    }
}
