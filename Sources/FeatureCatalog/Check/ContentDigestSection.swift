/// One part of the content digest: a SELECT of its columns, ordered by content and not by keys.
struct ContentDigestSection {
    /// How a column's blob is hashed.
    enum Content {
        /// One frame of at most so many bytes.
        case plain(limit: Int)
        /// Token ids; the two columns that follow the last one to count say how many, and whether they are shuffled.
        case tokenIDs
    }

    let name: String
    let sql: String
    /// The column that holds a zstd frame, if there is one, and what is in it.
    let frame: (column: Int, content: Content)?

    private init(_ name: String, frame: (column: Int, content: Content)? = nil, _ sql: String) {
        self.name = name
        self.sql = sql
        self.frame = frame
    }

    /// A run's position among the complete ones, in place of its key.
    private static let runs = """
        WITH r AS (
            SELECT run_id, row_number() OVER (ORDER BY run_id) AS place FROM run WHERE status = 'complete'
        )
        """

    /// All sections.
    static let all =
        [
            ContentDigestSection(
                "run",
                """
                \(runs)
                SELECT r.place, run.kind, run.config, run.seed FROM run JOIN r USING (run_id) ORDER BY r.place
                """),
            ContentDigestSection(
                "run_input",
                """
                \(runs)
                SELECT r.place, i.role, i.name, i.sha256, i.bytes
                FROM run_input AS i JOIN r USING (run_id) ORDER BY r.place, i.role, i.name
                """),
            ContentDigestSection(
                "run_metric",
                """
                \(runs)
                SELECT r.place, m.name, m.step, m.value FROM run_metric AS m JOIN r USING (run_id)
                WHERE m.name NOT GLOB '*_seconds' AND m.name NOT GLOB '*_per_second'
                ORDER BY r.place, m.name, m.step
                """),
            ContentDigestSection(
                "language_model",
                """
                SELECT sha256, name, revision, architecture, n_layers, d_model, vocab_size, config, tokenizer_sha256
                FROM language_model ORDER BY sha256, name
                """),
            ContentDigestSection(
                "token",
                """
                SELECT l.sha256, l.name, t.token_id, t.text, t.bytes
                FROM token AS t JOIN language_model AS l USING (language_model_id) ORDER BY l.sha256, l.name, t.token_id
                """),
            ContentDigestSection(
                "corpus",
                """
                SELECT l.sha256, l.name, c.sha256, c.name, c.source
                FROM corpus AS c JOIN language_model AS l USING (language_model_id)
                ORDER BY l.sha256, l.name, c.sha256, c.name
                """),
            ContentDigestSection(
                "document", frame: (8, .tokenIDs),
                """
                SELECT l.sha256, l.name, c.sha256, c.name, d.ordinal, d.title, d.source, d.sha256, d.token_ids,
                    d.n_tokens, d.is_shuffled
                FROM document AS d JOIN corpus AS c USING (corpus_id) JOIN language_model AS l USING (language_model_id)
                ORDER BY l.sha256, l.name, c.sha256, c.name, d.ordinal
                """),
            ContentDigestSection(
                "passage",
                """
                SELECT c.sha256, c.name, d.ordinal, p.first_token, p.n_tokens, p.segment, p.text, p.token_starts
                FROM passage AS p JOIN document AS d USING (document_id) JOIN corpus AS c USING (corpus_id)
                ORDER BY c.sha256, c.name, c.corpus_id, d.ordinal, p.first_token, p.n_tokens
                """),
            ContentDigestSection(
                "dictionary",
                """
                \(runs)
                SELECT d.name, r.place, l.sha256, l.name, d.architecture, d.d_model, d.n_latents, d.k, d.layers,
                    d.aggregation, d.routing, d.fidelity, d.activation_threshold, d.relative_threshold,
                    d.n_tokens_trained, d.config, d.input_normalization, d.input_epsilon, d.input_scale,
                    d.subtracts_pre_bias, d.selection, d.threshold_form
                FROM dictionary AS d LEFT JOIN r USING (run_id)
                LEFT JOIN language_model AS l USING (language_model_id) ORDER BY d.name
                """),
            ContentDigestSection(
                "dictionary_tensor",
                """
                SELECT d.name, t.name, t.dtype, t.shape, t.sha256
                FROM dictionary_tensor AS t JOIN dictionary AS d USING (dictionary_id) ORDER BY d.name, t.name
                """),
            ContentDigestSection(
                "layer_routing",
                """
                \(runs)
                SELECT d.name, r.place, l.layer, l.n_tokens, l.mean_router_weight
                FROM layer_routing AS l JOIN dictionary AS d USING (dictionary_id) JOIN r ON r.run_id = l.run_id
                ORDER BY d.name, r.place, l.layer
                """),
            ContentDigestSection(
                "feature_logit",
                """
                SELECT d.name, f.feature_index, f.direction, f.rank, f.token_id, f.value
                FROM dictionary AS d JOIN feature_logit AS f USING (dictionary_id)
                ORDER BY d.name, f.feature_index, f.direction, f.rank
                """),
            ContentDigestSection(
                "feature_logit_histogram",
                """
                SELECT d.name, f.feature_index, f.bin_width, f.first_bin, f.counts
                FROM dictionary AS d JOIN feature_logit_histogram AS f USING (dictionary_id)
                ORDER BY d.name, f.feature_index
                """),
            ContentDigestSection(
                "feature_neighbor",
                """
                SELECT d.name, f.feature_index, f.rank, f.neighbor_index, f.cosine
                FROM dictionary AS d JOIN feature_neighbor AS f USING (dictionary_id)
                ORDER BY d.name, f.feature_index, f.rank
                """),
            ContentDigestSection(
                "explanation",
                """
                \(runs)
                SELECT d.name, c.sha256, c.name, e.feature_index, e.method, r.place, e.text, e.detail
                FROM explanation AS e JOIN dictionary AS d USING (dictionary_id) JOIN corpus AS c USING (corpus_id)
                LEFT JOIN r ON r.run_id = e.run_id
                ORDER BY d.name, c.sha256, c.name, e.feature_index, e.method, r.place, e.text, e.detail
                """),
            ContentDigestSection(
                "score", frame: (14, .plain(limit: Catalog.maximumDetailByteCount)),
                """
                \(runs)
                SELECT d.name, c.sha256, c.name, s.feature_index, s.method, r.place, e.method, e.text, s.status, s.value,
                    s.baseline_value, s.reason, s.n_contexts, s.n_tokens, s.detail, s.metrics, s.category
                FROM score AS s JOIN dictionary AS d ON d.dictionary_id = s.dictionary_id
                JOIN corpus AS c ON c.corpus_id = s.corpus_id
                LEFT JOIN r ON r.run_id = s.run_id LEFT JOIN explanation AS e ON e.explanation_id = s.explanation_id
                ORDER BY d.name, c.sha256, c.name, s.feature_index, s.method, r.place, e.method, e.text, s.status, s.value,
                    s.baseline_value, s.reason, s.n_contexts, s.n_tokens, s.metrics
                """),
            ContentDigestSection(
                "evaluation",
                """
                \(runs)
                SELECT d.name, c.sha256, c.name, r.place, e.metric, e.layer, e.value, e.low, e.high, e.n_tokens
                FROM evaluation AS e JOIN dictionary AS d USING (dictionary_id) LEFT JOIN r ON r.run_id = e.run_id
                LEFT JOIN corpus AS c ON c.corpus_id = e.corpus_id
                ORDER BY d.name, c.sha256, c.name, r.place, e.metric, e.layer, e.value
                """),
            ContentDigestSection(
                "intervention",
                """
                \(runs)
                SELECT d.name, r.place, i.feature_index, i.operation, i.strength, i.prompt, i.text, i.kl, i.detail
                FROM intervention AS i JOIN dictionary AS d USING (dictionary_id) LEFT JOIN r ON r.run_id = i.run_id
                ORDER BY d.name, r.place, i.feature_index, i.operation, i.strength, i.prompt, i.text, i.kl, i.detail
                """),
            ContentDigestSection(
                "review",
                """
                SELECT d.name, v.feature_index, e.text, v.verdict, v.category, v.note, v.reviewer
                FROM review AS v JOIN dictionary AS d USING (dictionary_id)
                LEFT JOIN explanation AS e ON e.explanation_id = v.explanation_id
                ORDER BY d.name, v.feature_index, e.text, v.verdict, v.category, v.note, v.reviewer
                """),
            ContentDigestSection(
                "exchange", frame: (2, .plain(limit: Catalog.maximumExchangeByteCount)),
                "SELECT sha256, llm, reply FROM exchange ORDER BY sha256"),
        ] + index(where: "TRUE")

