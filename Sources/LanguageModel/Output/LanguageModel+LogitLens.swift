extension LanguageModel {
    /// The path from the residual stream to the logits (the logit lens,
    /// nostalgebraist 2020): the final norm's weight and the unembedding, or the embedding if they are tied.
    package var unembedding: Unembedding { Unembedding(weights, configuration: configuration) }
}
