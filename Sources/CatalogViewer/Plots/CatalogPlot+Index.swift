import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import LinearAlgebra
import TerminalOutput
import Vocabulary

extension CatalogPlot {
    /// A chart from the index of a dictionary.
    static func ofIndex(
        _ request: Request, _ index: IndexedDictionary, in catalog: Catalog, _ workers: Workers
    ) throws -> String {
        let (record, key) = (index.record, index.key)
        let name = record.name
        let tokens = "\(Quantities.count(index.indexing.tokenCount)) tokens of \(index.corpus)"
        let feature = request.feature ?? 0
        guard (0..<record.latentCount).contains(feature) else {
            throw WorkflowError.usage(
                "there is no feature \(feature); dictionary \"\(name)\" has 0 … \(record.latentCount - 1)")
        }
        switch request.kind {
        case .histogram:
            let record = try fired(feature, index, in: catalog)
            let histogram = Histogram(
                counts: record.histogram, edges: index.indexing.histogramEdges,
                largest: record.maxActivation.map { Double($0) }, most: 64)
            guard let histogram else {
                throw CatalogError(.damaged, "\(catalog.path): feature \(feature) fired, but its histogram is empty")
            }
            return histogram.plot.document(
                heading: "Activations of feature \(feature)",
                note: "\(name), \(Quantities.count(record.firedCount)) firings on \(tokens)")
        case .layers:
            let record = try fired(feature, index, in: catalog)
            let layers = try catalog.featureLayers(key, featureIndex: feature)
            guard !layers.isEmpty else {
                throw WorkflowError.refused(
                    "\(catalog.path): dictionary \"\(name)\" reads all its layers at once, so no firing belongs to one")
            }
            let total = Double(max(1, record.firedCount))
            let shares = Dictionary(
                layers.map { ($0.layer, Double($0.firedCount) / total) }, uniquingKeysWith: { first, _ in first })
            return LayerBars(shares, scale: LayerScale(index.record.layers)).plot(of: "firings").document(
                heading: "Layers of feature \(feature)",
                note: "\(name), \(Quantities.count(record.firedCount)) firings on \(tokens)")
        case .logits:
            guard let histogram = try catalog.logitHistogram(dictionaryID: key.dictionaryID, featureIndex: feature)
            else {
                let has = try catalog.hasLogitHistograms(dictionaryID: key.dictionaryID)
                throw WorkflowError.refused(
                    has
                        ? "\(catalog.path): the decoder vector of feature \(feature) is zero, so it changes no logit"
                        : "\(catalog.path): the index of dictionary \"\(name)\" has no changes of logits; "
                            + "'routesae index' with `overwriting` adds them")
            }
            return LogitHistogram(histogram).plot.document(
                heading: "Changes of logits by feature \(feature)",
                note: "\(name), \(Quantities.count(histogram.total)) tokens of the vocabulary, per unit of activation")
        case .routing:
            let shares = Dictionary(
                try catalog.layerProfile(key).compactMap { layer in layer.tokenShare.map { (layer.layer, $0) } },
                uniquingKeysWith: { first, _ in first })
            guard !shares.isEmpty else {
                throw WorkflowError.refused(
                    "\(catalog.path): the index of dictionary \"\(name)\" counts no tokens by layer; 'routesae index' "
                        + "does for dictionaries that read one layer of each token")
            }
            return LayerBars(shares, scale: LayerScale(record.layers)).plot(of: "tokens").document(
                heading: "Routing of \(name)", note: tokens)
        case .scores:
            let scores = try catalog.briefScores(key, method: .simulation, withPeakLayers: false)
            let distribution = ScoreDistribution(
                scores: scores.compactMap(\.value), baseline: scores.compactMap(\.chance))
            guard let distribution else {
                throw WorkflowError.refused(
                    "\(catalog.path): dictionary \"\(name)\" has fewer than five simulation scores on \(index.corpus); "
                        + "'routesae score' makes them")
            }
            let count = scores.count { $0.value != nil }
            return distribution.plot.document(
                heading: "Scores of \(name)", note: "\(Quantities.count(count)) simulation scores on \(index.corpus)")
        case .map:
            let map = try FeatureMap(of: index, in: catalog, workers: workers)
            return map.plot(of: map.points).document(
                heading: "Features of \(name)",
                note: "\(Quantities.count(map.points.count)) features by similarity of their decoder vectors")
        case .loss, .pareto: preconditionFailure("\(request.kind) is not of an index")
        }
    }

    /// A feature that fired.
    private static func fired(_ feature: Int, _ index: IndexedDictionary, in catalog: Catalog) throws -> FeatureRecord {
        let record = try catalog.feature(index.key, featureIndex: feature)
        guard record.firedCount > 0 else {
            throw WorkflowError.refused(
                "\(catalog.path): feature \(feature) of \"\(index.record.name)\" never fired on "
                    + "\(Quantities.count(index.indexing.tokenCount)) tokens of \(index.corpus); "
                    + "'routesae features' lists those that did")
        }
        return record
    }
}
