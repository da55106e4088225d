"""`changed_tables` against the sums that are worked out in the tests."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile

from reading import Reading
from written import DIGEST

import routesae
from routesae.digests import row_bytes


class Digests(Reading):
    """`changed_tables` against the sums that are worked out in this file."""

    def changed(self, *statements: str) -> list[tuple[str, str]]:
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(self.made.path, f"{folder}/changed.catalog")
            database = sqlite3.connect(path, isolation_level=None)
            for statement in statements:
                database.execute(statement)
            database.close()
            with routesae.open(path) as catalog:
                return catalog.changed_tables()

    def test_nothing_has_changed(self) -> None:
        self.assertEqual(self.catalog.changed_tables(), [])

    def test_a_row_s_bytes(self) -> None:
        row = row_bytes((None, -2, 3, 0.5, "é", b"\x00"), (False, False, True, True, False, False))
        self.assertEqual(
            row.hex(" "),
            "00 01 fe ff ff ff ff ff ff ff 02 00 00 00 00 00 00 08 40 02 00 00 00 00 00 00 e0 3f"
            " 03 02 00 00 00 00 00 00 00 c3 a9 04 01 00 00 00 00 00 00 00 00",
        )

    def test_changes_are_seen_where_they_are(self) -> None:
        of_corpus = "dictionary_id = 1 AND corpus_id = 2"
        for expected, statement in (
            ([("feature", of_corpus)], "UPDATE feature SET p10 = 1.0 WHERE feature_index = 9 AND corpus_id = 2"),
            (
                [("feature_context", of_corpus)],
                "UPDATE feature_context SET other_activations = NULL WHERE feature_index = 12 AND corpus_id = 2",
            ),
            ([("feature_token", of_corpus)], "DELETE FROM feature_token WHERE corpus_id = 2"),
            (
                [("tensor_chunk", "tensor_id = 3")],
                "UPDATE tensor_chunk SET \"values\" = 'x' WHERE tensor_id = 3 AND first_row = 0".replace(
                    "'x'", "x'00'"
                ),
            ),
            ([("run_metric", "run_id = 1")], "UPDATE run_metric SET step = step + 10"),
            ([("run", "")], "UPDATE run SET seed = -1 WHERE run_id = 3"),
            ([("corpus", "")], "UPDATE corpus SET name = 'Bible' WHERE corpus_id = 1"),
            ([("review", "dictionary_id = 1")], "INSERT INTO review VALUES (1, 1, 7, NULL, 5, NULL, NULL, NULL, 't')"),
            (
                [("corpus", "")],
                "UPDATE table_digest SET digest = replace(digest, substr(digest, 1, 1), 'g')"
                " WHERE table_name = 'corpus'",
            ),
            ([("corpus", "")], "UPDATE table_digest SET n_rows = 3 WHERE table_name = 'corpus'"),
            ([("corpus", "")], "DELETE FROM table_digest WHERE table_name = 'corpus'"),
            ([("none", "")], f"INSERT INTO table_digest VALUES ('none', '', 1, '{DIGEST}')"),
        ):
            with self.subTest(statement=statement):
                self.assertEqual(self.changed(statement), expected)
        # A trigger changes the full text with the passage.
        found = self.changed("UPDATE passage SET text = 'x' || substr(text, 2) WHERE passage_id = 4")
        self.assertEqual(
            {table for table, _ in found} - {"passage_text_docsize", "passage_text_idx"},
            {"passage", "passage_text_data"},
        )

    def test_rewriting_a_row_or_the_file_changes_nothing(self) -> None:
        self.assertEqual(self.changed("UPDATE feature SET p10 = p10", "VACUUM"), [])
        self.assertEqual(
            self.changed("UPDATE run SET seed = 2 WHERE run_id = 3", "UPDATE run SET seed = 1 WHERE run_id = 3"), []
        )

    def test_text_that_is_damaged(self) -> None:
        self.assertEqual(
            self.changed("UPDATE corpus SET name = CAST(x'ff41' AS TEXT) WHERE corpus_id = 1"), [("corpus", "")]
        )

    def test_a_table_that_is_missing(self) -> None:
        self.refuses("its schema lacks", self.changed, "DROP VIEW review_pair", "DROP TABLE review")
