-- A dictionary says what it does to its input and which latents it keeps, so that those of other programs fit in.
-- Dictionaries made before are what they were: a layer norm with the epsilon 1e-6, and the rules of their architecture.
PRAGMA legacy_alter_table = ON;

ALTER TABLE dictionary RENAME TO old_dictionary;

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
    input_normalization TEXT NOT NULL CHECK (input_normalization IN ('none', 'layer_norm', 'scale', 'unit_norm')),
    input_epsilon REAL CHECK ((input_epsilon IS NOT NULL) = (input_normalization = 'layer_norm')),
    input_scale REAL CHECK ((input_scale IS NOT NULL) = (input_normalization = 'scale')),
    subtracts_pre_bias INTEGER NOT NULL CHECK (subtracts_pre_bias IN (0, 1)), -- before encoding
    selection TEXT CHECK (selection IN ('activation', 'activation_times_norm', 'group_max')), -- of the k that are kept
    threshold_form TEXT CHECK (threshold_form IN ('log', 'value', 'shared')), -- of the tensor threshold
    n_tokens_trained INTEGER CHECK (n_tokens_trained >= 0),
    activation_threshold REAL NOT NULL,                    -- counting's default t
    relative_threshold REAL NOT NULL,                      -- t / sqrt(d_model)
    run_id INTEGER NOT NULL REFERENCES run (run_id),       -- trained or imported it
    language_model_id INTEGER REFERENCES language_model (language_model_id),
    config TEXT NOT NULL,                                  -- whatever else decides what it computes
    CHECK ((selection IS NOT NULL) = (k IS NOT NULL)),
    CHECK ((threshold_form IS NOT NULL) = (architecture = 'jumprelu'))
) STRICT;

INSERT INTO dictionary (
    dictionary_id, name, architecture, layers, d_model, n_latents, k, aggregation, routing, fidelity,
    input_normalization, input_epsilon, input_scale, subtracts_pre_bias, selection, threshold_form,
    n_tokens_trained, activation_threshold, relative_threshold, run_id, language_model_id, config
)
SELECT
    dictionary_id, name, architecture, layers, d_model, n_latents, k, aggregation, routing, fidelity,
    'layer_norm', 1e-6, NULL,
    CASE architecture WHEN 'crosscoder' THEN 0 WHEN 'jumprelu' THEN fidelity = 'reference' ELSE 1 END,
    CASE WHEN k IS NOT NULL THEN 'activation' END,
    CASE WHEN architecture = 'jumprelu' THEN CASE fidelity WHEN 'corrected' THEN 'log' ELSE 'value' END END,
    n_tokens_trained, activation_threshold, relative_threshold, run_id, language_model_id, config
FROM old_dictionary;

DROP TABLE old_dictionary;
