-- Counting at several thresholds walks along the layers without sorting; the features that promote a token come with how
-- much they do.

DROP INDEX feature_by_counting;
CREATE INDEX feature_by_counting ON feature (dictionary_id, corpus_id, peak_layer, counted_below, counted_from);

DROP INDEX feature_logit_by_token;
CREATE INDEX feature_logit_by_token ON feature_logit (token_id, dictionary_id, value) WHERE direction = 'promoted';
