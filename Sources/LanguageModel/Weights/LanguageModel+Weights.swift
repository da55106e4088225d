package import Safetensors

extension LanguageModel {
    /// The names of the model's tensors, sorted: those of the checkpoint that are read, without
    /// `model.` in front. Independent of files and of other tensors there.
    package var weightNames: [String] { weights.file.names }

    /// The files that hold these tensors, in the order of their names.
    package var weightPaths: [String] { weights.file.paths }

    /// Calls `body` with the stored bytes of one of `weightNames`, piece after piece, each valid only during its call.
    ///
    /// - Returns: its description.
    /// - Throws: `.weights`.
    package func forEachPiece(
        ofWeight name: String, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(LanguageModelError) -> TensorDescription {
        try weights.file.forEachPiece(of: name, body)
    }

    /// Bytes of the weights that a token's pass to its logits reads, as they are in memory: the layers, the final norm,
    /// the unembedding. Nil where they are not in memory.
    package var residentBytesPerToken: Int? { weights.bytesPerToken }

    /// Whether the checkpoint has an unembedding.
    package var hasUnembedding: Bool { weights.file.hasUnembedding }

    /// Checks the unembedding that logits need: its own, or tied to the embedding, with
    /// rows of these tokens without infinities and NaNs; of all tokens if nil.
    ///
    /// - Throws: `.noUnembedding`, `.nonFiniteWeight`.
    package func checkUnembedding(of tokens: Range<Int>? = nil) throws(LanguageModelError) {
        try weights.checkUnembedding(
            of: (tokens ?? 0..<configuration.vocabularySize).clamped(to: 0..<configuration.vocabularySize))
    }
}
