package import ActivationPipeline
package import FeatureCatalog
import Indexing
package import LinearAlgebra
import TerminalOutput

/// A chart of a catalog as an SVG document: those of the viewer's pages, with their own colours for light and dark.
package struct CatalogPlot {
    /// What is drawn.
    package struct Request: Sendable {
        /// The kind of chart.
        package var kind: PlotKind
        /// The dictionary, by name or number; nil for the last one.
        package var dictionary: String?
        /// The corpus of its index, likewise.
        package var corpus: String?
        /// The feature.
        package var feature: Int?
        /// The run whose loss is drawn; nil for the one that trained the dictionary.
        package var run: Int64?

        /// Describes a chart.
        package init(_ kind: PlotKind) { self.kind = kind }
    }

    /// Stretches of a curve.
    private static let stretches = 400

    /// The document.
    package let svg: String

    /// Draws it.
    ///
    /// - Throws: `WorkflowError.usage` for settings that do not belong to the kind or are missing, `.refused` where the
    ///   catalog lacks what is drawn; `CatalogError`.
    package init(_ request: Request, in catalog: Catalog, workers: Workers) throws {
        try Self.check(request)
        svg =
            switch request.kind {
            case .loss: try Self.loss(request, in: catalog)
            case .pareto: try Self.pareto(request, in: catalog)
            case .histogram, .layers, .logits, .routing, .scores, .map:
                try Self.ofIndex(
                    request, IndexedDictionary(named: request.dictionary, corpus: request.corpus, in: catalog),
                    in: catalog, workers)
            }
    }

    /// Refuses settings that do not belong together.
    ///
    /// - Throws: `WorkflowError.usage`.
    package static func check(_ request: Request) throws(WorkflowError) {
        let kind = request.kind
        if kind.isOfFeature, request.feature == nil {
            throw .usage("a plot of kind \(kind.rawValue) shows one feature; name it with `feature`")
        }
        if !kind.isOfFeature, request.feature != nil {
            throw .usage("`feature` is for the kinds histogram, layers and logits, not for \(kind.rawValue)")
        }
        if kind != .loss, request.run != nil { throw .usage("`run` is for the kind loss, not for \(kind.rawValue)") }
        if kind == .loss, request.run != nil, request.dictionary != nil {
            throw .usage("name either `run` or `dictionary`, whose run is drawn otherwise")
        }
        if kind == .pareto, request.dictionary != nil {
            throw .usage("the kind pareto shows all dictionaries; leave `dictionary` out")
        }
        if kind == .loss, request.corpus != nil { throw .usage("the kind loss takes no `corpus`") }
    }

    private static func loss(_ request: Request, in catalog: Catalog) throws -> String {
        let run =
            try request.run ?? StoredDictionary.record(named: request.dictionary, in: catalog).runID
        let record = try catalog.run(run)
        let curve = try catalog.runCurve(run, name: "loss", stretches: stretches)
        guard let plot = curve.flatMap(LinePlot.init)?.plot else {
            throw WorkflowError.refused(
                "\(catalog.path): run \(run) (\(record.kind.rawValue)) has no curve of the loss; 'routesae train' and "
                    + "'routesae sweep' record one")
        }
        let names = try catalog.dictionaryNames(ofRun: run).joined(separator: ", ")
        return plot.document(
            heading: names.isEmpty ? "Loss of run \(run)" : "Loss of \(names)",
            note: "run \(run), \(record.kind.rawValue)")
    }

    private static func pareto(_ request: Request, in catalog: Catalog) throws -> String {
        let points = try ParetoPlot.points(in: catalog, corpus: request.corpus)
        guard let plot = ParetoPlot(points)?.plot else {
            let corpus = request.corpus.map { " on corpus \"\($0)\"" } ?? ""
            throw WorkflowError.refused(
                "\(catalog.path): no dictionary has both L0 and KL\(corpus); 'routesae evaluate' measures them")
        }
        let count = "\(points.count) \(points.count == 1 ? "dictionary" : "dictionaries")"
        let intervals = points.contains { $0.low != nil } ? "; bars: 95 % intervals" : ""
        return plot.document(heading: "KL against L0", note: "\(count), by the last evaluation of each\(intervals)")
    }
}
