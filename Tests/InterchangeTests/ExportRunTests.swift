import ActivationPipeline
import DictionaryExchange
import FeatureCatalog
import Foundation
import Interchange
import LinearAlgebra
import TestSupport
import Testing
import Training
import Vocabulary
import WorkflowWorlds

@Suite struct ExportRunTests {
    private let tiny: TinyModel

    init() throws { tiny = try TinyModel() }

    private func file(_ name: String) -> String { tiny.directory.file(name) }

    private func trained(_ architecture: Architecture, dtype: String = "f32") throws -> String {
        var settings = tiny.settings
        settings.shape.architecture = architecture
        settings.dtype = dtype
        if architecture.readsOneLayer { settings.shape.layers = [1] }
        if architecture.activeLatents == .penalised { settings.shape.k = nil }
        let path = file("\(architecture)-\(dtype).sqlite")
        try train([settings], catalog: path)
        return path
    }

    private func importing(_ folder: String, into path: String) throws -> [TensorRecord] {
        let catalog = try Catalog.create(at: path, replacing: true)
        defer { _ = try? catalog.close() }
        let result = try ImportRun(ImportSettings(path: folder), workers: Workers(threads: 1)).run(into: catalog)
        return try catalog.tensors(dictionaryID: result[0].dictionaryID)
    }

    @Test("Exported and imported again the weights are the same", arguments: ["f32", "bf16"])
    func thereAndBackTheWeightsAreTheSame(dtype: String) throws {
        for (format, architecture) in [
            (ExportFormat.saelens, Architecture.topk), (.saelens, .vanilla), (.saelens, .gated), (.sparsify, .topk),
        ] {
            let path = try trained(architecture, dtype: dtype)
            let folder = file("\(format)-\(architecture)-\(dtype)")
            let original = try tiny.open(path) { catalog in
                _ = try ExportRun(dictionary: nil, folder: folder, format: format).run(from: catalog)
                return try catalog.tensors(dictionaryID: 1)
            }
            #expect(try importing(folder, into: file("again")) == original, "\(format) \(architecture)")
        }
    }

    @Test func aFolderThatIsThereIsLeftAlone() throws {
        let path = try trained(.topk)
        try FileManager.default.createDirectory(atPath: file("out"), withIntermediateDirectories: false)
        try tiny.open(path) { catalog in
            for folder in ["out", "nowhere/out", String(repeating: "n", count: 250)] {
                #expect(throws: WorkflowError.self, "\(folder)") {
                    try ExportRun(dictionary: nil, folder: file(folder), format: .saelens).run(from: catalog)
                }
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: file("out")).isEmpty)
    }

    @Test func whatCannotBeSaidIsRefusedAndLeavesNothing() throws {
        let path = try trained(.crosscoder)
        _ = try tiny.open(path) { catalog in
            #expect(throws: ExportRefusal.self) {
                try ExportRun(dictionary: nil, folder: file("out"), format: .saelens).run(from: catalog)
            }
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: tiny.directory.path)
        #expect(!left.contains { $0.hasPrefix("out") })
    }

    @Test func aDraftOfAProcessThatIsGoneIsRemoved() throws {
        let mark = ProcessMark.current.name.split(separator: "-")
        let dead = "\(file("out")).\(mark[0])-4194303-1-.partial"
        let elsewhere = "\(file("out")).\(mark[0])other-4194303-1-.partial"
        for folder in [dead, elsewhere] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        }
        try OutputFolder.make(file("out")) { draft in
            #expect(draft.hasPrefix(file("out") + "."))
            try Data().write(to: URL(filePath: draft + "/a"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: file("out")) == ["a"])
        #expect(!FileManager.default.fileExists(atPath: dead))
        // Of a process on another machine nobody here knows whether it has ended.
        #expect(FileManager.default.fileExists(atPath: elsewhere))
    }
}
