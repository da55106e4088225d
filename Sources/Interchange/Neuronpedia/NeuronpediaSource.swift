import ActivationPipeline
import FeatureCatalog
import JSON

/// The folder of one source: a line each on release, model, source set and source, and the tables' files.
final class NeuronpediaSource {
    private let lines: NeuronpediaLines
    private let folder: String
    private let features: BatchFiles
    private let activations: BatchFiles
    private let explanations: BatchFiles
    /// Features so far.
    private(set) var featureCount = 0

    /// Names the folder, which is made with the first feature.
    init(_ lines: NeuronpediaLines, in folder: String) {
        self.lines = lines
        self.folder = "\(folder)/\(lines.names.modelID)/\(lines.sourceID)"
        features = BatchFiles(self.folder + "/features")
        activations = BatchFiles(self.folder + "/activations")
        explanations = BatchFiles(self.folder + "/explanations")
    }

    /// Adds a feature, if it fires in the source's layer, with the texts whose peak was read there.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    func append(_ feature: ExportedFeature) throws(WorkflowError) {
        guard let part = feature.layers.first(where: { $0.layer == lines.layer }), let values = feature.activations
        else { return }
        let index = feature.record.featureIndex
        try features.append(lines.feature(feature, in: part))
        let bins = ActivationBins(values, tokenCount: lines.tokenCount)
        for context in feature.contexts where context.layer == lines.layer {
            try activations.append(lines.activation(context, of: index, bins))
        }
        for explanation in feature.explanations {
            try explanations.append(lines.explanation(explanation, of: index))
        }
        featureCount += 1
    }

    /// Ends the files and adds the four lines, unless no feature fires in the layer.
    ///
    /// - Throws: `WorkflowError.cannotWrite`.
    func finish(_ description: NeuronpediaDescription) throws(WorkflowError) {
        guard featureCount > 0 else { return }
        for table in [features, activations, explanations] { try table.finish() }
        for (name, object) in [
            ("release", description.release), ("model", description.model), ("sourceset", description.sourceSet),
            ("source", description.source(layer: lines.layer, createdAt: lines.createdAt)),
        ] {
            var writer = JSONWriter.canonical
            writer.sortsMembers = false
            try NewFile.write(writer.bytes(.object(object)) + [0x0A], to: "\(folder)/\(name).jsonl")
        }
    }
}
