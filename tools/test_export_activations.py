#!/usr/bin/env python3
"""Tests of `python -m routesae collect` and export_activations.py: `python3 tools/test_export_activations.py`.

The rules about text, windows, names and files need the standard library only.  What runs a model is left out where
torch and transformers are not installed.
"""

from __future__ import annotations

import array
import contextlib
import importlib.util
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from collections import namedtuple
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple
from unittest import mock

SCRIPT = Path(__file__).resolve().parent / "export_activations.py"
PACKAGE = SCRIPT.parent / "python"
sys.path.insert(0, str(PACKAGE))
from routesae import activation_stream as st  # noqa: E402
from routesae import collect as ex  # noqa: E402

FIXTURES = SCRIPT.parent.parent / "Tests" / "Fixtures"
HAS_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))


def read_safetensors(path: Any) -> Tuple[Dict[str, str], Dict[str, Tuple[str, List[int], bytes]]]:
    """Metadata and, by name, type, shape and bytes; the format read by its definition."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = (entry["dtype"], entry["shape"], data[8 + length + begin : 8 + length + end])
    assert 8 + length + max(entry["data_offsets"][1] for entry in header.values()) == len(data)
    return metadata, tensors


def integers(raw: bytes) -> List[int]:
    return [value for (value,) in struct.iter_unpack("<q", raw)]


def widened(dtype: str, raw: bytes) -> List[float]:
    """Elements as floats."""
    if dtype == "BF16":
        raw = b"".join(b"\0\0" + raw[i : i + 2] for i in range(0, len(raw), 2))
    return [value for (value,) in struct.iter_unpack({"BF16": "<f", "F32": "<f", "F16": "<e"}[dtype], raw)]


class InFolder(unittest.TestCase):
    """A test with a fresh folder."""

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def write(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def refuses(self, words: str, call: Any, *arguments: Any) -> None:
        with self.assertRaises(ex.ExportError) as caught:
            call(*arguments)
        self.assertIn(words, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))


class Text(InFolder):
    def test_a_folder_gives_its_text_files_by_name(self) -> None:
        for name in ("b.txt", "a/z.jsonl", "a.txt", "a/.hidden.txt", ".git/c.txt", "notes.md"):
            self.write(name, "x")
        for given in (self.folder, self.folder + "/"):
            found = [os.path.relpath(path, self.folder) for path in ex.text_files(given)]
            self.assertEqual(found, ["a.txt", "a/z.jsonl", "b.txt"])
        self.assertEqual(ex.text_files(self.path("b.txt")), [self.path("b.txt")])

    def test_paths_that_are_no_text(self) -> None:
        self.refuses("no such file or folder", ex.text_files, self.path("none"))
        self.refuses("neither .txt nor .jsonl", ex.text_files, self.write("a.md", "x"))
        os.mkdir(self.path("empty"))
        self.refuses("holds no .txt or .jsonl", ex.text_files, self.path("empty"))

    def test_documents_are_numbered_over_all_files(self) -> None:
        lines = b'{"text":"one"}\n\n \t\v\f\r\n{"text":"","title":"t"}\n{"title":1,"text":"caf\\u00e9 \\ud83d\\ude00"}'
        files = [self.write("a.jsonl", lines), self.write("b.txt", "  \n"), self.write("c.txt", b"x\xffy\r\n")]
        self.assertEqual(
            [(d.number, os.path.relpath(d.place, self.folder), d.text) for d in ex.documents(files)],
            [
                (0, "a.jsonl:1", "one"), (1, "a.jsonl:4", ""), (2, "a.jsonl:5", "café 😀"), (3, "b.txt", "  \n"),
                (4, "c.txt", "x\ufffdy\r\n"),
            ],
        )

    def test_bad_records_are_named_by_file_and_line(self) -> None:
        bad = (
            "[]", "7", '"text"', "{}", '{"text":null}', '{"text":1}', "{", '{"text":"a"', '{"text":"a"} 1', '{"text":"\\x"}',
            '{"text":"a","x":}', '{"text":"a","x":[1}', '{"text":"a" "x":1}', '{"x":{"text":"a"}}', '{"text":"a","text":2}',
        )
        for line in bad:
            path = self.write("a.jsonl", '{"text":"fine"}\n' + line)
            self.refuses(f"{path}:2: is not a JSON object", list, ex.documents([path]))
        self.assertEqual(ex.record_text(b'{"text":"x\xff"}', "a:1"), ("x\ufffd", 1))
        self.assertEqual(ex.record_text(b'{"text":"\\ud800"}', "a:1"), ("\ufffd", 1))

    def test_of_a_record_only_the_text_is_judged(self) -> None:
        deep = 3000
        for other in (
            "NaN", "-Infinity", "1e400", '"\\ud800"', '"\xff"', "[" * deep + "]" * deep, '{"a":' * deep + "1" + "}" * deep,
            "9" * 5000, '{"text":1}', '[{"text":2}]', "undefined", '"\\x"',
        ):
            for line in (f'{{"text":"a","x":{other}}}', f'{{"x":{other},"text":"a"}}', f'{{"text":1,"x":{other},"text":"a"}}'):
                self.assertEqual(ex.record_text(line.encode("latin-1"), "a:1"), ("a", 0), line[:60])

    def test_encodings(self) -> None:
        text = '{"text":"caf\u00e9 \U0001f600"}\n\n{"text":"two"}\n'
        for mark, encoding in ex.MARKS:
            path = self.write("a.TXT", mark + "caf\u00e9\n".encode(encoding))
            self.assertEqual([d.text for d in ex.documents([path])], ["caf\u00e9\n"])
            path = self.write("a.JSONL", mark + text.encode(encoding))
            self.assertEqual([(d.place[-1], d.text) for d in ex.documents([path])], [("1", "caf\u00e9 \U0001f600"), ("3", "two")])
        said: List[str] = []
        path = self.write("b.txt", b"na\xefve caf\xe9\n")
        self.assertEqual([d.text for d in ex.documents([path], said.append)], ["na\ufffdve caf\ufffd\n"])
        self.assertEqual(len(said), 1)
        self.assertIn("b.txt: 2 of its bytes are no text", said[0])
        self.refuses("9 bytes of 18 are no text", list, ex.documents([self.write("c.txt", b"\xe9 " * 9)]))
        self.refuses("zero bytes", list, ex.documents([self.write("d.txt", "the king said unto him".encode("utf-16-le"))]))

    def test_what_is_no_file_is_named(self) -> None:
        os.mkfifo(self.path("a.txt"))
        self.refuses("is a pipe (FIFO)", ex.text_files, self.folder)
        os.unlink(self.path("a.txt"))
        os.symlink("a.txt", self.path("a.txt"))
        self.refuses("leads in a circle", ex.text_files, self.folder)
        os.unlink(self.path("a.txt"))
        os.symlink("nowhere", self.path("a.txt"))
        self.refuses("is a link to nowhere, which is not there", ex.text_files, self.path("a.txt"))
        os.unlink(self.path("a.txt"))
        self.write("x/b.TXT", "b")
        os.symlink(".", self.path("x/up"))
        os.symlink(self.path("x"), self.path("y"))
        self.assertEqual(ex.text_files(self.folder), [self.path("x/b.TXT")])


class Options(InFolder):
    def test_layers(self) -> None:
        self.assertIsNone(ex.parse_layers("all"))
        for text, layers in (("4", [4]), ("3-5", [3, 4, 5]), ("7,3,5", [3, 5, 7]), ("0-2,1,9", [0, 1, 2, 9])):
            self.assertEqual(ex.parse_layers(text), layers)
        for text in ("", ",", "3,", "5-3", "-1", "1-", "x", "1.5", "All", "1-2-3", " 1", "½"):
            self.refuses("--layers is", ex.parse_layers, text)
        self.assertEqual(ex.check_layers(None, 3, "m"), [0, 1, 2])
        self.assertEqual(ex.check_layers([2], 3, "m"), [2])
        self.refuses("layer 3; m has layers 0 ... 2", ex.check_layers, [1, 3], 3, "m")

    def test_context(self) -> None:
        self.assertEqual(ex.check_context(None, 512, 2), 512)
        self.assertEqual(ex.check_context(None, 8192, 2), 2048)
        self.assertEqual(ex.check_context(None, None, 0), 2048)
        self.assertEqual(ex.check_context(3, 512, 2), 3)
        self.refuses("takes 3 ... 512", ex.check_context, 2, 512, 2)
        self.refuses("takes 2 ... 512", ex.check_context, 513, 512, 0)
        self.refuses("takes 2 ...", ex.check_context, 1, None, 0)

    def test_digest_of_weights(self) -> None:
        self.assertIsNone(ex.weights_digest(self.folder))
        self.write("pytorch_model.bin", "x")
        self.assertIsNone(ex.weights_digest(self.folder))
        tiny = FIXTURES / "cases/tiny"
        # The same number as `routesae activations` writes for this folder (ModelIdentityTests).
        expected = "f3b3c978f047cec55a34002ae044e36cd88fe9d23790772281920c5de335baeb"
        self.assertEqual(ex.weights_digest(str(tiny)), expected)
        shutil.copytree(tiny, self.folder, dirs_exist_ok=True)
        self.write("consolidated.safetensors", "not read")
        self.assertEqual(ex.weights_digest(self.folder), expected)
        self.reshard()
        self.assertEqual(ex.weights_digest(self.folder), expected)
        self.write("model-1.safetensors", Path(self.path("model-1.safetensors")).read_bytes()[:-1] + b"x")
        self.assertNotEqual(ex.weights_digest(self.folder), expected)

    def reshard(self) -> None:
        """Writes the tensors of model.safetensors to two shards, and one that nothing reads."""
        whole = Path(self.path("model.safetensors")).read_bytes()
        (length,) = struct.unpack("<Q", whole[:8])
        tensors = {name: entry for name, entry in json.loads(whole[8 : 8 + length]).items() if name != "__metadata__"}
        places = {}
        for part in range(2):
            header, data = {"unread": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}} if part == 0 else {}, b"x" if part == 0 else b""
            for name in sorted(tensors, reverse=True)[part::2]:
                begin, end = tensors[name]["data_offsets"]
                header[name] = {**tensors[name], "data_offsets": [len(data), len(data) + end - begin]}
                data += whole[8 + length + begin : 8 + length + end]
                places[name] = f"model-{part}.safetensors"
            text = json.dumps(header).encode()
            self.write(f"model-{part}.safetensors", struct.pack("<Q", len(text)) + text + data)
        os.remove(self.path("model.safetensors"))
        self.write("model.safetensors.index.json", json.dumps({"weight_map": places}))


class Windows(unittest.TestCase):
    def test_a_decoder_has_bos_in_front_and_a_row_for_it(self) -> None:
        around = ex.framing([1], [2], 1, causal=True)
        self.assertEqual(around, ex.Framing([1], [], True))
        found = list(ex.windows([10, 11, 12, 13, 14], 3, 3, around))
        self.assertEqual([w.ids for w in found], [[1, 10, 11], [1, 12, 13], [1, 14]])
        self.assertEqual([w.ids[w.first : w.end] for w in found], [w.ids for w in found])
        self.assertEqual({w.document for w in found}, {3})

    def test_an_encoder_has_special_tokens_without_rows(self) -> None:
        around = ex.framing([1], [2], 1, causal=False)
        self.assertEqual((around.special, around.writes_bos), (2, False))
        found = list(ex.windows([10, 11, 12, 13], 0, 4, around))
        self.assertEqual([w.ids for w in found], [[1, 10, 11, 2], [1, 12, 13, 2]])
        self.assertEqual([w.ids[w.first : w.end] for w in found], [[10, 11], [12, 13]])

    def test_without_special_tokens(self) -> None:
        around = ex.framing([], [], 1, causal=True)
        self.assertFalse(around.writes_bos)
        self.assertEqual([w.ids for w in ex.windows([5, 6, 7], 0, 2, around)], [[5, 6], [7]])
        self.assertEqual(list(ex.windows([], 0, 2, around)), [])

    def test_what_is_put_in_front_but_is_not_bos_gets_no_row(self) -> None:
        for prefix in ([7], [1, 7]):
            (window,) = ex.windows([10], 0, 9, ex.framing(prefix, [], 1, causal=True))
            self.assertEqual((window.ids, window.ids[window.first : window.end]), (prefix + [10], [10]))

    def test_a_limit_ends_with_the_window_that_reaches_it(self) -> None:
        parts = list(ex.windows(list(range(9)), 0, 3, ex.framing([1], [], 1, causal=True)))
        for most, count in ((1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (99, 5), (None, 5)):
            self.assertEqual(len(list(ex.limited(parts, most))), count)


class Files(InFolder):
    def plan(self, rows: int = 5, shard_rows: Optional[int] = None, dtype: str = "bf16", output: str = "a") -> Any:
        return ex.plan_files(self.path(output), rows, shard_rows, 2, 3, dtype)

    def test_names(self) -> None:
        plan = self.plan(output="a.safetensors")
        self.assertEqual((plan.paths, plan.rows), ([self.path("a.safetensors")], [5]))
        for output in ("a", "a.safetensors"):
            plan = self.plan(7, 3, output=output)
            self.assertEqual(plan.paths, [self.path(f"a-0000{i}-of-00003.safetensors") for i in range(3)])
            self.assertEqual(plan.rows, [3, 3, 1])
        self.assertEqual(self.plan(6, 3).rows, [3, 3])
        self.assertEqual(self.plan(2, 3).paths, [self.path("a-00000-of-00001.safetensors")])
        self.refuses("--shard-tokens", self.plan, 2**31)
        self.assertEqual(sum(self.plan(2**31, 2**30).rows), 2**31)
        self.refuses("99999", self.plan, 100_000, 1)

    def test_sizes(self) -> None:
        self.assertEqual(self.plan().bytes, 5 * (2 * 3 * 2 + 17))
        self.assertEqual(self.plan(dtype="f32").bytes, 5 * (2 * 3 * 4 + 17))
        self.assertEqual([ex.size(n) for n in (999, 1000, 38_912_345, 2e12)], ["999 bytes", "1.0 KB", "38.9 MB", "2.0 TB"])
        self.assertEqual([ex.clock(n) for n in (0.4, 61, 7322)], ["0:00:00", "0:01:01", "2:02:02"])

    def test_space_is_checked(self) -> None:
        usage = namedtuple("usage", "total used free")
        for free, fits in ((205, True), (204, False)):
            with mock.patch("shutil.disk_usage", return_value=usage(10**6, 0, free)):
                if fits:
                    self.assertEqual(ex.check_space(self.plan(), 60), 205)
                else:
                    self.refuses("205 bytes are needed and 204 bytes are free", ex.check_space, self.plan(), 60)

    def test_outputs_that_are_refused(self) -> None:
        taken = self.write("a.safetensors", "precious")
        self.refuses("--force", ex.check_output, [taken], False, [])
        ex.check_output([taken], True, [])
        self.refuses("read by this very run", ex.check_output, [taken], True, [os.path.relpath(taken)])
        self.refuses("is a folder", ex.check_output, [self.folder], True, [])
        self.refuses("its folder is not there", ex.check_folder, self.path("none/a"))
        ex.check_folder(taken)

    def test_files_of_another_export_are_not_mixed_with(self) -> None:
        other = self.write("a-00004-of-00005.safetensors", "x")
        self.refuses(other, ex.check_output, self.plan(7, 3).paths, True, [])
        ex.check_output(self.plan(7, 3, output="b").paths, False, [])
        ex.check_output([f"{self.folder}/a-0000{i}-of-00005.safetensors" for i in range(5)], True, [])
        self.assertEqual(Path(other).read_text(), "x")

    def test_header(self) -> None:
        raw = ex.shard_header(4, self.plan(), {"layers": "[1,2]", "model": 'a "q" é'})
        self.assertEqual(len(raw) % 8, 0)
        self.assertEqual(struct.unpack("<Q", raw[:8])[0], len(raw) - 8)
        header = json.loads(raw[8:])
        self.assertEqual(header["__metadata__"], {"layers": "[1,2]", "model": 'a "q" é'})
        self.assertEqual(header["token_ids"], {"dtype": "I64", "shape": [4], "data_offsets": [0, 32]})
        self.assertEqual(header["document_ids"], {"dtype": "I64", "shape": [4], "data_offsets": [32, 64]})
        self.assertEqual(header["activations"], {"dtype": "BF16", "shape": [4, 2, 3], "data_offsets": [64, 112]})
        self.assertEqual(header["is_prefix"], {"dtype": "U8", "shape": [4], "data_offsets": [112, 116]})

    def rows(self, first: int, count: int) -> Tuple[List[int], List[int], List[int], bytes]:
        """Ids, marks and elements (two layers of three) of rows numbered from `first`."""
        numbers = range(first, first + count)
        elements = array.array("f", [r + l / 4 + c / 16 for r in numbers for l in range(2) for c in range(3)])
        marks = [int(r % 3 == 0) for r in numbers]
        return [100 + r for r in numbers], [(1 << 40) + r for r in numbers], marks, elements.tobytes()

    def test_rows_are_divided_among_files(self) -> None:
        for pieces in ([8], [1] * 8, [2, 5, 1], [3, 3, 2]):
            for name in os.listdir(self.folder):
                os.unlink(self.path(name))
            plan = self.plan(8, 3, "f32")
            with ex.ShardFiles(plan, {"model": "m"}) as shards:
                first = 0
                for count in pieces:
                    shards.append(*self.rows(first, count))
                    first += count
                self.assertTrue(all(not os.path.exists(path) for path in plan.paths))
                shards.finish()
            self.assertEqual(sorted(os.listdir(self.folder)), sorted(os.path.basename(path) for path in plan.paths))
            for index, (start, count) in enumerate([(0, 3), (3, 3), (6, 2)]):
                tokens, owners, marks, elements = self.rows(start, count)
                metadata, tensors = read_safetensors(plan.paths[index])
                self.assertEqual(metadata, {"model": "m", "shard": str(index), "shards": "3"})
                self.assertEqual(integers(tensors["token_ids"][2]), tokens)
                self.assertEqual(integers(tensors["document_ids"][2]), owners)
                self.assertEqual(tensors["activations"], ("F32", [count, 2, 3], elements))
                self.assertEqual(tensors["is_prefix"], ("U8", [count], bytes(marks)))

    def test_one_file_does_not_say_that_it_is_a_part(self) -> None:
        with ex.ShardFiles(self.plan(dtype="f32"), {"model": "m"}) as shards:
            shards.append(*self.rows(0, 5))
            shards.finish()
        self.assertEqual(read_safetensors(self.path("a"))[0], {"model": "m"})

    def test_nothing_is_left_of_what_is_not_finished(self) -> None:
        old = self.write("a-00000-of-00002.safetensors", "old")
        for count in (0, 1, 3, 5):
            with self.assertRaises(KeyboardInterrupt), ex.ShardFiles(self.plan(5, 3, "f32"), {}) as shards:
                if count:
                    shards.append(*self.rows(0, count))
                raise KeyboardInterrupt
            self.assertEqual(os.listdir(self.folder), [os.path.basename(old)])
            self.assertEqual(Path(old).read_text(), "old")
        with self.assertRaises(ex.ExportError), ex.ShardFiles(self.plan(5, 3, "f32"), {}) as shards:
            shards.append(*self.rows(0, 4))
            shards.finish()
        with self.assertRaises(ex.ExportError), ex.ShardFiles(self.plan(5, 3, "f32"), {}) as shards:
            shards.append(*self.rows(0, 6))
        self.assertEqual(os.listdir(self.folder), [os.path.basename(old)])

    def test_a_name_that_cannot_be_given_takes_the_others_back(self) -> None:
        plan = self.plan(5, 3, "f32")
        with self.assertRaises(OSError), ex.ShardFiles(plan, {}) as shards:
            shards.append(*self.rows(0, 5))
            os.mkdir(plan.paths[1])
            shards.finish()
        self.assertEqual(os.listdir(self.folder), [os.path.basename(plan.paths[1])])

    def test_partial_files(self) -> None:
        self.write("a.partial", "x" * 10_000)  # left by a run that was killed
        with ex.ShardFiles(self.plan(dtype="f32"), {}) as shards:
            shards.append(*self.rows(0, 2))
            with ex.ShardFiles(self.plan(dtype="f32"), {}) as second:
                self.refuses("another writer", second.append, *self.rows(0, 1))
            shards.append(*self.rows(2, 3))
            shards.finish()
        self.assertEqual(read_safetensors(self.path("a"))[1]["activations"][2], self.rows(0, 5)[3])

    def test_lengths_that_differ_are_a_mistake(self) -> None:
        with ex.ShardFiles(self.plan(dtype="f32"), {}) as shards:
            tokens, owners, marks, elements = self.rows(0, 2)
            for wrong in (
                (tokens[:1], owners, marks, elements), (tokens, owners[:1], marks, elements),
                (tokens, owners, marks[:1], elements), (tokens, owners, marks, elements[:-4]),
            ):
                self.assertRaises(ValueError, shards.append, *wrong)


class Fixtures(unittest.TestCase):
    """The committed files are what they should be (tools/make_activation_fixtures.py)."""

    def test_files_hold_what_is_expected(self) -> None:
        folder = FIXTURES / "activations"
        expected = json.loads((folder / "expected.json").read_text())
        names = {
            "decoder": ["decoder-00000-of-00002.safetensors", "decoder-00001-of-00002.safetensors"],
            "encoder": ["encoder.safetensors"],
        }
        for kind, files in names.items():
            parts = [read_safetensors(folder / name) for name in files]
            joined = {name: b"".join(tensors[name][2] for _, tensors in parts) for name in parts[0][1]}
            self.assertEqual(integers(joined["token_ids"]), expected[kind]["token_ids"])
            self.assertEqual(integers(joined["document_ids"]), expected[kind]["document_ids"])
            values = widened("BF16", joined["activations"])
            width = len(expected[kind]["rows"][0][1][0])
            count = width * len(expected[kind]["layers"])
            self.assertEqual(len(values), count * len(expected[kind]["token_ids"]))
            for row, layers in expected[kind]["rows"]:
                for stored, exact in zip(values[row * count : (row + 1) * count], sum(layers, [])):
                    self.assertLessEqual(abs(stored - exact), abs(exact) / 256 + 1e-5)
            for index, (metadata, _) in enumerate(parts):
                self.assertEqual(metadata["format"], "routesae-activations-1")
                self.assertEqual(metadata["layers"].replace(" ", ""), json.dumps(expected[kind]["layers"]).replace(" ", ""))
                self.assertEqual(metadata.get("shard"), str(index) if kind == "decoder" else None)
                self.assertEqual(metadata.get("bos_token_id"), "1" if kind == "decoder" else None)
                if kind == "decoder":
                    self.assertEqual(metadata["model_sha256"], ex.weights_digest(str(FIXTURES / "models/llama-untied")))
                    self.assertEqual((metadata["model"], metadata["tokenizer"]), ("llama-untied", "llama-untied"))


class Streams(InFolder):
    """The byte form of a stream."""

    def stream(self, rows: int = 10, first: int = 0) -> bytes:
        with open(self.path("a.stream"), "wb") as file:
            writer = st.StreamWriter(file.fileno(), {"model": "m"}, [2, 5], 3, "f32", first, rows_of_block=4)
            for row in range(writer.row, rows):
                writer.append([row], [row // 3], [row % 3 == 0], struct.pack("<6f", *[row] * 6))
            writer.finish()
        return Path(self.path("a.stream")).read_bytes()

    def read(self, data: bytes) -> List[Any]:
        reader = st.StreamReader(io.BytesIO(data))
        return [reader, *reader.blocks()]

    def test_it_reads_what_it_writes(self) -> None:
        for rows in (0, 1, 4, 7, 8, 10):
            for first in (0, 5):
                start = first // 4 * 4
                if rows < start:
                    continue
                reader, *blocks = self.read(self.stream(rows, first))
                self.assertEqual((reader.layers, reader.width, reader.dtype, reader.rows), ([2, 5], 3, "f32", rows))
                self.assertEqual((reader.metadata["model"], reader.first_row), ("m", start))
                self.assertEqual([row for block in blocks for row in block.token_ids], list(range(start, rows)))
                self.assertEqual([row for block in blocks for row in block.document_ids], [r // 3 for r in range(start, rows)])
                self.assertEqual(b"".join(block.is_prefix for block in blocks), bytes(r % 3 == 0 for r in range(start, rows)))
                values = [v for block in blocks for (v,) in struct.iter_unpack("<f", block.activations)]
                self.assertEqual(values, [float(row) for row in range(start, rows) for _ in range(6)])
                self.assertTrue(all(block.first_row % 4 == 0 for block in blocks))

    def test_the_header_and_a_full_block_are_a_safetensors_file(self) -> None:
        data = self.stream(8)
        length = 8 + struct.unpack("<Q", data[:8])[0]
        rows = 4 * (6 * 4 + 17)
        path = self.write("block.safetensors", data[:length] + data[length + 32 : length + 32 + rows])
        metadata, tensors = read_safetensors(path)
        self.assertEqual(metadata["format"], "routesae-activation-stream-1")
        self.assertEqual(integers(tensors["token_ids"][2]), [0, 1, 2, 3])
        self.assertEqual(tensors["activations"][1], [4, 2, 3])

    def test_whatever_is_cut_or_changed_is_noticed(self) -> None:
        data = self.stream()
        for end in range(len(data)):
            with self.assertRaises((st.StreamError, struct.error), msg=str(end)):
                self.read(data[:end])
        start = 8 + struct.unpack("<Q", data[:8])[0]
        for place in range(start, len(data)):
            changed = bytearray(data)
            changed[place] ^= 0x41
            with self.assertRaises(st.StreamError, msg=str(place)):
                self.read(bytes(changed))

    def test_headers_that_are_wrong(self) -> None:
        data = self.stream()
        start = 8 + struct.unpack("<Q", data[:8])[0]
        for old, new in (
            ("stream-1", "stream-2"), ('"F32"', '"I32"'), ("[4,2,3]", "[4,3,2]"), ("[4,2,3]", "[4,2]"), ("[2,5]", "[2]"),
            ('"first_row":"0"', '"first_row":"3"'), ('"first_row":"0"', '"first_row":"-4"'), ("is_prefix", "is_suffix"),
            ("[0,32]", "[0,33]"), ("{", "["), ("token_ids", "__metadata__"),
        ):
            text = data[8:start].decode().replace(old, new).encode()
            with self.assertRaises(st.StreamError, msg=new):
                self.read(struct.pack("<Q", len(text)) + text + data[start:])
        with self.assertRaises(st.StreamError):
            self.read(struct.pack("<Q", 1 << 60) + data[8:])

    def test_the_committed_streams_are_what_the_script_writes(self) -> None:
        result = subprocess.run([sys.executable, str(SCRIPT.parent / "make_stream_fixture.py"), "--check"])
        self.assertEqual(result.returncode, 0)

    def test_a_block_has_at_most_eight_mebibytes(self) -> None:
        sizes = [(1, 64), (9, 256), (9, 2048), (80, 65536)]
        self.assertEqual([st.block_rows(*size, "bf16") for size in sizes], [4096, 1024, 128, 1])


@unittest.skipUnless(HAS_TORCH, "torch and transformers are not installed")
class Models(InFolder):
    """The whole script on tiny random models."""

    def tokenizer(self, folder: str, before: str, after: str) -> None:
        names = {name: i for i, name in enumerate(["<pad>", "<s>", "</s>", "?"] + [chr(c) for c in range(32, 127)])}
        template: List[Dict[str, Any]] = [{"Sequence": {"id": "A", "type_id": 0}}]
        special = {}
        for place, token in ((0, before), (len(template), after)):
            if token:
                template.insert(place if token == before else len(template), {"SpecialToken": {"id": token, "type_id": 0}})
                special[token] = {"id": token, "ids": [names[token]], "tokens": [token]}
        self.write(f"{folder}/tokenizer.json", json.dumps({
            "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "decoder": None,
            "added_tokens": [
                {"id": names[t], "content": t, "special": True, "single_word": False, "lstrip": False, "rstrip": False,
                 "normalized": False} for t in ("<pad>", "<s>", "</s>")],
            "pre_tokenizer": {"type": "Split", "pattern": {"String": ""}, "behavior": "Isolated", "invert": False},
            "post_processor": {"type": "TemplateProcessing", "single": template, "pair": template, "special_tokens": special}
            if special else None,
            "model": {"type": "WordLevel", "vocab": names, "unk_token": "?"},
        }))
        self.write(f"{folder}/tokenizer_config.json", json.dumps({
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}))

    def model(self, kind: str, **changes: Any) -> str:
        import torch
        import transformers

        shape = dict(vocab_size=99, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, max_position_embeddings=40,
                     pad_token_id=0, bos_token_id=1, eos_token_id=2)
        config = {
            "llama": lambda: transformers.LlamaConfig(**shape, intermediate_size=24),
            "gpt2": lambda: transformers.GPT2Config(**shape),
            "bert": lambda: transformers.BertConfig(**shape, intermediate_size=24),
            "roberta": lambda: transformers.RobertaConfig(**{**shape, "max_position_embeddings": 42}, intermediate_size=24),
            "albert": lambda: transformers.AlbertConfig(**shape, intermediate_size=24, embedding_size=8),
            "mamba": lambda: transformers.MambaConfig(vocab_size=99, hidden_size=16, num_hidden_layers=3, state_size=4),
            "t5": lambda: transformers.T5Config(vocab_size=99, d_model=16, d_kv=8, d_ff=24, num_layers=3, num_heads=2),
        }[kind]()
        torch.manual_seed(1)
        model = transformers.AutoModel.from_config(config)
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                weight.data *= 4
            elif "A_log" not in name:
                weight.data += 0.3 * torch.randn_like(weight)
        for name, change in changes.items():
            change(model)
        folder = self.path(kind)
        with contextlib.redirect_stderr(io.StringIO()):
            model.save_pretrained(folder)
        is_causal = kind in ("llama", "gpt2", "mamba")
        before = "" if kind in ("gpt2", "mamba", "t5") else "<s>"
        self.tokenizer(kind, before, "" if is_causal else "</s>")
        return folder

    def run_script(self, model: str, *options: str, layers: str = "all", context: int = 12) -> Any:
        if not os.path.exists(self.path("t.jsonl")):
            texts = ["hello there", "a", "", "a longer text, of more than one window. " * 2, "z z"]
            self.write("t.jsonl", "\n".join(json.dumps({"text": text}) for text in texts))
        arguments = [
            str(SCRIPT), model, "--text", self.path("t.jsonl"), "--layers", layers, "--context", str(context),
            "--output", self.path("out.safetensors"), "--batch-size", "3", *options]
        errors = io.StringIO()
        with mock.patch("sys.argv", arguments), contextlib.redirect_stderr(errors):
            return subprocess.CompletedProcess(arguments, ex.main(), "", errors.getvalue())

    def exported(self, model: str, *options: str, **settings: Any) -> Tuple[Dict[str, str], List[int], List[int], Any]:
        """Runs the script; the header, ids, and activations of what it wrote."""
        import torch

        result = self.run_script(model, *options, **settings)
        self.assertEqual(result.returncode, 0, result.stderr)
        metadata, tensors = read_safetensors(self.path("out.safetensors"))
        dtype, shape, raw = tensors["activations"]
        values = torch.tensor(widened(dtype, raw)).view(shape)
        return metadata, integers(tensors["token_ids"][2]), integers(tensors["document_ids"][2]), values

    def states(self, folder: str, ids: List[int]) -> Tuple[Any, List[Any]]:
        """The opened model, and the embeddings and every layer's output for one window, by hooks on the blocks."""
        import torch
        import transformers

        with contextlib.redirect_stderr(io.StringIO()):
            model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
        inner = model.encoder if hasattr(model, "encoder") else model
        blocks = next(getattr(inner, name) for name in ("layers", "layer", "h", "block") if hasattr(inner, name))
        seen: List[Any] = []
        for block in blocks:
            block.register_forward_hook(lambda _m, _i, out: seen.append((out if isinstance(out, torch.Tensor) else out[0])[0].clone()))
        with torch.no_grad():
            (inner if model.config.is_encoder_decoder else model)(input_ids=torch.tensor([ids]))
        return model, seen

    def check(self, kind: str, before: List[int], after: List[int], writes_before: bool, last_norm: Any) -> None:
        import torch

        folder = self.model(kind)
        metadata, tokens, owners, values = self.exported(folder, "--dtype", "f32")
        texts = [json.loads(line)["text"] for line in Path(self.path("t.jsonl")).read_text().splitlines()]
        row = 0
        for number, text in enumerate(texts):
            ids = [ord(c) - 28 for c in text]
            room = 12 - len(before) - len(after)
            for start in range(0, len(ids), room):
                window = before + ids[start : start + room] + after
                kept = slice(0 if writes_before else len(before), len(window) - len(after))
                model, layers = self.states(folder, window)
                count = len(window[kept])
                self.assertEqual(tokens[row : row + count], window[kept])
                self.assertEqual(owners[row : row + count], [number] * count)
                for place, layer in enumerate(layers):
                    scale = float(layer.abs().max())
                    torch.testing.assert_close(values[row : row + count, place], layer[kept], rtol=0, atol=1e-5 * scale)
                if last_norm:
                    with torch.no_grad():
                        final = model(input_ids=torch.tensor([window])).last_hidden_state[0]
                        torch.testing.assert_close(last_norm(model)(values[row : row + count, -1]), final[kept], rtol=1e-3, atol=1e-4)
                        self.assertGreater((values[row : row + count, -1] - final[kept]).abs().max(), 0.1)
                row += count
        self.assertEqual(len(tokens), row)
        self.assertEqual(metadata["attention"], "causal" if kind in ("llama", "gpt2", "mamba") else "bidirectional")
        self.assertEqual(metadata.get("bos_token_id"), "1" if writes_before else None)
        self.assertEqual(metadata["model_sha256"], ex.weights_digest(folder))
        self.assertEqual((metadata["model"], metadata["layers"], metadata["context"]), (kind, "[0,1,2]", "12"))

    def test_llama(self) -> None:
        self.check("llama", [1], [], True, lambda model: model.norm)

    def test_gpt2_has_no_bos(self) -> None:
        self.check("gpt2", [], [], False, lambda model: model.ln_f)

    def test_mamba_counts_hidden_states_otherwise(self) -> None:
        self.check("mamba", [], [], False, lambda model: model.norm_f)

    def test_bert(self) -> None:
        self.check("bert", [1], [2], False, None)

    def test_roberta_has_fewer_positions_than_it_says(self) -> None:
        self.check("roberta", [1], [2], False, None)
        result = self.run_script(self.path("roberta"), "--force", context=42)
        self.assertIn("takes 3 ... 41 tokens", result.stderr)

    def test_t5_gives_its_encoder(self) -> None:
        self.check("t5", [], [2], False, None)

    def test_the_last_layer_is_refused_where_it_cannot_be_told(self) -> None:
        folder = self.model("albert")
        result = self.run_script(folder)
        self.assertEqual(result.returncode, 1)
        self.assertIn("leave layer 2 out", result.stderr)
        self.assertEqual(self.exported(folder, layers="0-1")[3].shape[1:], (2, 16))

    def test_files_types_and_limits(self) -> None:
        folder = self.model("llama")
        _, tokens, _, full = self.exported(folder, "--dtype", "f32", layers="0,2")
        for dtype, share in (("bf16", 2**-8), ("f16", 2**-11)):
            stored = self.exported(folder, "--dtype", dtype, "--force", layers="0,2")[3]
            self.assertTrue(((stored - full).abs() <= full.abs() * share + 1e-6).all())
        cut = self.exported(folder, "--tokens", "13", "--force")
        self.assertEqual(cut[1], tokens[: len(cut[1])])
        self.assertEqual(len(cut[1]), 14)  # two windows: 12 and 2

        os.unlink(self.path("out.safetensors"))
        result = self.run_script(folder, "--shard-tokens", "50", layers="0,2")
        self.assertEqual(result.returncode, 0, result.stderr)
        names = sorted(name for name in os.listdir(self.folder) if name.startswith("out"))
        self.assertEqual(names, [f"out-0000{i}-of-00003.safetensors" for i in range(3)])
        parts = [read_safetensors(self.path(name))[1]["token_ids"][2] for name in names]
        self.assertEqual(integers(b"".join(parts)), tokens)

    def test_a_signal_leaves_nothing(self) -> None:
        self.write("t.jsonl", json.dumps({"text": "many words " * 50_000}))
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), self.model("llama"), "--text", self.path("t.jsonl"), "--layers", "all", "--batch-size", "1",
             "--output", self.path("out"), "--shard-tokens", "2000", "--context", "9"], stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not any(name.startswith("out-00001") for name in os.listdir(self.folder)):
            time.sleep(0.05)
        process.terminate()
        errors = process.communicate()[1]
        self.assertEqual((process.returncode, self.left()), (130, []), errors)
        self.assertIn("nothing was written", errors)

    def collect(self, folder: str, *options: str) -> "subprocess.Popen[bytes]":
        """`python -m routesae.collect` with its output in a pipe."""
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
        return subprocess.Popen(
            [sys.executable, "-m", "routesae.collect", folder, "--text", self.path("t.jsonl"), "--layers", "0,2",
             "--context", "12", "--batch-size", "7", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)

    def test_a_stream_holds_the_rows_of_the_file(self) -> None:
        folder = self.model("llama")
        self.write("t.jsonl", "\n".join(json.dumps({"text": text}) for text in ("hello there", "", "many words " * 500)))
        for dtype in ("bf16", "f32"):
            result = self.run_script(folder, "--batch-size", "7", "--dtype", dtype, "--force", layers="0,2")
            self.assertEqual(result.returncode, 0, result.stderr)
            metadata, tensors = read_safetensors(self.path("out.safetensors"))
            whole, errors = self.collect(folder, "--dtype", dtype).communicate()
            self.assertIn("the stream is complete: ", errors.decode())
            reader = st.StreamReader(io.BytesIO(whole))
            blocks = list(reader.blocks())
            self.assertGreater(len(blocks), 1)
            same = {key: value for key, value in reader.metadata.items() if key not in ("format", "first_row")}
            self.assertEqual(same, {key: value for key, value in metadata.items() if key != "format"})
            for name, got in (
                ("activations", b"".join(block.activations for block in blocks)),
                ("token_ids", b"".join(st.little_endian(block.token_ids) for block in blocks)),
                ("document_ids", b"".join(st.little_endian(block.document_ids) for block in blocks)),
                ("is_prefix", b"".join(block.is_prefix for block in blocks)),
            ):
                self.assertEqual(got, tensors[name][2], name)
            # A stream from a token on is the end of the whole one.
            start = 8 + struct.unpack("<Q", whole[:8])[0]
            rest, _ = self.collect(folder, "--dtype", dtype, "--from-token", str(reader.block_rows + 5)).communicate()
            begin = 8 + struct.unpack("<Q", rest[:8])[0]
            full = 32 + len(blocks[0].token_ids) * st.row_bytes(2, 16, dtype) + 32
            self.assertEqual(rest[begin:], whole[start + full :])

    def test_a_reader_that_goes_away_and_a_signal(self) -> None:
        folder = self.model("llama")
        self.write("t.jsonl", json.dumps({"text": "many words " * 5000}))
        process = self.collect(folder)
        assert process.stdout and process.stderr
        process.stdout.read(1000)
        process.stdout.close()
        errors = process.stderr.read().decode()
        process.stderr.close()
        self.assertEqual(process.wait(), 0, errors)
        self.assertRegex(errors.splitlines()[-1], "^the reader closed the stream at token [0-9,]+$")

        process = self.collect(folder)
        assert process.stdout
        process.stdout.read(1000)
        process.terminate()  # while it waits for its reader, or computes
        data, raw = process.communicate()
        self.assertEqual(process.returncode, 130, raw)
        self.assertIn("the stream has no end", raw.decode())
        self.assertNotIn(b"DONE", data[-64:])

    def test_streams_that_cannot_be_written(self) -> None:
        folder = self.model("llama")
        self.write("t.jsonl", json.dumps({"text": "a few words"}))
        for options, words in (
            (["--from-token", "9999"], "--from-token is 9999; the text has 12 tokens"), (["--from-token", "-1"], "allowed: from 0"),
            (["--shard-tokens", "5"], "--shard-tokens goes with files"), (["--force"], "--force goes with files"),
            (["--dry-run"], "--dry-run goes with files"), (["--output", self.path("x"), "--from-token", "0"], "files are written whole"),
        ):
            process = self.collect(folder, *options)
            data, raw = process.communicate()
            self.assertEqual(process.returncode, 1, raw)
            self.assertIn(words, raw.decode().splitlines()[-1])
            self.assertNotIn(b"DONE", data)
        result = subprocess.run([sys.executable, str(SCRIPT), folder, "--text", "x", "--layers", "1"], stderr=subprocess.PIPE)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"--output", result.stderr)

    def left(self) -> List[str]:
        return [name for name in os.listdir(self.folder) if name.startswith("out")]

    def test_a_dry_run_says_the_size_and_writes_nothing(self) -> None:
        result = self.run_script(self.model("llama"), "--dry-run")
        self.assertEqual((result.returncode, self.left()), (0, []))
        self.assertIn("106 tokens of 4 documents (BOS among them), 3 layers: 12.0 KB of bf16 in 1 file", result.stderr)

    def refused(self, words: str, result: Any) -> None:
        """One line on standard error, and nothing written."""
        self.assertEqual((result.returncode, self.left()), (1, []), result.stderr)
        self.assertIn(words, result.stderr)
        self.assertEqual(result.stderr.strip().splitlines()[-1][:7], "error: ")

    def test_activations_that_cannot_be_stored(self) -> None:
        def damaged(model: Any) -> None:
            model.layers[1].mlp.down_proj.weight.data[0, 0] = float("nan")

        def one_token(model: Any) -> None:
            model.embed_tokens.weight.data[ord("m") - 28, 0] = float("inf")

        def large(model: Any) -> None:
            model.layers[1].mlp.down_proj.weight.data *= 1e6

        self.refused("hidden state 2 of 3 is not finite", self.run_script(self.model("llama", change=damaged)))
        self.refused("not finite: layer 0, document 3", self.run_script(self.model("llama", change=one_token)))
        folder = self.model("llama", change=large)
        self.refused("too large for f16: layer 1", self.run_script(folder, "--dtype", "f16"))
        self.assertEqual(self.run_script(folder).returncode, 0)

    def test_folders_that_are_no_models(self) -> None:
        self.refused("no such model folder", self.run_script(self.path("none")))
        os.mkdir(self.path("empty"))
        self.refused("cannot be opened", self.run_script(self.path("empty")))
        folder = self.model("llama")
        self.refused("layer 7; llama has layers 0 ... 2", self.run_script(folder, layers="1,7"))
        self.refused("takes 2 ... 40", self.run_script(folder, context=41))

        from safetensors.torch import load_file, save_file

        weights = load_file(folder + "/model.safetensors")
        del weights["layers.1.mlp.up_proj.weight"]
        save_file(weights, folder + "/model.safetensors", metadata={"format": "pt"})
        self.refused("lack layers.1.mlp.up_proj.weight", self.run_script(folder))


if __name__ == "__main__":
    unittest.main()
