"""`python -m routesae collect` into a pipe: the rows of a file, whoever reads or breaks off."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import unittest

from activation_files import read_safetensors
from tiny_models import HAS_TORCH, WithModels
from written import ROOT

from routesae import activation_stream as st

PACKAGE = ROOT / "tools" / "python"


@unittest.skipUnless(HAS_TORCH, "torch and transformers are not installed")
class Streams(WithModels):
    """`python -m routesae collect`."""

    def collect(self, folder: str, *options: str) -> subprocess.Popen[bytes]:
        """`python -m routesae collect` with its output in a pipe."""
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "routesae",
                "collect",
                folder,
                "--text",
                self.path("t.jsonl"),
                "--layers",
                "0,2",
                "--context",
                "12",
                "--batch-size",
                "7",
                *options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )

    def test_a_stream_holds_the_rows_of_the_file(self) -> None:
        folder = self.model("llama")
        self.write(
            "t.jsonl", "\n".join(json.dumps({"text": text}) for text in ("hello there", "", "many words " * 500))
        )
        for dtype in ("bf16", "f32"):
            written, errors = self.collect(
                folder, "--dtype", dtype, "--force", "--output", self.path("out.safetensors")
            ).communicate()
            self.assertEqual(written, b"", errors)
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
        self.assertEqual(process.returncode, 75, raw)
        self.assertIn("the stream has no end", raw.decode())
        self.assertNotIn(b"DONE", data[-64:])

    def test_streams_that_cannot_be_written(self) -> None:
        folder = self.model("llama")
        self.write("t.jsonl", json.dumps({"text": "a few words"}))
        for options, words in (
            (["--from-token", "9999"], "--from-token is 9999; the text has 12 tokens"),
            (["--from-token", "-1"], "allowed: from 0"),
            (["--shard-tokens", "5"], "--shard-tokens goes with files"),
            (["--force"], "--force goes with files"),
            (["--dry-run"], "--dry-run goes with files"),
            (["--output", self.path("x"), "--from-token", "0"], "files are written whole"),
        ):
            process = self.collect(folder, *options)
            data, raw = process.communicate()
            self.assertEqual(process.returncode, 64, raw)
            self.assertIn(words, raw.decode().splitlines()[-1])
            self.assertNotIn(b"DONE", data)


if __name__ == "__main__":
    unittest.main()
