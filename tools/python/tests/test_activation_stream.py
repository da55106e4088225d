"""The byte form of a stream of activations: what is written is read, and whatever is cut or changed is noticed."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

from activation_files import InFolder, integers, read_safetensors
from written import ROOT

from routesae import activation_stream as st


class Streams(InFolder):
    """The byte form of a stream."""

    def stream(self, rows: int = 10, first: int = 0) -> bytes:
        with open(self.path("a.stream"), "wb") as file:
            writer = st.StreamWriter(file.fileno(), {"model": "m"}, [2, 5], 3, "f32", first, rows_of_block=4)
            for row in range(writer.row, rows):
                writer.append([row], [row // 3], [row % 3 == 0], struct.pack("<6f", *[row] * 6))
            writer.finish()
        return Path(self.path("a.stream")).read_bytes()

    def read(self, data: bytes) -> list[Any]:
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
                self.assertEqual(
                    [row for block in blocks for row in block.document_ids], [r // 3 for r in range(start, rows)]
                )
                self.assertEqual(
                    b"".join(block.is_prefix for block in blocks), bytes(r % 3 == 0 for r in range(start, rows))
                )
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
            ("stream-1", "stream-2"),
            ('"F32"', '"I32"'),
            ("[4,2,3]", "[4,3,2]"),
            ("[4,2,3]", "[4,2]"),
            ("[2,5]", "[2]"),
            ('"first_row":"0"', '"first_row":"3"'),
            ('"first_row":"0"', '"first_row":"-4"'),
            ("is_prefix", "is_suffix"),
            ("[4,2,3]", "[true,2,3]"),
            ("[4,2,3]", '["4",2,3]'),
            ("[4,2,3]", "[4,-2,-3]"),
            ("[4,2,3]", "7"),
            ('"[2,5]"', '"{}"'),
            ('"[2,5]"', "7"),
            ('"[2,5]"', '"[2,-5]"'),
            ("[0,32]", "[0,33]"),
            ("{", "["),
            ("token_ids", "__metadata__"),
        ):
            text = data[8:start].decode().replace(old, new).encode()
            with self.assertRaises(st.StreamError, msg=new):
                self.read(struct.pack("<Q", len(text)) + text + data[start:])
        with self.assertRaises(st.StreamError):
            self.read(struct.pack("<Q", 1 << 60) + data[8:])

    def test_the_committed_streams_are_what_the_script_writes(self) -> None:
        result = subprocess.run([sys.executable, str(ROOT / "tools" / "make_stream_fixture.py"), "--check"])
        self.assertEqual(result.returncode, 0)

    def test_a_block_has_at_most_eight_mebibytes(self) -> None:
        sizes = [(1, 64), (9, 256), (9, 2048), (80, 65536)]
        self.assertEqual([st.block_rows(*size, "bf16") for size in sizes], [4096, 1024, 128, 1])


if __name__ == "__main__":
    unittest.main()
