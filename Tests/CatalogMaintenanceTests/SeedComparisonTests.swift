import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import TestSupport
import Testing
import Vocabulary

@Suite struct SeedComparisonTests {
    private let directory: TemporaryDirectory
    private let catalog: Catalog

    init() throws {
        directory = try TemporaryDirectory()
        catalog = try Catalog.create(at: directory.file("c.sqlite"), replacing: true)
        for seed in 1...3 {
            try add("route \(seed)", .route, layers: [1, 2], seed, ["kl": 1 + 0.1 * Double(seed), "l0": 4])
            try add("early \(seed)", .topk, layers: [1], seed, ["kl": 1.2 + 0.01 * Double(seed), "l0": 4])
            try add("late \(seed)", .topk, layers: [2], seed, ["kl": 2, "l0": 4])
        }
    }

    private func add(
        _ name: String, _ architecture: Architecture, layers: [Int], _ seed: Int, _ figures: [String: Double]
    ) throws {
        let list = layers.map { "\($0)" }.joined(separator: ",")
        let run = try catalog.beginRun(
            kind: .train,
            config:
                #"{"architecture":"\#(architecture.rawValue)","layers":[\#(list)],"name":"\#(name)","seed":\#(seed)}"#,
            seed: UInt64(seed))
        try catalog.finishRun(run, status: .complete)
        let number = try catalog.addDictionary(
            DictionaryRecord(
                runID: run, languageModelID: nil, name: name, architecture: architecture, dModel: 2, latentCount: 1,
                k: 1,
                layers: layers, aggregation: architecture == .route ? .sum : nil,
                routing: architecture == .route ? .hard : nil, fidelity: .corrected, activationThreshold: 1,
                relativeThreshold: 1, configJSON: "{}"),
            tensors: [DictionaryTensor(name: "decoder", shape: [1, 2], values: [1, 0])])
        // An older figure, and the newest.
        for shift in [5.0, 0] {
            let evaluation = try catalog.beginRun(kind: .evaluate, config: "{}", seed: 0)
            try catalog.write(
                evaluations: figures.flatMap { metric, value in
                    [nil, layers[0]].map { layer in
                        EvaluationRecord(
                            runID: evaluation, dictionaryID: number, metric: metric, layer: layer, value: value + shift,
                            tokenCount: 10)
                    }
                })
            try catalog.finishRun(evaluation, status: .complete)
        }
    }

    @Test("Dictionaries that differ in the seed alone are one configuration") func groups() throws {
        let groups = try SeedGroup.all(in: catalog)
        #expect(
            groups.map { $0.dictionaries.map(\.name) }
                == ["route", "early", "late"].map { name in
                    (1...3).map { "\(name) \($0)" }
                })
    }

    @Test("Each figure is compared with the best of one layer, by the newest values") func comparesWithTheBest() throws
    {
        let rows = try SeedComparison(in: catalog).rows
        #expect(rows.map(\.metric) == ["kl", "kl", "kl", "l0", "l0", "l0"])
        let (route, early, late) = (rows[0], rows[1], rows[2])
        #expect(abs(route.sample.mean - 1.2) < 1e-12 && route.sample.values.count == 3)
        #expect(early.reference == nil && late.reference?.group.name == "early 1")
        let reference = try #require(route.reference)
        #expect(abs(reference.difference + 0.02) < 1e-12)
        // t(0.975, 4) · √((0.02 + 0.0002) / 4 · ⅔).
        let claim = 2.776 * (0.0202 / 4 * 2 / 3).squareRoot()
        #expect(abs(try #require(reference.smallestClaim) - claim) < 1e-9)
        #expect(reference.holds == false && late.reference?.holds == true)
        // Neither more nor less L0 is better.
        #expect(rows[3...].allSatisfy { $0.reference == nil })
    }

    @Test("A dictionary to compare with, one metric, and figures of layers") func choices() throws {
        let late = try catalog.dictionary(named: "late 2")
        let rows = try SeedComparison(in: catalog, metrics: ["l0"], against: late, byLayer: true).rows
        #expect(Set(rows.map(\.metric)) == ["l0"] && Set(rows.map(\.layer)) == [nil, 1, 2])
        #expect(rows.filter { $0.group.name == "route 1" && $0.layer == nil }.first?.reference?.group.name == "late 1")
        #expect(throws: WorkflowError.self) { try SeedComparison(in: catalog, metrics: ["nothing"]) }
    }

    @Test("Single values take the noise of others, and without any nothing may be claimed") func singleValues() {
        let (one, other, pair) = (SeedSample([1]), SeedSample([2]), SeedSample([3, 3.2]))
        #expect(SeedSample.smallestClaim(one, other) == nil)
        let claim = SeedSample.smallestClaim(one, other, others: [one, other, pair])
        #expect(abs((claim ?? 0) - 12.706 * (0.02 * 2).squareRoot()) < 1e-9)
    }
}
