#!/usr/bin/env python3
# Made with: torch 2.13.0, numpy 2.4.6, Python 3.11.
"""Write small files of torch.save and numpy.savez, and what is in them.

Files in Tests/DictionaryExchangeTests/Fixtures/weight-files:

dtypes.pt                 every element type that is read, scalars, empty tensors
views.pt                  tensors that share a storage: transposed, sliced, permuted, expanded, windows
ordered.pt                model.state_dict(): an OrderedDict with _metadata
nested.pt                 {"state_dict": ..., "k": 32, ...}: plain values beside a state dict
checkpoint.pt             a model's and an optimizer's state
parameters.pt             dict(model.named_parameters()): nn.Parameter instead of tensors
protocol-{2,3,4,5}.pt     the same in every protocol of pickle
no-crc.pt                 written with torch.serialization.set_crc32_options(False)
legacy.pt                 the layout before torch 1.6, to be refused
script.pt                 TorchScript, to be refused
module.pt                 a whole module, to be refused
command.pt                a call of a shell command, to be refused
float8.pt                 a tensor that torch rebuilds by another function, to be refused
conjugated.pt             a conjugated view, to be refused
bare.pt                   a tensor alone, to be refused
bare.pkl                  a pickle that is no file of torch.save, to be refused
arrays.npz                every element type that is read, Fortran order, scalars, empty arrays
versions.npz              headers of version 1.0, 2.0 and 3.0
unreadable.npz            objects, structures, big-endian numbers, texts and raw bytes beside an array that can be read
compressed.npz            numpy.savez_compressed, to be refused
expected.json             {file: {tensor: {"dtype", "shape", "values"}}}, read again by torch.load and numpy.load

Values are written as they widen to float64, so that float32 takes them exactly unless they are float64 or large
integers.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, Dict

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}


class Command:
    """What a hostile pickle holds: loading it would run a command."""

    def __reduce__(self):
        return os.system, ("true",)


def state(width: int, seed: int) -> Dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "encoder.weight": torch.randn(width, 3, generator=generator),
        "encoder.bias": torch.randn(width, generator=generator),
        "decoder.weight": torch.randn(width, 3, generator=generator).T,
    }


def write_torch(folder: Path) -> None:
    generator = torch.Generator().manual_seed(5)
    values = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    values[0, 0] = 0.1
    values[0, 1] = 1e-6
    dtypes: Dict[str, torch.Tensor] = {
        str(dtype)[6:]: values.to(dtype) for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16)}
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8):
        dtypes[str(dtype)[6:]] = torch.tensor([0, 1, -1, torch.iinfo(dtype).min, torch.iinfo(dtype).max], dtype=dtype)
    dtypes["uint8"] = torch.tensor([0, 1, 255], dtype=torch.uint8)
    dtypes["bool"] = torch.tensor([True, False, True])
    dtypes["scalar"] = torch.tensor(2.5)
    dtypes["step"] = torch.tensor(123456789)
    dtypes["tenth"] = torch.tensor([[0.1]], dtype=torch.float64)
    dtypes["empty"] = torch.zeros(0, 3)
    dtypes["nothing"] = torch.zeros(0)
    torch.save(dtypes, folder / "dtypes.pt")

    base = torch.randn(6, 8, generator=generator)
    block = torch.randn(2, 3, 4, generator=generator)
    torch.save({
        "base": base, "transposed": base.T, "slice": base[1:4, 2:7], "columns": base[:, ::3], "column": base[:, 5],
        "row": base[4], "last": base[5, 7], "expanded": base[0, :4].expand(5, 4), "repeated": base[1, 1].expand(7),
        "windows": base.flatten()[:20].unfold(0, 5, 3), "permuted": block.permute(2, 0, 1),
        "reversed": block.permute(2, 1, 0), "half": base.half().T,
    }, folder / "views.pt")

    model = torch.nn.Linear(3, 4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    torch.save(model.state_dict(), folder / "ordered.pt")
    torch.save(dict(model.named_parameters()), folder / "parameters.pt")
    torch.save({
        "state_dict": OrderedDict(state(4, 1)), "k": 32, "learning_rate": 1e-3, "architecture": "topk", "tied": False,
        "best": None, "groups": [1, 2, 3], "betas": (0.9, 0.999), "config": {"d_in": 3, "hook": "blocks.3 é"},
        "seed": 2**63 + 5, "low": -2**40,
    }, folder / "nested.pt")
    torch.save({
        "model": state(4, 2),
        "optimizer": {"state": {0: {"exp_avg": torch.ones(2), "step": torch.tensor(7.0)}},
                      "param_groups": [{"lr": 0.1, "params": [0, 1]}]},
        "buffers": [torch.arange(3.0), torch.arange(2.0)],
    }, folder / "checkpoint.pt")
    for protocol in (2, 3, 4, 5):
        torch.save({"k": 4, **state(4, 3)}, folder / f"protocol-{protocol}.pt", pickle_protocol=protocol)
    torch.serialization.set_crc32_options(False)
    torch.save(state(4, 4), folder / "no-crc.pt")
    torch.serialization.set_crc32_options(True)

    torch.save(state(4, 5), folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(model), str(folder / "script.pt"))
    torch.save(model, folder / "module.pt")
    torch.save({"weight": torch.ones(2), "hook": Command()}, folder / "command.pt")
    torch.save({"weight": torch.ones(2).to(torch.float8_e4m3fn)}, folder / "float8.pt")
    torch.save({"weight": torch.ones(2, dtype=torch.complex64).conj()}, folder / "conjugated.pt")
    torch.save(torch.ones(2), folder / "bare.pt")
    (folder / "bare.pkl").write_bytes(pickle.dumps({"weight": [1.0]}, protocol=2))


def write_numpy(folder: Path) -> None:
    rng = np.random.default_rng(6)
    values = rng.standard_normal((3, 5))
    arrays: Dict[str, np.ndarray] = {
        name: values.astype(name) for name in ("float64", "float32", "float16")}
    for name in ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"):
        limits = np.iinfo(name)
        arrays[name] = np.array([0, 1, limits.min, limits.max], dtype=name)
    arrays["bool"] = np.array([True, False, True])
    arrays["scalar"] = np.array(2.5, dtype=np.float32)
    arrays["step"] = np.array(123456789)
    arrays["empty"] = np.zeros((0, 3), dtype=np.float32)
    arrays["fortran"] = np.asfortranarray(values.astype(np.float32))
    arrays["fortran3"] = np.asfortranarray(rng.standard_normal((2, 3, 4)).astype(np.float16))
    arrays["params/encoder/W"] = values.astype(np.float32)
    np.savez(folder / "arrays.npz", **arrays)

    with zipfile.ZipFile(folder / "versions.npz", "w") as archive:
        for version in ((1, 0), (2, 0), (3, 0)):
            stream = io.BytesIO()
            np.lib.format.write_array(stream, values.astype(np.float32) * version[0], version=version)
            archive.writestr(zipfile.ZipInfo(f"version{version[0]}.npy"), stream.getvalue())

    np.savez(
        folder / "unreadable.npz", fine=np.arange(3, dtype=np.float32), objects=np.array([{}, 1], dtype=object),
        structured=np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]), big=np.arange(3, dtype=">f4"),
        text=np.array("topk"), raw=np.zeros(3, dtype="V2"), complex=np.zeros(2, dtype=np.complex64))
    np.savez_compressed(folder / "compressed.npz", weight=np.zeros((8, 8), dtype=np.float32))


def flattened(value: Any, prefix: str = "") -> Dict[str, torch.Tensor]:
    """The tensors of nested dicts and lists, names joined by dots."""
    if isinstance(value, torch.Tensor):
        return {prefix: value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    found: Dict[str, torch.Tensor] = {}
    for key, item in items:
        found.update(flattened(item, f"{prefix}.{key}" if prefix else str(key)))
    return found


def expected(folder: Path) -> Dict[str, Any]:
    result: Dict[str, Any] = {}
    readable = ["dtypes", "views", "ordered", "nested", "checkpoint", "parameters", "no-crc"]
    for name in readable + [f"protocol-{protocol}" for protocol in (2, 3, 4, 5)]:
        # The restricted loader of torch knows protocol 2 alone; these files are our own.
        tensors = flattened(torch.load(folder / f"{name}.pt", weights_only=not name.startswith("protocol")))
        wrapper = {"nested": "state_dict.", "checkpoint": "model."}.get(name, "")
        result[f"{name}.pt"] = {
            key.removeprefix(wrapper): {
                "dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                "values": tensor.detach().to(torch.float64).flatten().tolist()}
            for key, tensor in tensors.items()}
    for name in ("arrays", "versions"):
        result[f"{name}.npz"] = {
            key: {
                "dtype": {"f": "F", "i": "I", "u": "U", "b": "BOOL"}[array.dtype.kind]
                         + ("" if array.dtype.kind == "b" else str(8 * array.dtype.itemsize)),
                "shape": list(array.shape), "values": array.astype(np.float64).flatten().tolist()}
            for key, array in np.load(folder / f"{name}.npz").items()}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=ROOT / "Tests/DictionaryExchangeTests/Fixtures/weight-files", help="the folder")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    write_torch(folder)
    write_numpy(folder)
    (folder / "expected.json").write_text(json.dumps(expected(folder), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
