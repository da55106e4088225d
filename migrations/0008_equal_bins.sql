-- Histograms of equal bins, as dashboards draw them. Bin i counts the values of i * bin_width up to (i + 1) * bin_width.
-- The width is the smallest power of two, from 2^-24 on, with which all values lie in the bins -256 to 255: it depends on
-- the values alone, and histograms of parts of a text add up to that of the whole. Indexes made before have none.
CREATE TABLE feature_linear_histogram (
    dictionary_id INTEGER NOT NULL,
    feature_index INTEGER NOT NULL,
    corpus_id INTEGER NOT NULL,
    bin_width REAL NOT NULL CHECK (bin_width > 0),         -- a power of two
    first_bin INTEGER NOT NULL CHECK (first_bin BETWEEN -256 AND 255), -- the first bin that is not empty
    counts TEXT NOT NULL,                                  -- JSON array of firings, to the last bin that is not empty
    PRIMARY KEY (dictionary_id, feature_index, corpus_id),
    FOREIGN KEY (dictionary_id, feature_index, corpus_id)
        REFERENCES feature (dictionary_id, feature_index, corpus_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Of the change of every token's logit per unit of a feature's activation; feature_logit has its two ends.
CREATE TABLE feature_logit_histogram (
    dictionary_id INTEGER NOT NULL REFERENCES dictionary (dictionary_id) ON DELETE CASCADE,
    feature_index INTEGER NOT NULL CHECK (feature_index >= 0),
    bin_width REAL NOT NULL CHECK (bin_width > 0),
    first_bin INTEGER NOT NULL CHECK (first_bin BETWEEN -256 AND 255),
    counts TEXT NOT NULL,                                  -- JSON array of tokens of the vocabulary
    PRIMARY KEY (dictionary_id, feature_index)
) STRICT, WITHOUT ROWID;
