"""The digest that identifies a model is the program's own, however the weights are divided among files."""

from __future__ import annotations

import json
import os
import shutil
import struct
import unittest
from pathlib import Path
from typing import Any

from activation_files import InFolder
from written import ROOT

from routesae.collecting.weights_digest import weights_digest


class Digests(InFolder):
    def test_digest_of_weights(self) -> None:
        self.assertIsNone(weights_digest(self.folder))
        self.write("pytorch_model.bin", "x")
        self.assertIsNone(weights_digest(self.folder))
        tiny = ROOT / "Tests" / "Fixtures" / "cases" / "tiny"
        # The same number as `routesae activations` writes for this folder (ModelIdentityTests).
        expected = "f3b3c978f047cec55a34002ae044e36cd88fe9d23790772281920c5de335baeb"
        self.assertEqual(weights_digest(str(tiny)), expected)
        shutil.copytree(tiny, self.folder, dirs_exist_ok=True)
        self.write("consolidated.safetensors", "not read")
        self.assertEqual(weights_digest(self.folder), expected)
        self.reshard()
        self.assertEqual(weights_digest(self.folder), expected)
        self.write("model-1.safetensors", Path(self.path("model-1.safetensors")).read_bytes()[:-1] + b"x")
        self.assertNotEqual(weights_digest(self.folder), expected)

    def test_damaged_files_have_no_digest(self) -> None:
        self.write("config.json", "{}")
        for content in (
            b"",
            b"\0" * 7,
            struct.pack("<Q", 2) + b"[]",
            struct.pack("<Q", 1 << 62) + b"{}",
            struct.pack("<Q", 9) + b"{}",
            struct.pack("<Q", 9) + b'{"a":[1]}',
            struct.pack("<Q", 200_000) + b"[" * 200_000,
        ):
            self.write("model.safetensors", content)
            self.assertIsNone(weights_digest(self.folder), content[:20])
        os.remove(self.path("model.safetensors"))
        for index in ("[]", "{}", '{"weight_map":[1]}', '{"weight_map":{"a":"none"}}'):
            self.write("model.safetensors.index.json", index)
            self.assertIsNone(weights_digest(self.folder), index)

    def reshard(self) -> None:
        """Writes the tensors of model.safetensors to two shards, and one that nothing reads."""
        whole = Path(self.path("model.safetensors")).read_bytes()
        (length,) = struct.unpack("<Q", whole[:8])
        tensors = {name: entry for name, entry in json.loads(whole[8 : 8 + length]).items() if name != "__metadata__"}
        places = {}
        for part in range(2):
            header: dict[str, Any] = {}
            data = b""
            if part == 0:
                header["unread"] = {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}
                data = b"x"
            for name in sorted(tensors, reverse=True)[part::2]:
                begin, end = tensors[name]["data_offsets"]
                header[name] = {**tensors[name], "data_offsets": [len(data), len(data) + end - begin]}
                data += whole[8 + length + begin : 8 + length + end]
                places[name] = f"model-{part}.safetensors"
            text = json.dumps(header).encode()
            self.write(f"model-{part}.safetensors", struct.pack("<Q", len(text)) + text + data)
        os.remove(self.path("model.safetensors"))
        self.write("model.safetensors.index.json", json.dumps({"weight_map": places}))


if __name__ == "__main__":
    unittest.main()
