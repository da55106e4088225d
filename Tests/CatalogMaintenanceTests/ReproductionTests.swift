import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import Foundation
import GRDB
import LinearAlgebra
import Scoring
import TestSupport
import Testing
import WorkflowWorlds

@Suite struct ReproductionTests {
    private func catalog(_ world: KeepingWorld) throws -> String {
        let path = try world.catalog("c.sqlite", indexedOn: world.parts, corpus: "all")
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        _ = try ScoringRun(
            settings: ScoringSettings(model: DemoModel.path, sample: 4, minimumFirings: 3, seed: 2),
            workers: Workers(threads: 2)
        ).run(on: catalog)
        return path
    }

    private func reproduce(_ runID: Int64, _ world: KeepingWorld, _ path: String) throws -> [Reproduction.Comparison] {
        try world.read(path) {
            try Reproduction(settings: Reproduction.Settings(runID: runID), workers: Workers(threads: 3)).run(on: $0)
        }
    }

    @Test(arguments: [Int64(1), 2, 3]) func everyRunIsReproducedToTheBit(_ runID: Int64) throws {
        let world = try KeepingWorld()
        let comparisons = try reproduce(runID, world, try catalog(world))
        #expect(!comparisons.isEmpty)
        for comparison in comparisons { #expect(comparison.isSame, "\(comparison)") }
    }

    @Test func aChangedFigureIsFound() throws {
        let world = try KeepingWorld()
        let path = try catalog(world)
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "UPDATE feature SET p50 = p50 * 1.5 WHERE feature_index = 7") }
        try queue.write { try $0.execute(sql: "UPDATE feature SET p50 = 1 WHERE p50 IS NULL AND feature_index = 7") }
        try queue.close()
        let comparisons = try reproduce(2, world, path)
        #expect(comparisons.filter { !$0.isSame }.map(\.what) == ["feature"])
    }

    @Test("Reproducing with other inputs is refused") func otherInputsAreRefused() throws {
        let world = try KeepingWorld()
        let path = try catalog(world)
        try "another text".write(toFile: world.parts[1], atomically: true, encoding: .utf8)
        #expect(throws: WorkflowError.self) { try reproduce(2, world, path) }
        try FileManager.default.removeItem(atPath: world.parts[1])
        #expect(throws: WorkflowError.self) { try reproduce(2, world, path) }
        #expect(throws: CatalogError.self) { try reproduce(99, world, path) }
    }

    @Test("Reproducing finds the same contexts") func contextsComeOutAgain() throws {
        let world = try KeepingWorld()
        let path = try catalog(world)
        let settings = Recomputation.Settings(model: DemoModel.path, count: 60, seed: 3)
        let check = Recomputation(settings: settings, workers: Workers(threads: 1))
        let results = try world.read(path) { try check.run(on: $0) }
        #expect(results.count == 1)
        #expect(results[0].contextCount == 60)
        #expect(results[0].problems == [])
        #expect(results[0].largestDifference < 1e-5)
        // A layer that is not where the token was routed to shows, though nothing in the file contradicts it.
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "UPDATE feature_context SET layer = layer + 1") }
        try queue.close()
        let again = try world.read(path) { try check.run(on: $0) }
        #expect(again[0].problems.count == 60)
    }

    @Test(
        "Reproducing reports what the model computes differently",
        arguments: [
            ("UPDATE feature_context SET router_weight = 0.75 + router_weight / 4", "its router weight is"),
            ("UPDATE passage SET text = replace(text, 'e', 'E')", "does not read as the model's tokenizer"),
            ("UPDATE feature SET max_activation = max_activation / 2", "outside of min_activation"),
            ("DELETE FROM feature_layer", "feature_layer has no firings"),
        ])
    func whatElseTheModelSaysOtherwise(sql: String, reason: String) throws {
        let world = try KeepingWorld()
        let path = try catalog(world)
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
        let check = Recomputation(
            settings: Recomputation.Settings(model: DemoModel.path, count: 40, seed: 3), workers: Workers(threads: 1))
        let results = try world.read(path) { try check.run(on: $0) }
        #expect(results[0].problems.contains { $0.contains(reason) }, "\(results[0].problems)")
    }
}
