-- The catalog, first form. schema/README.md tells every table and blob; the comments inside the statements stay in
-- the file, so that `.schema` shows them to whoever opens a catalog with nothing but the sqlite3 shell.
--
-- JSON columns have no CHECK (json_valid(...)): with trusted_schema off, SQLite 3.40 refuses to open a schema whose
-- CHECKs call JSON functions. The writer checks them instead, and so does verification.

CREATE TABLE catalog (
    catalog_id INTEGER PRIMARY KEY CHECK (catalog_id = 1), -- one row
    uuid TEXT NOT NULL,                                    -- random, fixed at creation
    created_at TEXT NOT NULL,                              -- UTC, ISO 8601, as all times
    created_by TEXT NOT NULL                               -- software and version
) STRICT;

CREATE TABLE run (
    run_id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (
        kind IN ('train', 'index', 'explain', 'score', 'evaluate', 'steer', 'import', 'merge')
    ),
    status TEXT NOT NULL CHECK (status IN ('running', 'complete', 'failed', 'interrupted')),
    config TEXT NOT NULL,                                  -- JSON, whole: the run can be done again
    seed INTEGER,                                          -- 64 bits, two's complement
    software_version TEXT NOT NULL,
    source_revision TEXT,
    host TEXT NOT NULL,
    process_id INTEGER,                                    -- with the next two: is a running run still alive?
    process_started INTEGER,                               -- clock ticks after boot
    boot_id TEXT,
    started_at TEXT NOT NULL,
    finished_at TEXT CHECK ((finished_at IS NULL) = (status = 'running')),
    error TEXT CHECK (error IS NULL OR status IN ('failed', 'interrupted'))
) STRICT;

