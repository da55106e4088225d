-- Indexes of one dictionary over several corpora stand side by side; text is stored once, as passages, and contexts
-- point into it; activations of a feature's contexts share one blob; what built-in queries ask for is derived once.
--
-- Tables that change are copied aside, dropped and made anew, so that `.schema` shows statements as written here.
-- Contexts of the first form need zstd and the tokens' bytes, so they are moved by the program: see
-- ContextTransfer.swift. What it reads, `old_context`, goes with the next migration.

DROP VIEW feature_summary;
DROP VIEW layer_profile;
DROP VIEW dictionary_summary;
DROP TRIGGER context_text_insert;
DROP TRIGGER context_text_delete;
DROP TRIGGER context_text_update;
DROP TABLE context_text;
DROP VIEW context_plain;
DROP TABLE explanation_text;

CREATE TABLE old_context AS SELECT * FROM context;
CREATE TABLE old_indexing AS SELECT * FROM indexing;
CREATE TABLE old_feature AS SELECT * FROM feature;
CREATE TABLE old_feature_layer AS SELECT * FROM feature_layer;
CREATE TABLE old_feature_token AS SELECT * FROM feature_token;
CREATE TABLE old_layer_routing AS SELECT * FROM layer_routing;
CREATE TABLE old_feature_logit AS SELECT * FROM feature_logit;
CREATE TABLE old_feature_neighbor AS SELECT * FROM feature_neighbor;
CREATE TABLE old_explanation AS SELECT * FROM explanation;
CREATE TABLE old_score AS SELECT * FROM score;
CREATE TABLE old_review AS SELECT * FROM review;

DROP TABLE review;
DROP TABLE score;
DROP TABLE explanation;
DROP TABLE feature_neighbor;
DROP TABLE feature_logit;
DROP TABLE layer_routing;
DROP TABLE context;
DROP TABLE feature_token;
DROP TABLE feature_layer;
DROP TABLE feature;
DROP TABLE indexing;

-- 1: the frame holds the bytes of all values sorted by their place in a value (byte-shuffled). schema/README.md.
ALTER TABLE document ADD COLUMN is_shuffled INTEGER NOT NULL DEFAULT 0 CHECK (is_shuffled IN (0, 1));
ALTER TABLE dictionary_tensor ADD COLUMN is_shuffled INTEGER NOT NULL DEFAULT 0 CHECK (is_shuffled IN (0, 1));
ALTER TABLE evaluation ADD COLUMN corpus_id INTEGER REFERENCES corpus;

DROP INDEX evaluation_once;
CREATE UNIQUE INDEX evaluation_once
ON evaluation (run_id, dictionary_id, metric, ifnull(layer, -1), ifnull(corpus_id, 0));

-- Dictionaries for zstd, trained on this catalog's own small blobs; a frame's header names the one it needs.
CREATE TABLE zstd_dictionary (
    zstd_dictionary_id INTEGER PRIMARY KEY CHECK (zstd_dictionary_id > 0), -- the id in the frames' headers
    purpose TEXT NOT NULL UNIQUE,                          -- the column whose blobs it is for
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    content BLOB NOT NULL                                  -- as `zstd -D` takes it, not compressed
) STRICT;

-- What was left out to make the file smaller.
CREATE TABLE packing (
    packing_id INTEGER PRIMARY KEY,
    packed_at TEXT NOT NULL,
    options TEXT NOT NULL,                                 -- JSON
    bytes_before INTEGER NOT NULL CHECK (bytes_before >= 0),
    bytes_after INTEGER NOT NULL CHECK (bytes_after >= 0)
) STRICT;

-- A stretch of a document that a model saw at once, and its text. Contexts are windows of passages.
CREATE TABLE passage (
    passage_id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
    segment INTEGER NOT NULL CHECK (segment >= 0),         -- its number in the document
    first_token INTEGER NOT NULL CHECK (first_token >= 0), -- in document.token_ids
    n_tokens INTEGER NOT NULL CHECK (n_tokens > 0),
    text TEXT NOT NULL,
    token_starts TEXT NOT NULL, -- n_tokens + 1 decimals of equal width: where each token starts in text, and its end
    UNIQUE (document_id, first_token, n_tokens)
) STRICT;

