import GRDB

extension CatalogInspection {
    /// The activations in a feature's contexts, which are kept apart from them.
    mutating func checkActivations(
        _ contexts: [InspectedContext], of feature: Int, _ index: InspectedIndex, _ passages: InspectedPassages
    ) {
        let place =
            "contexts of feature \(feature) of dictionary \(index.key.dictionaryID) on corpus "
            + "\(index.key.corpusID)"
        guard !contexts.isEmpty else { return }
        let ranges = contexts.map { $0.window(index, passages) }
        do {
            let windows = try catalog.contextActivations(
                index.key, featureIndex: feature, windowLengths: ranges.map { $0?.count ?? 0 }, database)
            for ((context, range), window) in zip(zip(contexts, ranges), windows) {
                let peak = context.position - (range?.lowerBound ?? 0)
                guard window.indices.contains(peak), Double(window[peak]) == context.activation else {
                    add(place, "an activation is not that of the peak token in its window")
                    return
                }
            }
        } catch let error as CatalogError {
            add(place, error.message)
        } catch {
            add(place, "\(error)")
        }
    }

    /// Activations of more or fewer contexts than there are.
    mutating func checkActivationCounts() throws {
        let rows = try read(
            """
            SELECT dictionary_id, feature_index FROM context_activations AS a WHERE n_contexts <> (
                SELECT count(*) FROM feature_context AS c
                WHERE c.dictionary_id = a.dictionary_id AND c.feature_index = a.feature_index
                    AND c.corpus_id = a.corpus_id)
            LIMIT \(limit)
            """)
        while try rows.next() {
            add(
                "contexts of feature \(try rows.integer(1)) of dictionary \(try rows.integer(0))",
                "their number is wrong")
        }
    }
}
