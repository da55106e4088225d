# Made with: torch 2.15.0, transformers 5.23.0, tokenizers 0.23.3, numpy 2.4.6, Python 3.11 (tools/requirements.txt).
"""Collect a Hugging Face model's residual streams over text for `routesae train --activations`.

`python -m routesae collect` writes them to standard output as a stream, which a trainer reads from a pipe, so that
nothing is kept on disk; with --output FILE it writes safetensors files.  `tools/export_activations.py` is the same
program for files, run without installing anything.

Any model that AutoModel opens will do: decoders (Llama, GPT-2, Gemma ...), encoders (BERT, RoBERTa ...) and the
encoder of an encoder-decoder.  What `routesae activations` writes for the models it can run itself, this writes for
all others, in the same format:

    activations  [tokens, layers, d]   bf16 (or f16, f32)
    token_ids    [tokens]              i64
    document_ids [tokens]              i64, numbers of the documents in the order they were read
    is_prefix    [tokens]              u8, 1 for a BOS that was put before a text, 0 for the text's own tokens

One row for every token, in the order of the text.  The header says format, model, model_sha256 (where the weights
are local safetensors files), tokenizer, layers, context, bos_token_id (only if the tokenizer puts one) and, of
several files, shard and shards.

Layers are counted from 0; layer l is what the l-th block adds up to, before any final norm.  transformers returns
that as hidden_states[l + 1], except for the last layer of most decoders, where hidden_states holds the output of the
final norm.  So all layers are taken by hooks on the blocks themselves; a first, short run checks that the blocks found
are the right ones, against every entry of hidden_states that is not normed.  Where no such blocks are found the
entries of hidden_states are taken, and the last layer is refused.

Text is .txt files (one document each), .jsonl files (one document a line, key `text`) and folders of them; UTF-8, or
what a byte-order mark says.  A document is cut into windows of --context tokens; windows never cross a document's border.

    Decoders   each window begins with BOS if the tokenizer puts one; BOS has a row of its own, which is_prefix lets
               training leave out.  A BOS that a text contains is text.
    Encoders   each window stands between the tokenizer's special tokens, such as [CLS] and [SEP].  The model sees
               them, but they get no rows.

Whether a model is the one or the other is found by trying: in a decoder no token sees a later one.  Padding never gets
a row.  Files are written under the name FILE.partial and renamed when all of them are complete; after an error
nothing is left.  A stream has the same rows; one that breaks off has no end, by which its reader knows.  Neither the weights nor the text leave the machine; a model in a folder needs no network.

Examples:
    python -m routesae collect ./gpt2 --text books/ --layers 3-8 | routesae train c.sqlite --activations - --latents 16384 \\
        --k 64 --tokens 10000000
    python -m routesae collect ./gpt2 --text books/ --layers 3-8 --from-token 409600 | routesae train c.sqlite --resume
    tools/export_activations.py bert-base-uncased --text books/ --layers 3-11 --output bert.safetensors
    tools/export_activations.py ./gemma-3-1b-pt --text a.jsonl --layers all --shard-tokens 1000000 --output out/gemma
    tools/export_activations.py ./gpt2 --text a.txt --layers 5,11 --output gpt2.safetensors --dry-run
"""

from __future__ import annotations

import argparse
import array
import codecs
import errno
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import signal
import stat
import struct
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from routesae import activation_stream
from routesae.activation_stream import DTYPES, StreamWriter

#: Rows that `routesae` reads from one file.
MOST_ROWS = 2**31 - 1
#: The longest window unless --context asks for more.
DEFAULT_CONTEXT = 2048


class ExportError(Exception):
    """Why nothing was written, in one line: what is wrong, where, and what to do."""


# Text ---------------------------------------------------------------------------------------------------------------


class Document(NamedTuple):
    """One document: its number among all that are read, where it lies, and its text."""

    number: int
    place: str
    text: str


#: Byte-order marks and what they name.  UTF-32's little-endian mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF8, "utf-8"),
)
#: Bytes that are no text and are passed over with a warning: so many in any file, and one in so many bytes.
FEW_FAULTS, FAULT_SHARE = 8, 10_000
_SPACE = b" \t\n\v\f\r"


