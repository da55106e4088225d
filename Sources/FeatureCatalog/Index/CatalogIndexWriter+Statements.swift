import GRDB
import Vocabulary

extension CatalogIndexWriter {
    /// The insertions of an index; the first three columns of all are dictionary, feature and corpus.
    struct Statements {
        let feature: BulkInsert
        let layer: BulkInsert
        let token: BulkInsert
        let linearHistogram: BulkInsert
        let cofiring: BulkInsert
        let context: BulkInsert

        init(_ database: Database, path: String) throws(CatalogError) {
            func insert(_ table: String, _ columns: String) throws(CatalogError) -> BulkInsert {
                let count = columns.split(separator: ",").count + 3
                let places = Array(repeating: "?", count: count).joined(separator: ", ")
                return try BulkInsert(
                    database, path: path,
                    sql: "INSERT INTO \(table) (dictionary_id, feature_index, corpus_id, \(columns)) VALUES (\(places))"
                )
            }
            feature = try insert(
                "feature",
                """
                n_fired, firing_rate, mean_activation, std_activation, min_activation, max_activation, sum_activation,
                sum_square, p10, p50, p90, p99, decoder_norm, is_dead, n_documents, histogram, peak_layer,
                peak_layer_share, layer_entropy, top_token, counted_from, counted_below, strongest_token
                """)
            layer = try insert(
                "feature_layer",
                "layer, n_fired, sum_activation, max_activation, sum_router_weight, mean_router_weight")
            token = try insert("feature_token", "token_class, n_fired, activation_1, activation_2")
            linearHistogram = try insert("feature_linear_histogram", "bin_width, first_bin, counts")
            cofiring = try insert("feature_cofiring", "rank, other_index, share, lift")
            context = try insert(
                "feature_context",
                """
                band, rank, passage_id, position, layer, router_weight, activation, split, n_occurrences,
                other_activations
                """)
        }
    }
}

extension ContextBand {
    /// The value in `feature_context.band`.
    var code: Int {
        switch self {
        case .top: 0
        case .sample: 1
        case .quiet: 2
        }
    }
}

extension ContextSplit {
    /// The value in `feature_context.split`.
    var code: Int {
        switch self {
        case .explain: 0
        case .score: 1
        }
    }
}
