#!/usr/bin/env python3
"""Runs the program on damaged copies of what people bring along: `tools/mutate.py --count 10000`.

A tiny model, an activation shard, a checkpoint, a sweep and a chat template are made first.  Then one file at a time is
changed, by a seeded choice of flipped bits, cuts, spliced and repeated pieces, JSON keys that are gone or there twice,
and values at the edge of what a type or a reader holds; and a command reads it.  The command has to end by itself, or
soon after SIGTERM, with a documented exit status other than 70 and at most one line of error, and may write nothing but
its output.  What fails is kept in the folder given by --keep, with the command.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENTED = {0, 1, 64, 65, 66, 73, 75, 77}
# After so long a command is asked to end, which it has to do within GRACE. Machines may be busy.
PATIENCE, GRACE = 10.0, 20.0

VOCABULARY, WIDTH, INNER, LAYERS = 265, 16, 24, 3


# ---- The whole files -------------------------------------------------------------------------------------------------


def byte_characters() -> List[str]:
    """The characters that byte-level BPE writes bytes as."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def tokenizer() -> Dict[str, Any]:
    characters = byte_characters()
    vocabulary = {character: index for index, character in enumerate(characters)}
    space, merges = characters[32], []
    for left, right in [("t", "h"), ("th", "e"), (space, "the"), ("a", "n"), ("an", "d"), (space, "and"), ("i", "n")]:
        merges.append(f"{left} {right}")
        vocabulary[left + right] = len(vocabulary)
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [{"id": VOCABULARY - 2, "content": "<bos>", **special}, {"id": VOCABULARY - 1, "content": "<eos>", **special}]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": [VOCABULARY - 2], "tokens": ["<bos>"]}},
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary,
            "merges": merges,
        },
    }


CONFIG = {
    "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": VOCABULARY - 2, "eos_token_id": VOCABULARY - 1, "head_dim": 8, "hidden_act": "silu",
    "hidden_size": WIDTH, "intermediate_size": INNER, "max_position_embeddings": 128, "mlp_bias": False,
    "model_type": "llama", "num_attention_heads": 2, "num_hidden_layers": LAYERS, "num_key_value_heads": 1,
    "rms_norm_eps": 1e-06, "rope_theta": 10000.0,
    "rope_scaling": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
    "tie_word_embeddings": False, "torch_dtype": "float32", "vocab_size": VOCABULARY,
}

SWEEP = {
    "model": "model", "text": ["text.jsonl"], "context": 32, "steps": 2, "batchTokens": 32, "latents": 16,
    "dictionaries": [
        {"architecture": "route", "k": [2, 4]}, {"architecture": "topk", "layers": 1, "k": 2},
        {"architecture": "vanilla", "layers": 1, "lambda": 2},
    ],
}

TEMPLATE = """{{ bos_token }}{% set ns = namespace(found=false) %}{% for message in messages -%}
{%- if message['role'] == 'system' and loop.first %}[{{ message.content | trim }}]{% set ns.found = true %}
{%- elif message.role == "user" %}<u>{{ message['content'] }}</u>{% else %}{{ raise_exception('role ' ~ message.role) }}
{%- endif %}{% endfor %}{% macro end(x, y=2) %}{{ x * y }}{% endmacro %}{{ end('!') }}
{%- if add_generation_prompt %}<a>{{ (messages | length + 1) % 3 }}{% endif %}"""


