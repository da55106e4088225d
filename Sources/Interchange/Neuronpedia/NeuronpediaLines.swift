import FeatureCatalog
import JSON
import Vocabulary

/// The lines of Neuronpedia's tables for one source. Every line of a table has the same keys, since the importer takes
/// the columns from the first.
struct NeuronpediaLines {
    /// Bins of its histograms.
    private static let binCount = 50

    let names: NeuronpediaNames
    let sourceID: String
    let layer: Int
    /// When the features were indexed.
    let createdAt: String
    /// Identifies the run that indexed them.
    let runUUID: String
    /// Tokens indexed.
    let tokenCount: Int
    /// The corpus's name.
    let corpus: String
    /// The JSON of every token's text, by token.
    let tokens: [[UInt8]]

    private func begin(_ index: Int) -> JSONLine {
        var line = JSONLine()
        line.add("modelId", names.modelID)
        line.add("layer", sourceID)
        line.add("index", String(index))
        return line
    }

    /// A key of this source.
    private func rowID(_ kind: String, _ feature: Int, _ parts: [String]) -> String {
        NeuronpediaRowID.made(of: [kind, runUUID, names.modelID, sourceID, String(feature)] + parts)
    }

    /// The line of table `Neuron`.
    func feature(_ feature: ExportedFeature, in part: FeatureLayerRecord) -> JSONLine {
        var line = begin(feature.record.featureIndex)
        line.add("sourceSetName", .null)
        line.add("creatorId", names.creatorID)
        line.add("createdAt", createdAt)
        line.add("maxActApprox", rounded: Double(part.maxActivation))
        line.add("hasVector", .boolean(false))
        line.add("vector", [])
        line.add("vectorLabel", .null)
        line.add("hookName", .null)
        line.add("vectorDefaultSteerStrength", .integer(10))
        line.add("topkCosSimIndices", feature.neighbors.map(\.neighborIndex))
        line.add("topkCosSimValues", rounded: feature.neighbors.map { Double($0.cosine) })
        line.add("pos_str", spelled: feature.promoted.map { tokens[$0.tokenID] })
        line.add("pos_values", rounded: feature.promoted.map { Double($0.value) })
        line.add("neg_str", spelled: feature.suppressed.map { tokens[$0.tokenID] })
        line.add("neg_values", rounded: feature.suppressed.map { Double($0.value) })
        line.add("frac_nonzero", rounded: Double(part.firedCount) / Double(max(tokenCount, 1)))
        let activations = feature.activations?.equalBins(Self.binCount)
        line.add("freq_hist_data_bar_heights", activations?.counts ?? [])
        line.add("freq_hist_data_bar_values", rounded: activations?.centers ?? [])
        let logits = feature.logits?.equalBins(Self.binCount)
        line.add("logits_hist_data_bar_heights", logits?.counts ?? [])
        line.add("logits_hist_data_bar_values", rounded: logits?.centers ?? [])
        line.add("neuron_alignment_indices", [])
        line.add("neuron_alignment_values", [])
        line.add("neuron_alignment_l1", [])
        line.add("correlated_neurons_indices", [])
        line.add("correlated_neurons_pearson", [])
        line.add("correlated_neurons_l1", [])
        line.add("correlated_features_indices", [])
        line.add("correlated_features_pearson", [])
        line.add("correlated_features_l1", [])
        line.add("decoder_weights_dist", [])
        return line
    }

    /// The line of table `Activation` for a text.
    func activation(_ context: ExportedFeature.Context, of feature: Int, _ bins: ActivationBins) -> JSONLine {
        var line = begin(feature)
        let place = ["\(context.band)", String(context.rank)]
        line.add("id", rowID("activation", feature, place))
        line.add("creatorId", names.creatorID)
        line.add("createdAt", createdAt)
        line.add("tokens", spelled: context.tokenIDs.lazy.map { tokens[Int($0)] })
        line.add("values", rounded: context.activations.lazy.map { Double($0) })
        let strongest = context.activations.indices.max { context.activations[$0] < context.activations[$1] } ?? 0
        line.add("maxValue", rounded: Double(context.activations[strongest]))
        line.add("maxValueTokenIndex", .integer(strongest))
        line.add("minValue", rounded: Double(context.activations.min() ?? 0))
        line.add("dataIndex", "\(context.document):\(context.start)")
        line.add("dataSource", corpus)
        let bin = bins.bin(of: context.band, activation: Double(context.activation))
        line.add("binMin", rounded: bin.minimum)
        line.add("binMax", rounded: bin.maximum)
        line.add("binContains", rounded: bin.share)
        line.add("qualifyingTokenIndex", .integer(context.peak))
        return line
    }

    /// The line of table `Explanation`. What it scored is in its notes, since the importer reads no scores.
    func explanation(_ explanation: ExportedFeature.Explanation, of feature: Int) -> JSONLine {
        var line = begin(feature)
        line.add("id", rowID("explanation", feature, [explanation.method, explanation.text]))
        line.add("description", explanation.text)
        line.add("authorId", names.creatorID)
        line.add("typeName", .null)
        line.add("explanationModelName", .null)
        let scores = explanation.scores.map { method, value in
            var digits: [UInt8] = []
            JSONLine.append(value, to: &digits)
            return "\(method.rawValue) \(String(decoding: digits, as: UTF8.self))"
        }
        line.add("notes", ([explanation.method] + scores).joined(separator: "; "))
        line.add("createdAt", createdAt)
        line.add("updatedAt", createdAt)
        return line
    }
}
