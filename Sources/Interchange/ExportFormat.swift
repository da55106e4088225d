/// A program for which dictionaries can be written; raw values as `--to` takes them.
package enum ExportFormat: String, CaseIterable, Sendable {
    /// SAELens: `cfg.json` and `sae_weights.safetensors`.
    case saelens
    /// EleutherAI's sparsify: `layers.L/cfg.json` and `layers.L/sae.safetensors`.
    case sparsify
}
