"""Text of collecting: which files are read, records, encodings."""

from __future__ import annotations

import os
import unittest

from activation_files import InFolder

from routesae.collecting.documents import MARKS, documents
from routesae.collecting.json_records import record_text
from routesae.collecting.text_files import text_files


class Text(InFolder):
    def test_a_folder_gives_its_text_files_by_name(self) -> None:
        for name in ("b.txt", "a/z.jsonl", "a.txt", "a/.hidden.txt", ".git/c.txt", "notes.md"):
            self.write(name, "x")
        for given in (self.folder, self.folder + "/"):
            found = [os.path.relpath(path, self.folder) for path in text_files(given)]
            self.assertEqual(found, ["a.txt", "a/z.jsonl", "b.txt"])
        self.assertEqual(text_files(self.path("b.txt")), [self.path("b.txt")])

    def test_paths_that_are_no_text(self) -> None:
        self.refuses("no such file or folder", text_files, self.path("none"))
        self.refuses("neither .txt nor .jsonl", text_files, self.write("a.md", "x"))
        os.mkdir(self.path("empty"))
        self.refuses("holds no .txt or .jsonl", text_files, self.path("empty"))

    def test_documents_are_numbered_over_all_files(self) -> None:
        lines = b'{"text":"one"}\n\n \t\v\f\r\n{"text":"","title":"t"}\n{"title":1,"text":"caf\\u00e9 \\ud83d\\ude00"}'
        files = [self.write("a.jsonl", lines), self.write("b.txt", "  \n"), self.write("c.txt", b"x\xffy\r\n")]
        self.assertEqual(
            [(d.number, os.path.relpath(d.place, self.folder), d.text) for d in documents(files)],
            [
                (0, "a.jsonl:1", "one"),
                (1, "a.jsonl:4", ""),
                (2, "a.jsonl:5", "café 😀"),
                (3, "b.txt", "  \n"),
                (4, "c.txt", "x\ufffdy\r\n"),
            ],
        )

    def test_bad_records_are_named_by_file_and_line(self) -> None:
        bad = (
            "[]",
            "7",
            '"text"',
            "{}",
            '{"text":null}',
            '{"text":1}',
            "{",
            '{"text":"a"',
            '{"text":"a"} 1',
            '{"text":"\\x"}',
            '{"text":"a","x":}',
            '{"text":"a","x":[1}',
            '{"text":"a" "x":1}',
            '{"x":{"text":"a"}}',
            '{"text":"a","text":2}',
        )
        for line in bad:
            path = self.write("a.jsonl", '{"text":"fine"}\n' + line)
            self.refuses(f"{path}:2: is not a JSON object", list, documents([path]))
        self.assertEqual(record_text(b'{"text":"x\xff"}', "a:1"), ("x\ufffd", 1))
        self.assertEqual(record_text(b'{"text":"\\ud800"}', "a:1"), ("\ufffd", 1))

    def test_of_a_record_only_the_text_is_judged(self) -> None:
        deep = 3000
        for other in (
            "NaN",
            "-Infinity",
            "1e400",
            '"\\ud800"',
            '"\xff"',
            "[" * deep + "]" * deep,
            '{"a":' * deep + "1" + "}" * deep,
            "9" * 5000,
            '{"text":1}',
            '[{"text":2}]',
            "undefined",
            '"\\x"',
        ):
            for line in (
                f'{{"text":"a","x":{other}}}',
                f'{{"x":{other},"text":"a"}}',
                f'{{"text":1,"x":{other},"text":"a"}}',
            ):
                self.assertEqual(record_text(line.encode("latin-1"), "a:1"), ("a", 0), line[:60])

    def test_encodings(self) -> None:
        text = '{"text":"caf\u00e9 \U0001f600"}\n\n{"text":"two"}\n'
        for mark, encoding in MARKS:
            path = self.write("a.TXT", mark + "caf\u00e9\n".encode(encoding))
            self.assertEqual([d.text for d in documents([path])], ["caf\u00e9\n"])
            path = self.write("a.JSONL", mark + text.encode(encoding))
            self.assertEqual(
                [(d.place[-1], d.text) for d in documents([path])], [("1", "caf\u00e9 \U0001f600"), ("3", "two")]
            )
        said: list[str] = []
        path = self.write("b.txt", b"na\xefve caf\xe9\n")
        self.assertEqual([d.text for d in documents([path], said.append)], ["na\ufffdve caf\ufffd\n"])
        self.assertEqual(len(said), 1)
        self.assertIn("b.txt: 2 of its bytes are no text", said[0])
        self.refuses("9 bytes of 18 are no text", list, documents([self.write("c.txt", b"\xe9 " * 9)]))
        self.refuses("zero bytes", list, documents([self.write("d.txt", "the king said unto him".encode("utf-16-le"))]))

    def test_what_is_no_file_is_named(self) -> None:
        os.mkfifo(self.path("a.txt"))
        self.refuses("is a pipe (FIFO)", text_files, self.folder)
        os.unlink(self.path("a.txt"))
        os.symlink("a.txt", self.path("a.txt"))
        self.refuses("leads in a circle", text_files, self.folder)
        os.unlink(self.path("a.txt"))
        os.symlink("nowhere", self.path("a.txt"))
        self.refuses("is a link to nowhere, which is not there", text_files, self.path("a.txt"))
        os.unlink(self.path("a.txt"))
        self.write("x/b.TXT", "b")
        os.symlink(".", self.path("x/up"))
        os.symlink(self.path("x"), self.path("y"))
        self.assertEqual(text_files(self.folder), [self.path("x/b.TXT")])


if __name__ == "__main__":
    unittest.main()
