/// One part of the content digest: a SELECT of what counts, ordered by what the rows are and not by their numbers.
struct ContentDigestSection {
    let name: String
    let sql: String
    /// The column that holds a zstd frame, if there is one.
    let frameColumn: Int?
    /// The most that such a frame may hold, bytes.
    let limit: Int

    private init(_ name: String, frameColumn: Int? = nil, limit: Int = 0, _ sql: String) {
        self.name = name
        self.sql = sql
        self.frameColumn = frameColumn
        self.limit = limit
    }

    /// A run's place among the complete ones, which stands for its number.
    private static let runs = """
        WITH r AS (
            SELECT run_id, row_number() OVER (ORDER BY run_id) AS place FROM run WHERE status = 'complete'
        )
        """

    static let all = [
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
            SELECT sha256, name, architecture, n_layers, d_model, vocab_size, config, tokenizer_sha256
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
            "document", frameColumn: 8, limit: 4 * TokenIDs.maximumCount,
            """
            SELECT l.sha256, l.name, c.sha256, c.name, d.ordinal, d.title, d.source, d.sha256, d.token_ids
            FROM document AS d JOIN corpus AS c USING (corpus_id) JOIN language_model AS l USING (language_model_id)
            ORDER BY l.sha256, l.name, c.sha256, c.name, d.ordinal
            """),
        ContentDigestSection(
            "dictionary",
            """
            \(runs)
            SELECT d.name, r.place, l.sha256, l.name, d.architecture, d.d_model, d.n_latents, d.k, d.layers,
                d.aggregation, d.routing, d.fidelity, d.activation_threshold, d.relative_threshold,
                d.n_tokens_trained, d.config
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
            "indexing",
            """
            \(runs)
            SELECT d.name, r.place, c.sha256, c.name, i.n_tokens, i.n_documents, i.histogram_edges
            FROM indexing AS i JOIN dictionary AS d USING (dictionary_id) LEFT JOIN r ON r.run_id = i.run_id
            LEFT JOIN corpus AS c USING (corpus_id) ORDER BY d.name
            """),
        ContentDigestSection(
            "feature",
            """
            SELECT d.name, f.feature_index, f.n_fired, f.firing_rate, f.mean_activation, f.std_activation,
                f.max_activation, f.p10, f.p50, f.p90, f.p99, f.decoder_norm, f.n_documents, f.peak_layer,
                f.peak_layer_share, f.layer_entropy, f.top_token, f.histogram
            FROM dictionary AS d JOIN feature AS f USING (dictionary_id) ORDER BY d.name, f.feature_index
            """),
        ContentDigestSection(
            "feature_layer",
            """
            SELECT d.name, f.feature_index, f.layer, f.n_fired, f.sum_activation, f.max_activation,
                f.mean_router_weight
            FROM dictionary AS d JOIN feature_layer AS f USING (dictionary_id)
            ORDER BY d.name, f.feature_index, f.layer
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
            "feature_token",
            """
            SELECT d.name, f.feature_index, f.token_class, f.n_fired, f.activation_1, f.activation_2
            FROM dictionary AS d JOIN feature_token AS f USING (dictionary_id)
            ORDER BY d.name, f.feature_index, f.token_class
            """),
        ContentDigestSection(
            "context", frameColumn: 15, limit: 1 << 24,
            """
            SELECT d.name, x.feature_index, x.band, x.rank, c.sha256, c.name, o.ordinal, x.token_position, x.segment,
                x.window_start, x.window_length, x.layer, x.router_weight, x.activation, x.split, x.activations,
                x.excerpt
            FROM context AS x JOIN dictionary AS d USING (dictionary_id) JOIN document AS o USING (document_id)
            JOIN corpus AS c USING (corpus_id)
            ORDER BY d.name, x.feature_index, x.band, x.rank
            """),
        ContentDigestSection(
            "feature_logit",
            """
            SELECT d.name, f.feature_index, f.direction, f.rank, f.token_id, f.value
            FROM dictionary AS d JOIN feature_logit AS f USING (dictionary_id)
            ORDER BY d.name, f.feature_index, f.direction, f.rank
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
            SELECT d.name, e.feature_index, e.method, r.place, e.text, e.detail
            FROM explanation AS e JOIN dictionary AS d USING (dictionary_id) LEFT JOIN r ON r.run_id = e.run_id
            ORDER BY d.name, e.feature_index, e.method, r.place, e.text, e.detail
            """),
        ContentDigestSection(
            "score", frameColumn: 12, limit: Catalog.maximumDetailByteCount,
            """
            \(runs)
            SELECT d.name, s.feature_index, s.method, r.place, e.method, e.text, s.status, s.value, s.baseline_value,
                s.reason, s.n_contexts, s.n_tokens, s.detail, s.metrics
            FROM score AS s JOIN dictionary AS d ON d.dictionary_id = s.dictionary_id
            LEFT JOIN r ON r.run_id = s.run_id LEFT JOIN explanation AS e ON e.explanation_id = s.explanation_id
            ORDER BY d.name, s.feature_index, s.method, r.place, e.method, e.text, s.status, s.value,
                s.baseline_value, s.reason, s.n_contexts, s.n_tokens, s.metrics
            """),
        ContentDigestSection(
            "evaluation",
            """
            \(runs)
            SELECT d.name, r.place, e.metric, e.layer, e.value, e.low, e.high, e.n_tokens
            FROM evaluation AS e JOIN dictionary AS d USING (dictionary_id) LEFT JOIN r ON r.run_id = e.run_id
            ORDER BY d.name, r.place, e.metric, e.layer, e.value
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
            SELECT d.name, v.feature_index, e.text, v.verdict, v.note, v.reviewer
            FROM review AS v JOIN dictionary AS d USING (dictionary_id)
            LEFT JOIN explanation AS e ON e.explanation_id = v.explanation_id
            ORDER BY d.name, v.feature_index, e.text, v.verdict, v.note, v.reviewer
            """),
    ]
}
