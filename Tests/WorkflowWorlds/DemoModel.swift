package import ActivationPipeline
import Foundation
import LinearAlgebra
package import TestSupport

/// The shipped model and a little text, for tests that need a real one.
package struct DemoModel {
    package static let path = repositoryFile("Demo/model")
    /// Width of its residual stream.
    package static let width = 256
    package static let layerCount = 16
    package let folder: ModelFolder
    package let directory: TemporaryDirectory

    package init(threads: Int = 2) throws {
        directory = try TemporaryDirectory()
        folder = try ModelFolder(path: DemoModel.path, workers: Workers(threads: threads))
    }

    /// A few documents of different lengths, one longer than a context of 64.
    package static let texts = [
        "In the beginning God created the heaven and the earth. And the earth was without form, and void.",
        "And Arphaxad lived after he begat Salah four hundred and three years, and begat sons and daughters. "
            + String(repeating: "And Salah lived thirty years, and begat Eber: ", count: 12),
        "x",
        "The sqlite3_open() function returns SQLITE_OK on success. SELECT count(*) FROM t1 WHERE a > 5;",
    ]

    /// Copies the model to a folder, and changes one bit of its weights.
    package static func copyOtherwise(to folder: String) throws {
        try FileManager.default.copyItem(atPath: path, toPath: folder)
        let shard = URL(filePath: folder + "/model-00002-of-00002.safetensors")
        var bytes = try Data(contentsOf: shard)
        bytes[bytes.count - 100] ^= 1
        try FileManager.default.removeItem(at: shard)
        try bytes.write(to: shard)
    }

    /// Writes the documents as JSONL and returns the file's path.
    package func text(_ texts: [String] = DemoModel.texts) throws -> String {
        let lines = try texts.map {
            String(decoding: try JSONSerialization.data(withJSONObject: ["text": $0]), as: UTF8.self)
        }

        let path = directory.file("text.jsonl")
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
