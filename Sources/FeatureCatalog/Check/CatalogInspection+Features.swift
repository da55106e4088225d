import GRDB

extension CatalogInspection {
    /// Checks every feature with its layers, token classes, co-firings and contexts, in one walk along their keys.
    mutating func checkFeatures() throws {
        var indexes: [IndexingKey: InspectedIndex] = [:]
        for id in dictionaries.keys.sorted() {
            for record in try catalog.indexings(dictionaryID: id) {
                let kind = try String.fetchOne(
                    database, sql: "SELECT kind FROM run WHERE run_id = ?", arguments: [record.runID])
                indexes[record.key] = InspectedIndex(record, isIndexed: kind == "index")
                let edges = record.histogramEdges
                if zip(edges, edges.dropFirst()).contains(where: { !($0 < $1) }) {
                    add("indexing of dictionary \(id)", "histogram_edges do not ascend")
                }
            }
        }

        let passages = try InspectedPassages(self)
        let layers = try FeatureRows(
            "feature_layer",
            "layer, n_fired, sum_activation, max_activation, sum_router_weight, mean_router_weight", order: "layer",
            self)
        let tokens = try FeatureRows(
            "feature_token", "token_class, n_fired, activation_1, activation_2", order: "token_class", self)
        let histograms = try FeatureRows(
            "feature_linear_histogram", "bin_width, first_bin, counts", order: "first_bin", self)
        let cofirings = try FeatureRows("feature_cofiring", "rank, other_index, share, lift", order: "rank", self)
        let contexts = try FeatureRows(
            "feature_context",
            "band, rank, passage_id, position, layer, router_weight, activation, split, other_activations",
            order: "band, rank", self)
        let features = try read(Self.featureQuery)
        while try features.next() {
            let key = FeatureRows.Key(
                dictionary: try features.integer(0), feature: try features.integer(1),
                corpus: try features.integer(2))
            let indexKey = IndexingKey(dictionaryID: Int64(key.dictionary), corpusID: Int64(key.corpus))
            var figures = try Self.figures(features)
            figures.index = key.feature
            try layers.forEach(of: key) { rows in
                figures.layers.append(
                    FeatureFigures.Layer(
                        layer: try rows.integer(3), firedCount: try rows.integer(4), sum: try rows.real(5),
                        maximum: try rows.real(6), routerWeight: try rows.optionalReal(7),
                        meanRouterWeight: try rows.optionalReal(8)))
            }
            try tokens.forEach(of: key) { rows in
                figures.tokens.append(
                    FeatureTokenRecord(
                        featureIndex: key.feature, tokenClass: try rows.text(3), firedCount: try rows.integer(4),
                        activation1: Float(try rows.real(5)), activation2: try rows.optionalReal(6).map { Float($0) }))
            }

            try histograms.forEach(of: key) { figures.equalBins = try InspectedHistogram($0, column: 3) }
            var companions: [Companion] = []
            try cofirings.forEach(of: key) { rows in
                companions.append(
                    Companion(rank: try rows.integer(3), other: try rows.integer(4), lift: try rows.real(6)))
            }

            var shown: [InspectedContext] = []
            try contexts.forEach(of: key) { shown.append(try InspectedContext($0)) }
            guard let dictionary = dictionaries[indexKey.dictionaryID], let index = indexes[indexKey] else {
                add("feature \(key.feature) of dictionary \(key.dictionary)", "its index is not there")
                continue
            }
            indexes[indexKey]?.add(figures)
            indexes[indexKey]?.contextCount += shown.count
            let place = "feature \(key.feature) of dictionary \(key.dictionary) on corpus \(key.corpus)"
            for reason in figures.contradictions(in: index, of: dictionary) { add(place, reason) }
            if let reason = Self.contradiction(companions, of: key.feature, dictionary) { add(place, reason) }
            for reason in InspectedContext.contradictions(shown, figures, index, dictionary, passages) {
                add("contexts of \(place)", reason)
            }
            checkActivations(shown, of: key.feature, index, passages)
            if key.feature.isMultiple(of: 256) {
                progress.report(.features, share: Double(key.feature) / Double(max(1, dictionary.latentCount)))
            }
        }
        for rows in [layers, tokens, histograms, cofirings, contexts] {
            try rows.finish()
            if rows.orphanCount > 0 { add(rows.table, "\(rows.orphanCount) rows refer to a feature that is not there") }
        }
        try checkIndexes(indexes)
    }

