"""What tests of collecting share: a fresh folder, errors of one line, and safetensors files read by the definition."""

from __future__ import annotations

import json
import os
import shutil
import struct
import tempfile
import unittest
from pathlib import Path
from typing import Any

from routesae.errors import CollectError


def read_safetensors(path: Any) -> tuple[dict[str, str], dict[str, tuple[str, list[int], bytes]]]:
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


def integers(raw: bytes) -> list[int]:
    return [value for (value,) in struct.iter_unpack("<q", raw)]


def widened(dtype: str, raw: bytes) -> list[float]:
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
        with self.assertRaises(CollectError) as caught:
            call(*arguments)
        self.assertIn(words, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
