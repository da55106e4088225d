"""The safetensors files of collecting: names, headers, rows, and what is left of unfinished ones."""

from __future__ import annotations

import array
import json
import os
import struct
import unittest
from collections import namedtuple
from pathlib import Path
from typing import Any
from unittest import mock

from activation_files import InFolder, integers, read_safetensors

from routesae.collecting.progress import clock, size
from routesae.collecting.shard_files import ShardFiles, shard_header
from routesae.collecting.shard_plan import check_folder, check_output, check_space, plan_files
from routesae.errors import CollectError


class Files(InFolder):
    def plan(self, rows: int = 5, shard_rows: int | None = None, dtype: str = "bf16", output: str = "a") -> Any:
        return plan_files(self.path(output), rows, shard_rows, 2, 3, dtype)

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
        self.assertEqual([size(n) for n in (999, 1000, 38_912_345, 2e12)], ["999 bytes", "1.0 KB", "38.9 MB", "2.0 TB"])
        self.assertEqual([clock(n) for n in (0.4, 61, 7322)], ["0:00:00", "0:01:01", "2:02:02"])

    def test_space_is_checked(self) -> None:
        usage = namedtuple("usage", "total used free")
        for free, fits in ((205, True), (204, False)):
            with mock.patch("shutil.disk_usage", return_value=usage(10**6, 0, free)):
                if fits:
                    self.assertEqual(check_space(self.plan(), 60), 205)
                else:
                    self.refuses("205 bytes are needed and 204 bytes are free", check_space, self.plan(), 60)

    def test_outputs_that_are_refused(self) -> None:
        taken = self.write("a.safetensors", "precious")
        self.refuses("--force", check_output, [taken], False, [])
        check_output([taken], True, [])
        self.refuses("read by this very run", check_output, [taken], True, [os.path.relpath(taken)])
        self.refuses("is a folder", check_output, [self.folder], True, [])
        self.refuses("its folder is not there", check_folder, self.path("none/a"))
        check_folder(taken)

    def test_files_of_another_export_are_not_mixed_with(self) -> None:
        other = self.write("a-00004-of-00005.safetensors", "x")
        self.refuses(other, check_output, self.plan(7, 3).paths, True, [])
        check_output(self.plan(7, 3, output="b").paths, False, [])
        check_output([f"{self.folder}/a-0000{i}-of-00005.safetensors" for i in range(5)], True, [])
        self.assertEqual(Path(other).read_text(), "x")

    def test_header(self) -> None:
        raw = shard_header(4, self.plan(), {"layers": "[1,2]", "model": 'a "q" é'})
        self.assertEqual(len(raw) % 8, 0)
        self.assertEqual(struct.unpack("<Q", raw[:8])[0], len(raw) - 8)
        header = json.loads(raw[8:])
        self.assertEqual(header["__metadata__"], {"layers": "[1,2]", "model": 'a "q" é'})
        self.assertEqual(header["token_ids"], {"dtype": "I64", "shape": [4], "data_offsets": [0, 32]})
        self.assertEqual(header["document_ids"], {"dtype": "I64", "shape": [4], "data_offsets": [32, 64]})
        self.assertEqual(header["activations"], {"dtype": "BF16", "shape": [4, 2, 3], "data_offsets": [64, 112]})
        self.assertEqual(header["is_prefix"], {"dtype": "U8", "shape": [4], "data_offsets": [112, 116]})

    def rows(self, first: int, count: int) -> tuple[list[int], list[int], list[int], bytes]:
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
            with ShardFiles(plan, {"model": "m"}) as shards:
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
        with ShardFiles(self.plan(dtype="f32"), {"model": "m"}) as shards:
            shards.append(*self.rows(0, 5))
            shards.finish()
        self.assertEqual(read_safetensors(self.path("a"))[0], {"model": "m"})

    def test_nothing_is_left_of_what_is_not_finished(self) -> None:
        old = self.write("a-00000-of-00002.safetensors", "old")
        for count in (0, 1, 3, 5):
            with self.assertRaises(KeyboardInterrupt), ShardFiles(self.plan(5, 3, "f32"), {}) as shards:
                if count:
                    shards.append(*self.rows(0, count))
                raise KeyboardInterrupt
            self.assertEqual(os.listdir(self.folder), [os.path.basename(old)])
            self.assertEqual(Path(old).read_text(), "old")
        with self.assertRaises(CollectError), ShardFiles(self.plan(5, 3, "f32"), {}) as shards:
            shards.append(*self.rows(0, 4))
            shards.finish()
        with self.assertRaises(CollectError), ShardFiles(self.plan(5, 3, "f32"), {}) as shards:
            shards.append(*self.rows(0, 6))
        self.assertEqual(os.listdir(self.folder), [os.path.basename(old)])

    def test_a_name_that_cannot_be_given_takes_the_others_back(self) -> None:
        plan = self.plan(5, 3, "f32")
        with self.assertRaises(OSError), ShardFiles(plan, {}) as shards:
            shards.append(*self.rows(0, 5))
            os.mkdir(plan.paths[1])
            shards.finish()
        self.assertEqual(os.listdir(self.folder), [os.path.basename(plan.paths[1])])

    def test_partial_files(self) -> None:
        self.write("a.partial", "x" * 10_000)  # left by a run that was killed
        with ShardFiles(self.plan(dtype="f32"), {}) as shards:
            shards.append(*self.rows(0, 2))
            with ShardFiles(self.plan(dtype="f32"), {}) as second:
                self.refuses("another writer", second.append, *self.rows(0, 1))
            shards.append(*self.rows(2, 3))
            shards.finish()
        self.assertEqual(read_safetensors(self.path("a"))[1]["activations"][2], self.rows(0, 5)[3])

    def test_two_writers_of_several_files_do_not_meet(self) -> None:
        """The second is refused even when the first has finished the first file."""
        plan = self.plan(8, 3, "f32")
        with ShardFiles(plan, {}) as shards:
            shards.append(*self.rows(0, 4))
            with ShardFiles(plan, {}) as second:
                self.refuses("another writer", second.append, *self.rows(0, 1))
            shards.append(*self.rows(4, 4))
            shards.finish()
        self.assertEqual(read_safetensors(plan.paths[0])[1]["activations"][2], self.rows(0, 3)[3])
        self.assertEqual(len(os.listdir(self.folder)), 3)

    def test_lengths_that_differ_are_a_mistake(self) -> None:
        with ShardFiles(self.plan(dtype="f32"), {}) as shards:
            tokens, owners, marks, elements = self.rows(0, 2)
            for wrong in (
                (tokens[:1], owners, marks, elements),
                (tokens, owners[:1], marks, elements),
                (tokens, owners, marks[:1], elements),
                (tokens, owners, marks, elements[:-4]),
            ):
                self.assertRaises(ValueError, shards.append, *wrong)


if __name__ == "__main__":
    unittest.main()