def safetensors(header: Dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def weights(seed: int) -> bytes:
    generator = random.Random(seed)
    shapes: Dict[str, List[int]] = {"model.embed_tokens.weight": [VOCABULARY, WIDTH]}
    for layer in range(LAYERS):
        for name, shape in [
            ("input_layernorm", [WIDTH]), ("self_attn.q_proj", [16, WIDTH]), ("self_attn.k_proj", [8, WIDTH]),
            ("self_attn.v_proj", [8, WIDTH]), ("self_attn.o_proj", [WIDTH, 16]), ("post_attention_layernorm", [WIDTH]),
            ("mlp.gate_proj", [INNER, WIDTH]), ("mlp.up_proj", [INNER, WIDTH]), ("mlp.down_proj", [WIDTH, INNER]),
        ]:
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
    shapes["model.norm.weight"] = [WIDTH]
    shapes["lm_head.weight"] = [VOCABULARY, WIDTH]
    header: Dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = bytearray()
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = struct.pack(f"<{count}f", *(generator.gauss(1 if "norm" in name else 0, 0.3) for _ in range(count)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    return safetensors(header, bytes(data))


# ---- Mutants ---------------------------------------------------------------------------------------------------------

LONE_SURROGATE = "@lone surrogate@"
RAW = "@raw@"
EDGES: List[Any] = [
    0, 1, -1, 2, 3, 7, 64, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**62, 2**63 - 1, 2**63, 2**64,
    10**30, -(2**31), -(2**63), 0.5, 1e-300, 1e300, -0.0, 3.0, "", "x", "0", "none", "../../etc/passwd", "/dev/null",
    "/dev/zero", "nul\0nul", "\u202e", "é" * 40, "A" * 100_000, None, True, False, [], {}, [[]], [None], {"": None},
    [0] * 1000, LONE_SURROGATE, RAW + "NaN", RAW + "1e400", RAW + "-Infinity", RAW + "00", RAW + "1.", RAW + "'x'",
    RAW + "[" * 3000, RAW + "[" * 2000 + "]" * 2000, RAW + '{"a":' * 1500 + "1" + "}" * 1500,
]


class Pairs(list):
    """An object of JSON as a list of keys and values: keys may come twice."""


def write_json(value: Any) -> str:
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json.dumps(key)}: {write_json(inner)}" for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(write_json(inner) for inner in value) + "]"
    if isinstance(value, dict):
        return write_json(Pairs(value.items()))
    if isinstance(value, str) and value == LONE_SURROGATE:
        return '"a\\ud800b"'
    if isinstance(value, str) and value.startswith(RAW):
        return value[len(RAW):]
    return json.dumps(value)


def containers(value: Any) -> List[Any]:
    """All objects and arrays of a document that have something in them, the document first."""
    found = [value] if isinstance(value, list) and value else []
    if isinstance(value, list):
        for inner in value:
            found += containers(inner[1] if isinstance(value, Pairs) else inner)
    return found


def changed_json(text: bytes, generator: random.Random) -> bytes:
    """Some changes of a JSON document's structure."""
    document = json.loads(text, object_pairs_hook=Pairs)
    for _ in range(generator.choice([1, 1, 1, 2, 4])):
        # Small containers are as likely as large ones, so that a vocabulary does not take all changes.
        places = containers(document)
        if not places:
            break
        container = generator.choice(places)
        index = generator.randrange(len(container))
        pairs = isinstance(container, Pairs)
        old = container[index][1] if pairs else container[index]

        def put(value: Any) -> None:
            container[index] = (container[index][0], value) if pairs else value

        change = generator.randrange(10)
        if change == 0:
            del container[index]
        elif change == 1:
            container.insert(generator.randrange(len(container) + 1), container[index])
        elif change == 2 and pairs:
            container.append((container[index][0], generator.choice(EDGES)))
        elif change == 3 and pairs:
            container[index] = (generator.choice(["", "x", container[index][0] + "x", "\0"]), old)
        elif change == 4 and isinstance(old, (int, float)) and not isinstance(old, bool):
            put(generator.choice([old + 1, old - 1, old * 2, -old, old * 1000, float(old), str(old), old / 2]))
        elif change == 5 and isinstance(old, str):
            put(generator.choice([old[:-1], old + old, old.upper(), old + "\0", old + " ", old.encode().hex(), [old]]))
        elif change == 6:
            other = generator.choice(places)
            value = generator.choice(other)
            put(value[1] if isinstance(other, Pairs) else value)
            # A part may have been put into itself.
            try:
                write_json(document)
            except RecursionError:
                put(None)
        else:
            put(generator.choice(EDGES))
    return write_json(document).encode("utf-8", "surrogatepass")


def changed_bytes(data: bytes, generator: random.Random, window: Optional[int] = None) -> bytes:
    """Some changes of bytes, all within the first `window`."""
    changed = bytearray(data)
    for _ in range(generator.choice([1, 1, 2, 3, 8])):
        end = min(len(changed), window or len(changed))
        if end == 0:
            break
        place = generator.randrange(end)
        length = min(generator.choice([1, 1, 2, 4, 16, 100, 1000]), len(changed) - place)
        change = generator.randrange(8)
        if change <= 2:
            changed[place] ^= 1 << generator.randrange(8)
        elif change == 3:
            del changed[place:]
        elif change == 4:
            del changed[place:place + length]
        elif change == 5:
            source = generator.randrange(len(changed))
            changed[place:place + length] = changed[source:source + length]
        elif change == 6:
            changed[place:place] = generator.choice(
                [generator.randbytes(length), b"\0" * length, b"\xff" * length, b"[" * length, bytes(data[:length])])
        else:
            changed[place:place + length] = generator.randbytes(length)
    return bytes(changed)


def changed_text(data: bytes, generator: random.Random) -> bytes:
    """A change of a text as such or of its structure."""
    if generator.random() < 0.25:
        return changed_bytes(data, generator)
    return changed_json(data, generator)


def changed_tensors(data: bytes, generator: random.Random) -> bytes:
    """A change of a safetensors file: of its header's structure, of its bytes, or of its values."""
    length = struct.unpack("<Q", data[:8])[0]
    header, values = data[8:8 + length], data[8 + length:]
    change = generator.randrange(6)
    if change <= 2:
        header = changed_json(header, generator)
        claimed = len(header) if generator.random() < 0.9 else generator.choice([0, 1, len(header) - 1, 2**40, 2**63])
        return struct.pack("<Q", claimed & 2**64 - 1) + header + values
    if change == 3:
        return changed_bytes(data, generator, 8 + length)
    if change == 4:
        return changed_bytes(data, generator)
    changed = bytearray(values)
    for _ in range(generator.choice([1, 3, 50])):
        place = generator.randrange(max(len(changed) - 8, 1))
        changed[place:place + 4] = struct.pack(
            "<f", generator.choice([float("nan"), float("inf"), float("-inf"), 3e38, -1e30, 1e-45, 0.0]))
    return data[:8 + length] + bytes(changed[:len(values)])


FRAGMENTS = [
    "{% for i in range(1000000000) %}x{% endfor %}", "{{ 'a' * 1000000000 }}", "{{ messages * 100000000 }}", "{%", "{{",
    "{#", "{% endfor %}", "{% if %}", "{{ messages[99].x.y }}", "{{ 10 ** 10000000 }}", "{{ 1 // 0 }}", "{{ 1 % 0 }}",
    "{{ -9223372036854775808 // -1 }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ ((((((((((1))))))))))}}",
    "{% set x = [[]] %}{{ x[0] }}", "{{ '%s' % x }}", "{{ messages | tojson(indent=1000000) }}", "{% break %}",
    "{{ cycler }}", "{{ ''.join(['a']*99999999) }}", "{% for a in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "{{ messages.__class__ }}", "{{ strftime_now('%Y') }}", "{% set ns.x = 1 %}", "{{ 'x'[::0] }}", "{{ 'x'[1:99999:3] }}",
    "{{ (" * 3000, "{% if 1 %}" * 3000, "\ud800", "\0", "{{ 'a' | replace('', 'b' * 10000) | replace('b', 'c' * 10000) }}",
    "{{ namespace(a=1) }}", "{{ [1, 2] | sum(start='a') }}", "{{ dict(a=1)['b'] }}", "{{ 9223372036854775807 + 1 }}",
    "{{ 1e400 }}", "{% raw %}", "{{ messages | map('upper') | list }}", "{{ 'a'.format(1) }}", "{{ '{0.__class__}'.format(1) }}",
]


def changed_template(data: bytes, generator: random.Random) -> bytes:
    if generator.random() < 0.5:
        return changed_bytes(data, generator)
    text = data.decode("utf-8", "replace")
    for _ in range(generator.choice([1, 1, 2, 3])):
        place = generator.randrange(len(text) + 1)
        text = text[:place] + generator.choice(FRAGMENTS) + text[place + generator.choice([0, 0, 1, 10, 40]):]
    return text.encode("utf-8", "surrogatepass")


@dataclass
class Target:
    """A file that is changed and the command that reads it."""

    name: str
    file: str
    change: Callable[[bytes, random.Random], bytes]
    command: List[str]
    # Copied from what was made at first, beside the model and the text.
    needs: List[str] = field(default_factory=list)
    outputs: Tuple[str, ...] = ()


ACTIVATIONS = ["activations", "--model", "model", "--text", "text.jsonl", "--layers", "0-1", "--tokens", "60",
               "--context", "32", "--output", "out.safetensors", "-q"]
TRAINING = ["--batch-tokens", "32", "--latents", "16", "--k", "2", "--steps", "2", "--threads", "1", "-q"]
TARGETS = [
    Target("config", "model/config.json", changed_text, ACTIVATIONS, outputs=("out.safetensors",)),
    Target("tokenizer", "model/tokenizer.json", changed_text, ACTIVATIONS, outputs=("out.safetensors",)),
    Target("tokenizer-config", "model/tokenizer_config.json", changed_text, ACTIVATIONS, outputs=("out.safetensors",)),
    Target("weights", "model/model.safetensors", changed_tensors, ACTIVATIONS, outputs=("out.safetensors",)),
    Target("shard", "shard.safetensors", changed_tensors,
           ["train", "c.sqlite", "--activations", "shard.safetensors", *TRAINING], ["shard.safetensors"], ("c.sqlite",)),
    Target("checkpoint", "run.sqlite.checkpoint", changed_tensors, ["train", "run.sqlite", "--resume", "-q"],
           ["shard.safetensors", "run.sqlite", "run.sqlite.checkpoint"], ("run.sqlite",)),
    Target("sweep", "sweep.json", changed_text, ["sweep", "c.sqlite", "--config", "sweep.json", "-q"], ["sweep.json"],
           ("c.sqlite",)),
    Target("template", "model/chat_template.jinja", changed_template,
           ["steer", "base.sqlite", "--model", "model", "--feature", "1", "--set", "2", "--chat", "--prompt", "the king",
            "--tokens", "1", "--no-save", "-q"], ["base.sqlite"], ("base.sqlite",)),
]


# ---- Running ---------------------------------------------------------------------------------------------------------


@dataclass
class Ending:
    """How a command ended."""

    status: int
    errors: str
    seconds: float
    asked: bool


def limited() -> None:
    """No mutant may take the machine's memory: what is refused in time does not."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(program: str, command: List[str], folder: Path) -> Ending:
    began = time.monotonic()
    process = subprocess.Popen(
        [program, *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={**os.environ, "SWIFT_BACKTRACE": "enable=no", "TMPDIR": str(folder / "tmp")}, preexec_fn=limited)
    asked = False
    try:
        _, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        # A mutant may well describe a long job.
        asked = True
        process.send_signal(signal.SIGTERM)
        try:
            _, errors = process.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
    return Ending(process.returncode, errors.decode("utf-8", "replace"), time.monotonic() - began, asked)


def listing(folder: Path) -> Dict[str, Tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*") if path.is_file()
    }


def complaint(target: Target, ending: Ending, before: Dict[str, Any], after: Dict[str, Any]) -> Optional[str]:
    """What is wrong with an ending, if anything is."""
    if ending.status < 0:
        return f"ended by signal {-ending.status}" + (" after SIGTERM" if ending.asked else "")
    if ending.status not in DOCUMENTED:
        return f"exit status {ending.status}"
    if ending.asked and ending.status != 75:
        return f"was asked to end and gave exit status {ending.status}"
    lines = [line for line in ending.errors.split("\n") if line.strip()]
    if ending.status not in (0, 75) and (len(lines) != 1 or len(lines[0]) > 1500):
        return f"{len(lines)} lines of error, {len(ending.errors)} characters"
    for name in sorted(set(before) | set(after)):
        if before.get(name) == after.get(name) or name.startswith(target.outputs):
            continue
        return f"wrote {name}"
    return None


class Workshop:
    """The whole files, and a folder for every worker."""

    def __init__(self, program: str, root: Path) -> None:
        self.program = program
        self.root = root
        self.whole = root / "whole"
        model = self.whole / "model"
        model.mkdir(parents=True)
        (model / "config.json").write_text(json.dumps(CONFIG))
        (model / "tokenizer.json").write_text(json.dumps(tokenizer()))
        (model / "tokenizer_config.json").write_text(json.dumps(
            {"bos_token": "<bos>", "eos_token": "<eos>", "add_bos_token": True,
             "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 128}))
        (model / "model.safetensors").write_bytes(weights(7))
        (model / "chat_template.jinja").write_text(TEMPLATE)
        generator = random.Random(3)
        words = "the king and in that there is no ending of the making".split()
        with open(self.whole / "text.jsonl", "w", encoding="utf-8") as text:
            for _ in range(12):
                text.write(json.dumps({"text": " ".join(generator.choices(words, k=20))}) + "\n")
        (self.whole / "sweep.json").write_text(json.dumps(SWEEP))
        (self.whole / "tmp").mkdir()
        self.make(["activations", "--model", "model", "--text", "text.jsonl", "--layers", "0-1", "--tokens", "200",
                   "--context", "32", "--output", "shard.safetensors", "-q"])
        self.make(["train", "base.sqlite", "--model", "model", "--text", "text.jsonl", "--context", "32", *TRAINING])
        self.checkpoint()

    def make(self, command: List[str]) -> None:
        ending = run(self.program, command, self.whole)
        if ending.status != 0:
            sys.exit(f"the whole files cannot be made: {' '.join(command)}: {ending.errors.strip()}")

    def checkpoint(self) -> None:
        """A checkpoint is what an interrupted job leaves."""
        command = [self.program, "train", "run.sqlite", "--activations", "shard.safetensors", "--batch-tokens", "32",
                   "--latents", "16", "--k", "2", "--steps", "4000", "--checkpoint-every", "5", "--threads", "1",
                   "-q"]
        process = subprocess.Popen(command, cwd=self.whole, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(6000):
            time.sleep(0.01)
            if (self.whole / "run.sqlite.checkpoint").exists() or process.poll() is not None:
                break
        process.send_signal(signal.SIGTERM)
        if process.wait(60) != 75:
            sys.exit("training could not be interrupted")

    def check(self, number: int, seed: int, only: Optional[str], keep: Optional[Path]) -> Tuple[str, str, Optional[str]]:
        """Makes one mutant and runs its command; gives the target's name, the exit status, and what is wrong."""
        generator = random.Random(f"{seed} {number}")
        targets = [target for target in TARGETS if only in (None, target.name)]
        target = targets[number % len(targets)]
        folder = self.root / f"worker-{os.getpid()}-{number}"
        folder.mkdir()
        try:
            shutil.copytree(self.whole / "model", folder / "model")
            (folder / "tmp").mkdir()
            for name in ["text.jsonl", *target.needs]:
                shutil.copy(self.whole / name, folder / name)
            path = folder / target.file
            path.write_bytes(target.change((self.whole / target.file).read_bytes(), generator))
            before = listing(folder)
            ending = run(self.program, target.command, folder)
            wrong = complaint(target, ending, before, listing(folder))
            if wrong and keep:
                kept = keep / f"{target.name}-{number}"
                kept.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, kept / path.name)
                (kept / "what").write_text(
                    f"{wrong}\nseed {seed}, mutant {number}\n{' '.join(target.command)}\n{ending.errors}")
            ended = "asked" if ending.asked else str(ending.status)
            line = f"{wrong}: {ending.errors.strip()[:300]}" if wrong else None
            return target.name, ended, line
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="mutants in all (default 10000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[target.name for target in TARGETS])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--program", default=str(REPOSITORY / ".build" / "release" / "routesae"))
    parser.add_argument("--keep", type=Path, help="folder for what fails")
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        sys.exit(f"{options.program}: no such program; build it first")
    counts: Counter[Tuple[str, str]] = Counter()
    failures: List[str] = []
    with tempfile.TemporaryDirectory(prefix="mutate-") as root:
        workshop = Workshop(str(Path(options.program).resolve()), Path(root))
        # Every whole file has to be read, or the mutants would say nothing.
        for target in TARGETS:
            folder = Path(root) / f"unchanged-{target.name}"
            shutil.copytree(workshop.whole, folder)
            ending = run(workshop.program, target.command, folder)
            if ending.status != 0:
                sys.exit(f"{target.name}: the unchanged file is not read: {ending.errors.strip()}")
            shutil.rmtree(folder)
        numbers = range(options.first, options.first + options.count)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for number, (name, ended, wrong) in zip(
                numbers,
                pool.map(lambda number: workshop.check(number, options.seed, options.only, options.keep), numbers),
            ):
                counts[(name, ended)] += 1
                if wrong:
                    failures.append(f"{name} {number}: {wrong}")
                    print(failures[-1], file=sys.stderr, flush=True)
    for name in [target.name for target in TARGETS]:
        found = {ended: count for (kind, ended), count in sorted(counts.items()) if kind == name}
        if found:
            print(f"{name:17}", " ".join(f"{ended}:{count}" for ended, count in found.items()))
    print(f"{options.count} mutants of seed {options.seed}, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