def kind_of(path: str) -> str:
    """What lies at a path, links followed: `file`, `folder`, or why it cannot be read, as a phrase."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "is a link that leads in a circle"
        if os.path.islink(path):
            return f"is a link to {os.readlink(path)[:80]}, which is not there"
        return f"cannot be reached ({error.strerror})"
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return "file" if stat.S_ISREG(mode) else "folder"
    if stat.S_ISFIFO(mode):
        return "is a pipe (FIFO), and only plain files are read; write its text to a file first"
    return f"is a {'socket' if stat.S_ISSOCK(mode) else 'device'}, and only plain files are read"


def is_text(name: str) -> bool:
    """Whether a name is that of a text file."""
    return name.lower().endswith((".txt", ".jsonl"))


def text_files(path: str) -> List[str]:
    """The text files that a path names: itself, or those of a folder, by name.  Hidden ones are left out.

    Links are followed; a folder is read once, however many links lead to it.
    """
    if not os.path.lexists(path):
        raise ExportError(f"{path}: no such file or folder of text")
    kind = kind_of(path)
    if kind == "file":
        if not is_text(path):
            raise ExportError(f"{path}: is neither .txt nor .jsonl, which are read as text")
        return [path]
    if kind != "folder":
        raise ExportError(f"{path}: {kind}")
    found: List[str] = []
    seen = set()
    waiting = [path]  # links come after all folders themselves
    while waiting:
        folders = [waiting.pop(0)]
        while folders:
            folder = folders.pop(0)
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            try:
                names = sorted(os.listdir(folder))
            except OSError as error:
                raise ExportError(f"{folder}: cannot be opened ({error.strerror})") from None
            for name in names:
                inside = os.path.join(folder, name)
                if name.startswith("."):
                    continue
                kind = kind_of(inside)
                if kind == "folder":
                    (waiting if os.path.islink(inside) else folders).append(inside)
                elif is_text(name):
                    try:
                        name.encode()
                    except UnicodeEncodeError:
                        shown = ascii(name)[1:-1].replace("\\udc", "\\x")
                        raise ExportError(f"{folder}: holds a file whose name is not UTF-8, {shown}; rename it") from None
                    if kind != "file":
                        raise ExportError(f"{inside}: {kind}")
                    found.append(inside)
    if not found:
        raise ExportError(f"{path}: holds no .txt or .jsonl file")
    return sorted(found)


_TOKEN = re.compile(r'[ \t\n\v\f\r]*(?:([{}\[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|([A-Za-z0-9+\-._]+)|($))', re.DOTALL)


def _text_of(line: str) -> Any:
    """What key `text` of an object holds: a string's own spelling, or something else.

    Nothing else is judged: other keys may hold NaN, numbers beyond all bounds, half surrogates, values nested to any
    depth.  Of repeated keys the last one counts.
    """
    text: Any = None
    open_, place, expected, key = "", 0, "value", ""
    while True:
        token = _TOKEN.match(line, place)
        if not token:
            raise ValueError(line)
        place = token.end()
        mark, string, word, end = token.groups()
        if end is not None:
            if expected == "end":
                return text
            raise ValueError(line)
        if expected == "value" and (string or word) and open_:
            if open_ == "{" and json.loads(key, strict=False) == "text":
                text = string
            expected = "next"
        elif expected in ("value", "value or end") and mark in ("{", "["):
            if open_ == "{" and json.loads(key, strict=False) == "text":
                text = None
            if not open_ and mark == "[":
                raise ValueError(line)
            open_ += mark
            expected = "key or end" if mark == "{" else "value or end"
        elif expected == "value or end" and (string or word):
            expected = "next"
        elif expected in ("key", "key or end") and string:
            key, expected = (string if len(open_) == 1 else '""'), "colon"
        elif expected == "colon" and mark == ":":
            expected = "value"
        elif expected == "next" and mark == ",":
            expected = "key" if open_[-1] == "{" else "value"
        elif expected in ("next", "key or end", "value or end") and mark and mark == {"{": "}", "[": "]"}[open_[-1]]:
            open_ = open_[:-1]
            expected = "next" if open_ else "end"
        else:
            raise ValueError(line)


def record_text(line: bytes, place: str, encoding: str = "utf-8") -> Tuple[str, int]:
    """The text of a line of a .jsonl file, and how much of it is none and became U+FFFD."""
    problem = ExportError(f"{place}: is not a JSON object with a string named 'text'")
    # What is not UTF-8 stays until it is known to be in the text.
    decoded = line.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace").lstrip("\ufeff")
    try:
        record = json.loads(decoded, parse_int=float, strict=False)
        text = record.get("text") if isinstance(record, dict) else None
    except (ValueError, RecursionError):
        try:
            text = _text_of(decoded)
            text = json.loads(text, strict=False) if text else None
        except ValueError:
            raise problem from None
    if not isinstance(text, str):
        raise problem
    faults = 0

    def repaired(run: "re.Match[str]") -> str:
        nonlocal faults
        faults += len(run[0])
        return run[0].encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    text = re.sub("[\udc80-\udcff]+", repaired, text)
    text, halves = re.subn("[\ud800-\udfff]", "\ufffd", text)
    return text, faults + halves


def _decoded(data: bytes, path: str) -> Tuple[str, int]:
    """The text of a .txt file, by its byte-order mark or else UTF-8, and how many bytes of it are none."""
    mark, encoding = next((m for m in MARKS if data.startswith(m[0])), (b"", "utf-8"))
    faults = 0

    def replace(error: UnicodeError) -> Tuple[str, int]:
        nonlocal faults
        assert isinstance(error, UnicodeDecodeError)
        faults += error.end - error.start
        return "\ufffd", error.end

    codecs.register_error("routesae", replace)
    text = data[len(mark) :].decode(encoding, "routesae")
    if encoding == "utf-8" and data.count(0) > max(FEW_FAULTS, len(data) // FAULT_SHARE):
        raise ExportError(
            f"{path}: holds {data.count(0)} zero bytes; it is either no text, or UTF-16 without a byte-order mark, which is "
            "read once it is saved as UTF-8"
        )
    return text, faults


def _check_faults(path: str, faults: int, size: int) -> None:
    """Refuses text of which more than a few bytes are none."""
    if faults > max(FEW_FAULTS, size // FAULT_SHARE):
        raise ExportError(f"{path}: {faults} bytes of {size} are no text of its encoding; save it as UTF-8")


def documents(files: Iterable[str], say: Any = lambda _line: None) -> Iterator[Document]:
    """Reads the documents of text files, in order.

    Blank lines of a .jsonl file are no documents; a blank .txt file is one, if one without a token.  `say` is told of
    bytes that were no text and became U+FFFD.
    """
    number = all_faults = all_bytes = 0
    for path in files:
        faults = size = 0
        try:
            with open(path, "rb") as file:
                if not path.lower().endswith(".jsonl"):
                    data = file.read()
                    text, faults = _decoded(data, path)
                    size = len(data)
                    _check_faults(path, faults, size)
                    yield Document(number, path, text)
                    number += 1
                else:
                    size = os.fstat(file.fileno()).st_size
                    start = file.read(4)
                    mark, encoding = next((m for m in MARKS if start.startswith(m[0])), (b"", "utf-8"))
                    file.seek(len(mark))
                    lines: Iterable[bytes] = file
                    if not encoding.startswith("utf-8"):
                        lines = (line.encode(encoding) for line in _lines(file, encoding))
                    for count, line in enumerate(lines, 1):
                        bare = line if encoding == "utf-8" else line.decode(encoding, "replace").encode()
                        if bare.strip(_SPACE):
                            place = f"{path}:{count}"
                            text, more = record_text(line, place, encoding)
                            faults += more
                            yield Document(number, place, text)
                            number += 1
                    _check_faults(path, faults, size)
        except OSError as error:
            raise ExportError(f"{path}: cannot be read ({error.strerror})") from None
        if faults:
            say(f"warning: {path}: {faults} of its bytes are no text of its encoding and became U+FFFD; save it as UTF-8")
        all_faults, all_bytes = all_faults + faults, all_bytes + size
    if all_faults > max(FEW_FAULTS, all_bytes // FAULT_SHARE):
        raise ExportError(f"{all_faults} bytes of the text are no text of their files' encodings; save the files as UTF-8")


def _lines(file: Any, encoding: str) -> Iterator[str]:
    """The lines of a file in an encoding of several bytes a character."""
    with io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="\n") as text:
        yield from text


# What is asked for --------------------------------------------------------------------------------------------------


def parse_layers(text: str) -> Optional[List[int]]:
    """Layers as a person writes them: `3-11`, `3,5,7`, `4`; None for `all`.  Ascending, each once."""
    if text == "all":
        return None
    layers = set()
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if first > last:
            raise ExportError(f"--layers is {text}; allowed: 3-11, 3,5,7 or all")
        layers.update(range(first, last + 1))
    return sorted(layers)


def check_layers(asked: Optional[List[int]], count: int, model: str) -> List[int]:
    """The layers asked for, all of them where none are named; refused where the model lacks one."""
    for layer in asked or []:
        if layer >= count:
            raise ExportError(f"--layers names layer {layer}; {model} has layers 0 ... {count - 1}")
    return list(range(count)) if asked is None else asked


def check_context(asked: Optional[int], most: Optional[int], special: int) -> int:
    """The window length: by default all the model's positions, 2048 at most.  `special` tokens have to fit as well."""
    least = max(2, special + 1)
    if asked is None:
        asked = min(most or DEFAULT_CONTEXT, DEFAULT_CONTEXT)
    if asked < least or (most is not None and asked > most):
        raise ExportError(f"--context is {asked}; this model takes {least} ... {most or 'any number of'} tokens")
    return asked


