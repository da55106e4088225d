import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import Foundation
import GRDB
import LinearAlgebra
import Scoring
import TestSupport
import Testing
import Vocabulary
import WorkflowWorlds

@Suite struct PackTests {
    private func scored(_ world: KeepingWorld) throws -> String {
        let path = try world.catalog("c.sqlite", indexedOn: world.parts, corpus: "all")
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        _ = try ScoringRun(
            settings: ScoringSettings(model: DemoModel.path, sample: 6, minimumFirings: 3, seed: 2),
            workers: Workers(threads: 2)
        ).run(on: catalog)
        return path
    }

    @Test("Packing without options loses nothing") func packingWithoutOptionsLosesNothing() throws {
        let world = try KeepingWorld()
        let path = try scored(world)
        let packed = world.demo.directory.file("packed.sqlite")
        let result = try world.read(path) { try PackRun(settings: PackSettings()).run(from: $0, to: packed) }
        #expect(result.bytesBefore > 0 && result.bytesAfter > 0)
        let digest = try world.read(path) { try $0.contentDigest() }
        try world.read(packed) { catalog in
            #expect(try catalog.verify() == [])
            #expect(try catalog.contentDigest() == digest)
            let noted = try catalog.rows(sql: "SELECT bytes_before FROM packing")
            #expect(noted.rows == [[.integer(Int64(result.bytesBefore))]])
        }
        // What was made is refused as a place to pack into.
        #expect(throws: CatalogError.self) {
            try world.read(path) { try PackRun(settings: PackSettings()).run(from: $0, to: packed) }
        }
        #expect(throws: WorkflowError.self) {
            try world.read(path) { try PackRun(settings: PackSettings()).run(from: $0, to: path) }
        }
    }

    /// A copy has its own digests: changes of another program would become undetectable.
    @Test(
        "Changes by another program are copied only when accepted",
        arguments: [
            "UPDATE feature_context SET other_activations = '{\"0\":' WHERE other_activations IS NOT NULL",
            "UPDATE feature_token SET activation_2 = activation_2 / 2 WHERE activation_2 > 0",
            "DELETE FROM feature_cofiring",
        ])
    func whatAnotherProgramChangedIsCopiedOnlyWhenAccepted(_ change: String) throws {
        let world = try KeepingWorld()
        let path = try world.catalog("c.sqlite", indexedOn: world.parts, corpus: "all")
        let queue = try DatabaseQueue(path: path)
        try queue.write {
            try $0.execute(sql: change)
            #expect($0.changesCount > 0)
        }
        try queue.close()
        let copy = world.demo.directory.file("copy.sqlite")
        let refusal = #expect(throws: CatalogError.self) {
            try world.read(path) { try PackRun(settings: PackSettings()).run(from: $0, to: copy) }
        }
        #expect(refusal?.code == .damaged)
        #expect(refusal?.message.contains("something else has changed them") == true)
        #expect(throws: CatalogError.self) {
            try MergeRun(settings: MergeSettings(inputs: [path, path])).run(to: copy)
        }
        #expect(!FileManager.default.fileExists(atPath: copy))
        let settings = PackSettings(acceptChanges: true)
        _ = try world.read(path) { try PackRun(settings: settings).run(from: $0, to: copy) }
        try world.read(copy) { catalog in
            let noted = try catalog.rows(sql: "SELECT options FROM packing").rows
            #expect("\(noted)".contains("acceptChanges"))
        }
    }

    @Test("Packing removes what is left out and keeps the rest unchanged")
    func whatIsLeftOutIsGoneAndTheRestIsAsItWas() throws {
        let world = try KeepingWorld()
        let path = try scored(world)
        let packed = world.demo.directory.file("packed.sqlite")
        let settings = PackSettings(dropBands: ["quiet"], contexts: 2, lists: 3, dtype: "bf16", dropText: true)
        let result = try world.read(path) { try PackRun(settings: settings).run(from: $0, to: packed) }
        #expect(result.bytesAfter < result.bytesBefore)
        let key = IndexingKey(dictionaryID: 1, corpusID: 1)
        try world.read(path) { original in
            try world.read(packed) { catalog in
                #expect(try catalog.verify() == [])
                #expect(try catalog.features(key) == original.features(key))
                let tensors = try catalog.tensors(dictionaryID: 1)
                #expect(tensors.allSatisfy { $0.dataType == .bf16 })
                for feature in 0..<64 {
                    let kept = try catalog.contexts(key, featureIndex: feature)
                    let expected = try original.contexts(key, featureIndex: feature).filter {
                        $0.band != .quiet && $0.rank < 2
                    }
                    #expect(kept.map(\.activations) == expected.map(\.activations))
                    #expect(kept.map(\.excerpt) == expected.map(\.excerpt))
                    #expect(kept.map(\.split) == expected.map(\.split))
                    let logits = try catalog.logits(dictionaryID: 1, featureIndex: feature)
                    #expect(logits.allSatisfy { $0.rank < 3 })
                }
                #expect(
                    try catalog.scores(dictionaryID: 1).map(\.value) == original.scores(dictionaryID: 1).map(\.value))
            }
        }
    }

    @Test("Invalid options are named") func wrongOptionsAreNamed() throws {
        let world = try KeepingWorld()
        let path = try world.catalog("c.sqlite", indexedOn: [world.parts[0]], corpus: "all")
        let packed = world.demo.directory.file("packed.sqlite")
        for settings in [PackSettings(dropBands: ["loud"]), PackSettings(contexts: -1), PackSettings(dtype: "f8")] {
            #expect(throws: WorkflowError.self) {
                try world.read(path) { try PackRun(settings: settings).run(from: $0, to: packed) }
            }
        }
    }
}