    /// The results of indexing: of all indexes, or those for which a condition on `i`, the row of `indexing`, holds.
    static func index(where condition: String) -> [ContentDigestSection] {
        let names = "d.name, c.sha256, c.name"
        func section(
            _ table: String, _ columns: String, order: String, joins: String = "",
            frame: (column: Int, content: Content)? = nil
        ) -> ContentDigestSection {
            ContentDigestSection(
                table, frame: frame,
                """
                SELECT \(names), x.feature_index, \(columns)
                FROM indexing AS i JOIN dictionary AS d USING (dictionary_id) JOIN corpus AS c USING (corpus_id)
                JOIN \(table) AS x ON x.dictionary_id = i.dictionary_id AND x.corpus_id = i.corpus_id \(joins)
                WHERE \(condition) ORDER BY \(names), c.corpus_id, x.feature_index\(order)
                """)
        }
        return [
            ContentDigestSection(
                "indexing",
                """
                SELECT \(names), i.n_tokens, i.n_documents, i.window, i.histogram_edges, i.n_alive, i.n_contexts,
                    i.mean_active_per_token, i.mean_layer_entropy
                FROM indexing AS i JOIN dictionary AS d USING (dictionary_id) JOIN corpus AS c USING (corpus_id)
                WHERE \(condition) ORDER BY \(names), c.corpus_id
                """),
            section(
                "feature",
                """
                x.n_fired, x.firing_rate, x.mean_activation, x.std_activation, x.min_activation, x.max_activation,
                x.sum_activation, x.sum_square, x.p10, x.p50, x.p90, x.p99, x.decoder_norm, x.n_documents,
                x.peak_layer, x.peak_layer_share, x.layer_entropy, x.top_token, x.strongest_token,
                x.counted_from, x.counted_below,
                x.histogram
                """, order: ""),
            section(
                "feature_layer", "x.layer, x.n_fired, x.sum_activation, x.max_activation, x.sum_router_weight",
                order: ", x.layer"),
            section(
                "feature_token", "x.token_class, x.n_fired, x.activation_1, x.activation_2", order: ", x.token_class"),
            section("feature_linear_histogram", "x.bin_width, x.first_bin, x.counts", order: ""),
            section("feature_cofiring", "x.rank, x.other_index, x.share, x.lift", order: ", x.rank"),
            section(
                "feature_context",
                """
                x.band, x.rank, o.ordinal, p.first_token, p.n_tokens, x.position, x.layer, x.router_weight,
                x.activation, x.split, x.n_occurrences, x.other_activations
                """, order: ", x.band, x.rank",
                joins: "JOIN passage AS p USING (passage_id) JOIN document AS o USING (document_id)"),
        ]
    }