CREATE TABLE run_input (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    role TEXT NOT NULL,                                    -- model, tokenizer, text …
    name TEXT NOT NULL,                                    -- the file's own name, no path
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (run_id, role, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_metric (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    name TEXT NOT NULL,                                    -- loss …; *_seconds and *_per_second are timings
    step INTEGER NOT NULL CHECK (step >= 0),
    value REAL,                                            -- NULL: not a finite number
    PRIMARY KEY (run_id, name, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE language_model (
    language_model_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    architecture TEXT NOT NULL,
    n_layers INTEGER NOT NULL CHECK (n_layers > 0),
    d_model INTEGER NOT NULL CHECK (d_model > 0),
    vocab_size INTEGER NOT NULL CHECK (vocab_size > 0),
    config TEXT NOT NULL,                                  -- the model's own config.json
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),      -- of the weights
    tokenizer_sha256 TEXT CHECK (length(tokenizer_sha256) = 64),
    UNIQUE (sha256, name)
) STRICT;

CREATE TABLE token (
    language_model_id INTEGER NOT NULL REFERENCES language_model ON DELETE CASCADE,
    token_id INTEGER NOT NULL CHECK (token_id >= 0),
    text TEXT NOT NULL,                                    -- bytes that are not UTF-8 appear as U+FFFD
    bytes BLOB,                                            -- exact bytes where text cannot hold them
    PRIMARY KEY (language_model_id, token_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE corpus (
    corpus_id INTEGER PRIMARY KEY,
    language_model_id INTEGER NOT NULL REFERENCES language_model, -- whose tokenizer made the token ids
    name TEXT NOT NULL,
    source TEXT,                                           -- origin and licence, for people
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),      -- of the text
    UNIQUE (language_model_id, sha256, name)
) STRICT;

CREATE TABLE document (
    document_id INTEGER PRIMARY KEY,
    corpus_id INTEGER NOT NULL REFERENCES corpus ON DELETE CASCADE,
    ordinal INTEGER NOT NULL CHECK (ordinal >= 0),         -- from 0
    title TEXT,
    source TEXT,
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),      -- of the text
    token_ids BLOB NOT NULL,                               -- zstd of n_tokens little-endian u32
    UNIQUE (corpus_id, ordinal)
) STRICT;

CREATE TABLE dictionary (
    dictionary_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run,                -- trained or imported it
    language_model_id INTEGER REFERENCES language_model,
    name TEXT NOT NULL UNIQUE CHECK (length(name) > 0),
    architecture TEXT NOT NULL CHECK (
        architecture IN ('route', 'topk', 'vanilla', 'gated', 'jumprelu', 'crosscoder', 'mlsae', 'random')
    ),
    d_model INTEGER NOT NULL CHECK (d_model > 0),
    n_latents INTEGER NOT NULL CHECK (n_latents > 0),      -- features are numbered from 0
    k INTEGER CHECK (k > 0),                               -- active latents per token, where fixed
    layers TEXT NOT NULL,                                  -- JSON array, decoder layers from 0
    aggregation TEXT CHECK (aggregation IN ('sum', 'mean')),
    routing TEXT CHECK (routing IN ('hard', 'soft')),
    fidelity TEXT NOT NULL CHECK (fidelity IN ('reference', 'corrected')),
    activation_threshold REAL NOT NULL,                    -- counting's default t
    relative_threshold REAL NOT NULL,                      -- t / sqrt(d_model)
    n_tokens_trained INTEGER CHECK (n_tokens_trained >= 0),
    config TEXT NOT NULL                                   -- whatever else decides what it computes
) STRICT;

CREATE TABLE dictionary_tensor (
    tensor_id INTEGER PRIMARY KEY,
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    name TEXT NOT NULL,
    dtype TEXT NOT NULL CHECK (dtype IN ('f32', 'f16', 'bf16')),
    shape TEXT NOT NULL,                                   -- JSON array, rows first
    n_rows INTEGER NOT NULL CHECK (n_rows >= 0),
    row_length INTEGER NOT NULL CHECK (row_length >= 0),   -- values per row
    rows_per_chunk INTEGER NOT NULL CHECK (rows_per_chunk > 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),      -- of all values, little-endian, row-major
    UNIQUE (dictionary_id, name)
) STRICT;

CREATE TABLE tensor_chunk (
    chunk_id INTEGER PRIMARY KEY,
    tensor_id INTEGER NOT NULL REFERENCES dictionary_tensor ON DELETE CASCADE,
    first_row INTEGER NOT NULL CHECK (first_row >= 0),     -- a multiple of rows_per_chunk
    n_rows INTEGER NOT NULL CHECK (n_rows > 0),
    "values" BLOB NOT NULL,                                -- zstd of n_rows * row_length values
    UNIQUE (tensor_id, first_row)
) STRICT;

CREATE TABLE indexing (
    dictionary_id INTEGER PRIMARY KEY REFERENCES dictionary ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    corpus_id INTEGER REFERENCES corpus,
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0),       -- real tokens: no padding, no BOS
    n_documents INTEGER NOT NULL CHECK (n_documents >= 0),
    histogram_edges TEXT NOT NULL                          -- JSON, bins + 1 ascending numbers
) STRICT;

CREATE INDEX indexing_by_run ON indexing (run_id);

CREATE TABLE feature (
    dictionary_id INTEGER NOT NULL REFERENCES indexing ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    n_fired INTEGER NOT NULL CHECK (n_fired >= 0),         -- tokens on which it fired
    firing_rate REAL NOT NULL CHECK (firing_rate BETWEEN 0 AND 1), -- n_fired / indexing.n_tokens
    mean_activation REAL,                                  -- this and the next six: while firing, NULL if never
    std_activation REAL CHECK (std_activation >= 0),
    max_activation REAL,
    p10 REAL,
    p50 REAL,
    p90 REAL,
    p99 REAL,
    decoder_norm REAL NOT NULL CHECK (decoder_norm >= 0),
    is_dead INTEGER NOT NULL CHECK (is_dead = (n_fired = 0)),
    n_documents INTEGER NOT NULL CHECK (n_documents >= 0), -- in which it fired
    peak_layer INTEGER,                                    -- with most firings (lowest of equals); from feature_layer
    peak_layer_share REAL CHECK (peak_layer_share BETWEEN 0 AND 1), -- of its firings
    layer_entropy REAL CHECK (layer_entropy >= 0),         -- of its firings over layers, nats
    top_token TEXT,                                        -- class with most firings in feature_token
    histogram TEXT,                                        -- JSON, firings per bin of indexing.histogram_edges
    PRIMARY KEY (dictionary_id, feature_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX feature_by_peak_layer ON feature (peak_layer, firing_rate);
CREATE INDEX feature_by_firing_rate ON feature (dictionary_id, firing_rate);
CREATE INDEX feature_by_max_activation ON feature (dictionary_id, max_activation);
CREATE INDEX feature_by_top_token ON feature (top_token, dictionary_id);

CREATE TABLE feature_layer (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    layer INTEGER NOT NULL CHECK (layer >= 0),
    n_fired INTEGER NOT NULL CHECK (n_fired > 0),
    sum_activation REAL NOT NULL,
    max_activation REAL NOT NULL,
    mean_router_weight REAL,                               -- over these firings; NULL without a router
    PRIMARY KEY (dictionary_id, feature_index, layer),
    FOREIGN KEY (dictionary_id, feature_index) REFERENCES feature ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE layer_routing (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    layer INTEGER NOT NULL CHECK (layer >= 0),
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0),       -- tokens routed there
    mean_router_weight REAL,                               -- over all tokens; NULL without a router
    PRIMARY KEY (dictionary_id, run_id, layer)
) STRICT, WITHOUT ROWID;

CREATE INDEX layer_routing_by_run ON layer_routing (run_id);

CREATE TABLE feature_token (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    token_class TEXT NOT NULL,                             -- the token's text, trimmed, lower case
    n_fired INTEGER NOT NULL CHECK (n_fired > 0),
    activation_1 REAL NOT NULL,                            -- the strongest on this class
    activation_2 REAL CHECK (activation_2 <= activation_1), -- the second; NULL if it fired once
    PRIMARY KEY (dictionary_id, feature_index, token_class),
    FOREIGN KEY (dictionary_id, feature_index) REFERENCES feature ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX feature_token_by_class ON feature_token (token_class, dictionary_id);

CREATE TABLE context (
    context_id INTEGER PRIMARY KEY,
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    band TEXT NOT NULL CHECK (band IN ('top', 'sample', 'quiet')),
    rank INTEGER NOT NULL CHECK (rank >= 0),               -- from 0; the strongest of top is 0
    document_id INTEGER NOT NULL REFERENCES document,
    token_position INTEGER NOT NULL,                       -- of the peak, in document.token_ids
    segment INTEGER NOT NULL CHECK (segment >= 0),         -- the model's window in the document
    window_start INTEGER NOT NULL CHECK (window_start >= 0), -- in document.token_ids
    window_length INTEGER NOT NULL CHECK (window_length > 0),
    layer INTEGER NOT NULL CHECK (layer >= 0),             -- the peak token was routed to
    router_weight REAL,
    activation REAL NOT NULL CHECK (band <> 'quiet' OR activation = 0),
    split TEXT CHECK (split IN ('explain', 'score')),
    activations BLOB NOT NULL,                             -- zstd of the sparse form in schema/README.md
    excerpt TEXT NOT NULL,                                 -- the window as text, the peak between « and »
    UNIQUE (dictionary_id, feature_index, document_id, token_position), -- so in one band and one split
    UNIQUE (dictionary_id, feature_index, band, rank),
    FOREIGN KEY (dictionary_id, feature_index) REFERENCES feature ON DELETE CASCADE,
    CHECK (token_position BETWEEN window_start AND window_start + window_length - 1)
) STRICT;

CREATE INDEX context_by_document ON context (document_id, token_position);

-- What is used to write an explanation must not come near what is used to score it.
CREATE TRIGGER context_split_insert BEFORE INSERT ON context WHEN new.split IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'explain and score contexts of a feature share a stretch of text')
    FROM context AS other
    WHERE other.dictionary_id = new.dictionary_id AND other.feature_index = new.feature_index
        AND other.document_id = new.document_id AND other.split <> new.split
        AND (other.segment = new.segment
            OR (other.window_start < new.window_start + new.window_length
                AND new.window_start < other.window_start + other.window_length));
END;

CREATE TRIGGER context_split_update
BEFORE UPDATE OF split, dictionary_id, feature_index, document_id, segment, window_start, window_length ON context
WHEN new.split IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'explain and score contexts of a feature share a stretch of text')
    FROM context AS other
    WHERE other.dictionary_id = new.dictionary_id AND other.feature_index = new.feature_index
        AND other.document_id = new.document_id AND other.split <> new.split
        AND other.context_id <> new.context_id
        AND (other.segment = new.segment
            OR (other.window_start < new.window_start + new.window_length
                AND new.window_start < other.window_start + other.window_length));
END;

CREATE TABLE feature_logit (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('promoted', 'suppressed')),
    rank INTEGER NOT NULL CHECK (rank >= 0),               -- from 0 at the extreme
    token_id INTEGER NOT NULL CHECK (token_id >= 0),
    value REAL NOT NULL,                                   -- change of the logit per unit of activation
    PRIMARY KEY (dictionary_id, feature_index, direction, rank),
    FOREIGN KEY (dictionary_id, feature_index) REFERENCES feature ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_neighbor (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    rank INTEGER NOT NULL CHECK (rank >= 0),               -- from 0 at the nearest
    neighbor_index INTEGER NOT NULL CHECK (neighbor_index >= 0), -- a feature_index of the same dictionary
    cosine REAL NOT NULL CHECK (cosine BETWEEN -1.001 AND 1.001), -- of the decoder vectors
    PRIMARY KEY (dictionary_id, feature_index, rank),
    FOREIGN KEY (dictionary_id, feature_index) REFERENCES feature ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE explanation (
    explanation_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    method TEXT NOT NULL CHECK (length(method) > 0),       -- n2g …
    text TEXT NOT NULL,                                    -- for people
    detail TEXT,                                           -- for simulators, JSON
    UNIQUE (run_id, dictionary_id, feature_index, method),
    FOREIGN KEY (dictionary_id, feature_index) REFERENCES feature ON DELETE CASCADE
) STRICT;

CREATE INDEX explanation_by_feature ON explanation (dictionary_id, feature_index);

CREATE TABLE score (
    score_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    explanation_id INTEGER REFERENCES explanation ON DELETE CASCADE, -- NULL: the feature itself was scored
    method TEXT NOT NULL CHECK (method IN ('simulation', 'detection', 'fuzzing', 'rubric')),
    status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'undefined')),
    value REAL CHECK ((value IS NOT NULL) = (status = 'ok')),
    baseline_value REAL,                                   -- with another feature's explanation: chance
    reason TEXT CHECK ((reason IS NOT NULL) = (status <> 'ok')),
    n_contexts INTEGER NOT NULL CHECK (n_contexts >= 0),
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0),
    metrics TEXT,                                          -- other figures, JSON object
    detail BLOB,                                           -- zstd of JSON
    FOREIGN KEY (dictionary_id, feature_index) REFERENCES feature ON DELETE CASCADE
) STRICT;

CREATE INDEX score_by_feature ON score (dictionary_id, feature_index, method);
CREATE INDEX score_by_explanation ON score (explanation_id, method);
CREATE INDEX score_by_run ON score (run_id);

CREATE TABLE evaluation (
    evaluation_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    metric TEXT NOT NULL,
    layer INTEGER CHECK (layer >= 0),                      -- NULL: all layers together
    value REAL,                                            -- NULL: undefined
    low REAL,                                              -- 95 % interval
    high REAL,
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0)
) STRICT;

