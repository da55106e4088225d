-- The contexts of the first form have been moved: see 0002_corpora_and_passages.sql.

DROP TABLE old_context;
