import ActivationPipeline
import CatalogMaintenance
import FeatureCatalog
import JSON
import TerminalOutput

extension CompareCommand {
    /// Matches the features of two dictionaries and prints the result.
    func compareFeatures(in catalog: Catalog) throws {
        Interruption.watch()
        let one = try StoredDictionary.record(named: dictionary, in: catalog)
        let two = try StoredDictionary.record(named: other, in: catalog)
        let progress = options.progress("matching")
        defer { progress.finish() }
        let matching = try FeatureMatching(
            one, in: catalog, with: two, in: catalog, workers: options.workers,
            cancelled: { Interruption.isRequested },
            progress: { done, total in progress.update(done, of: total) })
        progress.finish()
        let among = alive ? (try firing(one, in: catalog), try firing(two, in: catalog)) : nil
        let ranked = matching.ranked(farthestFirst: farthest, among: among?.0)
        let page = MatchingPage(
            one: one, two: two, matching: matching,
            forward: FeatureMatching.summary(of: matching.forward, among: among?.0),
            backward: FeatureMatching.summary(of: matching.backward, among: among?.1),
            shown: Array(limit == 0 ? ranked[...] : ranked.prefix(limit)),
            tokens: (
                try MatchingPage.topTokens(of: one, in: catalog), try MatchingPage.topTokens(of: two, in: catalog)
            ))
        switch output.format {
        case .table: StandardStreams.write(page.text(style: .standardOutput()))
        case .json: StandardStreams.write(page.json.document(onOneLine: false))
        case .jsonl, .csv, .tsv, .markdown: output.print(columns: MatchingPage.columns, rows: page.rows)
        }
    }

    /// The features that fired on any corpus.
    private func firing(_ record: DictionaryRecord, in catalog: Catalog) throws -> Set<Int> {
        guard try !catalog.indexings(dictionaryID: record.dictionaryID).isEmpty else {
            throw WorkflowError.refused(
                "\(catalog.path): dictionary \"\(record.name)\" has no statistics yet, so none of its features is "
                    + "known to fire; run 'routesae index' first")
        }
        return try catalog.firingFeatures(dictionaryID: record.dictionaryID)
    }
}
