import FeatureCatalog

extension ParetoPlot {
    /// The dictionaries of a catalog that were evaluated, each by the last run that measured both figures.
    ///
    /// - Parameter corpus: only evaluations on this corpus, by name or number; nil for any.
    /// - Throws: `CatalogError`, also `.notFound` for a corpus that is not there.
    static func points(in catalog: Catalog, corpus: String? = nil) throws -> [Point] {
        let corpora = try catalog.corpora()
        let wanted = corpus.map { name in
            Set(corpora.filter { $0.name == name || "\($0.corpusID)" == name }.map(\.corpusID))
        }
        if let corpus, wanted?.isEmpty ?? false {
            throw CatalogError(.notFound, "\(catalog.path): there is no corpus \"\(corpus)\"")
        }
        return try catalog.dictionaries().compactMap { record in
            let all = try catalog.evaluations(dictionaryID: record.dictionaryID).filter { figure in
                figure.layer == nil && (wanted.map { figure.corpusID.map($0.contains) ?? false } ?? true)
            }
            let runs = Dictionary(grouping: all, by: \.runID).sorted { $0.key > $1.key }
            for (_, figures) in runs {
                guard let kl = figures.last(where: { $0.metric == "kl" }), let value = kl.value,
                    let l0 = figures.last(where: { $0.metric == "l0" })?.value
                else { continue }
                return Point(name: record.name, l0: l0, kl: value, low: kl.low, high: kl.high)
            }
            return nil
        }
    }
}
