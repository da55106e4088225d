import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing
import WorkflowWorlds

@Suite struct MergeTests {
    @Test("Merging parts equals indexing the whole") func partsCombineIntoWhatIndexingTheWholeGives() throws {
        let world = try KeepingWorld()
        let one = try world.catalog("one.sqlite", indexedOn: [world.parts[0]], corpus: "first")
        let two = try world.catalog("two.sqlite", indexedOn: [world.parts[1]], corpus: "second")
        let whole = try world.catalog("whole.sqlite", indexedOn: world.parts, corpus: "all")
        let merged = world.demo.directory.file("merged.sqlite")
        let result = try MergeRun(settings: MergeSettings(inputs: [one, two], combine: "all")).run(to: merged)
        #expect(result.combinedCount == 2)
        #expect(result.indexCount == 1)
        let key = IndexingKey(dictionaryID: 1, corpusID: 1)
        let expected = try world.read(whole) { try $0.contentDigests(of: key) }
        let digests = try world.read(merged) { catalog in
            #expect(try catalog.verify() == [])
            return try catalog.contentDigests(of: key)
        }
        for (digest, expectation) in zip(digests, expected) where digest.table != "feature_cofiring" {
            #expect(digest == expectation, "\(digest.table)")
        }
        #expect(digests.count == expected.count)
    }

