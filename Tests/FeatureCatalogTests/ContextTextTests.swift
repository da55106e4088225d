import FeatureCatalog
import GRDB
import TestSupport
import Testing
import Vocabulary

/// Contexts with the texts of their tokens, against the view `context`.
@Suite struct ContextTextTests {
    private let directory: TemporaryDirectory
    private let sample: SampleCatalog
    private var catalog: Catalog { sample.catalog }

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleCatalog(at: directory.file("a.catalog"))
    }

    @Test func theTextsAreThoseOfTheView() throws {
        var count = 0
        for feature in 0..<SampleCatalog.latentCount {
            let all = try catalog.contexts(sample.key, featureIndex: feature)
            for band in ContextBand.allCases {
                let expected = all.filter { $0.band == band }
                let texts = try catalog.contextTexts(sample.key, featureIndex: feature, band: band, limit: 100)
                #expect(texts.count == expected.count)
                for (text, context) in zip(texts, expected) {
                    count += 1
                    #expect(text.rank == context.rank && text.layer == context.layer)
                    #expect(text.activation == context.activation && text.activations == context.activations)
                    #expect(text.tokenPosition == context.tokenPosition && text.routerWeight == context.routerWeight)
                    #expect(text.split == context.split && text.documentID == context.documentID)
                    #expect(text.window == 0..<context.activations.count)
                    #expect(text.peak == context.tokenPosition - context.windowStart)
                    var marked = text.tokens
                    marked[text.peak] = "«" + marked[text.peak] + "»"
                    #expect(marked.joined() == context.excerpt)
                }
            }
        }
        #expect(count > 300)
    }

    @Test func aWholePassageHasTheWindowInIt() throws {
        for (window, whole) in zip(
            try catalog.contextTexts(sample.key, featureIndex: 4, band: .top, limit: 3),
            try catalog.contextTexts(sample.key, featureIndex: 4, band: .top, limit: 3, isWhole: true))
        {
            let passage = try #require(sample.passage(whole.passageID))
            #expect(whole.tokens.joined() == passage.text.text)
            #expect(whole.tokens.count == SampleCatalog.passageLength)
            #expect(Array(whole.tokens[whole.window]) == window.tokens)
            #expect(whole.tokens[whole.peak] == window.tokens[window.peak])
            #expect(!whole.isCut.before && !whole.isCut.behind)
            #expect(window.isCut.before || window.isCut.behind)
            let cut = window.cut(before: 2, behind: 1)
            let range = max(0, window.peak - 2)..<min(window.tokens.count, window.peak + 2)
            #expect(cut.tokens == Array(window.tokens[range]) && cut.activations == Array(window.activations[range]))
            #expect(cut.tokens[cut.peak] == window.tokens[window.peak])
        }
    }

    @Test func aPartOfTheListIsTheListsPart() throws {
        let all = try catalog.contextTexts(sample.key, featureIndex: 4, band: .sample, limit: 10)
        #expect(all.count == 3)
        let part = try catalog.contextTexts(sample.key, featureIndex: 4, band: .sample, limit: 1, offset: 1)
        #expect(part == [all[1]])
        #expect(try catalog.contextTexts(sample.key, featureIndex: 4, band: .sample, limit: 1, offset: 3).isEmpty)
        let other = IndexingKey(dictionaryID: 1, corpusID: 9)
        #expect(try catalog.contextTexts(other, featureIndex: 4, band: .top, limit: 1).isEmpty)
    }

    @Test(
        "Damage is reported with its place",
        arguments: [
            "UPDATE feature_context SET other_activations = '{\"0\":1' WHERE feature_index = 4",
            "UPDATE feature_context SET other_activations = '{\"99\":1.5}' WHERE feature_index = 4",
            "UPDATE feature_context SET position = 7777 WHERE feature_index = 4",
            "UPDATE feature_context SET layer = -1 WHERE feature_index = 4",
            "UPDATE passage SET token_starts = '1'", "UPDATE passage SET text = text || 'x'",
            "UPDATE passage SET n_tokens = 9007199254740992",
        ])
    func damageIsReported(statement: String) throws {
        try catalog.close()
        let queue = try DatabaseQueue(path: catalog.path)
        try queue.write { database in
            try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
            try database.execute(sql: statement)
        }
        try queue.close()
        let damaged = try Catalog.open(at: catalog.path, mode: .readOnly)
        defer { _ = try? damaged.close() }
        #expect {
            try damaged.contextTexts(sample.key, featureIndex: 4, band: .top, limit: 3)
        } throws: { error in
            (error as? CatalogError)?.code == .damaged
        }
    }

    @Test func oneCurveIsThatOfAllCurves() throws {
        let run = try catalog.beginRun(kind: .train, config: "{}", seed: nil)
        try catalog.recordMetrics(
            runID: run,
            (0..<100).map { RunMetric(step: 3 * $0 + 5, name: "loss", value: $0 % 17 == 3 ? .nan : 1 / Double($0 + 1)) }
                + (0..<10).map { RunMetric(step: $0, name: "other", value: 2) })
        for stretches in [1, 7, 100, 1000] {
            let all = try catalog.runCurves(run, stretches: stretches)
            for curve in all {
                let one = try #require(try catalog.runCurve(run, name: curve.name, stretches: stretches))
                #expect(one.count == curve.count && one.first == curve.first && one.last == curve.last)
                #expect(one.firstStep == curve.firstStep && one.lastStep == curve.lastStep)
                #expect(one.means.map { $0.isNaN ? -1 : $0 } == curve.means.map { $0.isNaN ? -1 : $0 })
            }
            #expect(all.map(\.firstStep) == [5, 0])
        }
        let none = try catalog.runCurve(run, name: "none", stretches: 3)
        #expect(none == nil)
    }
}
