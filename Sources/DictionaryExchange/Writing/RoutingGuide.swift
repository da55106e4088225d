import SparseCoding
import Vocabulary

/// The README beside dictionaries that another library reads only in part: which folder to use for a token, and what to
/// do before encoding and after decoding.
enum RoutingGuide {
    /// The README of a SAELens folder of several layers.
    static func forSAELens(_ dictionary: DictionaryToExport, hasLayers: Bool) -> String {
        let configuration = dictionary.configuration
        var parts = [title(dictionary)]
        if hasLayers {
            parts.append(
                """
                `layer_L` is this dictionary for `SAE.load_from_disk`, with the hook name of decoder layer L. The \
                weights of all these folders are the same: use one dictionary, and choose the layer for each token.
                """)
        }
        parts.append(choice(configuration))
        if configuration.routes {
            parts.append(
                """
                ## The whole of it in SAELens

                `routed` is the same dictionary with its router, for a class that the package `routesae` registers \
                with SAELens (`pip install ./tools/python` in RouteSAE's repository):

                    from routesae import saelens
                    from sae_lens import SAE
                    sae = SAE.load_from_disk("routed")
                    x = saelens.concatenate(outputs.hidden_states, sae.cfg.layers)
                    latents = sae.encode(x)

                Its input is the streams of all the layers one after another on the last axis, `[…, \
                \(configuration.layers.count) · \(configuration.dModel)]`.
                """)
        }
        if dictionary.firingRates != nil {
            parts.append(
                """
                `sparsity.safetensors` counts all tokens, whichever layer they were read at; it is the same in every \
                folder.
                """
            )
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    /// The README of a sparsify folder; nil where one layer is read as it is.
    static func forSparsify(_ dictionary: DictionaryToExport) -> String? {
        let configuration = dictionary.configuration
        var parts: [String] = []
        if configuration.input != .none, configuration.foldedScale == nil {
            parts.append(
                """
                ## Before encoding and after decoding

                sparsify does not normalise its input, and this dictionary was made for a normalised one. With h the \
                residual stream of a token (`[d]`), encode x and turn the reconstruction x̂ back:

                    \(input(configuration))
                    ĥ = \(output(configuration))
                """)
        }
        if configuration.layers.count > 1 {
            parts.append(
                """
                The weights of all the folders are the same: use one dictionary, and choose the layer for each token.

                \(choice(configuration))
                """)
        }
        guard !parts.isEmpty else { return nil }
        return ([title(dictionary)] + parts).joined(separator: "\n\n") + "\n"
    }

    /// The formula of the normalised input, for one token.
    ///
    /// - Parameter index: of a layer, such as `_i`.
    static func input(_ configuration: DictionaryConfiguration, index: String = "") -> String {
        let h = "h" + index
        let normalised =
            switch configuration.input {
            case .none: h
            case .layerNorm(let epsilon): "(\(h) - \(h).mean()) / (\(h).std(ddof=1) + \(epsilon))"
            case .scale: "\(configuration.foldedScale ?? 1) * \(h)"
            case .unitNorm: "\(h) * sqrt(\(configuration.dModel)) / norm(\(h))"
            }
        return "x\(index) = \(normalised)"
    }

    /// Why a routed dictionary cannot be read at single layers.
    static func whyNoLayers(_ configuration: DictionaryConfiguration) -> String {
        configuration.routing == .soft
            ? "soft routing mixes the layers"
            : "fidelity reference multiplies a stream by its probability and keeps activations below zero"
    }

    private static func output(_ configuration: DictionaryConfiguration) -> String {
        switch configuration.input {
        case .none: "x̂"
        case .layerNorm: "x̂ * h.std(ddof=1) + h.mean()"
        case .scale: "x̂ / \(configuration.foldedScale ?? 1)"
        case .unitNorm: "x̂ * norm(h) / sqrt(\(configuration.dModel))"
        }
    }

    private static func title(_ dictionary: DictionaryToExport) -> String {
        let configuration = dictionary.configuration
        let layers = configuration.layers.map(String.init).joined(separator: ", ")
        return """
            # \(dictionary.name.split(whereSeparator: \.isNewline).joined(separator: " "))

            A sparse dictionary (\(configuration.architecture.rawValue)) of \(configuration.latents) latents, written \
            by RouteSAE \(dictionary.softwareVersion). It reads what leaves decoder layers \(layers), counted from 0; \
            that of layer L is `hidden_states[L + 1]` in transformers and `blocks.L.hook_resid_post` in TransformerLens.
            """
    }

    private static func choice(_ configuration: DictionaryConfiguration) -> String {
        switch configuration.architecture {
        case .mlsae: return "Every token is read at every one of its layers, each time separately."
        case .random: return "In training the layer was drawn anew for every token, uniformly; read any of them."
        default: break
        }
        let count = configuration.layers.count
        let sum = "x_0 + … + x_\(count - 1)"
        let summary = configuration.aggregation == .mean ? "(\(sum)) / \(count)" : sum
        let reading: String
        if configuration.routing == .soft {
            reading = "u = p_0 x_0 + … + p_\(count - 1) x_\(count - 1), which is encoded instead of a single layer's x"
        } else if configuration.scalesByProbability {
            reading = "i = argmax p, and u = p_i x_i is encoded: the stream of the i-th layer, times its probability"
        } else {
            reading = "i = argmax p, and x_i is encoded: the token is read at the i-th layer"
        }
        return """
            ## Routing

            `router.safetensors` holds `router`, `[\(count) × \(configuration.dModel)]`: row i is for the i-th layer \
            of the list above. With h_i the stream of a token at that layer:

                \(input(configuration, index: "_i"))
                r = \(summary)
                p = softmax(router · r)
                \(reading)
            """
    }
}
