import SparseCoding
import Vocabulary

/// Writes a dictionary for SAELens (`SAE.load_from_disk`).
///
/// A dictionary of one layer is `cfg.json`, `sae_weights.safetensors` and, with firing rates, `sparsity.safetensors`.
/// One of several layers is a folder `layer_L` of these for each layer, all with the same weights, and a `README.md`
/// that says which to use for a token. A routed one has `router.safetensors` as well, and `routed`, the whole of it for
/// the class that `tools/python` registers with SAELens. With soft routing, and with fidelity reference, that is all it
/// has.
///
/// Tensors that need no change keep their stored type.
package enum SAELensWriter {
    private static let weightsFile = "sae_weights.safetensors"

    /// Writes a dictionary.
    ///
    /// - Parameter folder: made if it is not there; no file in it may have a name that is written.
    /// - Returns: remarks, a line each.
    /// - Throws: `ExportRefusal` where SAELens would compute something else;
    ///   `SafetensorsError` where a file cannot be written; what the dictionary's `read` throws.
    package static func write(_ dictionary: DictionaryToExport, into folder: String) throws -> [String] {
        let configuration = dictionary.configuration
        guard configuration.layers.count > 1, configuration.architecture != .crosscoder else {
            let translation = try SAELensTranslation(dictionary)
            try write(dictionary, translation, layer: configuration.layers[0], into: ExportFolder(folder))
            return translation.remarks
        }
        // For these only the registered class computes the same.
        let isRoutedOnly = configuration.routes && (configuration.routing == .soft || !configuration.rectified)
        let translation = isRoutedOnly ? nil : try SAELensTranslation(dictionary)
        let top = try ExportFolder(folder)
        var remarks = translation?.remarks ?? []
        if let translation { remarks += try writeLayers(dictionary, translation, into: top) }
        if configuration.routes {
            try top.writeRouter(of: dictionary)
            try writeRouted(dictionary, into: top.folder("routed"))
            if isRoutedOnly {
                remarks.append(
                    "there is no folder for single layers, since \(RoutingGuide.whyNoLayers(configuration)); read "
                        + "routed/ with the class in tools/python")
            }
        }
        try top.write(RoutingGuide.forSAELens(dictionary, hasLayers: !isRoutedOnly), to: "README.md")
        return remarks
    }

    /// Writes the folder of one layer.
    private static func write(
        _ dictionary: DictionaryToExport, _ translation: SAELensTranslation, layer: Int, into folder: ExportFolder,
        sharing weights: String? = nil
    ) throws {
        try folder.write(SAELensFormat.configuration(dictionary, translation, layer: layer), to: "cfg.json")
        if weights.map({ folder.link($0, as: weightsFile) }) != true {
            try WrittenFile(dictionary: dictionary, tensors: translation.tensors, metadata: ["format": "pt"])
                .write(to: folder.file(weightsFile))
        }
        try folder.writeSparsity(of: dictionary)
    }

    /// Writes a folder for every layer; all but the first share its weights by hard links, where there are any.
    private static func writeLayers(
        _ dictionary: DictionaryToExport, _ translation: SAELensTranslation, into top: ExportFolder
    ) throws -> [String] {
        let layers = dictionary.configuration.layers
        let first = try top.folder("layer_\(layers[0])")
        try write(dictionary, translation, layer: layers[0], into: first)
        for layer in layers.dropFirst() {
            try write(
                dictionary, translation, layer: layer, into: top.folder("layer_\(layer)"),
                sharing: first.file(weightsFile))
        }
        return [
            "the weights of layer_\(layers[0]) … layer_\(layers[layers.count - 1]) are the same and share their disk "
                + "space by hard links"
        ]
    }

    /// Writes what the class in `tools/python` reads: all tensors as stored.
    private static func writeRouted(_ dictionary: DictionaryToExport, into folder: ExportFolder) throws {
        let configuration = dictionary.configuration
        let (m, d) = (configuration.latents, configuration.dModel)
        let tensors =
            [
                try WrittenTensor("W_enc", columnsOf: "encoder", of: dictionary),
                try WrittenTensor("W_dec", rowsOf: "decoder", of: dictionary),
                try WrittenTensor("b_enc", vector: "latent_bias", count: m, of: dictionary),
                try WrittenTensor("b_dec", vector: "pre_bias", count: d, of: dictionary),
                try WrittenTensor("router", routerOf: dictionary),
            ]
            + (configuration.thresholds > 0
                ? [try WrittenTensor("threshold", vector: "threshold", count: 1, of: dictionary)] : [])
        try folder.write(SAELensFormat.routedConfiguration(dictionary), to: "cfg.json")
        try WrittenFile(dictionary: dictionary, tensors: tensors, metadata: ["format": "pt"])
            .write(to: folder.file(weightsFile))
        try folder.writeSparsity(of: dictionary)
    }
}
