import FeatureCatalog
import Foundation
package import LanguageModel
package import LinearAlgebra
package import Tokenization

/// A language model and its tokenizer, opened from a folder in Hugging Face layout.
package struct ModelFolder: Sendable {
    /// The folder.
    package let path: String
    /// The model.
    package let model: LanguageModel
    /// Its tokenizer.
    package let tokenizer: Tokenizer
    /// Digests by which the model is recognised, whatever its files are called.
    let identity: ModelIdentity
    /// The public model that the folder holds, if it says so.
    let publication: ModelPublication

    /// The model's name in a catalog: the name that was given, its publisher's, or the folder's own.
    package var name: String { givenName ?? publication.name ?? folderName }

    /// The name given on the command line; it takes precedence.
    var givenName: String?

    private var folderName: String { URL(filePath: path).standardizedFileURL.lastPathComponent }

    /// Opens both. A tokenizer may have more tokens than the model has rows; such a token is an error once it occurs.
    ///
    /// - Parameters:
    ///   - residency: where the weights are while the model runs.
    ///   - precision: of the model's products; nil means f32. What encodes its streams takes the same.
    /// - Throws: `WorkflowError.missing` for a folder that is not there, `.badInput` for a file in its place and for a
    ///   tokenizer that puts several tokens before a text; what `LanguageModel` and `Tokenizer` throw.
    package init(
        path: String, workers: Workers, residency: WeightResidency = .automatic, name: String? = nil,
        precision: Precision? = nil
    ) throws {
        try ModelFolder.checkIsFolder(path)
        try ModelDirectory.check(path)
        try ModelDirectory.checkTokenizer(path)
        self.path = path
        tokenizer = try Tokenizer(directory: path)
        guard tokenizer.prefix.count <= 1 else {
            throw WorkflowError.badInput(
                path: path,
                problem:
                    "its tokenizer puts \(tokenizer.prefix.count) tokens before a text, which is not supported (one is); "
                    + "tools/export_activations.py exports the activations of any model for training")
        }
        try ModelFolder.checkMemory(directory: path, residency: residency)
        model = try LanguageModel(
            directory: path, workers: workers, residency: residency, precision: precision ?? .f32)
        identity = ModelIdentity(model: model, tokenizer: tokenizer, workers: workers)
        publication = ModelPublication(folder: path)
        givenName = name
    }

    /// Checks that there is a folder.
    ///
    /// - Throws: `.missing`, with what to do for a name on the Hugging Face hub; `.badInput` for a file.
    package static func checkIsFolder(_ path: String) throws(WorkflowError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .missing(path: path, what: "model folder" + (hubName(path).map(download) ?? ""))
        }
        guard !isFolder.boolValue else { return }
        guard !path.hasSuffix(".gguf") else {
            throw .badInput(
                path: path,
                problem:
                    "is a GGUF file, for llama.cpp; name a folder in Hugging Face layout (config.json, tokenizer.json, "
                    + "model.safetensors)")
        }

        let folder = URL(filePath: path).deletingLastPathComponent().relativePath
        throw .badInput(path: path, problem: "is a file; name the folder of the model, such as \(folder)")
    }

    /// A path read as a name on the Hugging Face hub; nil if it cannot be one.
    private static func hubName(_ path: String) -> String? {
        var name = path[...]
        for prefix in ["https://huggingface.co/", "http://huggingface.co/", "huggingface.co/", "hf://"]
        where name.hasPrefix(prefix) {
            name = name.dropFirst(prefix.count)
        }
        while name.hasSuffix("/") { name = name.dropLast() }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isName =
            parts.count == 2
            && parts.allSatisfy { part in
                part.first.map { $0.isLetter || $0.isNumber } == true
                    && part.utf8.allSatisfy { byte in
                        Character(Unicode.Scalar(byte)).isLetter && byte < 0x80 || (0x30...0x39).contains(byte)
                            || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
                    }
            }
        // With a folder of that name it is a path.
        return isName && !FileManager.default.fileExists(atPath: String(parts[0])) ? String(name) : nil
    }

    private static func download(_ name: String) -> String {
        "; if it is a name on the Hugging Face hub, download it (hf download \(name) --local-dir DIR) and name DIR"
    }

    /// Opens both for generating text. Every token reads all weights, so they are kept in memory if they take at most
    /// half of it.
    package static func decoding(
        path: String, workers: Workers, precision: Precision? = nil
    ) throws -> ModelFolder {
        let folder = try ModelFolder(path: path, workers: workers, precision: precision)
        let bytes = Double(folder.model.configuration.parameterCount) * Double(MemoryLayout<Float>.size)
        guard folder.model.residency == .streamed, 2 * bytes <= MemoryBudget.machine.limit else { return folder }
        return try ModelFolder(path: path, workers: workers, residency: .resident, precision: precision)
    }

    /// The token that fills up a text: the padding token, else the end token; token 0 if the model has no row for them.
    package var paddingToken: TokenID {
        let known = 0..<TokenID(model.configuration.vocabularySize)
        return [tokenizer.padTokenID, tokenizer.eosTokenID].compactMap(\.self).first(where: known.contains) ?? 0
    }

    /// How many tokens the model sees at once unless told otherwise: all its positions, 2048 at most.
    package var defaultContext: Int { min(model.configuration.maximumPositions, 2048) }

    /// Checks a context length; nil takes the default.
    package func context(_ asked: Int?) throws -> Int {
        let most = model.configuration.maximumPositions
        guard let asked else { return defaultContext }
        guard (2...most).contains(asked) else {
            throw WorkflowError.usage("`context` is \(asked); this model takes 2 … \(most) tokens")
        }
        return asked
    }
}