CREATE UNIQUE INDEX evaluation_once ON evaluation (run_id, dictionary_id, metric, ifnull(layer, -1));
CREATE INDEX evaluation_by_dictionary ON evaluation (dictionary_id, metric);

CREATE TABLE intervention (
    intervention_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    operation TEXT NOT NULL CHECK (operation IN ('set', 'add', 'multiply')),
    strength REAL NOT NULL,
    prompt TEXT NOT NULL,
    text TEXT NOT NULL,                                    -- what the model wrote after the prompt
    kl REAL,                                               -- to the unsteered model, nats per token
    detail TEXT
) STRICT;

CREATE INDEX intervention_by_feature ON intervention (dictionary_id, feature_index);
CREATE INDEX intervention_by_run ON intervention (run_id);

CREATE TABLE review (
    review_id INTEGER PRIMARY KEY,
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    explanation_id INTEGER REFERENCES explanation ON DELETE SET NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('agree', 'disagree', 'unsure')),
    note TEXT,
    reviewer TEXT,
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX review_by_feature ON review (dictionary_id, feature_index);
CREATE INDEX review_by_explanation ON review (explanation_id);

-- Full text. The marks around the peak token are taken out first, since they would cut words in two.
CREATE VIEW context_plain (context_id, excerpt) AS
SELECT context_id, replace(replace(excerpt, '«', ''), '»', '') FROM context;

