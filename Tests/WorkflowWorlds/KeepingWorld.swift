package import FeatureCatalog
import Foundation
package import Indexing
import LinearAlgebra
import TestSupport
import Training

/// A small dictionary of the shipped model, and catalogs of it that are indexed on texts.
package struct KeepingWorld {
    package static let context = 48
    static let options = IndexingOptions(
        context: context, topContexts: 4, sampleContexts: 5, quietContexts: 3, window: 16)

    package let demo: DemoModel
    /// Documents of two parts, one file each.
    package let parts: [String]
    private let trained: String

    package init(seed: UInt64 = 1) throws {
        demo = try DemoModel()
        let words = "and the king begat sons who said unto him that all the earth is void".split(separator: " ")
        var generator = CounterGenerator(seed: 9, stream: "words")
        func document(_ count: Int) -> String {
            (0..<count).map { _ in String(words[generator.index(below: words.count)]) }.joined(separator: " ")
        }

        let texts = [DemoModel.texts + (0..<4).map { _ in document(90) }, (0..<6).map { _ in document(120) }]
        var files: [String] = []
        // What the dictionary is trained on stays where it was found; the other part is the test's own.
        let folders = [try TemporaryDirectory.ofProcess.get(), demo.directory]
        for (number, documents) in texts.enumerated() {
            let path = folders[number].file("part\(number).jsonl")
            files.append(path)
            guard !FileManager.default.fileExists(atPath: path) else { continue }
            let lines = try documents.map {
                String(decoding: try JSONSerialization.data(withJSONObject: ["text": $0]), as: UTF8.self)
            }
            try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        }
        parts = files
        trained = demo.directory.file("trained.sqlite")
        try MadeOnce.catalog("kept \(seed)", at: trained) { trained in
            try train(
                [
                    TrainingSettings(
                        name: "d", model: DemoModel.path, text: [files[0]], latents: 64, k: 4, batchTokens: 64,
                        steps: 6, context: Self.context, seed: seed)
                ], catalog: trained)
        }
    }

    /// Writes a part of its own.
    package func part(_ name: String, _ texts: [String]) throws -> String {
        let path = demo.directory.file(name)
        try texts.map { String(decoding: try JSONSerialization.data(withJSONObject: ["text": $0]), as: UTF8.self) }
            .joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// A copy of the trained catalog, indexed on files.
    package func catalog(_ name: String, indexedOn files: [String], corpus: String, seed: UInt64 = 5) throws -> String {
        let path = try trainedCatalog(name)
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        try index(catalog, files, corpus: corpus, seed: seed)
        return path
    }

    /// A copy of the trained catalog, not indexed.
    package func trainedCatalog(_ name: String) throws -> String {
        let path = demo.directory.file(name)
        try FileManager.default.copyItem(atPath: trained, toPath: path)
        return path
    }

    package func settings(_ files: [String], corpus: String, seed: UInt64 = 5) -> IndexingSettings {
        IndexingSettings(
            dictionary: "d", model: DemoModel.path, text: files, corpus: corpus, options: Self.options, seed: seed)
    }

    /// Indexes an open catalog.
    func index(_ catalog: Catalog, _ files: [String], corpus: String, seed: UInt64 = 5) throws {
        _ = try IndexingRun(
            settings: settings(files, corpus: corpus, seed: seed), workers: Workers(threads: 2)
        ).run(on: catalog)
    }

    /// Opens a catalog for reading while `body` runs.
    package func read<Value>(_ path: String, _ body: (Catalog) throws -> Value) throws -> Value {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        return try body(catalog)
    }
}