    /// Numbers of another program, in a catalog whose digests agree with them.
    @Test(
        "Indexes that cannot be added up are refused",
        arguments: [
            "UPDATE feature SET n_fired = 9223372036854775807 WHERE n_fired > 0",
            "UPDATE feature SET n_documents = 9223372036854775807 WHERE n_fired > 0",
            "UPDATE feature SET min_activation = 1e38 WHERE n_fired > 0",
            "UPDATE feature_layer SET n_fired = 9223372036854775807",
            "UPDATE feature_token SET n_fired = 9223372036854775807",
            "UPDATE indexing SET n_tokens = 9223372036854775807",
            "UPDATE indexing SET n_documents = 9223372036854775807",
            "UPDATE layer_routing SET n_tokens = 9223372036854775807",
        ])
    func whatCannotBeAddedUpIsRefused(_ change: String) throws {
        let world = try KeepingWorld()
        let one = try world.catalog("one.sqlite", indexedOn: [world.parts[0]], corpus: "first")
        let two = try world.catalog("two.sqlite", indexedOn: [world.parts[1]], corpus: "second")
        let queue = try DatabaseQueue(path: one)
        try queue.write { try $0.execute(sql: change) }
        try queue.close()
        let taken = world.demo.directory.file("taken.sqlite")
        let merged = world.demo.directory.file("merged.sqlite")
        let refusal = #expect(throws: CatalogError.self) {
            _ = try world.read(one) {
                try PackRun(settings: PackSettings(acceptChanges: true)).run(from: $0, to: taken)
            }
            _ = try MergeRun(settings: MergeSettings(inputs: [taken, two], combine: "all")).run(to: merged)
        }
        #expect(refusal?.code == .damaged, "\(refusal?.message ?? "")")
        // Which of the files it is.
        #expect([one, taken].contains { refusal?.message.hasPrefix("\($0): ") == true }, "\(refusal?.message ?? "")")
        #expect(!FileManager.default.fileExists(atPath: merged))
    }

    @Test("Merged catalogs can be merged again") func partsOfPartsCombineToo() throws {
        let world = try KeepingWorld()
        let one = try world.catalog("one.sqlite", indexedOn: [world.parts[0]], corpus: "first")
        let two = try world.catalog("two.sqlite", indexedOn: [world.parts[1]], corpus: "second")
        // Side by side first, then combined from the one file.
        let both = world.demo.directory.file("both.sqlite")
        let sideBySide = try MergeRun(settings: MergeSettings(inputs: [one, two])).run(to: both)
        #expect(sideBySide.dictionaryCount == 1 && sideBySide.indexCount == 2)
        let merged = world.demo.directory.file("merged.sqlite")
        _ = try MergeRun(settings: MergeSettings(inputs: [both], combine: "all")).run(to: merged)
        let direct = world.demo.directory.file("direct.sqlite")
        _ = try MergeRun(settings: MergeSettings(inputs: [one, two], combine: "all")).run(to: direct)
        let key = IndexingKey(dictionaryID: 1, corpusID: 1)
        let digests = try [merged, direct].map { path in
            try world.read(path) { try $0.contentDigests(of: key).map(\.sha256) }
        }
        #expect(digests[0] == digests[1])
    }

    @Test("Side-by-side indexes equal those of their catalogs") func indexesSideBySideAreThoseOfTheirCatalogs() throws {
        let world = try KeepingWorld()
        let one = try world.catalog("one.sqlite", indexedOn: [world.parts[0]], corpus: "first")
        let two = try world.catalog("two.sqlite", indexedOn: [world.parts[1]], corpus: "second")
        let merged = world.demo.directory.file("merged.sqlite")
        _ = try MergeRun(settings: MergeSettings(inputs: [one, two])).run(to: merged)
        try world.read(merged) { catalog in
            #expect(try catalog.verify() == [])
            let names = try catalog.corpora().map(\.name)
            #expect(names == ["first", "second"])
            for (corpus, path) in [(Int64(1), one), (2, two)] {
                let digests = try catalog.contentDigests(of: IndexingKey(dictionaryID: 1, corpusID: corpus))
                let original = try world.read(path) {
                    try $0.contentDigests(of: IndexingKey(dictionaryID: 1, corpusID: 1))
                }
                #expect(digests.map(\.sha256) == original.map(\.sha256))
            }
            // Training is one run, however many files it came in; then two indexes and the merge.
            let kinds = try catalog.runs().map(\.kind)
            #expect(kinds == [.train, .index, .index, .merge])
        }
    }

    @Test("A different dictionary of the same name is renamed")
    func anotherDictionaryOfTheSameNameGetsAnotherName() throws {
        let world = try KeepingWorld()
        let other = try KeepingWorld(seed: 2)
        let one = try world.catalog("one.sqlite", indexedOn: [world.parts[0]], corpus: "first")
        let two = try other.catalog("two.sqlite", indexedOn: [other.parts[0]], corpus: "first")
        let merged = world.demo.directory.file("merged.sqlite")
        final class Remarks { var lines: [String] = [] }
        let remarks = Remarks()
        _ = try MergeRun(settings: MergeSettings(inputs: [one, two])).run(
            to: merged, remark: { remarks.lines.append($0) })
        try world.read(merged) { catalog in
            let names = try catalog.dictionaries().map(\.name)
            let corpora = try catalog.corpora()
            #expect(names == ["d", "d-2"])
            #expect(corpora.count == 1)
            #expect(try catalog.verify() == [])
        }
        #expect(remarks.lines.contains { $0.contains("becomes \"d-2\"") })
    }

    @Test("Catalogs that cannot be combined are refused") func whatCannotBeCombinedIsRefused() throws {
        let world = try KeepingWorld()
        let one = try world.catalog("one.sqlite", indexedOn: [world.parts[0]], corpus: "first")
        let same = try world.catalog("same.sqlite", indexedOn: [world.parts[0]], corpus: "again")
        let seeded = try world.catalog("seeded.sqlite", indexedOn: [world.parts[1]], corpus: "second", seed: 6)
        let merged = world.demo.directory.file("merged.sqlite")
        for inputs in [[one, same], [one, seeded], [one]] {
            #expect(throws: WorkflowError.self) {
                try MergeRun(settings: MergeSettings(inputs: inputs, combine: "all")).run(to: merged)
            }
            #expect(!FileManager.default.fileExists(atPath: merged))
        }
        #expect(throws: WorkflowError.self) { try MergeRun(settings: MergeSettings(inputs: [one, same])).run(to: one) }
        // Nothing is left of the attempts.
        let left = try FileManager.default.contentsOfDirectory(atPath: world.demo.directory.path)
        #expect(!left.contains { $0.contains("draft") })
    }
}