CREATE TABLE indexing (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    corpus_id INTEGER NOT NULL REFERENCES corpus,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    n_tokens INTEGER NOT NULL CHECK (n_tokens >= 0),       -- real tokens: no padding, no BOS
    n_documents INTEGER NOT NULL CHECK (n_documents >= 0),
    window INTEGER NOT NULL CHECK (window > 0),            -- tokens of a context
    histogram_edges TEXT NOT NULL,                         -- JSON, bins + 1 ascending numbers
    n_alive INTEGER,                                       -- this and the next three follow from other tables
    n_contexts INTEGER,
    mean_active_per_token REAL,                            -- L0
    mean_layer_entropy REAL,
    PRIMARY KEY (dictionary_id, corpus_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX indexing_by_run ON indexing (run_id);
CREATE INDEX indexing_by_corpus ON indexing (corpus_id);

CREATE TABLE feature (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    corpus_id INTEGER NOT NULL,
    n_fired INTEGER NOT NULL CHECK (n_fired >= 0),         -- tokens on which it fired
    firing_rate REAL NOT NULL CHECK (firing_rate BETWEEN 0 AND 1), -- n_fired / indexing.n_tokens
    mean_activation REAL,                                  -- this to p99: while firing, NULL if never
    std_activation REAL CHECK (std_activation >= 0),
    min_activation REAL,
    max_activation REAL,
    sum_activation REAL NOT NULL,                          -- of multiples of 2^-24, so that parts add up exactly
    sum_square REAL NOT NULL,                              -- likewise
    p10 REAL,
    p50 REAL,
    p90 REAL,
    p99 REAL,
    decoder_norm REAL NOT NULL CHECK (decoder_norm >= 0),
    is_dead INTEGER NOT NULL CHECK (is_dead = (n_fired = 0)),
    n_documents INTEGER NOT NULL CHECK (n_documents >= 0), -- in which it fired
    histogram TEXT,                                        -- JSON, firings per bin of indexing.histogram_edges
    -- What follows is worked out from other tables, for people filter and sort by it.
    peak_layer INTEGER,                                    -- with most firings (lowest of equals); feature_layer
    peak_layer_share REAL CHECK (peak_layer_share BETWEEN 0 AND 1), -- of its firings
    layer_entropy REAL CHECK (layer_entropy >= 0),         -- of its firings over layers, nats
    top_token TEXT,                                        -- class with most firings in feature_token
    counted_from REAL,  -- counting's t below which it has more than 32 token classes; NULL: never
    counted_below REAL, -- counting's t from which on it has fewer than 5 contexts; NULL: it always has fewer
    explanation_id INTEGER,                                -- the newest
    simulation_score REAL,                                 -- this to fuzzing_score: of that explanation
    simulation_baseline REAL,
    detection_score REAL,
    fuzzing_score REAL,
    rubric_score REAL,                                     -- of the feature, whatever its explanation
    PRIMARY KEY (dictionary_id, feature_index, corpus_id),
    FOREIGN KEY (dictionary_id, corpus_id) REFERENCES indexing ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX feature_by_peak_layer ON feature (peak_layer, dictionary_id, corpus_id, firing_rate);
CREATE INDEX feature_by_firing_rate ON feature (dictionary_id, corpus_id, firing_rate);
CREATE INDEX feature_by_max_activation ON feature (dictionary_id, corpus_id, max_activation);
CREATE INDEX feature_by_mean_activation ON feature (dictionary_id, corpus_id, mean_activation);
CREATE INDEX feature_by_layer_entropy ON feature (dictionary_id, corpus_id, layer_entropy);
CREATE INDEX feature_by_score ON feature (dictionary_id, corpus_id, simulation_score, simulation_baseline);
CREATE INDEX feature_by_counting ON feature (dictionary_id, corpus_id, counted_below, counted_from, peak_layer);
CREATE INDEX feature_by_top_token ON feature (top_token, dictionary_id, corpus_id);

CREATE TABLE feature_layer (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
    layer INTEGER NOT NULL CHECK (layer >= 0),
    n_fired INTEGER NOT NULL CHECK (n_fired > 0),
    sum_activation REAL NOT NULL,
    max_activation REAL NOT NULL,
    sum_router_weight REAL,                                -- over these firings; NULL without a router
    mean_router_weight REAL AS (sum_router_weight / n_fired),
    PRIMARY KEY (dictionary_id, feature_index, corpus_id, layer),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id) REFERENCES feature ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE layer_routing (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
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

CREATE INDEX layer_routing_by_run ON layer_routing (run_id);

CREATE TABLE feature_token (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
    token_class TEXT NOT NULL,                             -- the token's text, trimmed, lower case
    n_fired INTEGER NOT NULL CHECK (n_fired > 0),
    activation_1 REAL NOT NULL,                            -- the strongest on this class
    activation_2 REAL CHECK (activation_2 <= activation_1), -- the second; NULL if it fired once
    PRIMARY KEY (dictionary_id, feature_index, corpus_id, token_class),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id) REFERENCES feature ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX feature_token_by_class ON feature_token (token_class, dictionary_id, corpus_id);

-- Features that fire on the same tokens, from a sample of a quarter of them: an estimate.
CREATE TABLE feature_cofiring (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
    rank INTEGER NOT NULL CHECK (rank >= 0),               -- from 0 at the most frequent
    other_index INTEGER NOT NULL CHECK (other_index >= 0), -- a feature_index of the same dictionary
    share REAL NOT NULL CHECK (share BETWEEN 0 AND 1),     -- of the feature's firings on which the other fires
    lift REAL NOT NULL CHECK (lift >= 0),                  -- share / the other's firing rate
    PRIMARY KEY (dictionary_id, feature_index, corpus_id, rank),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id) REFERENCES feature ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Contexts in their smallest form: few columns, in the order in which they are read. The view `context` tells the rest.
CREATE TABLE feature_context (
    dictionary_id INTEGER NOT NULL CHECK (dictionary_id BETWEEN 1 AND 8191),
    feature_index INTEGER NOT NULL CHECK (feature_index BETWEEN 0 AND 16777215),
    corpus_id INTEGER NOT NULL CHECK (corpus_id BETWEEN 1 AND 1023),
    band INTEGER NOT NULL CHECK (band BETWEEN 0 AND 2),    -- 0 top, 1 sample, 2 quiet
    rank INTEGER NOT NULL CHECK (rank BETWEEN 0 AND 16383), -- from 0; the strongest of top is 0
    passage_id INTEGER NOT NULL REFERENCES passage,
    position INTEGER NOT NULL CHECK (position >= 0),       -- of the peak token in the passage
    layer INTEGER NOT NULL CHECK (layer >= 0),             -- the peak token was routed to
    router_weight REAL,
    activation REAL NOT NULL CHECK (band <> 2 OR activation = 0),
    split INTEGER CHECK (split IN (0, 1)),                 -- 0 explain, 1 score
    PRIMARY KEY (dictionary_id, feature_index, corpus_id, band, rank),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id) REFERENCES feature ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX feature_context_by_passage ON feature_context (passage_id);

-- The activations in a feature's contexts, token by token, in the order of band and rank.
CREATE TABLE context_activations (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
    n_contexts INTEGER NOT NULL CHECK (n_contexts > 0),
    "values" BLOB NOT NULL,                                -- zstd of the form in schema/README.md
    PRIMARY KEY (dictionary_id, feature_index, corpus_id),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id) REFERENCES feature ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What is used to write an explanation must not come near what is used to score it; nor is a place held twice.
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

-- The next two follow from the dictionary and the model alone, whatever the corpus.
CREATE TABLE feature_logit (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    direction TEXT NOT NULL CHECK (direction IN ('promoted', 'suppressed')),
    rank INTEGER NOT NULL CHECK (rank >= 0),               -- from 0 at the extreme
    token_id INTEGER NOT NULL CHECK (token_id >= 0),
    value REAL NOT NULL,                                   -- change of the logit per unit of activation
    PRIMARY KEY (dictionary_id, feature_index, direction, rank)
) STRICT, WITHOUT ROWID;

CREATE INDEX feature_logit_by_token ON feature_logit (token_id, dictionary_id) WHERE direction = 'promoted';

CREATE TABLE feature_neighbor (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    rank INTEGER NOT NULL CHECK (rank >= 0),               -- from 0 at the nearest
    neighbor_index INTEGER NOT NULL CHECK (neighbor_index >= 0), -- a feature_index of the same dictionary
    cosine REAL NOT NULL CHECK (cosine BETWEEN -1.001 AND 1.001), -- of the decoder vectors
    PRIMARY KEY (dictionary_id, feature_index, rank)
) STRICT, WITHOUT ROWID;

CREATE TABLE explanation (
    explanation_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,                            -- whose contexts it was written from
    method TEXT NOT NULL CHECK (length(method) > 0),       -- n2g …
    text TEXT NOT NULL,                                    -- for people
    detail TEXT,                                           -- for simulators, JSON
    UNIQUE (run_id, dictionary_id, feature_index, corpus_id, method),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id) REFERENCES feature ON DELETE CASCADE
) STRICT;

CREATE INDEX explanation_by_feature ON explanation (dictionary_id, feature_index, corpus_id);

CREATE TABLE score (
    score_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
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
    FOREIGN KEY (dictionary_id, feature_index, corpus_id) REFERENCES feature ON DELETE CASCADE
) STRICT;

CREATE INDEX score_by_feature ON score (dictionary_id, feature_index, corpus_id, method);
CREATE INDEX score_by_explanation ON score (explanation_id, method);
CREATE INDEX score_by_run ON score (run_id);

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

-- Full text of passages and explanations.
CREATE VIRTUAL TABLE passage_text USING fts5(
    text, content = 'passage', content_rowid = 'passage_id', tokenize = 'unicode61'
);

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

-- What a feature's row repeats of its explanations and scores. Inserting into the view works one feature out again.
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

CREATE TRIGGER explanation_deleted AFTER DELETE ON explanation
BEGIN
    INSERT INTO feature_verdict VALUES (old.dictionary_id, old.feature_index, old.corpus_id);
END;

CREATE TRIGGER score_inserted AFTER INSERT ON score
BEGIN
    INSERT INTO feature_verdict VALUES (new.dictionary_id, new.feature_index, new.corpus_id);
END;

CREATE TRIGGER score_deleted AFTER DELETE ON score
BEGIN
    INSERT INTO feature_verdict VALUES (old.dictionary_id, old.feature_index, old.corpus_id);
END;

CREATE TRIGGER explanation_updated AFTER UPDATE OF explanation_id, dictionary_id, feature_index, corpus_id ON explanation
BEGIN
    INSERT INTO feature_verdict VALUES (old.dictionary_id, old.feature_index, old.corpus_id);
    INSERT INTO feature_verdict VALUES (new.dictionary_id, new.feature_index, new.corpus_id);
END;

CREATE TRIGGER score_updated AFTER UPDATE ON score
BEGIN
    INSERT INTO feature_verdict VALUES (old.dictionary_id, old.feature_index, old.corpus_id);
    INSERT INTO feature_verdict VALUES (new.dictionary_id, new.feature_index, new.corpus_id);
END;

-- One row a context. Its window is as many tokens as indexing.window within its passage, a quarter of them behind the
-- peak; the excerpt is the window's text with the peak token between « and ».
CREATE VIEW context AS
SELECT
    ((((w.dictionary_id << 10 | w.corpus_id) << 24 | w.feature_index) << 2 | w.band) << 14 | w.rank) AS context_id,
    w.dictionary_id,
    w.feature_index,
    w.corpus_id,
    CASE w.band WHEN 0 THEN 'top' WHEN 1 THEN 'sample' ELSE 'quiet' END AS band,
    w.rank,
    w.document_id,
    w.first_token + w.position AS token_position,
    w.segment,
    w.first_token + max(w.window_end - w.window, 0) AS window_start,
    min(w.window_end, w.window) AS window_length,
    w.layer,
    w.router_weight,
    w.activation,
    CASE w.split WHEN 0 THEN 'explain' WHEN 1 THEN 'score' END AS split,
    w.passage_id,
    (SELECT a."values" FROM context_activations AS a
        WHERE a.dictionary_id = w.dictionary_id AND a.feature_index = w.feature_index
            AND a.corpus_id = w.corpus_id) AS activations,
    -- In token_starts: width of a number, and with it the places of the window's start, of the peak token's start and
    -- end, and of the window's end. A token that is part of a character stands for the whole of it.
    (SELECT
        substr(text, first + 1, peak - first) || '«' || substr(text, peak + 1, peak_end - peak) || '»'
            || substr(text, peak_end + 1, max(last - peak_end, 0))
        FROM (
            SELECT
                CAST(substr(w.token_starts, 1 + max(w.window_end - w.window, 0) * digits, digits) AS INTEGER) AS first,
                CAST(substr(w.token_starts, 1 + w.position * digits, digits) AS INTEGER) AS peak,
                max(CAST(substr(w.token_starts, 1 + w.position * digits, digits) AS INTEGER) + 1,
                    CAST(substr(w.token_starts, 1 + (w.position + 1) * digits, digits) AS INTEGER)) AS peak_end,
                CAST(substr(w.token_starts, 1 + w.window_end * digits, digits) AS INTEGER) AS last,
                w.text AS text
            FROM (SELECT length(w.token_starts) / (w.n_tokens + 1) AS digits)
        )) AS excerpt
FROM (
    SELECT c.*, i.window, p.document_id, p.segment, p.first_token, p.n_tokens, p.text, p.token_starts,
        min(max(c.position + 1 + i.window / 4, i.window), p.n_tokens) AS window_end
    FROM feature_context AS c
    -- Outer joins: SQLite leaves out the one with passage where none of its columns is asked for.
    LEFT JOIN indexing AS i ON i.dictionary_id = c.dictionary_id AND i.corpus_id = c.corpus_id
    LEFT JOIN passage AS p ON p.passage_id = c.passage_id
) AS w;

-- One row a feature and corpus it was indexed on.
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
    (SELECT e.text FROM explanation AS e WHERE e.explanation_id = f.explanation_id) AS explanation,
    (SELECT e.method FROM explanation AS e WHERE e.explanation_id = f.explanation_id) AS explanation_method,
    f.simulation_score,
    f.simulation_baseline,
    f.detection_score,
    f.fuzzing_score,
    f.rubric_score,
    (SELECT group_concat(text, ' ') FROM (
        SELECT t.text FROM feature_logit AS l
        JOIN token AS t ON t.language_model_id = d.language_model_id AND t.token_id = l.token_id
        WHERE l.dictionary_id = f.dictionary_id AND l.feature_index = f.feature_index
            AND l.direction = 'promoted' AND l.rank < 5
        ORDER BY l.rank
    )) AS promoted_tokens,
    f.corpus_id,
    c.name AS corpus
FROM dictionary AS d
JOIN feature AS f ON f.dictionary_id = d.dictionary_id
JOIN corpus AS c ON c.corpus_id = f.corpus_id;

-- One row a dictionary, corpus it was indexed on, and layer it reads.
CREATE VIEW layer_profile AS
SELECT
    d.dictionary_id,
    d.name AS dictionary,
    r.layer,
    r.n_tokens AS n_tokens,                                -- routed to the layer
    CAST(r.n_tokens AS REAL) / nullif(i.n_tokens, 0) AS token_share,
    r.mean_router_weight,
    ifnull(r.n_peak_features, 0) AS n_peak_features,
    ifnull(r.n_features, 0) AS n_features,                 -- that fired there at all
    ifnull(r.n_fired, 0) AS n_fired,
    r.sum_activation / nullif(r.n_fired, 0) AS mean_activation, -- over those firings
    r.max_activation,
    i.corpus_id,
    c.name AS corpus
FROM dictionary AS d
JOIN indexing AS i ON i.dictionary_id = d.dictionary_id
JOIN corpus AS c ON c.corpus_id = i.corpus_id
JOIN layer_routing AS r ON r.dictionary_id = d.dictionary_id AND r.run_id = i.run_id;

-- One row a dictionary and corpus it was indexed on; without corpus where it was on none.
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
    d.n_latents - i.n_alive AS n_dead,
    i.mean_active_per_token,
    i.mean_layer_entropy,
    i.n_contexts,
    (SELECT count(DISTINCT e.feature_index) FROM explanation AS e
        WHERE e.dictionary_id = d.dictionary_id AND e.corpus_id = i.corpus_id) AS n_explained,
    (SELECT avg(f.simulation_score) FROM feature AS f
        WHERE f.dictionary_id = d.dictionary_id AND f.corpus_id = i.corpus_id
            AND f.simulation_score IS NOT NULL) AS mean_simulation_score,
    (SELECT avg(f.simulation_baseline) FROM feature AS f
        WHERE f.dictionary_id = d.dictionary_id AND f.corpus_id = i.corpus_id
            AND f.simulation_score IS NOT NULL) AS mean_simulation_baseline,
    i.corpus_id,
    c.name AS corpus
FROM dictionary AS d
LEFT JOIN indexing AS i ON i.dictionary_id = d.dictionary_id
LEFT JOIN corpus AS c ON c.corpus_id = i.corpus_id;

-- The rows of the tables above, as they were. No release indexed without a corpus.
INSERT INTO indexing (dictionary_id, corpus_id, run_id, n_tokens, n_documents, window, histogram_edges)
SELECT i.dictionary_id, i.corpus_id, i.run_id, i.n_tokens, i.n_documents,
    ifnull((SELECT max(c.window_length) FROM old_context AS c WHERE c.dictionary_id = i.dictionary_id), 1),
    i.histogram_edges
FROM old_indexing AS i WHERE i.corpus_id IS NOT NULL;

INSERT INTO feature (dictionary_id, feature_index, corpus_id, n_fired, firing_rate, mean_activation, std_activation,
    max_activation, sum_activation, sum_square, p10, p50, p90, p99, decoder_norm, is_dead, n_documents, histogram,
    peak_layer, peak_layer_share, layer_entropy, top_token)
SELECT f.dictionary_id, f.feature_index, i.corpus_id, f.n_fired, f.firing_rate, f.mean_activation, f.std_activation,
    f.max_activation, ifnull(f.n_fired * f.mean_activation, 0),
    ifnull(f.n_fired * (f.std_activation * f.std_activation + f.mean_activation * f.mean_activation), 0),
    f.p10, f.p50, f.p90, f.p99, f.decoder_norm, f.is_dead, f.n_documents, f.histogram, f.peak_layer,
    f.peak_layer_share, f.layer_entropy, f.top_token
FROM old_feature AS f JOIN indexing AS i USING (dictionary_id);

INSERT INTO feature_layer (dictionary_id, feature_index, corpus_id, layer, n_fired, sum_activation, max_activation,
    sum_router_weight)
SELECT f.dictionary_id, f.feature_index, i.corpus_id, f.layer, f.n_fired, f.sum_activation, f.max_activation,
    f.mean_router_weight * f.n_fired
FROM old_feature_layer AS f JOIN indexing AS i USING (dictionary_id);

INSERT INTO feature_token (dictionary_id, feature_index, corpus_id, token_class, n_fired, activation_1, activation_2)
SELECT f.dictionary_id, f.feature_index, i.corpus_id, f.token_class, f.n_fired, f.activation_1, f.activation_2
FROM old_feature_token AS f JOIN indexing AS i USING (dictionary_id);

INSERT INTO layer_routing (dictionary_id, run_id, layer, n_tokens, mean_router_weight)
SELECT dictionary_id, run_id, layer, n_tokens, mean_router_weight FROM old_layer_routing;

INSERT INTO feature_logit (dictionary_id, feature_index, direction, rank, token_id, value)
SELECT dictionary_id, feature_index, direction, rank, token_id, value FROM old_feature_logit;

INSERT INTO feature_neighbor (dictionary_id, feature_index, rank, neighbor_index, cosine)
SELECT dictionary_id, feature_index, rank, neighbor_index, cosine FROM old_feature_neighbor;

INSERT INTO explanation (explanation_id, run_id, dictionary_id, feature_index, corpus_id, method, text, detail)
SELECT e.explanation_id, e.run_id, e.dictionary_id, e.feature_index, i.corpus_id, e.method, e.text, e.detail
FROM old_explanation AS e JOIN indexing AS i USING (dictionary_id) ORDER BY e.explanation_id;

INSERT INTO score (score_id, run_id, dictionary_id, feature_index, corpus_id, explanation_id, method, status, value,
    baseline_value, reason, n_contexts, n_tokens, metrics, detail)
SELECT s.score_id, s.run_id, s.dictionary_id, s.feature_index, i.corpus_id, s.explanation_id, s.method, s.status,
    s.value, s.baseline_value, s.reason, s.n_contexts, s.n_tokens, s.metrics, s.detail
FROM old_score AS s JOIN indexing AS i USING (dictionary_id) ORDER BY s.score_id;

INSERT INTO review (review_id, dictionary_id, feature_index, explanation_id, verdict, note, reviewer, created_at)
SELECT review_id, dictionary_id, feature_index, explanation_id, verdict, note, reviewer, created_at FROM old_review;

DROP TABLE old_indexing;
DROP TABLE old_feature;
DROP TABLE old_feature_layer;
DROP TABLE old_feature_token;
DROP TABLE old_layer_routing;
DROP TABLE old_feature_logit;
DROP TABLE old_feature_neighbor;
DROP TABLE old_explanation;
DROP TABLE old_score;
DROP TABLE old_review;