def weight_files(folder: str) -> List[str]:
    """The weight files of a model's folder, by name."""
    return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if name.endswith(".safetensors")]


#: What is read of a layer of the models that `routesae` runs itself, by the flag of config.json that asks for it.
LAYER_TENSORS: Dict[str, str] = {
    "": r"(input_layernorm|post_attention_layernorm|self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)\.weight",
    "qwen2": r"self_attn\.[qkv]_proj\.bias", "qwen3": r"self_attn\.[qk]_norm\.weight",
    "attention_bias": r"self_attn\.[qkvo]_proj\.bias", "mlp_bias": r"mlp\.(gate|up|down)_proj\.bias",
}


def is_read(name: str, config: Dict[str, Any]) -> bool:
    """Whether `routesae` reads a tensor, named without `model.` in front, of a model; of models it does not run, all count."""
    family = config.get("model_type")
    if family not in ("llama", "mistral", "qwen2", "qwen3"):
        return True
    if name == "lm_head.weight":
        return not config.get("tie_word_embeddings", False)
    if not (layer := re.fullmatch(r"layers\.(\d+)\.(.*)", name)):
        return name in ("embed_tokens.weight", "norm.weight")
    flags = ["", family]
    if family in ("llama", "qwen3") and config.get("attention_bias"):
        flags.append("attention_bias")
    if family == "llama" and config.get("mlp_bias"):
        flags.append("mlp_bias")
    known = any(re.fullmatch(LAYER_TENSORS[flag], layer[2]) for flag in flags if flag in LAYER_TENSORS)
    return known and int(layer[1]) < int(config.get("num_hidden_layers", 0))


