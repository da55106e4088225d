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

    /// One number for the model's weights, however they are sharded: of the tensors that are read.
    func weightsDigest() throws -> String { try identity.weights().digest }

    /// Whether a digest is that of the model's weights. What versions up to 0.1 wrote is recognised: the SHA-256 of the
    /// weight file, or of the files' digests in order.
    package func hasWeights(_ digest: String) throws -> Bool {
        if try weightsDigest() == digest { return true }
        return try Set([weightFiles, model.weightPaths]).contains { files in
            let digests = try files.map { try identity.file($0).digest }
            let one = digests.count == 1 ? digests[0] : sha256(of: Data(digests.joined(separator: "\n").utf8))
            return one == digest
        }
    }

    /// What a run that uses the model records of it: digests of the weights that are read, of what the configuration says
    /// of the computation, and of what the tokenizer does.
    ///
    /// - Parameter generating: for a run that lets the model write: also what says where a text ends, and these files of
    ///   the folder, as far as they exist.
    package func inputs(generating files: [String]? = nil) throws -> [RunInput] {
        let parts = [
            ("weights", try identity.weights()), ("config.json", identity.configuration(withEnds: files != nil)),
            ("tokenizer.json", identity.tokenization()),
        ]
        let present = (files ?? []).filter { FileManager.default.fileExists(atPath: path + "/" + $0) }
        return try parts.map { RunInput(role: "model", name: $0, sha256: $1.digest, bytes: $1.bytes) }
            + fileInputs(present)
    }

    /// What versions up to 0.1 recorded: all weight files of the folder, which may have been those that are read alone.
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

    /// The model as a catalog knows it, if it holds no such model yet.
    func record() throws -> LanguageModelRecord {
        let configuration = model.configuration
        return LanguageModelRecord(
            name: name, revision: publication.revision,
            architecture: configuration.architecture.rawValue,
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
