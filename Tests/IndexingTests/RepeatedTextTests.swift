import CatalogMaintenance
import FeatureCatalog
import Foundation
import LinearAlgebra
import TestSupport
import Testing
import Vocabulary
import WorkflowWorlds

/// Repeated texts: whole documents, and openings that many documents share.
@Suite struct RepeatedTextTests {
    private static let key = IndexingKey(dictionaryID: 1, corpusID: 1)

    /// Documents of 20 to 140 words; `opening` words are the same in all.
    private static func documents(_ count: Int, opening: Int, seed: UInt64) -> [String] {
        let words = "and the king begat sons who said unto him that all the earth is void".split(separator: " ")
        var generator = CounterGenerator(seed: seed, stream: "documents")
        func text(_ count: Int) -> [String] {
            (0..<count).map { _ in String(words[generator.index(below: words.count)]) }
        }

        let shared = text(opening)
        return (0..<count).map { _ in (shared + text(20 + generator.index(below: 120))).joined(separator: " ") }
    }

    /// A context with the tokens of its window.
    private struct Shown {
        let context: ContextRecord
        let tokens: [Int32]
    }

    private func contexts(_ catalog: Catalog, feature: Int) throws -> [Shown] {
        try catalog.contexts(Self.key, featureIndex: feature).map { context in
            let ids = try catalog.document(context.documentID).tokenIDs
            return Shown(
                context: context,
                tokens: Array(ids[context.windowStart..<context.windowStart + context.activations.count]))
        }
    }

    private func expectNoTextTwice(_ catalog: Catalog, acrossBands: Bool) throws {
        for feature in 0..<64 {
            let shown = try contexts(catalog, feature: feature)
            for (_, same) in Dictionary(grouping: shown, by: \.tokens) {
                #expect(Set(same.map(\.context.split)).count == 1, "feature \(feature)")
                #expect(Set(same.map(\.context.band)).count == same.count, "feature \(feature)")
                if acrossBands { #expect(same.count == 1, "feature \(feature)") }
            }
        }
    }

    @Test("Repeating a text twenty times changes no context")
    func aTextTwentyTimesHasTheContextsOfTheTextOnce() throws {
        let world = try KeepingWorld()
        let texts = Self.documents(12, opening: 0, seed: 1)
        let once = try world.catalog(
            "once.sqlite", indexedOn: [try world.part("once.jsonl", texts)], corpus: "c")
        let repeated = (0..<20).flatMap { copy in texts.indices.map { texts[($0 * 5 + copy) % texts.count] } }
        let often = try world.catalog(
            "often.sqlite", indexedOn: [try world.part("often.jsonl", repeated)], corpus: "c")
        try world.read(once) { once in
            try world.read(often) { often in
                #expect(try often.verify().isEmpty)
                try expectNoTextTwice(often, acrossBands: true)
                for feature in 0..<64 {
                    #expect(
                        try often.feature(Self.key, featureIndex: feature).firedCount
                            == 20 * once.feature(Self.key, featureIndex: feature).firedCount)
                    let (one, many) = (try contexts(once, feature: feature), try contexts(often, feature: feature))
                    #expect(one.map(\.tokens) == many.map(\.tokens))
                    #expect(one.map(\.context.activations) == many.map(\.context.activations))
                    #expect(one.map(\.context.split) == many.map(\.context.split))
                    #expect(one.map(\.context.band) == many.map(\.context.band))
                }
            }
        }
    }

    @Test("A shared opening counts once in a band") func openingsThatDocumentsShareCountOnceInABand() throws {
        let world = try KeepingWorld()
        let path = try world.catalog(
            "c.sqlite", indexedOn: [try world.part("t.jsonl", Self.documents(30, opening: 30, seed: 2))], corpus: "c")
        try world.read(path) { catalog in
            #expect(try catalog.verify().isEmpty)
            try expectNoTextTwice(catalog, acrossBands: false)
        }
    }

    @Test("Merging parts that repeat each other equals indexing the whole", arguments: [0, 12, 30])
    func partsThatRepeatEachOtherCombineIntoTheWhole(opening: Int) throws {
        let world = try KeepingWorld()
        let texts = Self.documents(18, opening: opening, seed: 3)
        // Every document in several parts, in some of them more than once.
        let documents = [texts[..<12] + texts[..<4], texts[6...] + texts[6..<9], texts[3..<15]].map(Array.init)
        let files = try documents.enumerated().map { try world.part("part\($0.offset).jsonl", $0.element) }
        let parts = try files.enumerated().map {
            try world.catalog("\($0.offset).sqlite", indexedOn: [$0.element], corpus: "part \($0.offset)")
        }

        let whole = try world.catalog("whole.sqlite", indexedOn: files, corpus: "all")
        let merged = world.demo.directory.file("merged.sqlite")
        _ = try MergeRun(settings: MergeSettings(inputs: parts, combine: "all")).run(to: merged)
        let expected = try world.read(whole) { try $0.contentDigests(of: Self.key) }
        let digests = try world.read(merged) { catalog in
            #expect(try catalog.verify() == [])
            return try catalog.contentDigests(of: Self.key)
        }
        for (digest, expectation) in zip(digests, expected) where digest.table != "feature_cofiring" {
            #expect(digest == expectation, "\(digest.table)")
        }
    }

    @Test func theOrderOfDocumentsChangesNoContext() throws {
        let world = try KeepingWorld()
        let texts = Self.documents(14, opening: 20, seed: 4)
        let orders = [texts + texts[2..<6], Array((texts[2..<6] + texts).reversed())]
        let shown = try orders.enumerated().map { number, texts in
            let path = try world.catalog(
                "\(number).sqlite", indexedOn: [try world.part("\(number).jsonl", texts)], corpus: "c")
            return try world.read(path) { catalog in
                try (0..<64).map { feature in
                    try contexts(catalog, feature: feature).map {
                        "\($0.context.band) \($0.context.rank) \($0.tokens) \($0.context.activation) "
                            + ($0.context.split?.rawValue ?? "none")
                    }
                }
            }
        }
        #expect(shown[0] == shown[1])
    }
}
