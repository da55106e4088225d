-- The file at home in every SQLite tool: foreign keys name their columns, what can be read comes before blobs, a
-- context's activations are text, views have types and say what people otherwise decode by hand; and every table has a
-- digest of its rows, by which any change shows.
--
-- Renaming a table must change nothing but its name here: the migration runs with foreign keys off.
PRAGMA legacy_alter_table = ON;

DROP VIEW review_pair;
DROP VIEW dictionary_summary;
DROP VIEW layer_profile;
DROP VIEW feature_summary;
DROP VIEW context;
DROP TRIGGER feature_verdict_refresh;
DROP VIEW feature_verdict;
DROP TRIGGER passage_text_insert;
DROP TRIGGER passage_text_delete;
DROP TRIGGER passage_text_update;
DROP TRIGGER explanation_text_insert;
DROP TRIGGER explanation_text_delete;
DROP TRIGGER explanation_text_update;
DROP TRIGGER explanation_inserted;
DROP TRIGGER explanation_updated;
DROP TRIGGER explanation_deleted;
DROP TRIGGER score_inserted;
DROP TRIGGER score_updated;
DROP TRIGGER score_deleted;
DROP TRIGGER feature_context_insert;
DROP TRIGGER feature_context_update;
DROP TABLE passage_text;
DROP TABLE explanation_text;

DROP INDEX evaluation_by_dictionary;
DROP INDEX intervention_by_feature;
DROP INDEX intervention_by_run;
DROP INDEX evaluation_once;
DROP INDEX indexing_by_run;
DROP INDEX indexing_by_corpus;
DROP INDEX feature_by_peak_layer;
DROP INDEX feature_by_firing_rate;
DROP INDEX feature_by_max_activation;
DROP INDEX feature_by_mean_activation;
DROP INDEX feature_by_layer_entropy;
DROP INDEX feature_by_score;
DROP INDEX feature_by_top_token;
DROP INDEX layer_routing_by_run;
DROP INDEX feature_token_by_class;
DROP INDEX feature_context_by_passage;
DROP INDEX explanation_by_feature;
DROP INDEX score_by_feature;
DROP INDEX score_by_explanation;
DROP INDEX score_by_run;
DROP INDEX feature_by_counting;
DROP INDEX feature_logit_by_token;
DROP INDEX review_by_feature;
DROP INDEX review_by_explanation;

ALTER TABLE run RENAME TO old_run;
ALTER TABLE run_input RENAME TO old_run_input;
ALTER TABLE run_metric RENAME TO old_run_metric;
ALTER TABLE language_model RENAME TO old_language_model;
ALTER TABLE token RENAME TO old_token;
ALTER TABLE corpus RENAME TO old_corpus;
ALTER TABLE document RENAME TO old_document;
ALTER TABLE passage RENAME TO old_passage;
ALTER TABLE dictionary RENAME TO old_dictionary;
ALTER TABLE dictionary_tensor RENAME TO old_dictionary_tensor;
ALTER TABLE tensor_chunk RENAME TO old_tensor_chunk;
ALTER TABLE indexing RENAME TO old_indexing;
ALTER TABLE feature RENAME TO old_feature;
ALTER TABLE feature_layer RENAME TO old_feature_layer;
ALTER TABLE layer_routing RENAME TO old_layer_routing;
ALTER TABLE feature_token RENAME TO old_feature_token;
ALTER TABLE feature_cofiring RENAME TO old_feature_cofiring;
ALTER TABLE feature_context RENAME TO old_feature_context;
ALTER TABLE feature_logit RENAME TO old_feature_logit;
ALTER TABLE feature_neighbor RENAME TO old_feature_neighbor;
ALTER TABLE explanation RENAME TO old_explanation;
ALTER TABLE score RENAME TO old_score;
ALTER TABLE review RENAME TO old_review;
ALTER TABLE evaluation RENAME TO old_evaluation;
ALTER TABLE intervention RENAME TO old_intervention;
ALTER TABLE exchange RENAME TO old_exchange;
ALTER TABLE context_activations RENAME TO old_context_activations;
ALTER TABLE zstd_dictionary RENAME TO old_zstd_dictionary;