CREATE VIRTUAL TABLE context_text USING fts5(
    excerpt, content = 'context_plain', content_rowid = 'context_id', tokenize = 'unicode61'
);

CREATE TRIGGER context_text_insert AFTER INSERT ON context
BEGIN
    INSERT INTO context_text (rowid, excerpt)
    VALUES (new.context_id, replace(replace(new.excerpt, '«', ''), '»', ''));
END;

CREATE TRIGGER context_text_delete AFTER DELETE ON context
BEGIN
    INSERT INTO context_text (context_text, rowid, excerpt)
    VALUES ('delete', old.context_id, replace(replace(old.excerpt, '«', ''), '»', ''));
END;

CREATE TRIGGER context_text_update AFTER UPDATE OF context_id, excerpt ON context
BEGIN
    INSERT INTO context_text (context_text, rowid, excerpt)
    VALUES ('delete', old.context_id, replace(replace(old.excerpt, '«', ''), '»', ''));
    INSERT INTO context_text (rowid, excerpt)
    VALUES (new.context_id, replace(replace(new.excerpt, '«', ''), '»', ''));
END;

CREATE VIRTUAL TABLE explanation_text USING fts5(
    text, content = 'explanation', content_rowid = 'explanation_id', tokenize = 'unicode61'
);

CREATE TRIGGER explanation_text_insert AFTER INSERT ON explanation
BEGIN
    INSERT INTO explanation_text (rowid, text) VALUES (new.explanation_id, new.text);
