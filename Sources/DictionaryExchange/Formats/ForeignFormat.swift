/// A program or a published suite whose dictionaries can be imported; raw values as `--from` takes them.
package enum ForeignFormat: String, CaseIterable, Sendable {
    /// SAELens: `cfg.json` and `sae_weights.safetensors`.
    case saelens
    /// EleutherAI's sparsify: `cfg.json` and `sae.safetensors`.
    case sparsify
    /// dictionary_learning: `config.json` and `ae.pt`.
    case dictionaryLearning = "dictionary-learning"
    /// Gemma Scope: `params.npz`; Gemma Scope 2: `config.json` and `params.safetensors`.
    case gemmaScope = "gemma-scope"
    /// Qwen-Scope: `layerL.sae.pt`.
    case qwenScope = "qwen-scope"
    /// Llama Scope: `hyperparams.json` and `checkpoints/final.safetensors`.
    case llamaScope = "llama-scope"
    /// State dicts of the RouteSAE authors' models, `.pt` or `.safetensors`.
    case routesaePyTorch = "routesae-pytorch"

    /// The files by which it is recognised, for messages.
    package var files: String {
        switch self {
        case .saelens: "cfg.json with sae_weights.safetensors"
        case .sparsify: "cfg.json with sae.safetensors"
        case .dictionaryLearning: "config.json with ae.pt"
        case .gemmaScope: "params.npz or params.safetensors"
        case .qwenScope: "layerL.sae.pt"
        case .llamaScope: "hyperparams.json with checkpoints/final.safetensors"
        case .routesaePyTorch: "a .pt or .safetensors file with encoder.weight and latent_bias, or router.weight"
        }
    }
}
