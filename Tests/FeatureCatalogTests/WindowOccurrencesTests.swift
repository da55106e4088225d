import FeatureCatalog
import TestSupport
import Testing

/// How often a window occurs, against a count that compares token by token.
@Suite struct WindowOccurrencesTests {
    private let directory: TemporaryDirectory
    private let sample: SampleCatalog

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleCatalog(at: directory.file("a.catalog"))
    }

    @Test("Window counts equal a naive count", arguments: [1, 2, 3, 5, 9, 40])
    func countsAreThoseOfComparingTokens(window: Int) throws {
        let catalog = sample.catalog
        var generator = SplitMix(state: UInt64(window))
        let corpusID = try catalog.addCorpus(
            CorpusRecord(
                languageModelID: sample.languageModelID, name: "repeats", sha256: SampleCatalog.digest))
        // Few tokens, so that much repeats; documents from empty to long, in passages of seven tokens.
        let documents = (0..<30).map { ordinal in
            DocumentRecord(
                ordinal: ordinal,
                tokenIDs: (0..<generator.next(below: 50)).map { _ in Int32(generator.next(below: 2)) },
                sha256: SampleCatalog.digest)
        }

        var passages: [(id: Int64, tokens: [Int32])] = []
        for (id, document) in zip(try catalog.addDocuments(corpusID: corpusID, documents), documents) {
            let starts = Array(stride(from: 0, to: document.tokenIDs.count, by: 7))
            let parts = starts.map { Array(document.tokenIDs[$0..<min($0 + 7, document.tokenIDs.count)]) }
            let ids = try catalog.addPassages(
                zip(starts, parts).enumerated().map { segment, part in
                    PassageRecord(
                        documentID: id, segment: segment, firstToken: part.0,
                        text: PassageText(tokenBytes: part.1.map { [UInt8(97 + $0)] }))
                })
            passages += zip(ids, parts).map { (id: $0, tokens: $1) }
        }

        let occurrences = try WindowOccurrences(catalog: catalog, corpusID: corpusID, window: window)
        for passage in passages {
            for position in passage.tokens.indices { occurrences.add(passageID: passage.id, position: position) }
        }
        try occurrences.count()
        for passage in passages {
            for position in passage.tokens.indices {
                let range = ContextWindow.range(around: position, in: passage.tokens.count, length: window)
                let shown = Array(passage.tokens[range])
                let naive =
                    shown.count < window
                    ? passages.count { $0.tokens == shown }
                    : documents.reduce(0) { count, document in
                        let tokens = document.tokenIDs
                        guard tokens.count >= window else { return count }
                        return count + (0...tokens.count - window).count { Array(tokens[$0..<$0 + window]) == shown }
                    }
                #expect(occurrences.count(passageID: passage.id, position: position) == naive)
            }
        }
        // What was not asked for, or is not there.
        #expect(occurrences.count(passageID: sample.passageIDs[0], position: 0) == nil)
        #expect(occurrences.count(passageID: passages[0].id, position: 7) == nil)
        #expect(occurrences.count(passageID: passages[0].id, position: -1) == nil)
    }

    @Test(arguments: [0, -1, .max, .min]) func impossibleWindowsAreRefused(window: Int) {
        expectCatalogError(.damaged) {
            _ = try WindowOccurrences(catalog: sample.catalog, corpusID: sample.corpusID, window: window)
        }
    }
}