END;

CREATE TRIGGER explanation_text_delete AFTER DELETE ON explanation
BEGIN
    INSERT INTO explanation_text (explanation_text, rowid, text) VALUES ('delete', old.explanation_id, old.text);
END;

CREATE TRIGGER explanation_text_update AFTER UPDATE OF explanation_id, text ON explanation
BEGIN
    INSERT INTO explanation_text (explanation_text, rowid, text) VALUES ('delete', old.explanation_id, old.text);
    INSERT INTO explanation_text (rowid, text) VALUES (new.explanation_id, new.text);
END;

-- One row a feature. Each column beyond `feature` is a subquery of its own, so only those asked for are run.
CREATE VIEW feature_summary AS
SELECT
    f.dictionary_id,
    d.name AS dictionary,
    f.feature_index,
    f.n_fired,
    f.firing_rate,
    f.mean_activation,
    f.std_activation,
    f.max_activation,
    f.p10,
    f.p50,
    f.p90,
    f.p99,
    f.decoder_norm,
    f.is_dead,
    f.n_documents,
    f.peak_layer,
    f.peak_layer_share,
    f.layer_entropy,
    f.top_token,
    -- The newest explanation, and the newest scores of that explanation that came to a value.
    (SELECT e.text FROM explanation AS e
        WHERE e.dictionary_id = f.dictionary_id AND e.feature_index = f.feature_index
        ORDER BY e.explanation_id DESC LIMIT 1) AS explanation,
    (SELECT e.method FROM explanation AS e
        WHERE e.dictionary_id = f.dictionary_id AND e.feature_index = f.feature_index
        ORDER BY e.explanation_id DESC LIMIT 1) AS explanation_method,
    (SELECT s.value FROM score AS s
        WHERE s.explanation_id = (SELECT max(e.explanation_id) FROM explanation AS e
                WHERE e.dictionary_id = f.dictionary_id AND e.feature_index = f.feature_index)
            AND s.method = 'simulation' AND s.status = 'ok'
        ORDER BY s.score_id DESC LIMIT 1) AS simulation_score,
    (SELECT s.baseline_value FROM score AS s
        WHERE s.explanation_id = (SELECT max(e.explanation_id) FROM explanation AS e
                WHERE e.dictionary_id = f.dictionary_id AND e.feature_index = f.feature_index)
            AND s.method = 'simulation' AND s.status = 'ok'
        ORDER BY s.score_id DESC LIMIT 1) AS simulation_baseline,
    (SELECT s.value FROM score AS s
        WHERE s.explanation_id = (SELECT max(e.explanation_id) FROM explanation AS e
                WHERE e.dictionary_id = f.dictionary_id AND e.feature_index = f.feature_index)
            AND s.method = 'detection' AND s.status = 'ok'
        ORDER BY s.score_id DESC LIMIT 1) AS detection_score,
    (SELECT s.value FROM score AS s
        WHERE s.explanation_id = (SELECT max(e.explanation_id) FROM explanation AS e
                WHERE e.dictionary_id = f.dictionary_id AND e.feature_index = f.feature_index)
            AND s.method = 'fuzzing' AND s.status = 'ok'
        ORDER BY s.score_id DESC LIMIT 1) AS fuzzing_score,
    -- A rubric judges the feature itself, whatever explanation there is.
    (SELECT s.value FROM score AS s
        WHERE s.dictionary_id = f.dictionary_id AND s.feature_index = f.feature_index
            AND s.method = 'rubric' AND s.status = 'ok'
        ORDER BY s.score_id DESC LIMIT 1) AS rubric_score
