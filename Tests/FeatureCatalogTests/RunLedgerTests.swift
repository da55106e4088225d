import FeatureCatalog
import Foundation
import GRDB
import Glibc
import TestSupport
import Testing

@Suite struct RunLedgerTests {
    private let directory: TemporaryDirectory
    private let catalog: Catalog

    init() throws {
        directory = try TemporaryDirectory()
        catalog = try Catalog.create(at: directory.file("a.catalog"), replacing: false)
    }

    @Test("A run reads back as written") func aRunComesBackAsItWasWritten() throws {
        let input = RunInput(role: "text", name: "bible.txt", sha256: SampleCatalog.digest, bytes: 99)
        let software = SoftwareIdentity(version: "routesae 0.1", revision: "abc")
        let runID = try catalog.beginRun(
            kind: .train, config: #"{"a":1}"#, seed: .max, inputs: [input], software: software)
        let running = try catalog.run(runID)
        #expect(running.kind == .train && running.status == .running && running.configJSON == #"{"a":1}"#)
        #expect(running.seed == .max && running.software == software)
        #expect(running.finishedAt == nil && running.error == nil && running.startedAt.hasSuffix("Z"))
        #expect(try catalog.runInputs(runID) == [input])
        try catalog.finishRun(runID, status: .failed, error: "no disk")
        let failed = try catalog.run(runID)
        #expect(failed.status == .failed && failed.error == "no disk" && failed.finishedAt != nil)
        #expect(try catalog.runs() == [failed])
        expectCatalogError(.notFound) { _ = try catalog.run(99) }
        expectCatalogError(.notFound) { try catalog.finishRun(99, status: .complete) }
    }

    @Test func metricsAreReplacedAndFiltered() throws {
        let runID = try catalog.beginRun(kind: .train, config: "{}", seed: nil)
        try catalog.recordMetrics(
            runID: runID,
            [RunMetric(step: 1, name: "loss", value: 2), RunMetric(step: 0, name: "loss", value: .infinity)])
        try catalog.recordMetrics(
            runID: runID, [RunMetric(step: 1, name: "loss", value: 1.5), RunMetric(step: 0, name: "l0", value: 64)])
        #expect(
            try catalog.runMetrics(runID) == [
                RunMetric(step: 0, name: "l0", value: 64), RunMetric(step: 0, name: "loss", value: nil),
                RunMetric(step: 1, name: "loss", value: 1.5),
            ])
        #expect(try catalog.runMetrics(runID, name: "loss").count == 2)
        expectCatalogError(.invalidValue) {
            try catalog.recordMetrics(runID: 99, [RunMetric(step: 0, name: "loss", value: 1)])
        }
    }

    @Test("The configuration has to be JSON") func configHasToBeJSON() {
        expectCatalogError(.invalidValue, containing: "JSON") {
            _ = try catalog.beginRun(kind: .train, config: "steps=3", seed: nil)
        }
    }

    @Test("An invalid input leaves no run") func aBadInputLeavesNoRun() throws {
        expectCatalogError(.invalidValue) {
            _ = try catalog.beginRun(
                kind: .train, config: "{}", seed: nil,
                inputs: [RunInput(role: "text", name: "x", sha256: "short", bytes: 1)])
        }
        #expect(try catalog.runs().isEmpty)
    }

    @Test("A run whose process has ended is interrupted") func aRunWhoseProcessIsGoneIsInterrupted() throws {
        let path = catalog.path
        let alive = try catalog.beginRun(kind: .train, config: "{}", seed: nil)
        let gone = try catalog.beginRun(kind: .score, config: "{}", seed: nil)
        let reused = try catalog.beginRun(kind: .score, config: "{}", seed: nil)
        let elsewhere = try catalog.beginRun(kind: .score, config: "{}", seed: nil)
        let rebooted = try catalog.beginRun(kind: .score, config: "{}", seed: nil)
        let done = try catalog.beginRun(kind: .index, config: "{}", seed: nil)
        try catalog.finishRun(done, status: .complete)
        try catalog.close()
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            try database.execute(
                sql: """
                    UPDATE run SET process_id = 4194999 WHERE run_id = \(gone);
                    UPDATE run SET process_started = process_started - 1 WHERE run_id = \(reused);
                    UPDATE run SET host = 'neighbour', process_id = 4194999 WHERE run_id = \(elsewhere);
                    UPDATE run SET boot_id = 'before' WHERE run_id = \(rebooted);
                    """)
        }
        try queue.close()
        // Who only reads sees it, too, though the file says otherwise.
        let reader = try Catalog.open(at: path, mode: .readOnly)
        #expect(try reader.run(gone).status == .interrupted && reader.run(alive).status == .running)
        #expect(try reader.runReadOnly(sql: "SELECT count(*) FROM run WHERE status = 'running'").rows == [[5]])
        try reader.close()
        let opened = try Catalog.open(at: path, mode: .readWrite)
        #expect(try opened.run(alive).status == .running)
        #expect(try opened.run(gone).status == .interrupted)
        #expect(try opened.run(reused).status == .interrupted)
        #expect(try opened.run(elsewhere).status == .running)
        #expect(try opened.run(rebooted).status == .interrupted)
        #expect(try opened.run(done).status == .complete)
        #expect(try opened.run(gone).finishedAt != nil)

