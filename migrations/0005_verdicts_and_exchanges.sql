-- What people and language models say of features: verdicts from 1 to 5, beside the automatic scores, and every exchange
-- with a language model's endpoint, so that nothing is asked twice and every score can be audited.

-- The rubric's category, of the method `rubric` alone.
ALTER TABLE score ADD COLUMN category TEXT CHECK (category IN ('low-level', 'high-level', 'undiscernible'));

CREATE TABLE old_review AS SELECT * FROM review;
DROP TABLE review;

CREATE TABLE review (
    review_id INTEGER PRIMARY KEY,
    dictionary_id INTEGER NOT NULL REFERENCES dictionary ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    explanation_id INTEGER REFERENCES explanation ON DELETE SET NULL, -- NULL: the feature itself was judged, by its contexts
    verdict INTEGER NOT NULL CHECK (verdict BETWEEN 1 AND 5), -- 5: a clear pattern without exceptions; 1: none
    category TEXT CHECK (category IN ('low-level', 'high-level', 'undiscernible')),
    note TEXT,
    reviewer TEXT,
    created_at TEXT NOT NULL
) STRICT;

-- Verdicts used to be words.
INSERT INTO review (
    review_id, dictionary_id, feature_index, explanation_id, verdict, note, reviewer, created_at
)
SELECT
    review_id, dictionary_id, feature_index, explanation_id,
    CASE verdict WHEN 'agree' THEN 5 WHEN 'disagree' THEN 1 ELSE 3 END, note, reviewer, created_at
FROM old_review;
DROP TABLE old_review;

CREATE INDEX review_by_feature ON review (dictionary_id, feature_index);

CREATE INDEX review_by_explanation ON review (explanation_id);

CREATE TABLE exchange (
    exchange_id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64), -- of endpoint, a line feed, and the request
    endpoint TEXT NOT NULL,                                -- base URL; never a key
    llm TEXT NOT NULL,                                     -- the model asked, as the endpoint calls it
    request BLOB NOT NULL,                                 -- zstd of the JSON that was sent
    reply BLOB NOT NULL,                                   -- zstd of the JSON that came back, byte for byte
    prompt_tokens INTEGER CHECK (prompt_tokens >= 0),      -- as the endpoint counts
    completion_tokens INTEGER CHECK (completion_tokens >= 0),
    created_at TEXT NOT NULL
) STRICT;

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
    SELECT max(o.review_id) FROM review AS o
    WHERE o.dictionary_id = v.dictionary_id AND o.feature_index = v.feature_index AND o.reviewer IS v.reviewer
);
