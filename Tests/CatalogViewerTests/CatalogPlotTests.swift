import ActivationPipeline
import CatalogViewer
import FeatureCatalog
import Foundation
import LinearAlgebra
import TestSupport
import Testing
import Vocabulary

/// Charts as files, of a catalog whose names try to be markup.
@Suite struct CatalogPlotTests {
    private let world: HostileWorld

    init() throws {
        world = try HostileWorld()
    }

    private func draw(
        _ kind: PlotKind, feature: Int? = nil, threads: Int = 2,
        _ change: (inout CatalogPlot.Request) -> Void = { _ in }
    ) throws -> String {
        let catalog = try Catalog.open(at: world.path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        var request = CatalogPlot.Request(kind)
        request.feature = feature ?? (kind.isOfFeature ? 0 : nil)
        change(&request)
        return try CatalogPlot(request, in: catalog, workers: Workers(threads: threads)).svg
    }

    private func problem(
        _ kind: PlotKind, feature: Int? = nil, _ change: (inout CatalogPlot.Request) -> Void = { _ in }
    ) -> String? {
        do {
            _ = try draw(kind, feature: feature, change)
            return nil
        } catch { return (error as? CatalogError)?.message ?? "\(error)" }
    }

    @Test(arguments: PlotKind.allCases) func everyKindIsWellFormedWhateverTheNamesAre(kind: PlotKind) throws {
        try world.complete()
        let svg = try draw(kind)
        #expect(WellFormed.problem(svg) == nil)
        #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
        #expect(!svg.contains("<script") && !svg.contains("onmouseover=\"") && !svg.contains("href"))
        #expect(svg.contains("<title>") && svg.contains("<desc>"))
        // Its colours are its own: for light, for dark, and none that is looked up elsewhere.
        #expect(svg.contains("prefers-color-scheme: dark") && !svg.contains("var(--"))
        #expect(svg.contains("sans-serif"))
        #expect(!svg.contains("nan") && !svg.contains("inf\""))
        #expect(svg.contains("&lt;script&gt;"), "the dictionary's name")
    }

    @Test func theFormTestFindsProblems() {
        for broken in [
            "<svg>", "<svg></g>", "<svg a=b/>", "<svg a=\"1\" a=\"2\"/>", "<svg>&nbsp;</svg>", "<svg/><svg/>",
            "<svg/>x",
            "<svg>\u{1}</svg>", "<svg a=\"<\"/>", "<svg>a & b</svg>",
        ] { #expect(WellFormed.problem(broken) != nil, "\(broken)") }
        #expect(WellFormed.problem("<svg a=\"&lt;\"><g/>&amp;</svg>\n") == nil)
    }

    @Test func figuresOfTheDrawingAreThoseOfTheCatalog() throws {
        try world.complete()
        // Feature 0: firings in three of four bins, two of three in layer 0.
        let histogram = try draw(.histogram)
        #expect(histogram.matches(of: /<rect x=/).count == 4)
        let layers = try draw(.layers)
        #expect(layers.contains("66.7 %") && layers.contains("33.3 %"))
        let routing = try draw(.routing)
        #expect(routing.contains("75.0 %") && routing.contains("25.0 %"))
        let pareto = try draw(.pareto)
        #expect(pareto.matches(of: /<circle class="dot"/).count == 1)
        #expect(pareto.contains("L0 12.5, KL 0.25 (0.125 … 0.5)"))
        let logits = try draw(.logits)
        #expect(logits.contains("class=\"fall\"") && logits.contains("class=\"rise\""))
        // Every feature that has a neighbour has a point.
        let points = try draw(.map).matches(of: /M\d+ \d+h0/).count
        #expect(points == HostileWorld.latents + 5, "\(points), five of the legend")
    }

    @Test func aMapHasTheSameBitsOnAnyNumberOfThreads() throws {
        let one = try draw(.map, threads: 1)
        for threads in [2, 5] { #expect(try draw(.map, threads: threads) == one) }
    }

    @Test func whatIsNotThereIsNamedWithTheCommandThatMakesIt() throws {
        #expect(problem(.pareto)?.contains("routesae evaluate") == true)
        #expect(problem(.logits)?.contains("routesae index") == true)
        #expect(problem(.loss) { $0.run = 2 }?.contains("routesae train") == true)
        #expect(problem(.loss) { $0.run = 99 } != nil)
        #expect(problem(.histogram, feature: 9)?.contains("never fired") == true)
        #expect(problem(.histogram, feature: 30)?.contains("0 … 29") == true)
        #expect(problem(.pareto) { $0.corpus = "nowhere" }?.contains("nowhere") == true)
        let catalog = try Catalog.open(at: world.path, mode: .readWrite)
        let scored = try catalog.beginRun(kind: .train, config: "{}", seed: 1)
        _ = try catalog.addDictionary(
            DictionaryRecord(
                runID: scored, languageModelID: nil, name: "bare", architecture: .topk, dModel: 2, latentCount: 4,
                k: 1, layers: [0], aggregation: nil, routing: nil, fidelity: .corrected, activationThreshold: 0.5,
                relativeThreshold: 0.25, configJSON: "{}", trainedTokenCount: 10),
            tensors: [])
        try catalog.finishRun(scored, status: .complete)
        try catalog.close()
        #expect(problem(.loss)?.contains("no curve") == true)
        for kind in [PlotKind.routing, .scores, .map] {
            #expect(problem(kind)?.contains("routesae index") == true, "\(kind)")
        }
    }

    @Test func settingsOfAnotherKindAreRefused() {
        #expect(problem(.histogram) { $0.feature = nil }?.contains("`feature`") == true)
        for kind in PlotKind.allCases where !kind.isOfFeature {
            #expect(problem(kind, feature: 1)?.contains("`feature`") == true, "\(kind)")
        }
        for kind in PlotKind.allCases where kind != .loss {
            #expect(problem(kind) { $0.run = 1 }?.contains("`run`") == true, "\(kind)")
        }
        #expect(problem(.pareto) { $0.dictionary = "1" }?.contains("`dictionary`") == true)
        #expect(problem(.loss) { ($0.dictionary, $0.run) = ("1", 1) }?.contains("`run`") == true)
        #expect(problem(.loss) { $0.corpus = "1" }?.contains("`corpus`") == true)
    }
}