        try opened.resumeRun(gone)
        let resumed = try opened.run(gone)
        #expect(resumed.status == .running && resumed.finishedAt == nil && resumed.error == nil)
        expectCatalogError(.refused) { try opened.resumeRun(gone) }
        expectCatalogError(.refused) { try opened.resumeRun(done) }
        expectCatalogError(.notFound) { try opened.resumeRun(99) }
        expectCatalogError(.notFound) { _ = try opened.run(99) }
    }

    /// A killed process that was not waited for (a zombie) still has its number, its start and an entry in /proc.
    @Test func aRunWhoseProcessIsAZombieIsInterrupted() throws {
        var process = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
        defer { arguments.forEach { free($0) } }
        try #require(posix_spawn(&process, "/bin/true", nil, nil, &arguments, nil) == 0)
        defer { waitpid(process, nil, 0) }
        var fields: [Substring] = []
        for _ in 0..<1000 where fields.first != "Z" {
            usleep(5000)
            let stat = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            fields = stat[stat.index(after: stat.lastIndex(of: ")")!)...].split(separator: " ")
        }
        try #require(fields.first == "Z")
        let path = catalog.path
        let run = try catalog.beginRun(kind: .train, config: "{}", seed: nil)
        try catalog.close()
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            try database.execute(
                sql: "UPDATE run SET process_id = \(process), process_started = \(fields[19]) WHERE run_id = \(run)")
        }
        try queue.close()
        #expect(try Catalog.open(at: path, mode: .readWrite).run(run).status == .interrupted)
    }

    @Test func droppingARunTakesItsRowsWithIt() throws {
        let sample = try SampleCatalog(at: directory.file("b.catalog"))
        let runID = try sample.catalog.beginRun(kind: .explain, config: "{}", seed: nil)
        try sample.catalog.write(explanations: [
            ExplanationRecord(
                runID: runID, dictionaryID: sample.dictionaryID, featureIndex: 1,
                corpusID: sample.corpusID, method: "n2g", text: "kings")
        ])
        try sample.catalog.finishRun(runID, status: .interrupted)
        try sample.catalog.dropRun(runID)
        #expect(try sample.catalog.explanations(dictionaryID: sample.dictionaryID).isEmpty)
        #expect(try sample.catalog.searchExplanations("kings").isEmpty)
        #expect(
            try sample.catalog.rows(sql: "SELECT explanation_id FROM feature WHERE feature_index = 1").rows == [[nil]])
        #expect(try sample.catalog.verify().isEmpty)
    }

    @Test func droppingAnIndexingRunTakesItsIndexWithIt() throws {
        let sample = try SampleCatalog(at: directory.file("b.catalog"))
        let other = try sample.addCorpus(named: "other")
        try sample.writeIndex(sample.entries(of: other), sample.indexing(of: other.corpusID))
        let second = try sample.catalog.beginRun(kind: .index, config: "{}", seed: nil)
        try sample.catalog.writeIndex(
            IndexingRecord(
                key: sample.key, runID: second, tokenCount: 4000, documentCount: 5, window: 16, histogramEdges: []),
            replacing: true
        ) { writer in
            for feature in 0..<SampleCatalog.latentCount { try writer.write(SampleCatalog.silent(feature)) }
        }
        try sample.catalog.finishRun(second, status: .interrupted)
        try sample.catalog.dropRun(second)
        #expect(try sample.catalog.features(sample.key).isEmpty)
        #expect(try sample.catalog.indexings(dictionaryID: sample.dictionaryID).map(\.key.corpusID) == [other.corpusID])
        #expect(try sample.catalog.verify().isEmpty)
    }

    @Test("A second writer waits, then gives up") func aSecondWriterWaitsAndThenGivesUp() throws {
        let path = directory.file("c.catalog")
        let sample = try SampleCatalog(at: path)
        let other = try Catalog.open(at: path, mode: .readWrite)
        try sample.catalog.writeIndex(sample.indexing, replacing: true) { writer in
            // Another connection cannot write meanwhile, but it reads what was there before.
            expectCatalogError(.busy) { _ = try other.beginRun(kind: .score, config: "{}", seed: nil) }
            #expect(try other.features(sample.key).count == SampleCatalog.latentCount)
            for entry in sample.entries { try writer.write(entry) }
        }
    }
}