def weights_digest(folder: str) -> Optional[str]:
    """SHA-256 of the weights, however they are sharded: of a line `name dtype [shape] sha256` for every tensor that is
    read, in the order of the names, which go without `model.` in front.

    None where there is no safetensors file.
    """
    try:
        with open(f"{folder}/config.json", encoding="utf-8") as file:
            config = json.load(file)
        paths = [f"{folder}/model.safetensors"]
        if not os.path.isfile(paths[0]):
            with open(f"{folder}/model.safetensors.index.json", encoding="utf-8") as file:
                paths = [f"{folder}/{name}" for name in sorted(set(json.load(file)["weight_map"].values()))]
        lines = []
        for path in paths:
            with open(path, "rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                header = json.loads(file.read(length))
                for name, entry in header.items():
                    short = name.removeprefix("model.")
                    if name == "__metadata__" or not is_read(short, config):
                        continue
                    begin, end = entry["data_offsets"]
                    file.seek(8 + length + begin)
                    digest = hashlib.sha256()
                    while begin < end and (piece := file.read(min(1 << 22, end - begin))):
                        digest.update(piece)
                        begin += len(piece)
                    shape = ",".join(map(str, entry["shape"]))
                    lines.append((short.encode(), f"{short} {entry['dtype']} [{shape}] {digest.hexdigest()}\n"))
    except (OSError, ValueError, KeyError):
        return None
    return hashlib.sha256("".join(line for _, line in sorted(lines)).encode()).hexdigest()


# Windows ------------------------------------------------------------------------------------------------------------


class Framing(NamedTuple):
    """The special tokens around each window, and whether the model is a decoder with BOS, which gets a row."""

    prefix: List[int]
    suffix: List[int]
    writes_bos: bool

    @property
    def special(self) -> int:
        """Tokens of a window that are not the document's."""
        return len(self.prefix) + len(self.suffix)


def framing(prefix: List[int], suffix: List[int], bos: Optional[int], causal: bool) -> Framing:
    """What to put around a window, from what the tokenizer puts around a text.

    In a decoder no token sees what follows, so nothing is put at its end.
    """
    return Framing(prefix, [] if causal else suffix, causal and bos is not None and prefix == [bos])


class Window(NamedTuple):
    """What the model sees at once: ids with the special tokens, and which of them get rows (`first` ..< `end`)."""

    document: int
    ids: List[int]
    first: int
    end: int

    @property
    def rows(self) -> int:
        return self.end - self.first


def windows(ids: Sequence[int], document: int, context: int, around: Framing) -> Iterator[Window]:
    """Cuts a document's tokens into windows of at most `context` tokens, special ones included."""
    length = context - around.special
    first = 0 if around.writes_bos else len(around.prefix)
    for start in range(0, len(ids), length):
        piece = list(ids[start : start + length])
        yield Window(document, around.prefix + piece + around.suffix, first, len(around.prefix) + len(piece))


def limited(source: Iterable[Window], most: Optional[int]) -> Iterator[Window]:
    """The windows up to the one with which `most` rows are reached."""
    rows = 0
    for window in source:
        yield window
        rows += window.rows
        if most is not None and rows >= most:
            return


# Files --------------------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """The files to write: names and rows of each, and what all of them hold."""

    paths: List[str]
    rows: List[int]
    layers: int
    width: int
    dtype: str

    @property
    def row_bytes(self) -> int:
        """Bytes of a row with its two ids and its mark."""
        return self.layers * self.width * DTYPES[self.dtype][0] + 17

    @property
    def bytes(self) -> int:
        """Bytes of all files, but for the headers."""
        return sum(self.rows) * self.row_bytes


def plan_files(output: str, rows: int, shard_rows: Optional[int], layers: int, width: int, dtype: str) -> Plan:
    """Divides rows among files.

    Without `shard_rows` there is one file, with the very name given; with it OUTPUT (`.safetensors` left off) is a
    prefix, as in OUTPUT-00000-of-00003.safetensors, and every file but the last has that many rows.
    """
    if shard_rows is None:
        if rows > MOST_ROWS:
            raise ExportError(f"{output}: {rows} rows are more than a file may hold; divide them with --shard-tokens")
        return Plan([output], [rows], layers, width, dtype)
    if not 1 <= shard_rows <= MOST_ROWS:
        raise ExportError(f"--shard-tokens is {shard_rows}; allowed: 1 ... {MOST_ROWS}")
    count = -(-rows // shard_rows)
    if count > 99_999:
        raise ExportError(f"--shard-tokens {shard_rows} makes {count} files; 99999 is the most, so take more tokens each")
    prefix = output[: -len(".safetensors")] if output.endswith(".safetensors") else output
    return Plan(
        [f"{prefix}-{index:05}-of-{count:05}.safetensors" for index in range(count)],
        [min(shard_rows, rows - index * shard_rows) for index in range(count)], layers, width, dtype,
    )


def check_folder(output: str) -> None:
    """Refuses an output in a folder that cannot be written."""
    folder = os.path.dirname(output) or "."
    if not os.path.isdir(folder):
        raise ExportError(f"{output}: its folder is not there; make it first")
    if not os.access(folder, os.W_OK):
        raise ExportError(f"{output}: its folder cannot be written; check the permissions")


def check_output(paths: List[str], force: bool, inputs: Iterable[str]) -> None:
    """Refuses to replace files without being told to, to replace what is read, or to mix with another export."""
    read = {os.path.realpath(path) for path in inputs}
    for path in paths:
        if os.path.realpath(path) in read:
            raise ExportError(f"{path}: is read by this very run, so it is not replaced; name another file")
        if os.path.isdir(path):
            raise ExportError(f"{path}: is a folder; name a file")
        if os.path.lexists(path) and not force:
            raise ExportError(f"{path}: exists already; add --force to replace it")
    folder, first = os.path.split(paths[0])
    numbered = re.fullmatch(r"(.*)-[0-9]{5}-of-[0-9]{5}\.safetensors", first, re.DOTALL)
    if not numbered:
        return
    own = {os.path.basename(path) for path in paths}
    for name in sorted(os.listdir(folder or ".")):
        if re.fullmatch(re.escape(numbered[1]) + r"-[0-9]{5}-of-[0-9]{5}\.safetensors", name) and name not in own:
            raise ExportError(
                f"{os.path.join(folder, name)}: belongs to an export of another number of files; remove that one first"
            )


def check_space(plan: Plan, headers: int) -> int:
    """Refuses what does not fit the disk; returns the bytes that are free."""
    folder = os.path.dirname(plan.paths[0]) or "."
    free = shutil.disk_usage(folder).free
    need = plan.bytes + headers
    if need > free:
        raise ExportError(
            f"{folder}: {size(need)} are needed and {size(free)} are free; lower --tokens, take fewer layers or "
            "name another disk"
        )
    return free


def shard_header(rows: int, plan: Plan, metadata: Dict[str, str]) -> bytes:
    """The beginning of a file: the header's length and its JSON, padded so that all data is aligned."""
    return activation_stream.header(rows, plan.layers, plan.width, plan.dtype, metadata)


class ShardFiles:
    """Writes the files of a plan, row after row, each under FILE.partial until `finish` gives all of them their names.

    Used as a context: leaving it unfinished removes whatever was written.
    """

    def __init__(self, plan: Plan, metadata: Dict[str, str]) -> None:
        self.plan = plan
        self.done = 0
        self._metadata = metadata
        self._index = -1
        self._file = -1
        self._row = 0  # rows written to the file at hand
        self._start = 0  # where its data begins
        self._mine: List[str] = []

    def __enter__(self) -> "ShardFiles":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._file >= 0:
            os.close(self._file)
        for path in self._mine:
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass

    def metadata(self, index: int) -> Dict[str, str]:
        """A file's part of the header that is free text."""
        if len(self.plan.paths) == 1:
            return self._metadata
        return {**self._metadata, "shard": str(index), "shards": str(len(self.plan.paths))}

    def header_bytes(self) -> int:
        """Bytes of all headers."""
        return sum(len(shard_header(r, self.plan, self.metadata(i))) for i, r in enumerate(self.plan.rows))

    def append(
        self, token_ids: Sequence[int], document_ids: Sequence[int], is_prefix: Sequence[int], activations: Any
    ) -> None:
        """Adds rows.  `activations` is a buffer of their elements in the plan's type, [rows, layers, width]."""
        elements = memoryview(activations).cast("B")
        row_bytes = self.plan.row_bytes - 17
        if not len(token_ids) == len(document_ids) == len(is_prefix) or len(elements) != len(token_ids) * row_bytes:
            raise ValueError("ids and activations differ in their number of rows")
        start = 0
        while start < len(token_ids):
            if self._file < 0:
                self._open(self._index + 1)
            rows = self.plan.rows[self._index]
            end = min(len(token_ids), start + rows - self._row)
            self._write(8 * self._row, array.array("q", token_ids[start:end]).tobytes())
            self._write(8 * (rows + self._row), array.array("q", document_ids[start:end]).tobytes())
            self._write(16 * rows + self._row * row_bytes, elements[start * row_bytes : end * row_bytes])
            self._write((16 + row_bytes) * rows + self._row, bytes(is_prefix[start:end]))
            self._row += end - start
            self.done += end - start
            start = end
            if self._row == rows:
                self._close()

    def finish(self) -> None:
        """Gives all files their names."""
        if self.done != sum(self.plan.rows):
            raise ExportError(f"only {self.done} of {sum(self.plan.rows)} rows were computed; was the text changed?")
        for path in self.plan.paths:
            replaced = os.path.lexists(path)
            os.replace(path + ".partial", path)
            self._mine.remove(path + ".partial")
            if not replaced:  # taken back should a later one fail
                self._mine.append(path)
        self._mine = []
        folder = os.open(os.path.dirname(self.plan.paths[0]) or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        except OSError:
            pass  # not every file system can
        finally:
            os.close(folder)

    def _open(self, index: int) -> None:
        if index == len(self.plan.paths):
            raise ExportError(f"more than {self.done} rows were computed; was the text changed?")
        path = self.plan.paths[index] + ".partial"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            self._file = -1
            raise ExportError(f"{path}: another writer is at work on it") from None
        self._mine.append(path)
        self._index, self._row = index, 0
        header = shard_header(self.plan.rows[index], self.plan, self.metadata(index))
        self._start = len(header)
        os.ftruncate(self._file, 0)
        os.ftruncate(self._file, len(header) + self.plan.rows[index] * self.plan.row_bytes)
        self._write(-len(header), header)

    def _write(self, offset: int, piece: Any) -> None:
        piece, offset = memoryview(piece), offset + self._start
        while piece:
            count = os.pwrite(self._file, piece, offset)
            piece, offset = piece[count:], offset + count

    def _close(self) -> None:
        os.fsync(self._file)
        os.close(self._file)
        self._file = -1


# The model ----------------------------------------------------------------------------------------------------------


class _LayersDone(Exception):
    """Ends a forward pass once the last layer asked for has been taken."""


def first_output(output: Any) -> Any:
    """A block's new residual stream: its output, or the first of several."""
    return output[0] if isinstance(output, (tuple, list)) else output


class Model:
    """A model with its tokenizer, and where its residual streams are."""

    def __init__(self, name: str, tokenizer: Optional[str], compute: str, device: Optional[str]) -> None:
        self.is_local = os.path.isdir(name)
        if not self.is_local and (name.startswith((".", "/", "~")) or name.count("/") > 1):
            raise ExportError(f"{name}: no such model folder")
        if self.is_local and (tokenizer is None or os.path.isdir(tokenizer)):
            os.environ["HF_HUB_OFFLINE"] = "1"  # read on import: a folder has all that is needed
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        try:
            import torch
            import transformers
        except ImportError as error:
            raise ExportError(f"{error}; install what tools/requirements.txt names") from None
        transformers.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self.torch = torch
        self.path = name
        self.name = os.path.basename(os.path.abspath(name)) if self.is_local else name.rsplit("/", 1)[-1]
        words = tokenizer or name
        self.tokenizer_name = os.path.basename(os.path.abspath(words)) if os.path.isdir(words) else words.rsplit("/", 1)[-1]
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[compute]
        # Names that are nowhere, damaged files, unknown architectures: all sorts of exceptions, each with its reason.
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(words)
            whole, loading = transformers.AutoModel.from_pretrained(name, dtype=dtype, output_loading_info=True)
            self.model = whole.get_encoder() if whole.config.is_encoder_decoder else whole
            self.model = self.model.eval().to(self.device)
        except Exception as error:
            raise ExportError(f"{name}: cannot be opened ({one_line(error)})") from None
        # A pooler sits on top of the last layer; everything else is needed.
        lacking = [key for key in sorted(loading["missing_keys"]) if "pooler" not in key]
        lacking += [str(key) for key in loading.get("mismatched_keys", [])]
        if lacking:
            raise ExportError(f"{name}: the weights lack {lacking[0]} ({len(lacking)} in all); they would be random")
        self.folder = name if self.is_local else self._cached_folder()
        self._probe()

    # What the tokenizer does.

    def encode(self, texts: List[str]) -> List[List[int]]:
        """Token ids of texts, without special tokens of its own."""
        return self.tokenizer(texts, add_special_tokens=False, verbose=False, return_attention_mask=False)["input_ids"]

    def around(self) -> Framing:
        """What the tokenizer puts before and after a text."""
        plain = self.encode(["a"])[0]
        full = self.tokenizer("a", verbose=False)["input_ids"]
        places = [i for i in range(len(full) - len(plain) + 1) if plain and full[i : i + len(plain)] == plain]
        if not places:
            raise ExportError(f"{self.tokenizer_name}: cannot tell the tokenizer's special tokens from the text's")
        prefix, suffix = full[: places[0]], full[places[0] + len(plain) :]
        return framing(prefix, suffix, self.tokenizer.bos_token_id, self.is_causal)

    def most_positions(self) -> Optional[int]:
        """How many tokens the model takes; None for any number."""
        most = getattr(self.config, "max_position_embeddings", None)
        limits = [most] if isinstance(most, int) and most > 0 else []
        for module_name, module in self.model.named_modules():
            # RoBERTa counts its positions from the one after padding.
            if module_name.endswith("position_embeddings") and isinstance(module, self.torch.nn.Embedding):
                limits.append(module.num_embeddings - (-1 if module.padding_idx is None else module.padding_idx) - 1)
        if not self.is_causal and self.tokenizer.model_max_length < 1_000_000:
            limits.append(self.tokenizer.model_max_length)
        return min(limits, default=None)

    # Where the layers are.

    def _probe(self) -> None:
        """Finds the blocks, the width, and whether the model is a decoder, with two short texts that differ at the end."""
        torch = self.torch
        self.config = self.model.config.get_text_config()
        count = getattr(self.config, "num_hidden_layers", None)
        table = self.model.get_input_embeddings()
        if not isinstance(count, int) or count < 1 or table is None:
            raise ExportError(f"{self.path}: is no model of text with hidden layers")
        self.vocabulary = table.weight.shape[0]
        special = {self.tokenizer.pad_token_id, self.config.pad_token_id, *self.tokenizer.all_special_ids}
        some = [i for i in range(min(self.vocabulary, 4096)) if i not in special][-8:]
        if len(some) < 4:
            raise ExportError(f"{self.path}: a vocabulary of {self.vocabulary} tokens is too small")
        # One after the other, so that both take the same way through the machine.
        inputs = [torch.tensor([some[:-1]]), torch.tensor([some[:-2] + some[-1:]])]
        try:
            with torch.inference_mode():
                states = [self._hidden_states(ids) for ids in inputs]
        except Exception as error:
            raise ExportError(f"{self.path}: cannot be run on token ids alone ({one_line(error)})") from None
        if len(states[0]) != count + 1:
            raise ExportError(f"{self.path}: {count} layers, but {len(states[0])} hidden states; expected one more")
        self.layer_count, self.width = count, states[0][0].shape[-1]
        for place, state in enumerate(states[0]):
            if not torch.isfinite(state).all():
                raise ExportError(
                    f"{self.path}: hidden state {place} of {count} is not finite; the weights may be damaged, or --compute "
                    "too narrow for them"
                )
        before, after = (entry[-1][0, :-1].double() for entry in states)
        change = ((before - after).norm(dim=-1) / before.norm(dim=-1).clamp_min(1e-30)).max()
        self.is_causal = bool(change < {torch.float32: 1e-4, torch.float16: 2e-3}.get(self.model.dtype, 1e-2))
        self.blocks = self._find_blocks(inputs[0])
        if self.blocks is None:
            self._check_order(inputs[0], states[0], some[-1])

    def _hidden_states(self, ids: Any) -> Tuple[Any, ...]:
        return self.model(input_ids=ids.to(self.device), output_hidden_states=True, return_dict=True).hidden_states

    def _find_blocks(self, ids: Any) -> Optional[List[Any]]:
        """The list of blocks whose outputs are the hidden states; None if there is none."""
        torch = self.torch
        for module in self.model.modules():
            if not isinstance(module, torch.nn.ModuleList) or len(module) != self.layer_count:
                continue
            outputs: Dict[int, Any] = {}
            handles = [
                block.register_forward_hook(lambda _m, _i, output, place=place: outputs.update({place: first_output(output)}))
                for place, block in enumerate(module)
            ]
            try:
                with torch.inference_mode():
                    states = self._hidden_states(ids)
            finally:
                for handle in handles:
                    handle.remove()
            # Most models put the embeddings first, some (Mamba) begin with the first block.  The last entry is often normed.
            for first in (1, 0):
                if len(outputs) == self.layer_count and all(
                    isinstance(outputs[place], torch.Tensor)
                    and outputs[place].shape == states[place + first].shape
                    and (place == self.layer_count - 1 or torch.equal(outputs[place], states[place + first]))
                    for place in range(self.layer_count)
                ):
                    return list(module)
        return None

    def _check_order(self, ids: Any, states: Tuple[Any, ...], other: int) -> None:
        """Refuses hidden states that do not begin with the embeddings, in which no token knows of another."""
        changed = ids.clone()
        changed[0, 0] = other
        with self.torch.inference_mode():
            again = self._hidden_states(changed)
        if not self.torch.equal(states[0][0, 1:], again[0][0, 1:]) or self.torch.equal(states[-1][0, 1:], again[-1][0, 1:]):
            raise ExportError(
                f"{self.path}: neither the blocks of {type(self.model).__name__} nor the order of its hidden states could "
                "be made out, so its layers cannot be told apart"
            )

    def _cached_folder(self) -> Optional[str]:
        """Where the files of a model from the hub lie; the folder's name is the revision."""
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(self.path, "config.json")
        return os.path.dirname(path) if isinstance(path, str) else None

    # What it computes.

    def rows(self, batch: List[Window], layers: List[int], dtype: str) -> Any:
        """Activations of a batch's rows in order: bytes of [rows, layers, width] in the stored type."""
        torch = self.torch
        length = max(len(window.ids) for window in batch)
        pad = self.tokenizer.pad_token_id
        ids = torch.full((len(batch), length), 0 if pad is None else pad)
        attention = torch.zeros_like(ids)
        wanted = torch.zeros(ids.shape, dtype=torch.bool)
        for place, window in enumerate(batch):
            ids[place, : len(window.ids)] = torch.tensor(window.ids)
            attention[place, : len(window.ids)] = 1
            wanted[place, window.first : window.end] = True
        ids, attention, wanted = (t.to(self.device) for t in (ids, attention, wanted))
        inputs = {"input_ids": ids}
        if not attention.all():
            inputs["attention_mask"] = attention
        with torch.inference_mode():
            taken = self._hooked(inputs, wanted, layers) if self.blocks else self._plain(inputs, wanted, layers)
            values = torch.stack([taken[layer] for layer in layers], dim=1)
            stored = values.to({"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[dtype])
            for what, numbers in (("not finite", values), (f"too large for {dtype}", stored)):
                if not torch.isfinite(numbers).all():
                    row, place = (~torch.isfinite(numbers)).nonzero()[0].tolist()[:2]
                    owners = [window.document for window in batch for _ in range(window.rows)]
                    hint = "; store them as f32" if numbers is stored else ""
                    raise ExportError(
                        f"{self.path}: activations are {what}: layer {layers[place]}, document {owners[row]}{hint}"
                    )
            return stored.contiguous().cpu().view(torch.uint8).numpy().data

    def _hooked(self, inputs: Dict[str, Any], wanted: Any, layers: List[int]) -> Dict[int, Any]:
        """Rows of each layer, taken from the blocks themselves; the blocks above them are not run."""
        taken: Dict[int, Any] = {}

        def hook(layer: int) -> Any:
            def take(_module: Any, _inputs: Any, output: Any) -> None:
                taken[layer] = first_output(output)[wanted]
                if layer == layers[-1]:
                    raise _LayersDone

            return take

        assert self.blocks
        handles = [self.blocks[layer].register_forward_hook(hook(layer)) for layer in layers]
        try:
            self.model(**inputs, **self._no_cache())
        except _LayersDone:
            pass
        finally:
            for handle in handles:
                handle.remove()
        return taken

    def _plain(self, inputs: Dict[str, Any], wanted: Any, layers: List[int]) -> Dict[int, Any]:
        """Rows of each layer, taken from hidden_states; the last of them may be normed and is refused beforehand."""
        output = self.model(**inputs, output_hidden_states=True, return_dict=True, **self._no_cache())
        return {layer: output.hidden_states[layer + 1][wanted] for layer in layers}

    def _no_cache(self) -> Dict[str, bool]:
        return {"use_cache": False} if self.is_causal and hasattr(self.config, "use_cache") else {}


# The export ---------------------------------------------------------------------------------------------------------


def size(count: float) -> str:
    """Bytes for a person."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def clock(seconds: float) -> str:
    """A stretch of time for a person."""
    whole = int(seconds + 0.5)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def one_line(error: BaseException) -> str:
    """An exception's text on one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__


class Progress:
    """A line on standard error: on a terminal it is kept up to date, elsewhere there is a new one every half minute."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.begun = time.monotonic()
        self.shown = self.begun
        self.is_terminal = sys.stderr.isatty()

    def update(self, done: int, total: Optional[int]) -> None:
        now = time.monotonic()
        if self.quiet or now - self.shown < (0.5 if self.is_terminal else 30):
            return
        self.shown = now
        rate = done / max(now - self.begun, 1e-9)
        text = f"{done:,} tokens, {rate:,.0f} a second"
        if total is not None:
            text = f"{done:,} of {total:,} tokens, {rate:,.0f} a second, {clock((total - done) / max(rate, 1e-9))} left"
        print(f"\r\033[K{text}" if self.is_terminal else text, end="" if self.is_terminal else "\n", file=sys.stderr, flush=True)

    def finish(self) -> None:
        if not self.quiet and self.is_terminal and self.shown != self.begun:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def all_windows(
    files: List[str], model: Model, context: int, around: Framing, say: Any = lambda _line: None
) -> Iterator[Window]:
    """The windows of all documents, in order."""
    waiting: List[Document] = []
    characters = 0

    def encoded() -> Iterator[Window]:
        for document, ids in zip(waiting, model.encode([document.text for document in waiting])):
            if ids and max(ids) >= model.vocabulary:
                raise ExportError(f"{model.path}: the tokenizer has more tokens than the model; they do not belong together")
            yield from windows(ids, document.number, context, around)

    for document in documents(files, say):
        waiting.append(document)
        characters += len(document.text)
        if characters > 1 << 20 or len(waiting) == 256:
            yield from encoded()
            waiting, characters = [], 0
    if waiting:
        yield from encoded()


def opened(options: argparse.Namespace, asked: Optional[List[int]]) -> Tuple[Model, List[int], Framing, int]:
    """The model, the layers of it to take, what stands around a window, and the window's length."""
    model = Model(options.model, options.tokenizer, options.compute, options.device)
    layers = check_layers(asked, model.layer_count, model.name)
    if model.blocks is None and layers[-1] == model.layer_count - 1:
        raise ExportError(
            f"{options.model}: the blocks of {type(model.model).__name__} were not found, and hidden_states holds its last "
            f"layer after the final norm, if there is one; leave layer {layers[-1]} out"
        )
    around = model.around()
    context = check_context(options.context, model.most_positions(), around.special)
    return model, layers, around, context


def header_entries(
    options: argparse.Namespace, model: Model, layers: List[int], around: Framing, context: int
) -> Dict[str, str]:
    """The text entries of a header."""
    metadata = {
        "format": "routesae-activations-1", "model": model.name, "tokenizer": model.tokenizer_name,
        "layers": "[" + ",".join(map(str, layers)) + "]", "context": str(context), "compute_dtype": options.compute,
        "attention": "causal" if model.is_causal else "bidirectional",
    }
    if not model.is_local:
        metadata["model_id"] = options.model + (f"@{os.path.basename(model.folder)}" if model.folder else "")
    if around.writes_bos:
        metadata["bos_token_id"] = str(around.prefix[0])
    digest = weights_digest(model.folder) if model.folder else None
    if digest:
        metadata["model_sha256"] = digest
    return metadata


class Part(NamedTuple):
    """Rows that were computed together; `activations` are the bytes of [rows, layers, width] in the stored type."""

    token_ids: List[int]
    document_ids: List[int]
    is_prefix: List[int]
    activations: Any


def computed(
    options: argparse.Namespace, files: List[str], model: Model, layers: List[int], around: Framing, context: int,
    first_row: int = 0, say: Any = lambda _line: None,
) -> Iterator[Part]:
    """The rows of the text from `first_row` on, batch after batch.

    Batches before are passed over without running the model; none is divided otherwise, so that its bits are the same.
    """
    row = 0

    def part(batch: List[Window]) -> Optional[Part]:
        nonlocal row
        skipped = min(max(first_row - row, 0), sum(window.rows for window in batch))
        row += sum(window.rows for window in batch)
        if row <= first_row:
            return None
        tokens = [token for window in batch for token in window.ids[window.first : window.end]]
        owners = [window.document for window in batch for _ in range(window.rows)]
        before = len(around.prefix)
        marks = [int(place < before) for window in batch for place in range(window.first, window.end)]
        values = memoryview(model.rows(batch, layers, options.dtype)).cast("B")
        return Part(tokens[skipped:], owners[skipped:], marks[skipped:], values[len(values) // len(tokens) * skipped :])

    batch: List[Window] = []
    for window in limited(all_windows(files, model, context, around, say), options.tokens):
        batch.append(window)
        if len(batch) == options.batch_size:
            if made := part(batch):
                yield made
            batch = []
    if batch and (made := part(batch)):
        yield made
    if row == 0:
        raise ExportError(f"{', '.join(options.text)}: the text holds no tokens")
    if row < first_row:
        raise ExportError(f"--from-token is {options.from_token}; the text has {row} tokens")


def stream(options: argparse.Namespace, asked: Optional[List[int]], say: Callable[[str], None]) -> None:
    """Writes all rows to standard output, as they are computed."""
    for name in ("shard_tokens", "force", "dry_run"):
        if getattr(options, name):
            raise ExportError(f"--{name.replace('_', '-')} goes with files; --output - is a stream")
    first = options.from_token or 0
    if first < 0:
        raise ExportError(f"--from-token is {first}; allowed: from 0")
    if os.isatty(1):
        raise ExportError("standard output is a terminal, and a stream is bytes; add a pipe, or --output FILE")
    # Whatever a library prints must not get into the stream.
    descriptor = os.dup(1)
    os.dup2(2, 1)
    files = [file for path in options.text for file in text_files(path)]
    model, layers, around, context = opened(options, asked)
    metadata = header_entries(options, model, layers, around, context)
    writer: Optional[StreamWriter] = None
    progress = Progress(options.quiet)
    try:
        writer = StreamWriter(descriptor, metadata, layers, model.width, options.dtype, first)
        say(
            f"{model.name}: {'decoder' if model.is_causal else 'encoder'}, {model.layer_count} layers of width {model.width}, "
            f"on {model.device} in {options.compute}\n{len(layers)} layers in {options.dtype}, "
            f"{size(activation_stream.row_bytes(len(layers), model.width, options.dtype))} a token, from token {writer.row} on"
        )
        warn = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
        begun = writer.row
        for part in computed(options, files, model, layers, around, context, writer.row, warn):
            writer.append(*part)
            progress.update(writer.row - begun, None)
        writer.finish()
    except BrokenPipeError:
        progress.finish()
        return say(f"the reader closed the stream at token {writer.row if writer else 0:,}")
    finally:
        os.close(descriptor)
    progress.finish()
    rate = (writer.row - begun) / max(time.monotonic() - progress.begun, 1e-9)
    say(f"the stream is complete: {writer.row:,} tokens, {rate:,.0f} a second")


def export(options: argparse.Namespace) -> None:
    """Does the whole of it."""
    say = (lambda _text: None) if options.quiet else (lambda text: print(text, file=sys.stderr, flush=True))
    asked = parse_layers(options.layers)
    for name in ("tokens", "batch_size", "shard_tokens"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ExportError(f"--{name.replace('_', '-')} is {value}; allowed: from 1")
    if options.output == "-":
        return stream(options, asked, say)
    if options.from_token is not None:
        raise ExportError("--from-token goes with --output -, a stream; files are written whole")
    files = [file for path in options.text for file in text_files(path)]
    check_folder(options.output)
    if options.shard_tokens is None:  # with it, the names of the files depend on the number of tokens
        check_output([options.output], options.force, files)
    model, layers, around, context = opened(options, asked)
    rows = count = 0
    last = -1
    warn = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    for window in limited(all_windows(files, model, context, around, warn), options.tokens):
        rows += window.rows
        count += window.document != last
        last = window.document
    if rows == 0:
        raise ExportError(f"{', '.join(options.text)}: the text holds no tokens")
    plan = plan_files(options.output, rows, options.shard_tokens, len(layers), model.width, options.dtype)
    check_output(plan.paths, options.force, files + (weight_files(options.model) if model.is_local else []))

    metadata = header_entries(options, model, layers, around, context)
    with ShardFiles(plan, metadata) as shards:
        free = check_space(plan, shards.header_bytes())
        kind = "decoder" if model.is_causal else "encoder"
        special = "BOS among them" if around.writes_bos else "special tokens left out" if around.special else "no special tokens"
        say(
            f"{model.name}: {kind}, {model.layer_count} layers of width {model.width}, on {model.device} in {options.compute}\n"
            f"{rows:,} tokens of {count:,} documents ({special}), {len(layers)} layers: {size(plan.bytes)} of "
            f"{options.dtype} in {len(plan.paths)} {'file' if len(plan.paths) == 1 else 'files'}, {size(free)} are free"
        )
        if options.dry_run:
            for path in plan.paths[:3] + (["..."] if len(plan.paths) > 3 else []):
                say(path)
            return
        progress = Progress(options.quiet)
        for part in computed(options, files, model, layers, around, context):
            shards.append(*part)
            progress.update(shards.done, rows)
        shards.finish()
        progress.finish()
    rate = rows / max(time.monotonic() - progress.begun, 1e-9)
    names = plan.paths[0] if len(plan.paths) == 1 else f"{plan.paths[0]} ... {len(plan.paths) - 1:05}"
    say(f"{names}: activations [{rows}, {len(layers)}, {model.width}] {options.dtype}, {rate:,.0f} tokens a second")


def parser(streams: bool = True, program: Optional[str] = None) -> argparse.ArgumentParser:
    """The options; `streams` says whether standard output is the default."""
    result = argparse.ArgumentParser(
        prog=program, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("model", help="a model's folder, or its name on the Hugging Face hub")
    result.add_argument("--text", nargs="+", required=True, help="text files (.txt, .jsonl) and folders of them")
    result.add_argument("--layers", required=True, help="layers counted from 0: 3-11, 3,5,7 or all")
    result.add_argument(
        "--output", default="-" if streams else None, required=not streams,
        help="the file to write, - for a stream on standard output; with --shard-tokens what the files' names begin with",
    )
    result.add_argument(
        "--from-token", type=int, help="begin a stream with the block that holds this token, to resume training on it"
    )
    result.add_argument("--shard-tokens", type=int, help="rows of each file (default: one file for all)")
    result.add_argument("--dtype", choices=sorted(DTYPES), default="bf16", help="how activations are stored (default: %(default)s)")
    result.add_argument("--context", type=int, help="the most tokens the model sees at once (default: all its positions, 2048 at most)")
    result.add_argument("--tokens", type=int, help="stop after this many rows, at the end of a window")
    # Its name in earlier versions.
    result.add_argument("--max-tokens", dest="tokens", type=int, help=argparse.SUPPRESS)
    result.add_argument("--batch-size", type=int, default=8, help="windows run at once (default: %(default)s)")
    result.add_argument("--tokenizer", help="a tokenizer's folder or name (default: the model's)")
    result.add_argument("--compute", choices=sorted(DTYPES), default="f32", help="what the model computes in (default: %(default)s)")
    result.add_argument("--device", help="a torch device (default: cuda if there is one, else cpu)")
    result.add_argument("--force", action="store_true", help="replace existing files")
    result.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    result.add_argument("--quiet", "-q", action="store_true", help="nothing on standard error but errors")
    return result


def stop(number: int, _frame: Any) -> None:
    """Lets a signal clean up."""
    raise KeyboardInterrupt(number)


def main(argv: Optional[Sequence[str]] = None, streams: bool = True, program: Optional[str] = None) -> int:
    """Runs the export; every error is one line.

    `argv` are the arguments, by default those of the process; `streams` says whether standard output is the default.
    """
    options = parser(streams, program).parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        export(options)
        return 0
    except KeyboardInterrupt:
        print("\nstopped; " + ("the stream has no end" if options.output == "-" else "nothing was written"), file=sys.stderr)
        return 130
    except OSError as error:
        print(f"error: {error.filename or options.output}: {error.strerror or one_line(error)}", file=sys.stderr)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
    except RuntimeError as error:  # what torch throws, out of memory among them
        print(f"error: {options.model}: {one_line(error)}; a lower --batch-size takes less memory", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(program="python -m routesae collect"))
