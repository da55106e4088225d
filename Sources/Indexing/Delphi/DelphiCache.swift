import ActivationPipeline
import Foundation
import JSON
import Safetensors
import SparseCoding
import Tokenization
import Vocabulary

/// Writes every firing of an indexed text as the latents cache of EleutherAI's delphi (eai-delphi 0.1.3), whose explainers
/// and scorers read it in place of running a model.
///
/// `HOOK/FIRST_LAST.safetensors` hold, each for a fifth of the latents, `locations` `[firings, 3]` (sequence, position,
/// latent − FIRST), `activations` f16 `[firings]` and `tokens` i64 `[sequences, 256]`; `HOOK/config.json` says where they
/// come from. The sequences are the segments as the model read them, with the tokens put in front of each, joined and cut
/// every 256 tokens; the last, if it is shorter, is left out, as delphi does. Tokens in front have no firings. A
/// dictionary that reads several layers has one hook for all.
final class DelphiCache {
    /// Tokens of a sequence.
    static let sequenceLength = 256
    /// Files; fewer where there are fewer latents.
    static let splitCount = 5
    /// Firings of this size or less are no firings, as in delphi.
    static let smallest: Float = 1e-5

    private let folder: String
    private let splits: [DelphiSplit]
    private let tokens: SpoolFile
    /// Tokens so far.
    private var tokenCount = 0
    /// Firings that no 16-bit float holds.
    private(set) var clampedCount = 0

    /// Prepares the folder of a hook.
    ///
    /// - Parameters:
    ///   - folder: the cache's folder, which is there.
    ///   - configuration: of the dictionary.
    /// - Throws: `WorkflowError.cannotWrite`.
    init(in folder: String, for configuration: DictionaryConfiguration) throws(WorkflowError) {
        let folder = "\(folder)/\(Self.hook(of: configuration.layers))"
        self.folder = folder
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        } catch {
            throw .cannotWrite(path: folder, problem: error.systemReason)
        }
        let count = min(Self.splitCount, configuration.latents)
        var splits: [DelphiSplit] = []
        for split in 0..<count {
            let range = configuration.latents * split / count..<configuration.latents * (split + 1) / count
            splits.append(try DelphiSplit(range, in: folder))
        }
        self.splits = splits
        tokens = try SpoolFile("\(folder)/tokens.spool")
    }

    /// `layers.3`, as sparsify names the output of decoder layer 3; of several layers `layers.3-11` or `layers.3,5,7`.
    static func hook(of layers: [Int]) -> String { "layers.\(LayerSpan.text(of: layers))" }

    /// Adds segments that have been read, in the order of the text.
    ///
    /// - Parameter firings: a row for each of the segments' own tokens.
    /// - Throws: `WorkflowError.cannotWrite`; `.refused` for a text beyond 2³² sequences.
    func append(_ segments: [TokenSegment], _ firings: TokenLatents) throws(WorkflowError) {
        var row = 0
        for segment in segments {
            for (place, token) in segment.tokens.enumerated() {
                try tokens.append(withUnsafeBytes(of: token.littleEndian) { Array($0) })
                if place >= segment.prefix {
                    try append(row: row, of: firings)
                    row += 1
                }
                tokenCount += 1
            }
        }
        guard tokenCount / Self.sequenceLength < Int(UInt32.max) else {
            throw .refused("`delphiCache`: the text is longer than such a cache can be; limit `maximumTokens`")
        }
    }

    private func append(row: Int, of firings: TokenLatents) throws(WorkflowError) {
        let latents = firings.latents
        let (indices, activations) = (latents.indices(of: row), latents.activations(of: row))
        for slot in 0..<Int(latents.counts[row]) where abs(activations[slot]) > Self.smallest {
            let latent = Int(indices[slot])
            var activation = Float16(activations[slot])
            if !activation.isFinite {
                clampedCount += 1
                activation = activations[slot] < 0 ? -.greatestFiniteMagnitude : .greatestFiniteMagnitude
            }
            guard let split = splits.first(where: { $0.latents.contains(latent) }) else { continue }
            try split.append(
                sequence: tokenCount / Self.sequenceLength, position: tokenCount % Self.sequenceLength, latent: latent,
                activation: activation)
        }
    }

    /// Writes the files.
    ///
    /// - Parameters:
    ///   - model: what loads the tokenizer in transformers: a name or a path.
    ///   - source: what the text is called.
    /// - Throws: `WorkflowError.cannotWrite`, `.refused` where the text is shorter than one sequence; `SafetensorsError`.
    func finish(model: String, source: String) throws {
        let sequences = tokenCount / Self.sequenceLength
        guard sequences > 0 else {
            throw WorkflowError.refused(
                "`delphiCache`: the text has \(tokenCount) tokens, and a sequence of the cache \(Self.sequenceLength); "
                    + "index more text")
        }
        for split in splits {
            try split.write(to: folder, sequences: sequences, length: Self.sequenceLength, tokens: tokens)
        }
        tokens.remove()
        var writer = JSONWriter()
        writer.layout = .indented
        writer.sortsMembers = false
        let text = writer.text(
            .object([
                "dataset_repo": .string(source), "dataset_split": .string(""), "dataset_name": .string(""),
                "dataset_column": .string("text"), "batch_size": .integer(32),
                "cache_ctx_len": .integer(Self.sequenceLength), "ctx_len": .integer(Self.sequenceLength),
                "n_tokens": .integer(sequences * Self.sequenceLength), "n_splits": .integer(splits.count),
                "model_name": .string(model),
            ]))
        do { try Data((text + "\n").utf8).write(to: URL(filePath: folder + "/config.json")) } catch {
            throw WorkflowError.cannotWrite(path: folder + "/config.json", problem: error.systemReason)
        }
    }
}
