import Crypto
import FeatureCatalog
import Foundation
import LanguageModel
import Tokenization

extension ModelFolder {
    /// The folder's own name, which stands for the model.
    var name: String { URL(filePath: path).standardizedFileURL.lastPathComponent }

    /// The weight files, in order of their names.
    var weightFiles: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".safetensors") }.sorted().map { path + "/" + $0 }
    }

    /// SHA-256 of the weight files' digests in order: one number for the model, however it is sharded.
    func weightsDigest() throws -> String {
        let digests = try weightFiles.map { try sha256(ofFile: $0).digest }
        return digests.count == 1 ? digests[0] : sha256(of: Data(digests.joined(separator: "\n").utf8))
    }

    /// What a run that uses the model records of it.
    func inputs() throws -> [RunInput] {
        try inputs(["config.json", "tokenizer.json"])
    }

    /// What a run records that lets the model write: also what says where a text ends, and how a chat is written.
    func inputs(steering settings: SteeringSettings) throws -> [RunInput] {
        var names = ["config.json", "tokenizer.json", LanguageModelConfiguration.generationFileName]
        // The first also names the special tokens that templates write.
        if settings.chat != nil { names += ["tokenizer_config.json", Tokenizer.chatTemplateFileName] }
        return try inputs(names.filter { FileManager.default.fileExists(atPath: path + "/" + $0) })
    }

    private func inputs(_ names: [String]) throws -> [RunInput] {
        try (weightFiles + names.map { path + "/" + $0 }).map { file in
            let (digest, bytes) = try sha256(ofFile: file)
            return RunInput(role: "model", name: URL(filePath: file).lastPathComponent, sha256: digest, bytes: bytes)
        }
    }

    /// The model as the catalog knows it.
    func record() throws -> LanguageModelRecord {
        let configuration = model.configuration
        return LanguageModelRecord(
            name: name,
            architecture: configuration.architecture.rawValue,
            layerCount: configuration.layerCount,
            dModel: configuration.dModel,
            vocabularySize: configuration.vocabularySize,
            configJSON: String(decoding: try Data(contentsOf: URL(filePath: path + "/config.json")), as: UTF8.self),
            sha256: try weightsDigest(),
            tokenizerSHA256: try sha256(ofFile: path + "/tokenizer.json").digest)
    }

    /// Checks layer numbers against the model.
    ///
    /// - Throws: `WorkflowError.usage` naming the first layer that the model lacks.
    func checkedLayers(_ layers: [Int]) throws -> [Int] {
        let count = model.configuration.layerCount
        if let wrong = layers.first(where: { !(0..<count).contains($0) }) {
            throw WorkflowError.usage("--layers names layer \(wrong); \(name) has decoder layers 0 … \(count - 1)")
        }
        return layers
    }
}