    private static let featureQuery = """
        SELECT dictionary_id, feature_index, corpus_id, n_fired, firing_rate, mean_activation, std_activation,
            min_activation, max_activation, sum_activation, sum_square, p10, p50, p90, p99, decoder_norm, n_documents,
            histogram, peak_layer, peak_layer_share, layer_entropy, top_token, counted_from, counted_below,
            strongest_token
        FROM feature ORDER BY dictionary_id, feature_index, corpus_id
        """

    private static func figures(_ rows: BulkRead) throws -> FeatureFigures {
        var figures = FeatureFigures()
        figures.firedCount = try rows.integer(3)
        figures.firingRate = try rows.real(4)
        figures.mean = try rows.optionalReal(5)
        figures.deviation = try rows.optionalReal(6)
        figures.minimum = try rows.optionalReal(7)
        figures.maximum = try rows.optionalReal(8)
        figures.sum = try rows.real(9)
        figures.sumSquare = try rows.real(10)
        figures.quantiles = try (11...14).map { try rows.optionalReal($0) }
        figures.decoderNorm = try rows.real(15)
        figures.documentCount = try rows.integer(16)
        if !rows.isNull(17) {
            figures.histogram = try rows.withText(17) { FeatureFigures.counts(json: $0) }
            figures.isHistogramValid = figures.histogram != nil
        }
        figures.stored.peakLayer = try rows.optionalInteger(18)
        figures.stored.peakLayerShare = try rows.optionalReal(19)
        figures.stored.layerEntropy = try rows.optionalReal(20)
        figures.stored.topToken = try rows.optionalText(21)
        figures.stored.countedFrom = try rows.optionalReal(22).map { Float($0) }
        figures.stored.countedBelow = try rows.optionalReal(23).map { Float($0) }
        figures.stored.strongestToken = try rows.optionalText(24)
        return figures
    }

    /// A row of `feature_cofiring`.
    private struct Companion {
        let rank: Int
        let other: Int
        let lift: Double
    }

    private static func contradiction(
        _ companions: [Companion], of feature: Int, _ dictionary: InspectedDictionary
    ) -> String? {
        for (place, companion) in companions.enumerated() {
            if companion.rank != place { return "co-firing rank \(companion.rank) stands where \(place) should" }
            if !(0..<dictionary.latentCount).contains(companion.other) {
                return "other_index is \(companion.other), and there are \(dictionary.latentCount) features"
            }
            if companion.other == feature { return "it is listed as co-firing with itself" }
            if !companion.lift.isFinite { return "the lift of feature \(companion.other) is not a number" }
        }
        return nil
    }

    /// Checks the totals over all features of an index.
    private mutating func checkIndexes(_ indexes: [IndexingKey: InspectedIndex]) throws {
        let keys = indexes.keys.sorted { ($0.dictionaryID, $0.corpusID) < ($1.dictionaryID, $1.corpusID) }
        for key in keys {
            guard let index = indexes[key], let dictionary = dictionaries[key.dictionaryID] else { continue }
            if index.featureCount != dictionary.latentCount {
                add(
                    "indexing",
                    "dictionary \(key.dictionaryID) has \(dictionary.latentCount) latents and \(index.featureCount) "
                        + "features")
            }
            for reason in try index.contradictions(database) { add(index.place, reason) }
            for reason in try index.routingContradictions(database) {
                add("layer_routing of dictionary \(key.dictionaryID), run \(index.runID)", reason)
            }
        }
        try checkRouting()
    }

    /// Checks rows of `layer_routing`.
    private mutating func checkRouting() throws {
        let rows = try read(
            """
            SELECT dictionary_id, run_id, layer, mean_router_weight
            FROM layer_routing ORDER BY dictionary_id, run_id, layer
            """)
        while try rows.next() {
            let (id, run, layer) = (try rows.integer(0), try rows.integer(1), try rows.integer(2))
            guard let dictionary = dictionaries[Int64(id)] else { continue }
            let place = "layer_routing of dictionary \(id), run \(run)"
            if !dictionary.layers.contains(layer) { add(place, "layer \(layer) is none that the dictionary reads") }
            if let weight = try rows.optionalReal(3), !(weight >= 0 && weight <= 1 + 1e-6) {
                add(place, "mean_router_weight of layer \(layer) is \(weight)")
            }
        }
    }
}
