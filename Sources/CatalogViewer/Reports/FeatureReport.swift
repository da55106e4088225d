package import ActivationPipeline
package import FeatureCatalog
package import FeatureScoring
package import Indexing
package import Vocabulary

/// Everything a catalog has about one feature.
package struct FeatureReport {
    /// Its dictionary.
    package let dictionary: IndexedDictionary
    /// Its statistics.
    package let feature: FeatureRecord
    /// Its row of the view `feature_summary`, by column.
    package let summary: [String: CatalogValue]
    /// Its firings by layer.
    package let layers: [FeatureLayerRecord]
    /// The token classes it fires on, strongest first.
    package let tokens: [FeatureTokenRecord]
    /// The tokens it promotes and suppresses, with their texts where they are known.
    package let logits: [(logit: FeatureLogit, text: String?)]
    /// The features with similar decoder vectors.
    package let neighbors: [FeatureNeighbor]
    /// The features that fire on the same tokens.
    package let cofirings: [CofiringRecord]
    /// Its contexts by band and rank.
    package let contexts: [ContextRecord]
    /// The tokens of the contexts' windows, by the context's key; left out where they are not known.
    package let windows: [Int64: [ContextToken]]
    /// Its explanations, newest first.
    package let explanations: [ExplanationRecord]
    /// Its scores, newest first.
    package let scores: [ScoreRecord]

    /// The contexts to show.
    package struct ContextChoice {
        /// The bands, in order.
        package let bands: [ContextBand]
        /// The most of each band; nil for all.
        package let limit: Int?

        /// Chooses contexts.
        package init(bands: [ContextBand], limit: Int?) {
            (self.bands, self.limit) = (bands, limit)
        }
    }

    /// Reads the report.
    ///
    /// - Throws: `CatalogError`, `WorkflowError.usage` where there is no such feature.
    package init(_ index: Int, of dictionary: IndexedDictionary, contexts choice: ContextChoice, in catalog: Catalog)
        throws
    {
        let record = dictionary.record
        let dictionaryID = record.dictionaryID
        let key = dictionary.key
        guard (0..<record.latentCount).contains(index) else {
            throw WorkflowError.usage(
                "there is no feature \(index); dictionary \"\(record.name)\" has 0 … \(record.latentCount - 1)")
        }
        self.dictionary = dictionary
        feature = try catalog.feature(key, featureIndex: index)
        summary = try catalog.featureSummary(key, featureIndex: index)
        layers = try catalog.featureLayers(key, featureIndex: index)
        tokens = try catalog.featureTokens(key, featureIndex: index)
        neighbors = try catalog.neighbors(dictionaryID: dictionaryID, featureIndex: index)
        cofirings = try catalog.cofirings(key, featureIndex: index)
        let known = try catalog.contexts(key, featureIndex: index)
        contexts = choice.bands.flatMap { band in
            let all = known.filter { $0.band == band }
            return all.prefix(choice.limit ?? all.count)
        }

        let reader = try ContextTokens(catalog: catalog, dictionary: dictionary)
        windows = try reader.windows(of: contexts)
        let weights = try catalog.logits(dictionaryID: dictionaryID, featureIndex: index)
        let texts = try reader.vocabulary(Set(weights.map(\.tokenID)))
        logits = weights.map { ($0, texts[$0.tokenID]?.text) }
        explanations = try catalog.explanations(dictionaryID: dictionaryID, featureIndex: index)
            .filter { $0.corpusID == key.corpusID }.reversed()
        scores = try catalog.scores(dictionaryID: dictionaryID, featureIndex: index)
            .filter { $0.corpusID == key.corpusID }.reversed()
    }

    /// The drawable units of a context.
    package func units(of context: ContextRecord) -> [ContextUnit] {
        guard let tokens = windows[context.contextID] else {
            let share = Double(context.tokenPosition - context.windowStart) / Double(max(1, context.activations.count))
            return ContextUnit.units(excerpt: context.excerpt, activation: context.activation, share: share)
        }
        return ContextUnit.units(
            tokens: tokens, activations: context.activations, peak: context.tokenPosition - context.windowStart)
    }

    /// The most baseline scores read; more would hardly move their percentile.
    private static let mostChanceScores = 1000

    /// The baseline of scores of the same run and method: a prefix of the run's baseline scores.
    package func chance(of score: ScoreRecord, in catalog: Catalog) throws -> ChanceBaseline {
        ChanceBaseline(
            scores: try catalog.chanceScores(
                runID: score.runID, dictionaryID: score.dictionaryID, method: score.method,
                limit: Self.mostChanceScores))
    }
}
