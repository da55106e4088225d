import ActivationPipeline
package import FeatureCatalog
package import LinearAlgebra
import Safetensors
import SparseCoding
import Vocabulary

/// Runs activations of a file through a dictionary and writes what comes out.
///
/// The output holds, for n tokens of width d:
/// - `reconstruction` f32 `[n, d]`, in the units of the residual stream; `[n, layers, d]` of a dictionary that reads every
///   layer; of a soft router's mixture in those of the mixture;
/// - `indices` i32 and `values` f32 `[n, k]`: the active latents, ascending. Without a k they are as many as are active
///   on the token that has most, and other tokens have further latents, with the value 0. Or, dense,
/// - `latents` f32 `[n, m]`;
/// - `layers` i32 `[n]`: the decoder layer that was read, of a dictionary that chooses one.
///
/// Of an MLSAE, which encodes every layer of a token, `indices`, `values` and `latents` have the layers as their second
/// extent.
package struct EncodingRun {
    /// The dictionary, by name or number; nil takes the one added last.
    package let dictionary: String?
    /// The file of activations.
    package let activations: String
    /// The file to write.
    package let output: String
    /// Whether all latents are written, instead of the active ones.
    package let isDense: Bool
    /// Whether a file that is there is replaced.
    package let overwriting: Bool

    /// Tokens that are encoded at once.
    private static let piece = 1024

    /// Describes a run.
    package init(dictionary: String?, activations: String, output: String, isDense: Bool, overwriting: Bool) {
        self.dictionary = dictionary
        self.activations = activations
        self.output = output
        self.isDense = isDense
        self.overwriting = overwriting
    }

    /// What was written.
    package struct Result: Sendable {
        /// The dictionary's name.
        package let name: String
        /// Number of tokens.
        package let tokens: Int
        /// Mean number of active latents of a sample.
        package let meanActive: Double
    }

    /// Encodes.
    ///
    /// - Throws: `WorkflowError`, `CatalogError`, `SparseCodingError` for activations that do not fit or are not finite,
    ///   `SafetensorsError`. Nothing is left behind then.
    package func run(
        on catalog: Catalog, workers: Workers, cancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Result {
        try OutputFile.check(output, overwriting: overwriting, inputs: [activations, catalog.path])
        let stored = try StoredDictionary(named: dictionary, in: catalog)
        let source = try EncodedActivations(path: activations, for: stored.configuration)
        let encoder = DictionaryEncoder(
            configuration: stored.configuration, weights: stored.weights, workers: workers)
        // Without a k the widest token is only known once all have been encoded.
        let passes = !isDense && stored.configuration.k == nil ? 2 : 1
        func encode(_ pass: Int, _ body: (EncodedPiece) throws -> Void) throws {
            for start in stride(from: 0, to: source.tokens, by: Self.piece) {
                if cancelled() { throw WorkflowError.interrupted("\(output): was not written") }
                let tokens = start..<min(start + Self.piece, source.tokens)
                try body(EncodedPiece(try source.batch(tokens), encoder))
                progress(pass * source.tokens + tokens.upperBound, passes * source.tokens)
            }
        }
        var width = stored.configuration.k ?? 0
        if passes == 2 { try encode(0) { width = max(width, $0.mostActive) } }
        let writer = try EncodingWriter(
            path: output, encoder, tokens: source.tokens, width: isDense ? nil : width, overwriting: overwriting,
            metadata: ["dictionary": stored.record.name, "layers": "\(stored.configuration.layers)"])
        var active = 0
        try encode(passes - 1) { piece in
            active += piece.activeCount
            try writer.append(piece)
        }
        try writer.finish()
        return Result(
            name: stored.record.name, tokens: source.tokens,
            meanActive: Double(active) / Double(source.tokens * stored.configuration.samplesPerToken))
    }
}