CREATE TABLE run (
    run_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (
        kind IN ('train', 'index', 'explain', 'score', 'evaluate', 'steer', 'import', 'merge')
    ),
    status TEXT NOT NULL CHECK (status IN ('running', 'complete', 'failed', 'interrupted')),
    started_at TEXT NOT NULL,
    finished_at TEXT CHECK ((finished_at IS NULL) = (status = 'running')),
    error TEXT CHECK (error IS NULL OR status IN ('failed', 'interrupted')),
    seed INTEGER,                                          -- 64 bits, two's complement
    config TEXT NOT NULL,                                  -- JSON, whole: the run can be done again
    software_version TEXT NOT NULL,
    source_revision TEXT,
    host TEXT NOT NULL,
    process_id INTEGER,                                    -- with the next two: is a running run still alive?
    process_started INTEGER,                               -- clock ticks after boot
    boot_id TEXT,
    uuid TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE run_input (
    run_id INTEGER NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    role TEXT NOT NULL,                                    -- model, tokenizer, text …
    name TEXT NOT NULL,                                    -- the file's own name, no path
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (run_id, role, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_metric (
    run_id INTEGER NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    name TEXT NOT NULL,                                    -- loss …; *_seconds and *_per_second are timings
    step INTEGER NOT NULL CHECK (step >= 0),
    value REAL,                                            -- NULL: not a finite number
    PRIMARY KEY (run_id, name, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE language_model (
    language_model_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,                                    -- as its publisher calls it, where that is known
    revision TEXT,                                         -- of the public model
    architecture TEXT NOT NULL,
    n_layers INTEGER NOT NULL CHECK (n_layers > 0),
    d_model INTEGER NOT NULL CHECK (d_model > 0),
    vocab_size INTEGER NOT NULL CHECK (vocab_size > 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),      -- of the weights
    tokenizer_sha256 TEXT CHECK (length(tokenizer_sha256) = 64),
    config TEXT NOT NULL,                                  -- the model's own config.json
    UNIQUE (sha256, name)
) STRICT;

CREATE TABLE token (
    language_model_id INTEGER NOT NULL REFERENCES language_model (language_model_id) ON DELETE CASCADE,
    token_id INTEGER NOT NULL CHECK (token_id >= 0),
    text TEXT NOT NULL,                                    -- bytes that are not UTF-8 appear as U+FFFD
    bytes BLOB,                                            -- exact bytes where text cannot hold them
    PRIMARY KEY (language_model_id, token_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE corpus (
    corpus_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    source TEXT,                                           -- origin and licence, for people
    language_model_id INTEGER NOT NULL REFERENCES language_model (language_model_id), -- whose tokenizer was used
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),      -- of the text
    UNIQUE (language_model_id, sha256, name)
) STRICT;

CREATE TABLE document (
    document_id INTEGER PRIMARY KEY,
    corpus_id INTEGER NOT NULL REFERENCES corpus (corpus_id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL CHECK (ordinal >= 0),         -- from 0
    title TEXT,
    source TEXT,
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),      -- of the text
    is_shuffled INTEGER NOT NULL DEFAULT 0 CHECK (is_shuffled IN (0, 1)),
    token_ids BLOB NOT NULL,                               -- zstd of n_tokens little-endian u32
    UNIQUE (corpus_id, ordinal)
) STRICT;

CREATE TABLE passage (
    passage_id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES document (document_id) ON DELETE CASCADE,
    segment INTEGER NOT NULL CHECK (segment >= 0),         -- its number in the document
    first_token INTEGER NOT NULL CHECK (first_token >= 0), -- in document.token_ids
    n_tokens INTEGER NOT NULL CHECK (n_tokens > 0),
    text TEXT NOT NULL,
    token_starts TEXT NOT NULL, -- n_tokens + 1 decimals of equal width: where each token starts in text, and its end
    UNIQUE (document_id, first_token, n_tokens)
) STRICT;

CREATE TABLE dictionary (
    dictionary_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (length(name) > 0),
    architecture TEXT NOT NULL CHECK (
        architecture IN ('route', 'topk', 'vanilla', 'gated', 'jumprelu', 'crosscoder', 'mlsae', 'random')
    ),
    layers TEXT NOT NULL,                                  -- JSON array, decoder layers from 0
    d_model INTEGER NOT NULL CHECK (d_model > 0),
    n_latents INTEGER NOT NULL CHECK (n_latents > 0),      -- features are numbered from 0
    k INTEGER CHECK (k > 0),                               -- active latents per token, where fixed
    aggregation TEXT CHECK (aggregation IN ('sum', 'mean')),
    routing TEXT CHECK (routing IN ('hard', 'soft')),
    fidelity TEXT NOT NULL CHECK (fidelity IN ('reference', 'corrected')),
    n_tokens_trained INTEGER CHECK (n_tokens_trained >= 0),
    activation_threshold REAL NOT NULL,                    -- counting's default t
    relative_threshold REAL NOT NULL,                      -- t / sqrt(d_model)
    run_id INTEGER NOT NULL REFERENCES run (run_id),       -- trained or imported it
    language_model_id INTEGER REFERENCES language_model (language_model_id),
    config TEXT NOT NULL                                   -- whatever else decides what it computes
) STRICT;

CREATE TABLE dictionary_tensor (
    tensor_id INTEGER PRIMARY KEY,
    dictionary_id INTEGER NOT NULL REFERENCES dictionary (dictionary_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    dtype TEXT NOT NULL CHECK (dtype IN ('f32', 'f16', 'bf16')),
    shape TEXT NOT NULL,                                   -- JSON array, rows first
    n_rows INTEGER NOT NULL CHECK (n_rows >= 0),
    row_length INTEGER NOT NULL CHECK (row_length >= 0),   -- values per row
    rows_per_chunk INTEGER NOT NULL CHECK (rows_per_chunk > 0),
    is_shuffled INTEGER NOT NULL DEFAULT 0 CHECK (is_shuffled IN (0, 1)),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),      -- of all values, little-endian, row-major
    UNIQUE (dictionary_id, name)
) STRICT;

CREATE TABLE tensor_chunk (
    chunk_id INTEGER PRIMARY KEY,
    tensor_id INTEGER NOT NULL REFERENCES dictionary_tensor (tensor_id) ON DELETE CASCADE,
    first_row INTEGER NOT NULL CHECK (first_row >= 0),     -- a multiple of rows_per_chunk
    n_rows INTEGER NOT NULL CHECK (n_rows > 0),
    "values" BLOB NOT NULL,                                -- zstd of n_rows * row_length values
    UNIQUE (tensor_id, first_row)
) STRICT;

CREATE TABLE indexing (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary (dictionary_id) ON DELETE CASCADE,
    corpus_id INTEGER NOT NULL REFERENCES corpus (corpus_id),
    run_id INTEGER NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0),       -- real tokens: no padding, no BOS
    n_documents INTEGER NOT NULL CHECK (n_documents >= 0),
    window INTEGER NOT NULL CHECK (window > 0),            -- tokens of a context
    n_alive INTEGER,                                       -- this and the next three follow from other tables
    n_contexts INTEGER,
    mean_active_per_token REAL,                            -- L0
    mean_layer_entropy REAL,
    histogram_edges TEXT NOT NULL,                         -- JSON, bins + 1 ascending numbers
    PRIMARY KEY (dictionary_id, corpus_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    corpus_id INTEGER NOT NULL,
    n_fired INTEGER NOT NULL CHECK (n_fired >= 0),         -- tokens on which it fired
    firing_rate REAL NOT NULL CHECK (firing_rate BETWEEN 0 AND 1), -- n_fired / indexing.n_tokens
    is_dead INTEGER NOT NULL CHECK (is_dead = (n_fired = 0)),
    n_documents INTEGER NOT NULL CHECK (n_documents >= 0), -- in which it fired
    -- What follows until counted_below is worked out from other tables, for people filter and sort by it.
    top_token TEXT,                                        -- class with most firings in feature_token
    strongest_token TEXT,                                  -- class with the strongest firing there
    peak_layer INTEGER,                                    -- with most firings (lowest of equals); feature_layer
    peak_layer_share REAL CHECK (peak_layer_share BETWEEN 0 AND 1), -- of its firings
    layer_entropy REAL CHECK (layer_entropy >= 0),         -- of its firings over layers, nats
    counted_from REAL,  -- counting's t below which it has more than 32 token classes; NULL: never
    counted_below REAL, -- counting's t from which on it has fewer than 5 contexts; NULL: it always has fewer
    explanation_id INTEGER,                                -- the newest
    simulation_score REAL,                                 -- this to fuzzing_score: of that explanation
    simulation_baseline REAL,
    detection_score REAL,
    fuzzing_score REAL,
    rubric_score REAL,                                     -- of the feature, whatever its explanation
    mean_activation REAL,                                  -- this to p99: while firing, NULL if never
    std_activation REAL CHECK (std_activation >= 0),
    min_activation REAL,
    max_activation REAL,
    p10 REAL,
    p50 REAL,
    p90 REAL,
    p99 REAL,
    decoder_norm REAL NOT NULL CHECK (decoder_norm >= 0),
    sum_activation REAL NOT NULL,                          -- of multiples of 2^-24, so that parts add up exactly
    sum_square REAL NOT NULL,                              -- likewise
    histogram TEXT,                                        -- JSON, firings per bin of indexing.histogram_edges
    PRIMARY KEY (dictionary_id, feature_index, corpus_id),
    FOREIGN KEY (dictionary_id, corpus_id) REFERENCES indexing (dictionary_id, corpus_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_layer (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
    layer INTEGER NOT NULL CHECK (layer >= 0),
    n_fired INTEGER NOT NULL CHECK (n_fired > 0),
    sum_activation REAL NOT NULL,
    max_activation REAL NOT NULL,
    sum_router_weight REAL,                                -- over these firings; NULL without a router
    mean_router_weight REAL,                               -- sum_router_weight / n_fired
    PRIMARY KEY (dictionary_id, feature_index, corpus_id, layer),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id)
        REFERENCES feature (dictionary_id, feature_index, corpus_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE layer_routing (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary (dictionary_id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    layer INTEGER NOT NULL CHECK (layer >= 0),
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0),       -- tokens routed there
    mean_router_weight REAL,                               -- over all tokens; NULL without a router
    n_features INTEGER,                                    -- that fired there; this and the next four: of an indexing
    n_peak_features INTEGER,                               -- that fired there most
    n_fired INTEGER,
    sum_activation REAL,                                   -- over those firings
    max_activation REAL,
    PRIMARY KEY (dictionary_id, run_id, layer)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_token (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
    token_class TEXT NOT NULL,                             -- the token's text, trimmed, lower case
    n_fired INTEGER NOT NULL CHECK (n_fired > 0),
    activation_1 REAL NOT NULL,                            -- the strongest on this class
    activation_2 REAL CHECK (activation_2 <= activation_1), -- the second; NULL if it fired once
    PRIMARY KEY (dictionary_id, feature_index, corpus_id, token_class),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id)
        REFERENCES feature (dictionary_id, feature_index, corpus_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_cofiring (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
    rank INTEGER NOT NULL CHECK (rank >= 0),               -- from 0 at the most frequent
    other_index INTEGER NOT NULL CHECK (other_index >= 0), -- a feature_index of the same dictionary
    share REAL NOT NULL CHECK (share BETWEEN 0 AND 1),     -- of the feature's firings on which the other fires
    lift REAL NOT NULL CHECK (lift >= 0),                  -- share / the other's firing rate
    PRIMARY KEY (dictionary_id, feature_index, corpus_id, rank),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id)
        REFERENCES feature (dictionary_id, feature_index, corpus_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_context (
    dictionary_id INTEGER NOT NULL CHECK (dictionary_id BETWEEN 1 AND 8191),
    feature_index INTEGER NOT NULL CHECK (feature_index BETWEEN 0 AND 16777215),
    corpus_id INTEGER NOT NULL CHECK (corpus_id BETWEEN 1 AND 1023),
    band INTEGER NOT NULL CHECK (band BETWEEN 0 AND 2),    -- 0 top, 1 sample, 2 quiet
    rank INTEGER NOT NULL CHECK (rank BETWEEN 0 AND 16383), -- from 0; the strongest of top is 0
    passage_id INTEGER NOT NULL REFERENCES passage (passage_id),
    position INTEGER NOT NULL CHECK (position >= 0),       -- of the peak token in the passage
    layer INTEGER NOT NULL CHECK (layer >= 0),             -- the peak token was routed to
    router_weight REAL,
    activation REAL NOT NULL CHECK (band <> 2 OR activation = 0),
    split INTEGER CHECK (split IN (0, 1)),                 -- 0 explain, 1 score
    n_occurrences INTEGER CHECK (n_occurrences > 0),       -- of the window's tokens in the corpus; NULL: not counted
    other_activations TEXT, -- JSON, place in the window: activation, of its other tokens that fire; NULL: none does
    PRIMARY KEY (dictionary_id, feature_index, corpus_id, band, rank),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id)
        REFERENCES feature (dictionary_id, feature_index, corpus_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_logit (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary (dictionary_id) ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    direction TEXT NOT NULL CHECK (direction IN ('promoted', 'suppressed')),
    rank INTEGER NOT NULL CHECK (rank >= 0),               -- from 0 at the extreme
    token_id INTEGER NOT NULL CHECK (token_id >= 0),
    value REAL NOT NULL,                                   -- change of the logit per unit of activation
    PRIMARY KEY (dictionary_id, feature_index, direction, rank)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_neighbor (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary (dictionary_id) ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    rank INTEGER NOT NULL CHECK (rank >= 0),               -- from 0 at the nearest
    neighbor_index INTEGER NOT NULL CHECK (neighbor_index >= 0), -- a feature_index of the same dictionary
    cosine REAL NOT NULL CHECK (cosine BETWEEN -1.001 AND 1.001), -- of the decoder vectors
    PRIMARY KEY (dictionary_id, feature_index, rank)
) STRICT, WITHOUT ROWID;

CREATE TABLE explanation (
    explanation_id INTEGER PRIMARY KEY,
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,                            -- whose contexts it was written from
    method TEXT NOT NULL CHECK (length(method) > 0),       -- n2g …
    text TEXT NOT NULL,                                    -- for people
    run_id INTEGER NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    detail TEXT,                                           -- for simulators, JSON
    UNIQUE (run_id, dictionary_id, feature_index, corpus_id, method),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id)
        REFERENCES feature (dictionary_id, feature_index, corpus_id) ON DELETE CASCADE
) STRICT;

CREATE TABLE score (
    score_id INTEGER PRIMARY KEY,
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
    explanation_id INTEGER REFERENCES explanation (explanation_id) ON DELETE CASCADE, -- NULL: the feature was scored
    method TEXT NOT NULL CHECK (method IN ('simulation', 'detection', 'fuzzing', 'rubric')),
    status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'undefined')),
    value REAL CHECK ((value IS NOT NULL) = (status = 'ok')),
    baseline_value REAL,                                   -- with another feature's explanation: chance
    category TEXT CHECK (category IN ('low-level', 'high-level', 'undiscernible')), -- of a rubric
    reason TEXT CHECK ((reason IS NOT NULL) = (status <> 'ok')),
    n_contexts INTEGER NOT NULL CHECK (n_contexts >= 0),
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0),
    run_id INTEGER NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    metrics TEXT,                                          -- other figures, JSON object
    detail BLOB,                                           -- zstd of JSON
    FOREIGN KEY (dictionary_id, feature_index, corpus_id)
        REFERENCES feature (dictionary_id, feature_index, corpus_id) ON DELETE CASCADE
) STRICT;

CREATE TABLE review (
    review_id INTEGER PRIMARY KEY,
    dictionary_id INTEGER NOT NULL REFERENCES dictionary (dictionary_id) ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    explanation_id INTEGER REFERENCES explanation (explanation_id) ON DELETE SET NULL, -- NULL: the feature itself
    verdict INTEGER NOT NULL CHECK (verdict BETWEEN 1 AND 5), -- 5: a clear pattern without exceptions; 1: none
    category TEXT CHECK (category IN ('low-level', 'high-level', 'undiscernible')),
    note TEXT,
    reviewer TEXT,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE evaluation (
    evaluation_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    dictionary_id INTEGER NOT NULL REFERENCES dictionary (dictionary_id) ON DELETE CASCADE,
    corpus_id INTEGER REFERENCES corpus (corpus_id),
    metric TEXT NOT NULL,
    layer INTEGER CHECK (layer >= 0),                      -- NULL: all layers together
    value REAL,                                            -- NULL: undefined
    low REAL,                                              -- 95 % interval
    high REAL,
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0)
) STRICT;

CREATE TABLE intervention (
    intervention_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    dictionary_id INTEGER NOT NULL REFERENCES dictionary (dictionary_id) ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    operation TEXT NOT NULL CHECK (operation IN ('set', 'add', 'multiply')),
    strength REAL NOT NULL,
    prompt TEXT NOT NULL,
    text TEXT NOT NULL,                                    -- what the model wrote after the prompt
    kl REAL,                                               -- to the unsteered model, nats per token
    detail TEXT                                            -- JSON
) STRICT;

CREATE TABLE exchange (
    exchange_id INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL,                                -- base URL; never a key
    llm TEXT NOT NULL,                                     -- the model asked, as the endpoint calls it
    created_at TEXT NOT NULL,
    prompt_tokens INTEGER CHECK (prompt_tokens >= 0),      -- as the endpoint counts
    completion_tokens INTEGER CHECK (completion_tokens >= 0),
    sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64), -- of endpoint, a line feed, and the request
    request BLOB NOT NULL,                                 -- zstd of the JSON that was sent
    reply BLOB NOT NULL                                    -- zstd of the JSON that came back, byte for byte
) STRICT;

-- What the tables held when the software last wrote to them. No trigger keeps it: a change by any other hand shows.
CREATE TABLE table_digest (
    table_name TEXT NOT NULL,
    part TEXT NOT NULL,                                    -- of its rows, as a condition; empty: all of them
    n_rows INTEGER NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 64),      -- sum of the rows' SHA-256, modulo 2^256
    PRIMARY KEY (table_name, part)
) STRICT, WITHOUT ROWID;

INSERT INTO run (
    run_id, kind, status, started_at, finished_at, error, seed, config, software_version, source_revision, host,
    process_id, process_started, boot_id, uuid
)
SELECT
    run_id, kind, status, started_at, finished_at, error, seed, config, software_version, source_revision, host,
    process_id, process_started, boot_id, uuid
FROM old_run;

INSERT INTO run_input (
    run_id, role, name, sha256, bytes
)
SELECT
    run_id, role, name, sha256, bytes
FROM old_run_input;

INSERT INTO run_metric (
    run_id, name, step, value
)
SELECT
    run_id, name, step, value
FROM old_run_metric;

INSERT INTO language_model (
    language_model_id, name, architecture, n_layers, d_model, vocab_size, sha256, tokenizer_sha256, config
)
SELECT
    language_model_id, name, architecture, n_layers, d_model, vocab_size, sha256, tokenizer_sha256, config
FROM old_language_model;

INSERT INTO token (
    language_model_id, token_id, text, bytes
)
SELECT
    language_model_id, token_id, text, bytes
FROM old_token;

INSERT INTO corpus (
    corpus_id, name, source, language_model_id, sha256
)
SELECT
    corpus_id, name, source, language_model_id, sha256
FROM old_corpus;

INSERT INTO document (
    document_id, corpus_id, ordinal, title, source, n_tokens, sha256, is_shuffled, token_ids
)
SELECT
    document_id, corpus_id, ordinal, title, source, n_tokens, sha256, is_shuffled, token_ids
FROM old_document;

INSERT INTO passage (
    passage_id, document_id, segment, first_token, n_tokens, text, token_starts
)
SELECT
    passage_id, document_id, segment, first_token, n_tokens, text, token_starts
FROM old_passage;

INSERT INTO dictionary (
    dictionary_id, name, architecture, layers, d_model, n_latents, k, aggregation, routing, fidelity,
    n_tokens_trained, activation_threshold, relative_threshold, run_id, language_model_id, config
)
SELECT
    dictionary_id, name, architecture, layers, d_model, n_latents, k, aggregation, routing, fidelity,
    n_tokens_trained, activation_threshold, relative_threshold, run_id, language_model_id, config
FROM old_dictionary;

INSERT INTO dictionary_tensor (
    tensor_id, dictionary_id, name, dtype, shape, n_rows, row_length, rows_per_chunk, is_shuffled, sha256
)
SELECT
    tensor_id, dictionary_id, name, dtype, shape, n_rows, row_length, rows_per_chunk, is_shuffled, sha256
FROM old_dictionary_tensor;

INSERT INTO tensor_chunk (
    chunk_id, tensor_id, first_row, n_rows, "values"
)
SELECT
    chunk_id, tensor_id, first_row, n_rows, "values"
FROM old_tensor_chunk;

INSERT INTO indexing (
    dictionary_id, corpus_id, run_id, n_tokens, n_documents, window, n_alive, n_contexts, mean_active_per_token,
    mean_layer_entropy, histogram_edges
)
SELECT
    dictionary_id, corpus_id, run_id, n_tokens, n_documents, window, n_alive, n_contexts, mean_active_per_token,
    mean_layer_entropy, histogram_edges
FROM old_indexing;

INSERT INTO feature (
    dictionary_id, feature_index, corpus_id, n_fired, firing_rate, is_dead, n_documents, top_token, peak_layer,
    peak_layer_share, layer_entropy, counted_from, counted_below, explanation_id, simulation_score,
    simulation_baseline, detection_score, fuzzing_score, rubric_score, mean_activation, std_activation,
    min_activation, max_activation, p10, p50, p90, p99, decoder_norm, sum_activation, sum_square, histogram,
    strongest_token
)
SELECT
    f.dictionary_id, f.feature_index, f.corpus_id, f.n_fired, f.firing_rate, f.is_dead, f.n_documents,
    f.top_token, f.peak_layer, f.peak_layer_share, f.layer_entropy, f.counted_from, f.counted_below,
    f.explanation_id, f.simulation_score, f.simulation_baseline, f.detection_score, f.fuzzing_score,
    f.rubric_score, f.mean_activation, f.std_activation, f.min_activation, f.max_activation, f.p10, f.p50,
    f.p90, f.p99, f.decoder_norm, f.sum_activation, f.sum_square, f.histogram,
    (SELECT t.token_class FROM old_feature_token AS t
        WHERE t.dictionary_id = f.dictionary_id AND t.feature_index = f.feature_index AND t.corpus_id = f.corpus_id
        ORDER BY t.activation_1 DESC, t.n_fired DESC, t.token_class LIMIT 1)
FROM old_feature AS f
ORDER BY f.dictionary_id, f.feature_index, f.corpus_id;

INSERT INTO feature_layer (
    dictionary_id, feature_index, corpus_id, layer, n_fired, sum_activation, max_activation, sum_router_weight,
    mean_router_weight
)
SELECT
    dictionary_id, feature_index, corpus_id, layer, n_fired, sum_activation, max_activation, sum_router_weight,
    mean_router_weight
FROM old_feature_layer;

INSERT INTO layer_routing (
    dictionary_id, run_id, layer, n_tokens, mean_router_weight, n_features, n_peak_features, n_fired,
    sum_activation, max_activation
)
SELECT
    dictionary_id, run_id, layer, n_tokens, mean_router_weight, n_features, n_peak_features, n_fired,
    sum_activation, max_activation
FROM old_layer_routing;

INSERT INTO feature_token (
    dictionary_id, feature_index, corpus_id, token_class, n_fired, activation_1, activation_2
)
SELECT
    dictionary_id, feature_index, corpus_id, token_class, n_fired, activation_1, activation_2
FROM old_feature_token;

INSERT INTO feature_cofiring (
    dictionary_id, feature_index, corpus_id, rank, other_index, share, lift
)
SELECT
    dictionary_id, feature_index, corpus_id, rank, other_index, share, lift
FROM old_feature_cofiring;

-- The activations lay in a blob for each feature, in the order of its contexts. `other_activations` is the migration's
-- own: it takes such a blob apart, with what zstd needs to read it, and writes those of one context as text.
INSERT INTO feature_context (
    dictionary_id, feature_index, corpus_id, band, rank, passage_id, position, layer, router_weight, activation, split,
    other_activations
)
SELECT
    dictionary_id, feature_index, corpus_id, band, rank, passage_id, position, layer, router_weight, activation, split,
    other_activations(
        "values", (SELECT content FROM old_zstd_dictionary WHERE purpose = 'context_activations.values'), number,
        min(window_end, window), position - max(window_end - window, 0), activation)
FROM (
    SELECT c.*, a."values", i.window,
        min(max(c.position + 1 + i.window / 4, i.window), p.n_tokens) AS window_end,
        row_number() OVER (
            PARTITION BY c.dictionary_id, c.feature_index, c.corpus_id ORDER BY c.band, c.rank
        ) - 1 AS number
    FROM old_feature_context AS c
    LEFT JOIN old_indexing AS i ON i.dictionary_id = c.dictionary_id AND i.corpus_id = c.corpus_id
    LEFT JOIN old_passage AS p ON p.passage_id = c.passage_id
    LEFT JOIN old_context_activations AS a ON a.dictionary_id = c.dictionary_id
        AND a.feature_index = c.feature_index AND a.corpus_id = c.corpus_id
)
ORDER BY dictionary_id, feature_index, corpus_id, band, rank;

INSERT INTO feature_logit (
    dictionary_id, feature_index, direction, rank, token_id, value
)
SELECT
    dictionary_id, feature_index, direction, rank, token_id, value
FROM old_feature_logit;

INSERT INTO feature_neighbor (
    dictionary_id, feature_index, rank, neighbor_index, cosine
)
SELECT
    dictionary_id, feature_index, rank, neighbor_index, cosine
FROM old_feature_neighbor;

INSERT INTO explanation (
    explanation_id, dictionary_id, feature_index, corpus_id, method, text, run_id, detail
)
SELECT
    explanation_id, dictionary_id, feature_index, corpus_id, method, text, run_id, detail
FROM old_explanation;

INSERT INTO score (
    score_id, dictionary_id, feature_index, corpus_id, explanation_id, method, status, value, baseline_value,
    category, reason, n_contexts, n_tokens, run_id, metrics, detail
)
SELECT
    score_id, dictionary_id, feature_index, corpus_id, explanation_id, method, status, value, baseline_value,
    category, reason, n_contexts, n_tokens, run_id, metrics, detail
FROM old_score;

INSERT INTO review (
    review_id, dictionary_id, feature_index, explanation_id, verdict, category, note, reviewer, created_at
)
SELECT
    review_id, dictionary_id, feature_index, explanation_id, verdict, category, note, reviewer, created_at
FROM old_review;

INSERT INTO evaluation (
    evaluation_id, run_id, dictionary_id, corpus_id, metric, layer, value, low, high, n_tokens
)
SELECT
    evaluation_id, run_id, dictionary_id, corpus_id, metric, layer, value, low, high, n_tokens
FROM old_evaluation;

INSERT INTO intervention (
    intervention_id, run_id, dictionary_id, feature_index, operation, strength, prompt, text, kl, detail
)
SELECT
    intervention_id, run_id, dictionary_id, feature_index, operation, strength, prompt, text, kl, detail
FROM old_intervention;

INSERT INTO exchange (
    exchange_id, endpoint, llm, created_at, prompt_tokens, completion_tokens, sha256, request, reply
)
SELECT
    exchange_id, endpoint, llm, created_at, prompt_tokens, completion_tokens, sha256, request, reply
FROM old_exchange;

DROP TABLE old_zstd_dictionary;
DROP TABLE old_context_activations;
DROP TABLE old_exchange;
DROP TABLE old_intervention;
DROP TABLE old_evaluation;
DROP TABLE old_review;
DROP TABLE old_score;
DROP TABLE old_explanation;
DROP TABLE old_feature_neighbor;
DROP TABLE old_feature_logit;
DROP TABLE old_feature_context;
DROP TABLE old_feature_cofiring;
DROP TABLE old_feature_token;
DROP TABLE old_layer_routing;
DROP TABLE old_feature_layer;
DROP TABLE old_feature;
DROP TABLE old_indexing;
DROP TABLE old_tensor_chunk;
DROP TABLE old_dictionary_tensor;
DROP TABLE old_dictionary;
DROP TABLE old_passage;
DROP TABLE old_document;
DROP TABLE old_corpus;
DROP TABLE old_token;
DROP TABLE old_language_model;
DROP TABLE old_run_metric;
DROP TABLE old_run_input;
DROP TABLE old_run;

PRAGMA legacy_alter_table = OFF;

CREATE INDEX evaluation_by_dictionary ON evaluation (dictionary_id, metric);
CREATE UNIQUE INDEX evaluation_once
ON evaluation (run_id, dictionary_id, metric, ifnull(layer, -1), ifnull(corpus_id, 0));
CREATE INDEX intervention_by_feature ON intervention (dictionary_id, feature_index);
CREATE INDEX intervention_by_run ON intervention (run_id);
CREATE INDEX indexing_by_run ON indexing (run_id);
CREATE INDEX indexing_by_corpus ON indexing (corpus_id);
CREATE INDEX feature_by_peak_layer ON feature (peak_layer, dictionary_id, corpus_id, firing_rate);
CREATE INDEX feature_by_firing_rate ON feature (dictionary_id, corpus_id, firing_rate);
CREATE INDEX feature_by_max_activation ON feature (dictionary_id, corpus_id, max_activation);
CREATE INDEX feature_by_mean_activation ON feature (dictionary_id, corpus_id, mean_activation);
CREATE INDEX feature_by_layer_entropy ON feature (dictionary_id, corpus_id, layer_entropy);
CREATE INDEX feature_by_score ON feature (dictionary_id, corpus_id, simulation_score, simulation_baseline);
CREATE INDEX feature_by_counting ON feature (dictionary_id, corpus_id, peak_layer, counted_below, counted_from);
CREATE INDEX feature_by_top_token ON feature (top_token, dictionary_id, corpus_id);
CREATE INDEX feature_by_strongest_token ON feature (strongest_token, dictionary_id, corpus_id);
-- For questions that name neither dictionary nor corpus; others of their kind are answered along the keys, of which the
-- planner's statistics say that their first columns hardly vary.
CREATE INDEX feature_strongest ON feature (max_activation);
CREATE INDEX feature_most_frequent ON feature (firing_rate);
CREATE INDEX feature_best_explained ON feature (simulation_score);
CREATE INDEX layer_routing_by_run ON layer_routing (run_id);
CREATE INDEX feature_token_by_class ON feature_token (token_class, dictionary_id, corpus_id);
CREATE INDEX feature_context_by_passage ON feature_context (passage_id);
CREATE INDEX feature_logit_by_token ON feature_logit (token_id, dictionary_id, value) WHERE direction = 'promoted';
CREATE INDEX explanation_by_feature ON explanation (dictionary_id, feature_index, corpus_id);
CREATE INDEX score_by_feature ON score (dictionary_id, feature_index, corpus_id, method);
CREATE INDEX score_by_explanation ON score (explanation_id, method);
CREATE INDEX score_by_run ON score (run_id);
CREATE INDEX review_by_feature ON review (dictionary_id, feature_index);
CREATE INDEX review_by_explanation ON review (explanation_id);

-- Written as sqlite-utils and datasette look for it.
CREATE VIRTUAL TABLE passage_text USING fts5 (
    text, content="passage", content_rowid="passage_id", tokenize="unicode61"
);
INSERT INTO passage_text (passage_text) VALUES ('rebuild');

CREATE TRIGGER passage_text_insert AFTER INSERT ON passage
BEGIN
    INSERT INTO passage_text (rowid, text) VALUES (new.passage_id, new.text);
END;

CREATE TRIGGER passage_text_delete AFTER DELETE ON passage
BEGIN
    INSERT INTO passage_text (passage_text, rowid, text) VALUES ('delete', old.passage_id, old.text);
END;

CREATE TRIGGER passage_text_update AFTER UPDATE OF passage_id, text ON passage
BEGIN
    INSERT INTO passage_text (passage_text, rowid, text) VALUES ('delete', old.passage_id, old.text);
    INSERT INTO passage_text (rowid, text) VALUES (new.passage_id, new.text);
END;

CREATE VIRTUAL TABLE explanation_text USING fts5 (
    text, content="explanation", content_rowid="explanation_id", tokenize="unicode61"
);
INSERT INTO explanation_text (explanation_text) VALUES ('rebuild');

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

CREATE VIEW feature_verdict AS
SELECT dictionary_id, feature_index, corpus_id FROM feature;

CREATE TRIGGER feature_verdict_refresh INSTEAD OF INSERT ON feature_verdict
BEGIN
    UPDATE feature SET explanation_id = (
        SELECT max(e.explanation_id) FROM explanation AS e
        WHERE e.dictionary_id = new.dictionary_id AND e.feature_index = new.feature_index
            AND e.corpus_id = new.corpus_id
    )
    WHERE dictionary_id = new.dictionary_id AND feature_index = new.feature_index AND corpus_id = new.corpus_id;
    UPDATE feature SET
        (simulation_score, simulation_baseline) = (
            SELECT s.value, s.baseline_value FROM score AS s
            WHERE s.explanation_id = feature.explanation_id AND s.method = 'simulation' AND s.status = 'ok'
            ORDER BY s.score_id DESC LIMIT 1
        ),
        detection_score = (
            SELECT s.value FROM score AS s
            WHERE s.explanation_id = feature.explanation_id AND s.method = 'detection' AND s.status = 'ok'
            ORDER BY s.score_id DESC LIMIT 1
        ),
        fuzzing_score = (
            SELECT s.value FROM score AS s
            WHERE s.explanation_id = feature.explanation_id AND s.method = 'fuzzing' AND s.status = 'ok'
            ORDER BY s.score_id DESC LIMIT 1
        ),
        rubric_score = (
            SELECT s.value FROM score AS s
            WHERE s.dictionary_id = new.dictionary_id AND s.feature_index = new.feature_index
                AND s.corpus_id = new.corpus_id AND s.method = 'rubric' AND s.status = 'ok'
            ORDER BY s.score_id DESC LIMIT 1
        )
    WHERE dictionary_id = new.dictionary_id AND feature_index = new.feature_index AND corpus_id = new.corpus_id;
END;

CREATE TRIGGER explanation_inserted AFTER INSERT ON explanation
BEGIN
    INSERT INTO feature_verdict VALUES (new.dictionary_id, new.feature_index, new.corpus_id);
END;

CREATE TRIGGER explanation_updated AFTER UPDATE OF explanation_id, dictionary_id, feature_index, corpus_id ON explanation
BEGIN
    INSERT INTO feature_verdict VALUES (old.dictionary_id, old.feature_index, old.corpus_id);
    INSERT INTO feature_verdict VALUES (new.dictionary_id, new.feature_index, new.corpus_id);
END;

CREATE TRIGGER explanation_deleted AFTER DELETE ON explanation
BEGIN
    INSERT INTO feature_verdict VALUES (old.dictionary_id, old.feature_index, old.corpus_id);
END;

CREATE TRIGGER score_inserted AFTER INSERT ON score
BEGIN
    INSERT INTO feature_verdict VALUES (new.dictionary_id, new.feature_index, new.corpus_id);
END;

CREATE TRIGGER score_updated AFTER UPDATE ON score
BEGIN
    INSERT INTO feature_verdict VALUES (old.dictionary_id, old.feature_index, old.corpus_id);
    INSERT INTO feature_verdict VALUES (new.dictionary_id, new.feature_index, new.corpus_id);
END;

CREATE TRIGGER score_deleted AFTER DELETE ON score
BEGIN
    INSERT INTO feature_verdict VALUES (old.dictionary_id, old.feature_index, old.corpus_id);
END;

CREATE TRIGGER feature_context_insert BEFORE INSERT ON feature_context
BEGIN
    SELECT CASE WHEN other.position = new.position
        THEN raise(ABORT, 'a feature has two contexts of one token')
        ELSE raise(ABORT, 'explain and score contexts of a feature share a stretch of text') END
    FROM feature_context AS other
    WHERE other.passage_id = new.passage_id AND other.dictionary_id = new.dictionary_id
        AND other.feature_index = new.feature_index AND other.corpus_id = new.corpus_id
        AND (other.split <> new.split OR other.position = new.position);
END;

CREATE TRIGGER feature_context_update
BEFORE UPDATE OF split, dictionary_id, feature_index, corpus_id, passage_id, position ON feature_context
BEGIN
    SELECT CASE WHEN other.position = new.position
        THEN raise(ABORT, 'a feature has two contexts of one token')
        ELSE raise(ABORT, 'explain and score contexts of a feature share a stretch of text') END
    FROM feature_context AS other
    WHERE other.passage_id = new.passage_id AND other.dictionary_id = new.dictionary_id
        AND other.feature_index = new.feature_index AND other.corpus_id = new.corpus_id
        AND (other.band, other.rank, new.dictionary_id, new.feature_index, new.corpus_id)
            <> (old.band, old.rank, old.dictionary_id, old.feature_index, old.corpus_id)
        AND (other.split <> new.split OR other.position = new.position);
END;

-- One context a row, with its window, its text and its activations.
--
-- DuckDB takes the text of a view for its own SQL. So the views here have no scalar min or max, no division whose result
-- depends on types, no aggregate that depends on an order, and casts to types that both have.
CREATE VIEW context AS
SELECT
    w.dictionary_id,
    w.feature_index,
    w.corpus_id,
    CAST(CASE w.band WHEN 0 THEN 'top' WHEN 1 THEN 'sample' ELSE 'quiet' END AS TEXT) AS band,
    w.rank,
    -- In token_starts: width of a number, and with it the places of the window's start, of the peak token's start and
    -- end, and of the window's end. A token that is part of a character stands for the whole of it.
    CAST((SELECT
        substr(x.text, x.first_at + 1, x.peak_at - x.first_at)
            || '«' || substr(x.text, x.peak_at + 1, x.peak_end - x.peak_at) || '»'
            || CASE WHEN x.last_at > x.peak_end THEN substr(x.text, x.peak_end + 1, x.last_at - x.peak_end)
                ELSE '' END
        FROM (
            SELECT y.text, y.first_at, y.peak_at, y.last_at,
                CASE WHEN y.next_at > y.peak_at THEN y.next_at ELSE y.peak_at + 1 END AS peak_end
            FROM (
                SELECT w.text AS text,
                    CAST(substr(w.token_starts, 1 + w.window_first * z.digits, z.digits) AS BIGINT) AS first_at,
                    CAST(substr(w.token_starts, 1 + w.position * z.digits, z.digits) AS BIGINT) AS peak_at,
                    CAST(substr(w.token_starts, 1 + (w.position + 1) * z.digits, z.digits) AS BIGINT) AS next_at,
                    CAST(substr(w.token_starts, 1 + w.window_end * z.digits, z.digits) AS BIGINT) AS last_at
                FROM (SELECT CAST(length(w.token_starts) / (w.n_tokens + 1) AS BIGINT) AS digits) AS z
            ) AS y
        ) AS x) AS TEXT) AS excerpt,
    w.activation,
    w.layer,
    w.router_weight,
    CAST(CASE w.split WHEN 0 THEN 'explain' WHEN 1 THEN 'score' END AS TEXT) AS split,
    w.n_occurrences,
    -- JSON: place in the window, activation; the tokens that are not named have none.
    CAST(CASE
        WHEN w.other_activations IS NULL AND w.activation = 0 THEN '{}'
        WHEN w.activation = 0 THEN w.other_activations
        WHEN w.other_activations IS NULL
            THEN '{"' || CAST(w.position - w.window_first AS TEXT) || '":' || CAST(w.activation AS TEXT) || '}'
        ELSE substr(w.other_activations, 1, length(w.other_activations) - 1)
            || ',"' || CAST(w.position - w.window_first AS TEXT) || '":' || CAST(w.activation AS TEXT) || '}'
    END AS TEXT) AS activations,
    w.document_id,
    CAST(w.first_token + w.position AS BIGINT) AS token_position,
    w.segment,
    CAST(w.first_token + w.window_first AS BIGINT) AS window_start,
    CAST(w.window_end - w.window_first AS BIGINT) AS window_length,
    w.passage_id,
    CAST((((w.dictionary_id << 10 | w.corpus_id) << 24 | w.feature_index) << 2 | w.band) << 14 | w.rank AS BIGINT)
        AS context_id
FROM (
    SELECT v.*, CASE WHEN v.window_end > v.window_length THEN v.window_end - v.window_length ELSE 0 END AS window_first
    FROM (
        SELECT u.*,
            CASE WHEN u.n_tokens < u.wanted_end THEN u.n_tokens ELSE u.wanted_end END AS window_end
        FROM (
            SELECT c.dictionary_id, c.feature_index, c.corpus_id, c.band, c.rank, c.activation, c.layer,
                c.router_weight, c.split, c.n_occurrences, c.other_activations, c.position, c.passage_id,
                p.document_id, p.segment, p.first_token, p.n_tokens, p.text, p.token_starts,
                i."window" AS window_length,
                CASE WHEN c.position + 1 + (i."window" >> 2) > i."window"
                    THEN c.position + 1 + (i."window" >> 2) ELSE i."window" END AS wanted_end
            FROM feature_context AS c
            -- Outer joins: SQLite leaves out the one with passage where none of its columns is asked for.
            LEFT JOIN indexing AS i ON i.dictionary_id = c.dictionary_id AND i.corpus_id = c.corpus_id
            LEFT JOIN passage AS p ON p.passage_id = c.passage_id
        ) AS u
    ) AS v
) AS w;

-- Tokens that a feature promotes and suppresses, as text.
CREATE VIEW logit_token AS
SELECT l.dictionary_id, l.feature_index, l.direction, l.rank, t.text AS token, l.value, l.token_id
FROM feature_logit AS l
JOIN dictionary AS d ON d.dictionary_id = l.dictionary_id
LEFT JOIN token AS t ON t.language_model_id = d.language_model_id AND t.token_id = l.token_id;

CREATE VIEW feature_summary AS
SELECT
    f.dictionary_id,
    d.name AS dictionary,
    f.feature_index,
    (SELECT e.text FROM explanation AS e WHERE e.explanation_id = f.explanation_id) AS explanation,
    f.simulation_score,
    f.simulation_baseline,
    f.top_token,
    f.strongest_token,
    CAST((
        (SELECT t.text FROM feature_logit AS l
            JOIN token AS t ON t.language_model_id = d.language_model_id AND t.token_id = l.token_id
            WHERE l.dictionary_id = f.dictionary_id AND l.feature_index = f.feature_index
                AND l.direction = 'promoted' AND l.rank = 0)
        || coalesce(' ' ||
        (SELECT t.text FROM feature_logit AS l
            JOIN token AS t ON t.language_model_id = d.language_model_id AND t.token_id = l.token_id
            WHERE l.dictionary_id = f.dictionary_id AND l.feature_index = f.feature_index
                AND l.direction = 'promoted' AND l.rank = 1), '')
        || coalesce(' ' ||
        (SELECT t.text FROM feature_logit AS l
            JOIN token AS t ON t.language_model_id = d.language_model_id AND t.token_id = l.token_id
            WHERE l.dictionary_id = f.dictionary_id AND l.feature_index = f.feature_index
                AND l.direction = 'promoted' AND l.rank = 2), '')
        || coalesce(' ' ||
        (SELECT t.text FROM feature_logit AS l
            JOIN token AS t ON t.language_model_id = d.language_model_id AND t.token_id = l.token_id
            WHERE l.dictionary_id = f.dictionary_id AND l.feature_index = f.feature_index
                AND l.direction = 'promoted' AND l.rank = 3), '')
        || coalesce(' ' ||
        (SELECT t.text FROM feature_logit AS l
            JOIN token AS t ON t.language_model_id = d.language_model_id AND t.token_id = l.token_id
            WHERE l.dictionary_id = f.dictionary_id AND l.feature_index = f.feature_index
                AND l.direction = 'promoted' AND l.rank = 4), '')
    ) AS TEXT) AS promoted_tokens,
    f.peak_layer,
    f.peak_layer_share,
    f.layer_entropy,
    f.n_fired,
    f.firing_rate,
    f.is_dead,
    f.n_documents,
    f.mean_activation,
    f.std_activation,
    f.max_activation,
    f.p10,
    f.p50,
    f.p90,
    f.p99,
    f.decoder_norm,
    f.detection_score,
    f.fuzzing_score,
    f.rubric_score,
    (SELECT e.method FROM explanation AS e WHERE e.explanation_id = f.explanation_id) AS explanation_method,
    f.corpus_id,
    c.name AS corpus
FROM dictionary AS d
JOIN feature AS f ON f.dictionary_id = d.dictionary_id
JOIN corpus AS c ON c.corpus_id = f.corpus_id;

-- Every explanation with its newest scores that came to a value.
CREATE VIEW explanation_score AS
SELECT
    e.explanation_id,
    e.dictionary_id,
    d.name AS dictionary,
    e.feature_index,
    e.method,
    e.text AS explanation,
    (SELECT s.value FROM score AS s WHERE s.score_id = (
        SELECT max(CAST(n.score_id AS BIGINT)) FROM score AS n
        WHERE n.explanation_id = e.explanation_id AND n.method = 'simulation' AND n.status = 'ok'
    )) AS simulation_score,
    (SELECT s.baseline_value FROM score AS s WHERE s.score_id = (
        SELECT max(CAST(n.score_id AS BIGINT)) FROM score AS n
        WHERE n.explanation_id = e.explanation_id AND n.method = 'simulation' AND n.status = 'ok'
    )) AS simulation_baseline,
    (SELECT s.value FROM score AS s WHERE s.score_id = (
        SELECT max(CAST(n.score_id AS BIGINT)) FROM score AS n
        WHERE n.explanation_id = e.explanation_id AND n.method = 'detection' AND n.status = 'ok'
    )) AS detection_score,
    (SELECT s.baseline_value FROM score AS s WHERE s.score_id = (
        SELECT max(CAST(n.score_id AS BIGINT)) FROM score AS n
        WHERE n.explanation_id = e.explanation_id AND n.method = 'detection' AND n.status = 'ok'
    )) AS detection_baseline,
    (SELECT s.value FROM score AS s WHERE s.score_id = (
        SELECT max(CAST(n.score_id AS BIGINT)) FROM score AS n
        WHERE n.explanation_id = e.explanation_id AND n.method = 'fuzzing' AND n.status = 'ok'
    )) AS fuzzing_score,
    (SELECT s.baseline_value FROM score AS s WHERE s.score_id = (
        SELECT max(CAST(n.score_id AS BIGINT)) FROM score AS n
        WHERE n.explanation_id = e.explanation_id AND n.method = 'fuzzing' AND n.status = 'ok'
    )) AS fuzzing_baseline,
    e.corpus_id,
    c.name AS corpus,
    e.run_id
FROM explanation AS e
JOIN dictionary AS d ON d.dictionary_id = e.dictionary_id
JOIN corpus AS c ON c.corpus_id = e.corpus_id;

-- Features that fire together, with what is known of both.
CREATE VIEW cofiring_pair AS
SELECT
    p.dictionary_id,
    p.feature_index,
    p.rank,
    p.other_index,
    p.share,
    p.lift,
    f.strongest_token,
    (SELECT e.text FROM explanation AS e WHERE e.explanation_id = f.explanation_id) AS explanation,
    o.strongest_token AS other_strongest_token,
    (SELECT e.text FROM explanation AS e WHERE e.explanation_id = o.explanation_id) AS other_explanation,
    p.corpus_id
FROM feature_cofiring AS p
LEFT JOIN feature AS f ON f.dictionary_id = p.dictionary_id AND f.feature_index = p.feature_index
    AND f.corpus_id = p.corpus_id
LEFT JOIN feature AS o ON o.dictionary_id = p.dictionary_id AND o.feature_index = p.other_index
    AND o.corpus_id = p.corpus_id;

-- The histogram of a feature's activations, one bin a row; the bins in which it never fired are there too.
CREATE VIEW feature_histogram AS
SELECT
    f.dictionary_id,
    f.feature_index,
    CAST(h.key AS BIGINT) AS bin,
    CAST((SELECT e.value FROM json_each(i.histogram_edges) AS e WHERE CAST(e.key AS BIGINT) = CAST(h.key AS BIGINT))
        AS DOUBLE) AS low,
    CAST((SELECT e.value FROM json_each(i.histogram_edges) AS e WHERE CAST(e.key AS BIGINT) = CAST(h.key AS BIGINT) + 1)
        AS DOUBLE) AS high,
    CAST(h.value AS BIGINT) AS n_fired,
    f.corpus_id
FROM feature AS f
JOIN indexing AS i ON i.dictionary_id = f.dictionary_id AND i.corpus_id = f.corpus_id
CROSS JOIN json_each(f.histogram) AS h;

CREATE VIEW layer_profile AS
SELECT
    d.dictionary_id,
    d.name AS dictionary,
    r.layer,
    r.n_tokens AS n_tokens,                                -- routed to the layer
    CAST(CAST(r.n_tokens AS DOUBLE) / nullif(i.n_tokens, 0) AS DOUBLE) AS token_share,
    r.mean_router_weight,
    CAST(ifnull(r.n_peak_features, 0) AS BIGINT) AS n_peak_features,
    CAST(ifnull(r.n_features, 0) AS BIGINT) AS n_features, -- that fired there at all
    CAST(ifnull(r.n_fired, 0) AS BIGINT) AS n_fired,
    CAST(r.sum_activation / nullif(r.n_fired, 0) AS DOUBLE) AS mean_activation, -- over those firings
    r.max_activation,
    i.corpus_id,
    c.name AS corpus
FROM dictionary AS d
JOIN indexing AS i ON i.dictionary_id = d.dictionary_id
JOIN corpus AS c ON c.corpus_id = i.corpus_id
JOIN layer_routing AS r ON r.dictionary_id = d.dictionary_id AND r.run_id = i.run_id;

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
    i.n_alive,
    CAST(d.n_latents - i.n_alive AS BIGINT) AS n_dead,
    i.mean_active_per_token,
    i.mean_layer_entropy,
    i.n_contexts,
    CAST((SELECT count(DISTINCT e.feature_index) FROM explanation AS e
        WHERE e.dictionary_id = d.dictionary_id AND e.corpus_id = i.corpus_id) AS BIGINT) AS n_explained,
    CAST((SELECT avg(f.simulation_score) FROM feature AS f
        WHERE f.dictionary_id = d.dictionary_id AND f.corpus_id = i.corpus_id
            AND f.simulation_score IS NOT NULL) AS DOUBLE) AS mean_simulation_score,
    CAST((SELECT avg(f.simulation_baseline) FROM feature AS f
        WHERE f.dictionary_id = d.dictionary_id AND f.corpus_id = i.corpus_id
            AND f.simulation_score IS NOT NULL) AS DOUBLE) AS mean_simulation_baseline,
    i.corpus_id,
    c.name AS corpus
FROM dictionary AS d
LEFT JOIN indexing AS i ON i.dictionary_id = d.dictionary_id
LEFT JOIN corpus AS c ON c.corpus_id = i.corpus_id;

-- The last verdict of each person on a feature, beside what was scored automatically.
CREATE VIEW review_pair AS
SELECT
    v.dictionary_id,
    v.feature_index,
    f.corpus_id,
    v.reviewer,
    v.verdict,
    v.category,
    f.simulation_score,
    f.simulation_baseline,
    f.detection_score,
    f.fuzzing_score,
    f.rubric_score
FROM review AS v
JOIN feature AS f ON f.dictionary_id = v.dictionary_id AND f.feature_index = v.feature_index
WHERE v.review_id = (
    SELECT max(CAST(o.review_id AS BIGINT)) FROM review AS o
    WHERE o.dictionary_id = v.dictionary_id AND o.feature_index = v.feature_index
        AND (o.reviewer = v.reviewer OR (o.reviewer IS NULL AND v.reviewer IS NULL))
);
