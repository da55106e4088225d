import Crypto
package import FeatureCatalog
import Foundation
import LanguageModel
import Tokenization

extension ModelFolder {
    /// All weight files in the folder, read or not, in order of their names.
    package var weightFiles: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".safetensors") }.sorted().map { path + "/" + $0 }
    }

    /// One digest of the tensors that are read, the same however they are sharded.
    func weightsDigest() throws -> String { try identity.weights().digest }

    /// Whether a digest is that of the model's weights. Digests of versions up to 0.1 count as well: the SHA-256 of the
    /// weight file, or of the files' digests in order.
    package func hasWeights(_ digest: String) throws -> Bool {
        if try weightsDigest() == digest { return true }
        return try Set([weightFiles, model.weightPaths]).contains { files in
            let digests = try files.map { try identity.file($0).digest }
            let one = digests.count == 1 ? digests[0] : sha256(of: Data(digests.joined(separator: "\n").utf8))
            return one == digest
        }
    }

    /// The inputs that a run records of the model: digests of the weights that are read, of the configuration's part in
    /// the computation, and of what the tokenizer does.
    ///
    /// - Parameter generating: for a run that generates text: also the end tokens, and these files of the folder where
    ///   they exist.
    package func inputs(generating files: [String]? = nil) throws -> [RunInput] {
        let parts = [
            ("weights", try identity.weights()), ("config.json", identity.configuration(withEnds: files != nil)),
            ("tokenizer.json", identity.tokenization()),
        ]
        let present = (files ?? []).filter { FileManager.default.fileExists(atPath: path + "/" + $0) }
        return try parts.map { RunInput(role: "model", name: $0, sha256: $1.digest, bytes: $1.bytes) }
            + fileInputs(present)
    }

    /// The inputs as versions up to 0.1 recorded them: all weight files of the folder, or only those that are read.
    package func formerInputs() throws -> [[RunInput]] {
        try Set([weightFiles, model.weightPaths]).map { files in
            try fileInputs(files.map { URL(filePath: $0).lastPathComponent } + ["config.json", "tokenizer.json"])
        }
    }

    private func fileInputs(_ names: [String]) throws -> [RunInput] {
        try names.map { name in
            let (digest, bytes) = try identity.file(path + "/" + name)
            return RunInput(role: "model", name: name, sha256: digest, bytes: bytes)
        }
    }

    /// The model's row for a catalog that does not have it yet.
    func record() throws -> LanguageModelRecord {
        let configuration = model.configuration
        return LanguageModelRecord(
            name: name, revision: publication.revision,
            architecture: configuration.family.rawValue,
            layerCount: configuration.layerCount,
            dModel: configuration.dModel,
            vocabularySize: configuration.vocabularySize,
            configJSON: String(decoding: try Data(contentsOf: URL(filePath: path + "/config.json")), as: UTF8.self),
            sha256: try weightsDigest(),
            tokenizerSHA256: identity.tokenization().digest)
    }

    /// Checks layer numbers against the model.
    ///
    /// - Throws: `WorkflowError.usage` naming the first layer that the model lacks.
    package func checkedLayers(_ layers: [Int]) throws -> [Int] {
        let count = model.configuration.layerCount
        if let wrong = layers.first(where: { !(0..<count).contains($0) }) {
            throw WorkflowError.usage("`layers` names layer \(wrong); \(name) has decoder layers 0 … \(count - 1)")
        }
        return layers
    }
}