FROM dictionary AS d
JOIN feature AS f ON f.dictionary_id = d.dictionary_id;

-- One row a dictionary and layer it reads, from its indexing.
CREATE VIEW layer_profile AS
SELECT
    d.dictionary_id,
    d.name AS dictionary,
    l.value AS layer,
    r.n_tokens AS n_tokens,                                -- routed to the layer
    CAST(r.n_tokens AS REAL) / nullif(i.n_tokens, 0) AS token_share,
    r.mean_router_weight AS mean_router_weight,
    (SELECT count(*) FROM feature AS f
        WHERE f.dictionary_id = d.dictionary_id AND f.peak_layer = l.value) AS n_peak_features,
    ifnull(s.n_features, 0) AS n_features,                 -- that fired there at all
    ifnull(s.n_fired, 0) AS n_fired,
    s.mean_activation AS mean_activation,                  -- over those firings
    s.max_activation AS max_activation
FROM dictionary AS d
JOIN indexing AS i ON i.dictionary_id = d.dictionary_id
JOIN json_each(d.layers) AS l
LEFT JOIN layer_routing AS r
    ON r.dictionary_id = d.dictionary_id AND r.run_id = i.run_id AND r.layer = l.value
LEFT JOIN (
    SELECT
        dictionary_id,
        layer,
        count(*) AS n_features,
        sum(n_fired) AS n_fired,
        sum(sum_activation) / sum(n_fired) AS mean_activation,
        max(max_activation) AS max_activation
    FROM feature_layer
    GROUP BY dictionary_id, layer
) AS s ON s.dictionary_id = d.dictionary_id AND s.layer = l.value;

-- One row a dictionary.
CREATE VIEW dictionary_summary AS
SELECT
    d.dictionary_id,
    d.name AS dictionary,
    d.architecture,
    d.fidelity,
    d.routing,
    d.aggregation,
    d.layers,
    d.d_model,
    d.n_latents,
    d.k,
    d.n_tokens_trained,
    (SELECT m.value FROM run_metric AS m
        WHERE m.run_id = d.run_id AND m.name = 'loss' ORDER BY m.step DESC LIMIT 1) AS final_loss,
    i.n_tokens AS n_tokens_indexed,
    i.n_documents AS n_documents_indexed,
    (SELECT count(*) FROM feature AS f WHERE f.dictionary_id = d.dictionary_id AND f.is_dead = 0) AS n_alive,
    (SELECT count(*) FROM feature AS f WHERE f.dictionary_id = d.dictionary_id AND f.is_dead = 1) AS n_dead,
    (SELECT sum(f.firing_rate) FROM feature AS f WHERE f.dictionary_id = d.dictionary_id) AS mean_active_per_token,
    (SELECT avg(f.layer_entropy) FROM feature AS f WHERE f.dictionary_id = d.dictionary_id) AS mean_layer_entropy,
    (SELECT count(*) FROM context AS c WHERE c.dictionary_id = d.dictionary_id) AS n_contexts,
    (SELECT count(DISTINCT e.feature_index) FROM explanation AS e
        WHERE e.dictionary_id = d.dictionary_id) AS n_explained,
    (SELECT avg(f.simulation_score) FROM feature_summary AS f
        WHERE f.dictionary_id = d.dictionary_id) AS mean_simulation_score,
    (SELECT avg(f.simulation_baseline) FROM feature_summary AS f
        WHERE f.dictionary_id = d.dictionary_id) AS mean_simulation_baseline
FROM dictionary AS d
LEFT JOIN indexing AS i ON i.dictionary_id = d.dictionary_id;