    /// The rows of one run; runs and dictionaries are not named, so that another catalog's run can be compared.
    static func run(_ runID: Int64) -> [ContentDigestSection] {
        [
            ContentDigestSection(
                "dictionary_tensor",
                """
                SELECT t.name, t.dtype, t.shape, t.sha256
                FROM dictionary_tensor AS t JOIN dictionary AS d USING (dictionary_id) WHERE d.run_id = \(runID)
                ORDER BY d.name, t.name
                """),
            ContentDigestSection(
                "run_metric",
                """
                SELECT name, step, value FROM run_metric
                WHERE run_id = \(runID) AND name NOT GLOB '*_seconds' AND name NOT GLOB '*_per_second'
                ORDER BY name, step
                """),
            ContentDigestSection(
                "layer_routing",
                """
                SELECT layer, n_tokens, mean_router_weight, n_features, n_peak_features, n_fired, sum_activation,
                    max_activation
                FROM layer_routing WHERE run_id = \(runID) ORDER BY dictionary_id, layer
                """),
        ] + index(where: "i.run_id = \(runID)") + [
            ContentDigestSection(
                "evaluation",
                """
                SELECT d.name, c.sha256, c.name, e.metric, e.layer, e.value, e.low, e.high, e.n_tokens
                FROM evaluation AS e JOIN dictionary AS d USING (dictionary_id)
                LEFT JOIN corpus AS c ON c.corpus_id = e.corpus_id WHERE e.run_id = \(runID)
                ORDER BY d.name, c.sha256, c.name, e.metric, e.layer
                """),
            ContentDigestSection(
                "explanation",
                """
                SELECT feature_index, method, text, detail FROM explanation WHERE run_id = \(runID)
                ORDER BY feature_index, method, text
                """),
            ContentDigestSection(
                "score",
                """
                SELECT s.feature_index, s.method, e.text, s.status, s.value, s.baseline_value, s.reason, s.n_contexts,
                    s.n_tokens, s.metrics, s.category
                FROM score AS s LEFT JOIN explanation AS e USING (explanation_id) WHERE s.run_id = \(runID)
                ORDER BY s.feature_index, s.method, e.text, s.status, s.value
                """),
        ]
    }
}
