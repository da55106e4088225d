import Foundation
package import LanguageModel
package import LinearAlgebra
package import Tokenization

/// What a folder of a language model holds, and everything in it that would be refused. No weights are read but the
/// small ones.
package struct ModelInspection {
    /// The folder.
    package let path: String
    /// Its publisher's name of the model, or the folder's own.
    package let name: String
    /// The decoder; nil if it is not supported.
    package private(set) var configuration: LanguageModelConfiguration?
    /// The tokenizer; nil if there is none that is supported.
    package private(set) var tokenizer: Tokenizer?
    /// Bytes of the weight files that are read; nil if they are not complete.
    package private(set) var weightBytes: Int?
    /// Whether there is an unembedding, so that there are logits.
    package private(set) var hasUnembedding = false
    /// Whether all weights are kept in memory.
    package private(set) var isResident = false
    /// Why the model would be refused, one line each; empty if it runs.
    package private(set) var problems: [String] = []

    /// Looks at a folder.
    ///
    /// - Throws: `WorkflowError.missing`, `.badInput` where there is no folder.
    package init(path: String, workers: Workers) throws {
        try ModelFolder.checkIsFolder(path)
        self.path = path
        name = ModelPublication(folder: path).name ?? URL(filePath: path).standardizedFileURL.lastPathComponent
        let isModel = attempt { try ModelDirectory.check(path) } != nil
        if isModel {
            configuration = attempt { try LanguageModelConfiguration(path: path + "/config.json") }
            if configuration != nil {
                let model = attempt {
                    try LanguageModel(directory: path, workers: workers, residency: .streamed)
                }
                weightBytes = model.map { Self.bytes(of: $0.weightPaths) }
                hasUnembedding = model?.hasUnembedding ?? false
            }
        }
        if attempt({ try ModelDirectory.checkTokenizer(path) }) != nil {
            tokenizer = attempt { try Tokenizer(directory: path) }
        }
        if let prefix = tokenizer?.prefix, prefix.count > 1 {
            problems.append(
                "\(path): its tokenizer puts \(prefix.count) tokens before a text, which is not supported (one is)")
        }
        if let configuration {
            isResident = ModelFolder.isResident(configuration)
            _ = attempt { try ModelFolder.checkMemory(directory: path, residency: .automatic) }
        }
    }

    /// Checks that the model and one pass fit into memory.
    ///
    /// - Throws: `WorkflowError.refused`.
    package func checkMemory() throws {
        if configuration != nil { try ModelFolder.checkMemory(directory: path, residency: .automatic) }
    }

    /// Whether they do.
    package var fitsMemory: Bool { (try? checkMemory()) != nil }

    /// Adds a problem that only others can see.
    package mutating func note(_ problem: String) { problems.append(problem) }

    private mutating func attempt<Result>(_ body: () throws -> Result) -> Result? {
        do { return try body() } catch {
            problems.append("\(error)")
            return nil
        }
    }

    private static func bytes(of paths: [String]) -> Int {
        paths.reduce(0) { sum, path in
            let target = URL(filePath: path).resolvingSymlinksInPath().path
            let size = try? FileManager.default.attributesOfItem(atPath: target)[.size] as? Int
            return sum + (size ?? 0)
        }
    }

    /// Bytes of memory that the model and one pass need.
    package var memoryBytes: Int? {
        configuration.map { Int(4 * ModelFolder.floats($0, .automatic)) }
    }
}
