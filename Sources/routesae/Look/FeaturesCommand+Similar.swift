import FeatureCatalog
import Indexing
import TerminalOutput

extension FeaturesCommand {
    /// Lists the features nearest to one.
    ///
    /// - Parameter listing: the conditions and columns.
    func listSimilar(
        to feature: Int, among listing: FeatureListing, of record: DictionaryRecord, in catalog: Catalog
    ) throws {
        var listing = listing
        listing.columns.removeAll { $0.name == "feature_index" }
        let similar = try SimilarFeatures(to: feature, of: record, in: catalog, workers: options.workers)
        let matches = try similar.nearest(
            most, among: try listing.featuresLeft(in: catalog), skipping: offset)
        let values = try listing.values(of: matches.map(\.featureIndex), in: catalog)
        let nothing = Array(repeating: CatalogValue.null, count: listing.columns.count)
        output.print(
            columns: ["feature_index", "cosine"] + listing.columns.map(\.name),
            rows: matches.map { match in
                [Cell(match.featureIndex), .real(Double(match.cosine))]
                    + (values[match.featureIndex] ?? nothing).map(Cell.init)
            })
        if matches.isEmpty, output.format == .table {
            StandardStreams.remark("no feature is left that points anywhere near feature \(feature)")
        }
    }
}
