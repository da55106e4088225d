import Foundation
import JSON
import SparseCoding
import Vocabulary

/// Reads a dictionary of Qwen-Scope: `layerL.sae.pt`, a TopK of the residual stream behind decoder layer L.
///
/// `W_enc [m, d]`, `W_dec [d, m]`, `b_enc`, `b_dec`; x is read as it is and `b_dec` not subtracted. m and k stand in the
/// repository's name only: `SAE-Res-Qwen3-1.7B-Base-W32K-L0_50` has 32 · 1024 latents and k = 50.
enum QwenScopeReader {
    /// Reads a file.
    ///
    /// - Throws: `ForeignDictionaryError`, `WeightFileError`.
    static func read(_ path: String, _ context: ReadingContext) throws -> ForeignDictionary {
        let names = PathNames(path)
        let release = (names.last(holding: "SAE-Res-") ?? names.last(holding: "-L0_")).map(Release.init)
        var tensors = TensorMapping(try PyTorchFile(path: path))
        let (m, d) = try tensors.extents("W_enc")
        if let said = release?.latents, said != m {
            throw ForeignDictionaryError(
                .malformed, path,
                "tensor \"W_enc\" has \(m) latents; expected \(said), as the folder's name says")
        }
        let layer = try context.layer(layer(named: names.components.last ?? ""), in: path)
        let k = try context.k(release?.k, in: path)
        let made = try ForeignDictionary.configuration(at: path) { () throws(SparseCodingError) in
            try DictionaryConfiguration(
                architecture: .topk, dModel: d, latents: m, k: k, layers: [layer], input: .none,
                subtractsPreBias: false)
        }
        try tensors.take("encoder", from: "W_enc", [m, d])
        try tensors.takeTransposed("decoder", from: "W_dec", rows: m, columns: d)
        try tensors.take("latent_bias", from: "b_enc", [m])
        try tensors.take("pre_bias", from: "b_dec", [d])
        var details = JSONObject()
        details["release"] = release.map { .string($0.name) }
        return ForeignDictionary(
            format: .qwenScope, configuration: made, tensors: try tensors.finish("a Qwen-Scope dictionary"),
            files: [ForeignFile(path: path, role: "weights")], suggestedName: "", modelName: release?.modelName,
            repository: names.repository ?? release?.name, hook: nil, details: details, remarks: [])
    }

    /// The layer of a file `layerL.sae.pt`.
    static func layer(named file: String) -> Int? {
        guard file.hasSuffix(".sae.pt") else { return nil }
        return HookPoint.number(after: "layer", in: String(file.dropLast(".sae.pt".count)))
    }

    /// What a repository's name says.
    private struct Release {
        /// The name.
        let name: String
        /// The language model; nil if the name has another form.
        var modelName: String?
        /// m.
        var latents: Int?
        /// k.
        var k: Int?

        init(_ name: String) {
            self.name = name
            k = name.firstMatch(of: /-L0_([0-9]{1,6})/).flatMap { Int($0.1) }
            latents = name.firstMatch(of: /-W([0-9]{1,5})K-/).flatMap { Int($0.1) }.map { $0 * 1024 }
            modelName = name.firstMatch(of: /SAE-Res-(.+)-W[0-9]+K-/).map { "Qwen/\($0.1)" }
        }
    }
}
