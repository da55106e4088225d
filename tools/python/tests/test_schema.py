"""The schema's views, what schema/README.md says of them, and its examples."""

from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import unittest

from written import MENU, MIGRATIONS, ROOT, VOCABULARY, WINDOW, passage_text, single, window_of, written

from routesae.file import schema_objects

README = ROOT / "schema" / "README.md"
KNOWN = ROOT / "tools" / "python" / "routesae" / "schema.json"


class Schema(unittest.TestCase):
    """The views, and what the README says of them; needs nothing but Python."""

    def setUp(self) -> None:
        self.made = written()
        self.database = sqlite3.connect(f"{self.made.path.as_uri()}?mode=ro", uri=True)
        self.addCleanup(self.database.close)
        self.database.execute("PRAGMA trusted_schema = OFF")

    def test_the_package_knows_the_schema_that_the_migrations_make(self) -> None:
        objects = {
            key: digest for key, _, digest in schema_objects(self.database) if not key.startswith("table sqlite_")
        }
        made = json.dumps({"version": len(MIGRATIONS), "objects": dict(sorted(objects.items()))}, indent=1) + "\n"
        if made != KNOWN.read_text():
            KNOWN.write_text(made)
            self.fail(f"{KNOWN.relative_to(ROOT)} has been written anew; look at the change and run again")

    def test_the_readme_names_every_table_view_and_column(self) -> None:
        readme = README.read_text()
        tables = self.database.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual')"
            " AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        self.assertGreater(len(tables), 30)
        for (table,) in tables:
            sections = readme.split(f"\n### `{table}`\n")
            self.assertEqual(len(sections), 2, table)
            section = sections[1].split("\n#")[0]
            for (column,) in self.database.execute(
                "SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", (table,)
            ):
                self.assertIn(f"`{column}`", section, table)
        known = {table for (table,) in tables}
        self.assertEqual({name for name in re.findall(r"\n### `(.*)`\n", readme)} - known, set())

    def test_the_readme_counts_contexts_and_windows_as_the_view_does(self) -> None:
        rows = self.database.execute(
            "SELECT context_id, dictionary_id, feature_index, corpus_id, band, rank, passage_id, token_position,"
            " window_start, window_length FROM context"
        ).fetchall()
        self.assertEqual(len(rows), sum(map(len, self.made.contexts.values())))
        for identity, dictionary, feature, corpus, band, rank, passage, position, start, length in rows:
            number = ("top", "sample", "quiet").index(band)
            self.assertEqual(
                identity, (((dictionary * 2**10 + corpus) * 2**24 + feature) * 2**2 + number) * 2**14 + rank
            )
            (place,) = [p for p in self.made.contexts[feature, corpus] if (p.band, p.rank) == (number, rank)]
            _, first, tokens = self.made.passages[passage]
            self.assertEqual((passage, position), (place.passage_id, first + place.position))
            window = window_of(place.position, len(tokens), WINDOW)
            self.assertEqual((start, length), (first + window.start, len(window)))
            end = min(max(place.position + 1 + WINDOW // 4, WINDOW), len(tokens))  # as the README has it
            self.assertEqual(window, range(max(end - WINDOW, 0), end))
        self.assertEqual(len({row[0] for row in rows}), len(rows))

    def test_the_largest_context_id_is_a_number_of_63_bits(self) -> None:
        (sql,) = self.database.execute("SELECT sql FROM sqlite_schema WHERE name = 'context'").fetchone()
        formula = "(((" + re.sub(r"w\.", ":", sql.split("CAST((((")[1].split(" AS BIGINT")[0])
        most = {"dictionary_id": 8191, "corpus_id": 1023, "feature_index": 2**24 - 1, "band": 2, "rank": 2**14 - 1}
        (found,) = self.database.execute(f"SELECT {formula}", most).fetchone()
        self.assertEqual(found, ((((8191 * 1024 + 1023) * 2**24 + 2**24 - 1) * 4 + 2) * 2**14 + 2**14 - 1))
        self.assertLess(found, 2**63)

    def test_excerpts(self) -> None:
        menu = "café ☕😀xéy"
        cases: list[tuple[list[bytes], int, int, str]] = [
            # Tokens, position of the peak, window, excerpt: at both ends, and in a passage shorter than the window.
            ([b"a", b"b", b"c", b"d", b"e", b"f"], 0, 4, "«a»bcd"),
            ([b"a", b"b", b"c", b"d", b"e", b"f"], 2, 4, "ab«c»d"),
            ([b"a", b"b", b"c", b"d", b"e", b"f"], 3, 4, "bc«d»e"),
            ([b"a", b"b", b"c", b"d", b"e", b"f"], 5, 4, "cde«f»"),
            ([b"a", b"b", b"c"], 0, 8, "«a»bc"),
            ([b"a", b"b", b"c"], 2, 8, "ab«c»"),
            ([b"a"], 0, 8, "«a»"),
            # Characters of several bytes, whole and divided.
            (["日本".encode(), "é".encode(), "語".encode()], 1, 8, "日本«é»語"),
            ([b"caf", b"\xc3", b"\xa9", b"!"], 1, 8, "caf«é»!"),
            ([b"caf", b"\xc3", b"\xa9", b"!"], 2, 8, "caf«é»!"),
            ([b"\xe2", b"\x98", b"\x95"], 1, 8, "«☕»"),
            ([b"x\xc3", b"\xa9y"], 0, 8, "«x»éy"),
            ([b"x\xc3", b"\xa9y"], 1, 8, "x«éy»"),
            ([b"a", b"b", b"\xc3", b"\xa9", b"c", b"d", b"e", b"f"], 6, 5, "écd«e»f"),  # begins within a character
            ([b"a", b"b", b"c", b"d", b"\xc3", b"\xa9", b"e", b"f"], 3, 5, "abc«d»"),  # ends within one
            # The passage cuts a character in two.
            ([b"\xa9", b"a", b"b", b"\xc3"], 0, 8, "«\ufffd»ab\ufffd"),
            ([b"\xa9", b"a", b"b", b"\xc3"], 3, 8, "\ufffdab«\ufffd»"),
            # Tokens of no bytes, and marks in the text itself.
            ([b"a", b"", b"b", b"c"], 2, 8, "a«b»c"),
            (["«a»".encode(), b"b"], 1, 8, "«a»«b»"),
            ([VOCABULARY[token] for token in MENU], 8, 16, menu[:-3].join((" ", "«x»")) + menu[-2:]),
        ]
        self.check_excerpts(cases)

    def test_excerpts_of_windows_that_end_within_the_peak_s_character(self) -> None:
        self.check_excerpts(
            [
                ([b"a", b"b", b"c", b"\xf0", b"\x9f", b"\x98", b"\x80", b"d"], 3, 4, "bc«😀»"),
                ([b"a", b"b", b"c", b"\xf0", b"\x9f", b"\x98", b"\x80", b"d"], 4, 8, "abc«😀»d"),
                ([b"caf", b"\xc3", b"\xa9", b"!"], 1, 1, "«é»"),
                ([b"caf", b"\xc3", b"\xa9", b"!"], 1, 2, "caf«é»"),
                ([b"a", b"caf", b"\xc3", b"\xa9", b"!"], 2, 3, "acaf«é»"),
                ([b"a", b"\xc3", b"\xa9", b"!"], 2, 1, "«é»"),
                ([b"a", b"b", b"c"], 1, 1, "«b»"),
            ]
        )

    def test_excerpts_of_any_text(self) -> None:
        chance = random.Random(5)
        cases = []
        for _ in range(400):
            data = "".join(chance.choices("ab é日😀«\n", k=chance.randrange(1, 30))).encode()
            cuts = sorted({0, len(data), *(chance.randrange(len(data) + 1) for _ in range(chance.randrange(20)))})
            offsets = list(zip(cuts, cuts[1:]))
            tokens = [data[a:b] for a, b in offsets]
            position, window = chance.randrange(len(tokens)), chance.randrange(4, 20)

            def characters_before(offset: int) -> int:
                return len(data[:offset].decode("utf-8", "ignore"))  # drops the one that is cut, and no other

            inside = window_of(position, len(tokens), window)
            text = data.decode()
            start, peak = characters_before(offsets[inside.start][0]), characters_before(offsets[position][0])
            behind = max(characters_before(offsets[position][1]), peak + 1)
            end = max(characters_before(offsets[inside.stop - 1][1]), behind)
            cases.append((tokens, position, window, f"{text[start:peak]}«{text[peak:behind]}»{text[behind:end]}"))
        self.check_excerpts(cases)

    def check_excerpts(self, cases: list[tuple[list[bytes], int, int, str]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            copy = sqlite3.connect(shutil.copy(self.made.path, f"{folder}/copy"), isolation_level=None)
            copy.execute("PRAGMA foreign_keys = OFF")
            copy.execute("BEGIN")
            for number, (tokens, position, window, _) in enumerate(cases):
                identity, document = 1000 + number, 500 + number
                copy.execute(
                    "INSERT INTO passage VALUES (?, ?, 0, 100, ?, ?, ?)",
                    (identity, document, len(tokens), *passage_text(tokens)),
                )
                copy.execute(
                    "INSERT INTO indexing"
                    " (dictionary_id, corpus_id, run_id, n_tokens, n_documents, window, histogram_edges)"
                    " VALUES (?, 3, 3, 1, 1, ?, '[]')",
                    (identity, window),
                )
                copy.execute(
                    "INSERT INTO feature_context VALUES (?, 0, 3, 0, 0, ?, ?, 1, NULL, 1.0, NULL, NULL, NULL)",
                    (identity, identity, position),
                )
            for number, (tokens, position, window, expected) in enumerate(cases):
                with self.subTest(tokens=tokens, position=position, window=window):
                    found = copy.execute(
                        "SELECT excerpt, window_start, window_length, token_position FROM context"
                        " WHERE dictionary_id = ?",
                        (1000 + number,),
                    ).fetchone()
                    inside = window_of(position, len(tokens), window)
                    self.assertEqual(found, (expected, 100 + inside.start, len(inside), 100 + position))
            copy.close()

    def test_the_view_s_activations_are_those_of_all_tokens_that_fire(self) -> None:
        rows = self.database.execute(
            "SELECT feature_index, corpus_id, band, rank, activations, n_occurrences FROM context"
        ).fetchall()
        for feature, corpus, band, rank, activations, occurrences in rows:
            places = self.made.contexts[feature, corpus]
            (number,) = [
                n for n, p in enumerate(places) if (("top", "sample", "quiet")[p.band], p.rank) == (band, rank)
            ]
            found = {int(place): single(value) for place, value in json.loads(activations).items()}
            self.assertEqual(found, {place: value for place, value in enumerate(places[number].window) if value})
            self.assertEqual(occurrences, number + 1 if feature % 2 else None)

    def test_counting_by_the_derived_columns(self) -> None:
        for corpus in (1, 2):
            for threshold in [0.0, *range(31), 4.5, -1.0]:
                ruled = free = 0
                for (_, of_corpus), classes in self.made.classes.items():
                    if of_corpus != corpus:
                        continue
                    above = sum(first > threshold for first, _ in classes)
                    contexts = above + sum(second is not None and second > threshold for _, second in classes)
                    free += contexts >= 5
                    ruled += contexts >= 5 and above <= 32
                found = self.database.execute(
                    "SELECT count(CASE WHEN ifnull(counted_from, -1e999) <= ?1 THEN 1 END), count(*) FROM feature"
                    " WHERE dictionary_id = 1 AND corpus_id = ?2 AND counted_below > ?1",
                    (threshold, corpus),
                ).fetchone()
                self.assertEqual(found, (ruled, free), threshold)
                if threshold == 1.0:
                    self.assertTrue(0 < ruled < free)

    def test_a_feature_repeats_its_newest_explanation_and_scores(self) -> None:
        sql = (
            "SELECT explanation, simulation_score, simulation_baseline FROM feature_summary"
            " WHERE feature_index = 7 ORDER BY corpus_id"
        )
        self.assertEqual(
            self.database.execute(sql).fetchall(), [("what burns", 0.75, 0.1), ("what is drunk", None, None)]
        )


class Readme(unittest.TestCase):
    """Runs the examples of schema/README.md."""

    def setUp(self) -> None:
        self.made = written()
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copy(self.made.path, f"{self.folder}/demo.catalog")
        text = re.sub(r"\A.*?\n## ", "\n## ", README.read_text(), flags=re.DOTALL)
        found = re.findall(r"(?:^    .*\n|^\n(?=    \S|        ))+", text, flags=re.MULTILINE)
        self.blocks = [textwrap.dedent(block).strip() + "\n" for block in found]

    def blocks_of(self, *words: str) -> list[str]:
        return [block for block in self.blocks if block.startswith(words)]

    def test_every_block_is_of_a_known_kind(self) -> None:
        known = self.blocks_of("SELECT ", "WITH ", "INSERT ", "sqlite3 ", "cat ", "import ", "end = ", "context_id = ")
        self.assertEqual([block for block in self.blocks if block not in known], [])

    def test_queries(self) -> None:
        statements = [
            s for block in self.blocks_of("SELECT ", "WITH ", "INSERT ") for s in re.split(r"(?<=;)\n+", block.strip())
        ]
        self.assertGreater(len(statements), 12)
        database = sqlite3.connect(f"{self.folder}/demo.catalog")
        self.addCleanup(database.close)
        for statement in statements:
            with self.subTest(statement=statement):
                self.assertTrue(sqlite3.complete_statement(statement))
                rows = database.execute(statement).fetchall()
                if not statement.startswith("INSERT"):
                    self.assertGreater(len(rows), 0)
        ruled = [s for s in statements if "with_class_rule" in s]
        self.assertEqual(len(ruled), 2)
        first, second = (database.execute(statement).fetchall() for statement in ruled)
        self.assertEqual(first, second)
        self.assertGreater(first[0][1], 0)

    @unittest.skipUnless(shutil.which("sqlite3") and shutil.which("zstd"), "the sqlite3 or zstd command is missing")
    def test_reading_blobs_by_hand(self) -> None:
        output = []
        for block in self.blocks_of("sqlite3 ", "cat ", "import "):
            shell = not block.startswith("import ")
            command = ["bash", "-e", "-o", "pipefail", "-c", block] if shell else [sys.executable, "-c", block]
            result = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, f"{block}\n{result.stderr}")
            output.append(result.stdout)
        unshuffle, ids, decoder, detail = output
        self.assertEqual(unshuffle, "")
        self.assertEqual([int(word) for word in ids.split()[1:]], self.made.documents[1])
        first, length = decoder.split("\n")[0].split("|")[1:3]
        numbers = [float(word) for line in decoder.split("\n")[1:] for word in line.split()]
        row = (1234 - int(first)) * int(length)
        expected = self.made.tensors[1, "decoder"][1234 * 4 : 1235 * 4]
        for number, value in zip(numbers[row : row + 4], expected, strict=True):
            self.assertAlmostEqual(number, value, delta=1e-5 * abs(value))
        self.assertTrue(detail.endswith('{"a":1}'))
