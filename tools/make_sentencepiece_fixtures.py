#!/usr/bin/env python3
# Made with: tokenizers 0.23.3, sentencepiece 0.2.3, Python 3.11 (tools/requirements.txt).
"""Write small tokenizers of the SentencePiece kind with golden encodings of hostile text.

Each folder of Tests/Fixtures/sentencepiece holds a `tokenizer.json` and a `golden.json`, an object with

    prefix, suffix   the special tokens around a text
    cases            a list of objects with
      text           the text; of long ones `unit` and `times` instead, which repeat
      ids            the encoding without special tokens; of long ones `count` and `digest`, the
                     64-bit FNV-1a hash of the ids as 32-bit little-endian integers
      decoded        the decoding of `ids`, absent where it is the text
      skipped        the same without special tokens, absent where it is `decoded`

    llama-legacy     Prepend and Replace, no pre-tokenizer, byte_fallback, normalized special tokens
    llama-metaspace  Metaspace for the beginning only that does not split
    mistral          as llama-legacy, special tokens not normalized, control tokens
    gemma            Replace, Split behind spaces, added tokens that are runs of white space
    phi3             as llama-legacy, added tokens with rstrip
    t5               Unigram, Precompiled, Metaspace, </s> behind the text
    unigram-bytes    Unigram with byte_fallback over whole texts
    nfkc-lowercase   BPE of characters, NFKC, Lowercase and Strip, unknown tokens that are not fused
    byte-normalizer  BPE whose normalizer is ByteLevel
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import random
import sys
import unicodedata
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from make_tokenizer_fixtures import CODE, PROSE

SPACE = "\u2581"
CORPUS = (PROSE + CODE) * 2 + PROSE[:4] * 3
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
LLAMA_DECODER = [
    {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
    {"type": "Strip", "content": " ", "start": 1, "stop": 0},
]
SPACE_REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
LEGACY = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": SPACE}, SPACE_REPLACE]}


def pair_model(size: int, byte_fallback: bool, split: bool = True, **settings: Any) -> Dict[str, Any]:
    """Train a BPE over characters; return its entry `model`."""
    trained = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=byte_fallback))
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=split)
    special = ["<unk>", "<s>", "</s>"] + (BYTES if byte_fallback else [])
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=size + len(special), special_tokens=special, show_progress=False, limit_alphabet=180))
    model = json.loads(trained.to_str())["model"]
    return {**model, "fuse_unk": True, **settings}


def added(content: str, identifier: int, special: bool = True, normalized: bool = False, **flags: bool) -> Dict[str, Any]:
    """An entry of `added_tokens`."""
    return {"id": identifier, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": normalized, "special": special, **flags}


def template(before: List[Tuple[str, int]], behind: List[Tuple[str, int]]) -> Dict[str, Any]:
    """A post-processor that puts tokens around a text."""
    def parts(tokens: List[Tuple[str, int]]) -> List[Dict[str, Any]]:
        return [{"SpecialToken": {"id": name, "type_id": 0}} for name, _ in tokens]
    text = [{"Sequence": {"id": "A", "type_id": 0}}]
    single = parts(before) + text + parts(behind)
    return {"type": "TemplateProcessing", "single": single, "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {name: {"id": name, "ids": [number], "tokens": [name]} for name, number in before + behind}}


def layout(model: Dict[str, Any], tokens: List[Dict[str, Any]], normalizer: Any, pre_tokenizer: Any, decoder: Any,
           processor: Any) -> Dict[str, Any]:
    """A whole tokenizer.json."""
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer, "post_processor": processor, "decoder": decoder, "model": model}


def sequence(parts: List[Dict[str, Any]]) -> Dict[str, Any]:
    """A decoder of several steps."""
    return {"type": "Sequence", "decoders": parts}


def llama(normalized: bool, more: List[Tuple[str, Dict[str, bool]]], metaspace: bool = False) -> Dict[str, Any]:
    """Llama 2 and its relatives."""
    model = pair_model(420, True)
    size = len(model["vocab"])
    tokens = [added(name, number, normalized=normalized) for number, name in enumerate(["<unk>", "<s>", "</s>"])]
    tokens += [added(name, size + number, **flags) for number, (name, flags) in enumerate(more)]
    pre = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "first", "split": False} if metaspace else None
    return layout(model, tokens, None if metaspace else LEGACY, pre, sequence(LLAMA_DECODER), template([("<s>", 1)], []))


def gemma() -> Dict[str, Any]:
    """Gemma, with the white space among its added tokens."""
    model = pair_model(420, True, split=False)
    size = len(model["vocab"])
    names = ["<start_of_turn>", "<end_of_turn>"]
    runs = ["\n" * count for count in range(1, 9)] + [SPACE * count for count in range(2, 9)] + ["\t" * count for count in range(1, 5)]
    runs += ["<table>", "</table>", "<h1>"]
    tokens = [added(name, number) for number, name in enumerate(["<unk>", "<s>", "</s>"])]
    number = size
    for name in names + runs:
        if name in model["vocab"]:
            tokens.append(added(name, model["vocab"][name], special=False))
        else:
            tokens.append(added(name, number, special=name in names))
            number += 1
    pre = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    return layout(model, sorted(tokens, key=lambda token: token["id"]), SPACE_REPLACE, pre, sequence(LLAMA_DECODER[:3]), template([("<s>", 1)], []))


def fields(message: bytes) -> Iterator[Tuple[int, Any]]:
    """The fields of a protocol buffer."""
    place = 0

    def number() -> int:
        nonlocal place
        result = shift = 0
        while True:
            byte = message[place]
            place += 1
            result |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return result
    while place < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
            continue
        size = {1: 8, 2: None, 5: 4}[key & 7]
        size = number() if size is None else size
        yield key >> 3, message[place:place + size]
        place += size


def rules() -> str:
    """A normalization table: NFKC of some blocks, and of letters with an accent behind them."""
    lines = {}
    for block in [range(0xA0, 0x250), range(0x1E00, 0x1F00), range(0x2000, 0x2190), range(0x2460, 0x24FF), range(0x3000, 0x3100),
                  range(0xFB00, 0xFB07), range(0xFE10, 0xFE70), range(0xFF00, 0xFFF0)]:
        for code in block:
            source, target = chr(code), unicodedata.normalize("NFKC", chr(code))
            if source != target:
                lines[source] = target
            apart = unicodedata.normalize("NFD", source)
            if len(apart) == 2:
                lines[apart] = unicodedata.normalize("NFKC", source)
    lines.update({"\t": " ", "\n": " ", "\r": " ", "\r\n": " ", "\u200b": " ", "\u00ad": "", "\u0001": ""})
    def numbers(text: str) -> str:
        return " ".join(f"{ord(character):X}" for character in text)
    return "".join(f"{numbers(source)}\t{numbers(target)}\n" for source, target in sorted(lines.items()))


def unigram(byte_fallback: bool, rule: str | None, work: Path, size: int = 400) -> Tuple[Dict[str, Any], bytes]:
    """Train a unigram model; return its entry `model` and its map of characters."""
    options: Dict[str, Any] = {}
    if rule is None:
        table = work / "rules.tsv"
        table.write_text(rules(), encoding="utf-8")
        options["normalization_rule_tsv"] = str(table)
    else:
        options["normalization_rule_name"] = rule
    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in CORPUS for line in text.split("\n") if line]), model_writer=stream,
        vocab_size=size + (256 if byte_fallback else 0), byte_fallback=byte_fallback, character_coverage=0.985, minloglevel=2,
        hard_vocab_limit=False, model_type="unigram", num_threads=1, remove_extra_whitespaces=False, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        **options)
    vocabulary: List[Tuple[str, float]] = []
    charsmap = b""
    for field, value in fields(stream.getvalue()):
        if field == 1:
            piece = dict(fields(value))
            score = memoryview(piece.get(2, b"\0\0\0\0")).cast("f")[0]
            vocabulary.append((piece[1].decode(), score))
        elif field == 3:
            charsmap = dict(fields(value)).get(2, b"")
    return {"type": "Unigram", "unk_id": 2, "vocab": vocabulary, "byte_fallback": byte_fallback}, charsmap


def unigram_layout(byte_fallback: bool, rule: str | None, split: bool, work: Path) -> Dict[str, Any]:
    """T5 and XLM-R, and unigram models that fall back to bytes."""
    model, charsmap = unigram(byte_fallback, rule, work)
    size = len(model["vocab"])
    tokens = [added("<pad>", 0), added("</s>", 1), added("<unk>", 2)]
    tokens += [added(f"<extra_id_{number}>", size + number, lstrip=number == 1, rstrip=number == 2) for number in range(3)]
    tokens += [added("Word", size + 3, special=False, normalized=True, single_word=True), added("\uFB01x", size + 4, special=False, normalized=True)]
    normalizer = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()} if charsmap else None
    space = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": split}
    decoder = sequence(LLAMA_DECODER) if byte_fallback else {**space, "add_prefix_space": True}
    return layout(model, tokens, normalizer, space, decoder, template([], [("</s>", 1)]))


def nfkc_lowercase() -> Dict[str, Any]:
    """A BPE of characters without a fallback."""
    model = pair_model(300, False, fuse_unk=False)
    tokens = [added(name, number) for number, name in enumerate(["<unk>", "<s>", "</s>"])]
    tokens += [added("Straße", len(model["vocab"]), special=False, normalized=True), added("ﬁn", len(model["vocab"]) + 1, special=False, normalized=True, lstrip=True)]
    normalizer = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Strip", "strip_left": True, "strip_right": True}]}
    space = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}
    return layout(model, tokens, normalizer, space, {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "never", "split": True},
                  {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": True, "add_prefix_space": False})


def byte_normalizer() -> Dict[str, Any]:
    """Bytes written as characters by the normalizer."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=420, show_progress=False, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    model = json.loads(trained.to_str())["model"]
    size = len(model["vocab"])
    return layout({**model, "ignore_merges": True}, [added("<|end|>", size), added("é!", size + 1, special=False, normalized=True)], {"type": "ByteLevel"}, None,
                  {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, None)


def fixtures(work: Path) -> Dict[str, Callable[[], Dict[str, Any]]]:
    """All tokenizers by name."""
    control = [(name, {}) for name in ["[INST]", "[/INST]", "[TOOL_CALLS]"]]
    chat = [(name, {"rstrip": True}) for name in ["<|system|>", "<|user|>", "<|end|>"]] + [("<|assistant|>", {"lstrip": True})]
    return {
        "llama-legacy": lambda: llama(True, []), "llama-metaspace": lambda: llama(False, [("<|x|>", {})], metaspace=True),
        "mistral": lambda: llama(False, control), "gemma": gemma, "phi3": lambda: llama(False, chat),
        "t5": lambda: unigram_layout(False, None, True, work), "unigram-bytes": lambda: unigram_layout(True, "identity", False, work),
        "nfkc-lowercase": nfkc_lowercase, "byte-normalizer": byte_normalizer,
    }


def texts(names: List[str], rng: random.Random) -> List[str]:
    """Hostile text."""
    fixed = [
        "", "a", " ", "  ", "   ", " " * 17, "\n", "\r\n", "\t", "\0", "a\0b\0\0c", "\ufffd a\ufffdb", "  leading", "trailing  ", "a b  c   d    e", "\ta\t\tb \t c",
        "a\r\nb\r\n\r\nc\r\rd\n\r \r\n", "\n\n\n\n\n\n\n\n\n\n\n\n", SPACE, f"{SPACE}{SPACE} {SPACE}a {SPACE}", f"a{SPACE}b", "a\u00a0b\u2003c\u3000d\u2028e\u0085f",
        "e\u0301 e\u0301\u0323 \u0301 \u0301\u0302a 1\u0301", "\u212b \u2126 \ufb01x \ufb01 \u1e9b\u0323 \u00bd \u2460 \uff21\uff42", "\u1100\u1161\u11a8 \uac00\u11a8 \ud55c\uae00 \uffa1",
        "👩‍👩‍👧‍👦 👍🏽 🇩🇪🇫🇷 🏳️‍🌈 1️⃣ ❤️", "\U00020000\U0002a6d6 \U0001d400 \U00010348 \U000e0061 \U0010ffff \uffff", "漢字仮名交じり文、「引用」。", "ภาษาไทย น้ำ", "क्षत्रिय श्री ज़ \u0958",
        "السَّلَامُ عَلَيْكُمْ ﷺ", "İstanbul ΑΣ ẞ ǅ Ꭰ", "<0x0A> <0x41> <0xE2><0x96><0x81>", "<unk> <s></s>", "<s>", "Word Words Word. aWord Word", "Straße STRASSE strasse", "x\u200dy\u200bz\u00ad\ufeff",
        "it's I'm don't 1234567890 3.14", "__init__(self, **kw): # \\n\n\treturn {}\n", "a\u0001\u001f\u007f\u009f", "\ue000\U000f0000 ʘǃ 𒀀", "ŐŰ ő ű Ż ż q\u0307\u0323", "é! e\u0301!",
    ] + PROSE + CODE
    for name in names:
        fixed += [name, f" {name} ", f"a{name}b", f"a {name}  b{name}{name} c", name[:-1], name + " ", f"{SPACE}{name}{SPACE}", f"\n{name}\n\n{name}\t"]
    soup = list(" \t\n'.,-_()aAbBsStTeE019éß中あ한😀\u0301\u0323\u00a0\u3000½ﬁＡ\u200d\u1100\u1161\0") + ["  ", "\r\n", SPACE, "the", "God", "<0x0A>"] + names
    for _ in range(70):
        fixed.append("".join(rng.choice(soup) for _ in range(rng.randint(1, 30))))
    for _ in range(25):
        codes = [rng.choice([rng.randrange(0x20, 0x300), rng.randrange(0x300, 0x3100), rng.randrange(0xE000, 0x10000), rng.randrange(0x10000, 0x110000)]) for _ in range(rng.randint(1, 12))]
        fixed.append("".join(map(chr, codes)))
    return fixed


LONG = [("a", 100_000), ("ab", 50_000), (" ", 100_000), ("\n", 100_000), ("the ", 25_000), ("天地", 17_000), ("\U0001f600", 25_000), ("e\u0301", 33_000), ("\0", 100_000),
        ("In the beginning God created the heaven and the earth.", 2_000)]


def digest(ids: List[int]) -> str:
    """The hash of a list of ids."""
    result = 0xCBF29CE484222325
    for byte in b"".join(number.to_bytes(4, "little") for number in ids):
        result = (result ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{result:016x}"


def main() -> None:
    """Write all fixtures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("Tests/Fixtures/sentencepiece"), help="output folder (default: %(default)s)")
    parser.add_argument("--only", help="make this one alone")
    arguments = parser.parse_args()
    for index, (name, build) in enumerate(fixtures(arguments.out).items()):
        if arguments.only not in (None, name):
            continue
        document = build()
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
        (folder / "tokenizer.json").write_text(text, encoding="utf-8")
        tokenizer = Tokenizer.from_str(text)
        around = tokenizer.encode("").ids
        middle = tokenizer.encode("a", add_special_tokens=False).ids
        whole = tokenizer.encode("a").ids
        before = next(place for place in range(len(whole) + 1) if whole[place:place + len(middle)] == middle)
        prefix, suffix = whole[:before], whole[before + len(middle):]
        assert prefix + suffix == around
        cases: List[Dict[str, Any]] = []
        names = [token["content"] for token in document["added_tokens"] if token["content"].strip("\n\t" + SPACE)]
        inputs = [(text, None, 1) for text in texts(names, random.Random(300 + index))] + [(unit * times, unit, times) for unit, times in LONG]
        for text, unit, times in inputs:
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            assert tokenizer.encode(text).ids == prefix + plain + suffix, text
            decoded = tokenizer.decode(plain, skip_special_tokens=False)
            skipped = tokenizer.decode(plain, skip_special_tokens=True)
            case: Dict[str, Any] = {"text": text, "ids": plain} if unit is None else {"unit": unit, "times": times, "count": len(plain), "digest": digest(plain)}
            if unit is None and decoded != text:
                case["decoded"] = decoded
            if unit is None and skipped != decoded:
                case["skipped"] = skipped
            cases.append(case)
        body = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in cases)
        (folder / "golden.json").write_text(f'{{"prefix":{json.dumps(prefix)},"suffix":{json.dumps(suffix)},"cases":[\n{body}\n]}}\n', encoding="utf-8")
        print(f"{name:16} {tokenizer.get_vocab_size()} tokens, {len(cases)} cases")
    (arguments.out / "rules.tsv").unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
