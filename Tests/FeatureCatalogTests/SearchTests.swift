import FeatureCatalog
import TestSupport
import Testing
import Vocabulary

@Suite struct SearchTests {
    private let directory: TemporaryDirectory
    private let sample: SampleCatalog
    private var catalog: Catalog { sample.catalog }

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleCatalog(at: directory.file("a.catalog"))
    }

    /// Consecutive occurrences of some tokens: the passage's number and their positions in it.
    private func places(of tokens: [Int32]) -> [(passage: Int, range: Range<Int>)] {
        sample.documents.enumerated().flatMap { number, document in
            (0..<200).filter { document.tokenIDs[$0...].starts(with: tokens) && $0 % 20 + tokens.count <= 20 }
                .map { (10 * number + $0 / 20, $0 % 20..<$0 % 20 + tokens.count) }
        }
    }

    /// Activating contexts whose windows contain some of the tokens, by feature; and those with
    /// their peak among them.
    private func contexts(at places: [(passage: Int, range: Range<Int>)]) -> [Int: (matches: Int, peaks: Int)] {
        var found: [Int: (matches: Int, peaks: Int)] = [:]
        for (feature, entry) in sample.entries.enumerated() {
            for context in entry.contexts where context.band != .quiet {
                let end = min(max(context.position + 5, 16), 20)
                let own = places.filter { sample.passageIDs[$0.passage] == context.passageID }
                guard own.contains(where: { $0.range.overlaps(end - 16..<end) }) else { continue }
                found[feature, default: (0, 0)].matches += 1
                found[feature]?.peaks += own.contains { $0.range.contains(context.position) } ? 1 : 0
            }
        }
        return found
    }

    private func expect(_ hits: [SearchHit], _ expected: [Int: (matches: Int, peaks: Int)], _ label: String) {
        #expect(
            Dictionary(uniqueKeysWithValues: hits.map { ($0.featureIndex, $0.matchCount) })
                == expected.mapValues(\.matches), "\(label)")
        #expect(
            Dictionary(uniqueKeysWithValues: hits.map { ($0.featureIndex, $0.peakCount) })
                == expected.mapValues(\.peaks), "\(label)")
        #expect(hits.map(\.peakCount) == hits.map(\.peakCount).sorted(by: >), "\(label)")
    }

    @Test("Queries of thousands of words are refused") func queriesOfThousandsOfWordsAreRefused() throws {
        let words = (0..<5000).map { _ in "t1" }
        let separators = [" ", " OR ", "\" \"", "+", "\t", ")(", " NOT "]
        for query in separators.map({ words.joined(separator: $0) }) + ["NEAR(\(words.joined(separator: " ")))"] {
            let start = ProcessorTime.ofThisThread
            expectCatalogError(.refused, containing: "words") { _ = try catalog.searchContexts(query) }
            expectCatalogError(.refused, containing: "words") { _ = try catalog.searchExplanations(query) }
            #expect(ProcessorTime.ofThisThread - start < .seconds(2))
        }
        expectCatalogError(.refused) { _ = try catalog.searchPromotedTokens(words) }
        expectCatalogError(.refused) { _ = try catalog.searchPromotedTokens(words.map { _ in "-" }) }
        // As many as a sentence may have are welcome.
        #expect(try catalog.searchContexts((0..<90).map { _ in "t1" }.joined(separator: " OR ")).count > 0)
    }

    @Test("A search ends at its time limit") func searchingEndsWhenTheTimeIsOver() throws {
        expectCatalogError(.timedOut, containing: "0.001") {
            try catalog.bounded(seconds: 0.001) {
                for _ in 0..<100_000 { _ = try catalog.searchContexts("t1 OR t2 OR t3 OR t4 OR t5") }
            }
        }
        // Afterwards there is no limit.
        #expect(try catalog.searchContexts("t1").count > 0)
        #expect(try catalog.bounded(seconds: 60) { try catalog.searchContexts("t1").count } > 0)
    }

    @Test func contextsWithAWord() throws {
        var looked = 0
        for token: Int32 in 0..<50 where token != 7 {
            let places = places(of: [token])
            // No more than are looked at.
            guard (1...24).contains(Set(places.map(\.passage)).count) else { continue }
            looked += 1
            let hits = try catalog.searchContexts("t\(token)", limit: 1000)
            expect(hits, contexts(at: places), "t\(token)")
            for hit in hits {
                #expect(hit.scope == .contexts && hit.dictionary == "main")
                // The word is marked whole, with the peak's marks around it or elsewhere.
                #expect(hit.text.contains("**t\(token)**"), "\(hit.text)")
                #expect(hit.text.contains("«") && hit.text.contains("»"))
                if hit.peakCount > 0 { #expect(hit.text.contains("« **t\(token)**»"), "\(hit.text)") }
            }
            #expect(try catalog.searchContexts("t\(token)", limit: 3) == Array(hits.prefix(3)))
            #expect(try catalog.searchContexts("t\(token)", dictionaryID: sample.dictionaryID, limit: 1000) == hits)
            #expect(try catalog.searchContexts("t\(token)", dictionaryID: 99).isEmpty)
        }
        #expect(looked > 20)
    }

    @Test func aPhraseIsFoundOnlyAsAWhole() throws {
        var found = 0
        for first in stride(from: 0, to: 200, by: 9) where first % 20 < 18 {
            let tokens = Array(sample.documents[1].tokenIDs[first..<first + 3])
            guard !tokens.contains(7) else { continue }
            let phrase = tokens.map { "t\($0)" }.joined(separator: " ")
            let hits = try catalog.searchContexts("\"\(phrase)\"", limit: 1000)
            expect(hits, contexts(at: places(of: tokens)), phrase)
            found += hits.count
            #expect(try catalog.searchContexts("\"\(phrase) nothing\"").isEmpty)
        }
        #expect(found > 20)
        for query in ["\"open", "AND", "t1 t2 NOT", "(t1"] {
            expectCatalogError(.invalidSQL) { _ = try catalog.searchContexts(query) }
            expectCatalogError(.invalidSQL) { _ = try catalog.searchExplanations(query) }
        }
    }

    @Test func explanations() throws {
        let runIDs = try (0..<2).map { _ in try catalog.beginRun(kind: .explain, config: "{}", seed: nil) }
        let texts = [(3, "Names of kings"), (5, "Kings and queens, kings above all"), (6, "Rivers")]
        for runID in runIDs {
            try catalog.write(
                explanations: texts.map { feature, text in
                    ExplanationRecord(
                        runID: runID, dictionaryID: sample.dictionaryID, featureIndex: feature,
                        corpusID: sample.corpusID, method: "n2g", text: text)
                })
        }

        let hits = try catalog.searchExplanations("kings")
        #expect(Set(hits.map(\.featureIndex)) == [3, 5] && hits.allSatisfy { $0.matchCount == 2 })
        #expect(hits.allSatisfy { $0.scope == .explanations && $0.dictionary == "main" && $0.peakCount == 0 })
        #expect(hits.first { $0.featureIndex == 3 }?.text == "Names of **kings**")
        #expect(hits.first { $0.featureIndex == 5 }?.text == "**Kings** and queens, **kings** above all")
        #expect(try catalog.searchExplanations("kings", limit: 1) == [hits[0]])
        #expect(try catalog.searchExplanations("kings queens").map(\.featureIndex) == [5])
        #expect(try catalog.searchExplanations("kings", dictionaryID: 99).isEmpty)
    }

    @Test func promotedTokens() throws {
        func logits(_ feature: Int, _ direction: FeatureLogit.Direction, _ tokens: [(Int, Float)]) -> [FeatureLogit] {
            tokens.enumerated().map { rank, token in
                FeatureLogit(
                    featureIndex: feature, direction: direction, rank: rank, tokenID: token.0, value: token.1)
            }
        }
        try catalog.write(
            logits: logits(2, .promoted, [(41, 3), (4, 2)]) + logits(2, .suppressed, [(43, -9)])
                + logits(8, .promoted, [(30, 7), (40, 5)]) + logits(9, .suppressed, [(4, -3)]),
            dictionaryID: sample.dictionaryID)
        // "t4" is in " t4" and in " t40" … " t49".
        let hits = try catalog.searchPromotedTokens(["T4"])
        #expect(
            hits == [
                SearchHit(
                    scope: .tokens, dictionary: "main", featureIndex: 8, matchCount: 1, peakCount: 0,
                    text: "promotes ** t40**"),
                SearchHit(
                    scope: .tokens, dictionary: "main", featureIndex: 2, matchCount: 2, peakCount: 0,
                    text: "promotes ** t41**"),
            ])
        #expect(try catalog.searchPromotedTokens(["t4"], limit: 1) == [hits[0]])
        #expect(try catalog.searchPromotedTokens(["t41", "t30"]).map(\.featureIndex) == [8, 2])
        #expect(try catalog.searchPromotedTokens(["t4"], dictionaryID: 99).isEmpty)
        for words in [[], [""], ["%"], ["t_"]] { #expect(try catalog.searchPromotedTokens(words).isEmpty) }
    }
}
