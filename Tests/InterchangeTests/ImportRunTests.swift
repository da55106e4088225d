import ActivationPipeline
import DictionaryExchange
import Evaluation
import FeatureCatalog
import Foundation
import Indexing
import Interchange
import JSON
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Vocabulary
import WorkflowWorlds

@Suite struct ImportRunTests {
    private let tiny: TinyModel
    private let workers = Workers(threads: 2)

    init() throws { tiny = try TinyModel() }

    private func file(_ name: String) -> String { tiny.directory.file(name) }

    private func importing(
        _ settings: ImportSettings, into path: String
    ) throws -> [ImportRun.Result] {
        let exists = FileManager.default.fileExists(atPath: path)
        let catalog = try exists ? Catalog.open(at: path, mode: .readWrite) : Catalog.create(at: path, replacing: false)
        defer { _ = try? catalog.close() }
        return try ImportRun(settings, workers: workers).run(into: catalog)
    }

    @Test func anImportIsARunWithItsFiles() throws {
        try ForeignSAE().write(to: file("sae"))
        let result = try importing(ImportSettings(path: file("sae"), name: "theirs", model: tiny.path), into: file("c"))
        #expect(result.map(\.name) == ["theirs"] && result[0].format == .saelens && result[0].modelName == "tiny")
        try tiny.open(file("c")) { catalog in
            let record = try catalog.dictionary(named: "theirs")
            #expect(record.rules.input == .none && record.rules.selection == .activation && record.layers == [1])
            #expect(record.k == 4 && record.latentCount == 40 && record.languageModelID != nil)
            let run = try catalog.run(record.runID)
            #expect(run.kind == .import && run.status == .complete)
            let inputs = try catalog.runInputs(run.runID)
            #expect(
                inputs.filter { $0.role != "model" }.map(\.name).sorted() == ["cfg.json", "sae_weights.safetensors"])
            for input in inputs where input.role != "model" {
                let digest = try sha256(ofFile: file("sae/\(input.name)")).digest
                #expect(input.sha256 == digest)
            }
            let source = try catalog.rows(
                sql: "SELECT config ->> '$.source.model', config ->> '$.source.hook' FROM dictionary")
            #expect(source.rows == [[.text("tiny"), .text("blocks.1.hook_resid_post")]])
            #expect(try catalog.verify() == [])
        }
    }

    @Test("Everything works on an imported dictionary", arguments: ["none", "layer_norm", "constant_norm_rescale"])
    func anImportedDictionaryIsIndexedAndEvaluated(normalization: String) throws {
        try ForeignSAE(normalization: normalization, rescales: true).write(to: file("sae"))
        _ = try importing(ImportSettings(path: file("sae"), name: "s"), into: file("c"))
        try tiny.index(file("c"), corpus: "one")
        try tiny.open(file("c")) { catalog in
            let results = try EvaluationRun(
                settings: EvaluationSettings(dictionary: "s", model: tiny.path, text: [tiny.text]), workers: workers
            ).run(on: catalog)
            #expect(results.count == 1)
            // Of the rows in the file, though the encoder has them with unit norm.
            #expect(try catalog.verify() == [])
            let norms = try catalog.rows(sql: "SELECT count(DISTINCT round(decoder_norm, 3)) > 5 FROM feature")
            #expect(norms.rows == [[.integer(1)]])
        }
    }

    @Test func aFolderOfSeveralGivesAllOrThoseOfALayer() throws {
        for layer in 0..<3 { try ForeignSAE(layer: layer).write(to: file("run/layer-\(layer)")) }
        let all = try importing(ImportSettings(path: file("run"), name: "x"), into: file("c"))
        #expect(all.map(\.name) == ["x-l0", "x-l1", "x-l2"])
        let one = try importing(ImportSettings(path: file("run"), name: "y", layers: [2]), into: file("c"))
        #expect(one.map(\.name) == ["y"] && one[0].configuration.layers == [2])
        try tiny.open(file("c")) { catalog in
            // One run for all that were found together.
            let runs = try catalog.dictionaries().map(\.runID)
            #expect(Set(runs).count == 2)
        }
    }

    @Test func aNameThatIsTakenIsRefused() throws {
        try ForeignSAE().write(to: file("sae"))
        _ = try importing(ImportSettings(path: file("sae"), name: "a"), into: file("c"))
        #expect(throws: WorkflowError.self) {
            try importing(ImportSettings(path: file("sae"), name: "a"), into: file("c"))
        }
        // A name that nobody asked for gives way.
        let names = try (0..<2).map { _ in try importing(ImportSettings(path: file("sae")), into: file("c"))[0].name }
        #expect(names == ["sae", "sae-2"])
        #expect(throws: WorkflowError.self) {
            try ImportRun(ImportSettings(path: file("sae"), name: ""), workers: workers)
        }
    }

    @Test func ofSeveralNoneIsImportedIfOneIsDamaged() throws {
        for layer in 0..<3 {
            try ForeignSAE(layer: layer, firstValue: layer == 2 ? .nan : nil).write(to: file("run/layer-\(layer)"))
        }
        let path = file("c")
        let catalog = try Catalog.create(at: path, replacing: false)
        defer { _ = try? catalog.close() }
        let run = try ImportRun(ImportSettings(path: file("run")), workers: workers)
        do {
            _ = try run.run(into: catalog)
            Issue.record("a NaN was imported")
        } catch let error as ForeignDictionaryError {
            #expect(error.description.contains("W_dec") && error.description.contains("NaN"))
        }
        #expect(try catalog.dictionaries().isEmpty)
        #expect(try catalog.runs().map(\.status) == [.failed])
        #expect(try catalog.verify() == [])
    }

    @Test func aModelThatDoesNotFitIsRefused() throws {
        try ForeignSAE(d: 24).write(to: file("wide"))
        try ForeignSAE(layer: 7).write(to: file("deep"))
        for name in ["wide", "deep"] {
            #expect(throws: WorkflowError.self, "\(name)") {
                try ImportRun(ImportSettings(path: file(name), model: tiny.path), workers: workers)
            }
        }
    }

    @Test func weightsKeepTheirType() throws {
        try ForeignSAE(dtype: .bf16).write(to: file("sae"))
        _ = try importing(ImportSettings(path: file("sae")), into: file("c"))
        try tiny.open(file("c")) { catalog in
            let types = try catalog.tensors(dictionaryID: 1).map(\.dataType)
            #expect(Set(types) == [.bf16])
        }
    }

    @Test func settingsSurviveJSON() throws {
        let settings = ImportSettings(
            path: "a", format: .gemmaScope, name: "n", layers: [3], k: 5, architecture: .route, routing: .soft,
            aggregation: .mean, fidelity: .reference, model: "m")
        let json = try canonicalJSON(settings)
        #expect(json.contains("\"from\":\"gemma-scope\""))
        #expect(try canonicalJSON(JSONDecoder().decode(ImportSettings.self, from: Data(json.utf8))) == json)
    }
}
