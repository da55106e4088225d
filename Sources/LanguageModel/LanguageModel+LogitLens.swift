extension LanguageModel {
    /// What directions of the residual stream are read through for their effect on the logits (the logit lens,
    /// nostalgebraist 2020): the final norm's weight and the unembedding, the embedding itself if they are tied.
    package var unembedding: Unembedding { Unembedding(weights, configuration: configuration) }
}
