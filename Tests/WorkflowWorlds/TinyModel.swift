import ActivationPipeline
package import FeatureCatalog
package import Foundation
import GRDB
import Indexing
import LinearAlgebra
import Safetensors
package import TestSupport
package import Training

/// A copy of a small model of the fixtures, to be changed, and catalogs made with it.
package struct TinyModel {
    package let directory: TemporaryDirectory
    package var path: String { directory.file("model") }
    package let text = fixture("cases/a.jsonl")

    package init() throws {
        directory = try TemporaryDirectory()
        try FileManager.default.copyItem(atPath: fixture("cases/tiny"), toPath: path)
    }

    package var settings: TrainingSettings {
        TrainingSettings(
            name: "d", model: path, text: [text], layers: [0, 1], latents: 32, k: 2, batchTokens: 256, steps: 4, seed: 1
        )
    }

    /// Trains a dictionary into a new catalog, and indexes it.
    package func catalog(_ name: String, indexed: Bool = true) throws -> String {
        let path = directory.file(name)
        try train([settings], catalog: path)
        if indexed { try index(path, corpus: "one") }
        return path
    }

    /// Indexes the text as a corpus.
    package func index(_ catalog: String, corpus: String) throws {
        try open(catalog) { catalog in
            _ = try IndexingRun(
                settings: IndexingSettings(model: path, text: [text], corpus: corpus), workers: Workers(threads: 2)
            ).run(on: catalog)
        }
    }

    package func open<Result>(_ path: String, _ body: (Catalog) throws -> Result) throws -> Result {
        let catalog = try Catalog.open(at: path, mode: .readWrite)
        defer { _ = try? catalog.close() }
        return try body(catalog)
    }

    /// Changes the tokenizer's file as JSON.
    package func changeTokenizer(
        _ change: (inout [String: Any]) -> Void, options: JSONSerialization.WritingOptions = []
    ) throws {
        let url = URL(filePath: path + "/tokenizer.json")
        guard var document = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] else {
            return
        }
        change(&document)
        try JSONSerialization.data(withJSONObject: document, options: options).write(to: url)
    }

    /// Gives the model the other tokenizer of the fixtures.
    package func exchangeTokenizer() throws {
        try FileManager.default.removeItem(atPath: path + "/tokenizer.json")
        try FileManager.default.copyItem(
            atPath: fixture("cases/other-tokenizer.json"), toPath: path + "/tokenizer.json")
    }

    /// Writes the same tensors to two shards with an index, in another order.
    package func reshard() throws {
        let whole = try SafetensorsFile(path: path + "/model.safetensors")
        var index: [String: String] = [:]
        for part in 0..<2 {
            let name = "model-part-\(part).safetensors"
            let own = whole.names.sorted().reversed().enumerated().filter { $0.offset % 2 == part }.map(\.element)
            let writer = try SafetensorsWriter(
                path: path + "/" + name,
                tensors: try own.map { (name: $0, dtype: .f32, shape: try whole.tensor($0).shape) },
                metadata: ["format": "pt"])
            for tensor in own {
                try writer.append(tensor, floats: try whole.floats(tensor))
                index[tensor] = name
            }
            try writer.finish()
        }
        try FileManager.default.removeItem(atPath: path + "/model.safetensors")
        try JSONSerialization.data(withJSONObject: ["weight_map": index])
            .write(to: URL(filePath: path + "/model.safetensors.index.json"))
    }

    /// Changes a catalog to what version 0.1 would have written: digests of files instead of contents.
    package func makeFormer(_ catalog: String) throws {
        func digest(_ name: String) throws -> (String, Int) {
            let data = try Data(contentsOf: URL(filePath: path + "/" + name))
            return (sha256(data), data.count)
        }

        let queue = try DatabaseQueue(path: catalog)
        try queue.write { database in
            let (weights, tokenizer) = (try digest("model.safetensors").0, try digest("tokenizer.json").0)
            try database.execute(
                sql: "UPDATE language_model SET sha256 = ?, tokenizer_sha256 = ?", arguments: [weights, tokenizer])
            for (former, new) in [
                ("model.safetensors", "weights"), ("config.json", "config.json"), ("tokenizer.json", "tokenizer.json"),
            ] {
                let (digest, bytes) = try digest(former)
                try database.execute(
                    sql: "UPDATE run_input SET name = ?, sha256 = ?, bytes = ? WHERE role = 'model' AND name = ?",
                    arguments: [former, digest, bytes, new])
            }
        }
        try queue.close()
    }
}

/// SHA-256 in hexadecimal, by a program that is there.
package func sha256(_ data: Data) -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["sha256sum"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    do { try process.start() } catch { return "" }
    input.fileHandleForWriting.write(data)
    try? input.fileHandleForWriting.close()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return String(text.prefix(64))
}
