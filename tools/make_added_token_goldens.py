#!/usr/bin/env python3
# Made with: transformers 5.24.0, tokenizers 0.23.3, Python 3.11 (tools/requirements.txt, and transformers as given here).
"""Write what transformers makes of tokenizers whose files disagree about added tokens.

Each case of Tests/Fixtures/tokenizers/added-tokens.json is a folder: the tokenizer.json of another fixture (`base`), in
which some entries are replaced (`changes`), and the files beside it (`files`).  For every one of `texts` it holds the ids
with (`ids`) and without (`ids_plain`) special tokens.  `refused` is true where a file gives a new token an id other than
the one that transformers gives it: such folders contradict themselves.

The first cases are made by hand, the others at random from a seed.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

os.environ["TRANSFORMERS_VERBOSITY"] = "critical"

from transformers import AutoTokenizer

FIXTURES = Path("Tests/Fixtures/tokenizers")
TEXTS = [
    "<|im_start|>the king<|im_end|>", " a  <x> \t b<x>c", "xthe the <pad>the", "caf\u00e9 cafe\u0301 <caf\u00e9> <cafe\u0301>",
    "<|begin_of_text|> one <|end_of_text|>", "", "one two someone <x>one  <pad>  one",
]
NAMES = ["<|im_start|>", "<|im_end|>", "<x>", "<pad>", "the", "caf\u00e9", "<caf\u00e9>", "one", "<|begin_of_text|>", "<|end_of_text|>"]
FLAGS = ["lstrip", "rstrip", "single_word", "normalized"]
KEYS = ["bos_token", "eos_token", "unk_token", "pad_token", "image_token", "mask_token"]


def token(content: str, special: Optional[bool] = True, **flags: bool) -> Dict[str, Any]:
    """A description as tokenizer_config.json has it."""
    entry: Dict[str, Any] = {"content": content, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    entry.update(flags)
    if special is not None:
        entry["special"] = special
    return entry


def fixed(vocabulary: int) -> List[Dict[str, Any]]:
    """Cases made by hand, on the tokenizer `llama3`."""
    start, end = "<|begin_of_text|>", "<|end_of_text|>"
    decoder = {str(vocabulary): token("<|im_start|>"), str(vocabulary + 1): token("<|im_end|>")}
    template = {
        "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": start, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {start: {"id": start, "ids": [600], "tokens": [start]}, end: {"id": end, "ids": [601], "tokens": [end]}},
    }
    names = {"bos_token": start, "eos_token": end}

    def case(name: str, changes: Optional[Dict[str, Any]] = None, **files: Any) -> Dict[str, Any]:
        return {"name": name, "base": "llama3", "changes": changes or {}, "files": {key + ".json": value for key, value in files.items()}}

    return [
        case("nothing beside it"),
        case("tokens only in tokenizer_config", tokenizer_config={**names, "added_tokens_decoder": decoder}),
        case("tokens under ids that are not theirs", tokenizer_config={"added_tokens_decoder": {"700": token("<x>")}}),
        case("the ids of two tokens exchanged", tokenizer_config={"added_tokens_decoder": {str(vocabulary + 1): token("<x>"), str(vocabulary): token("<pad>")}}),
        case("flags overridden", tokenizer_config={"added_tokens_decoder": {"600": token(start, lstrip=True, rstrip=True)}}),
        case("a special token made a plain one", tokenizer_config={"added_tokens_decoder": {"600": token(start, False, rstrip=True, normalized=True)}}),
        case("added_tokens.json", added_tokens={"<x>": vocabulary, "<pad>": vocabulary + 1}),
        case("added_tokens.json and a name", added_tokens={"<x>": vocabulary, "<pad>": vocabulary + 1}, tokenizer_config={"pad_token": "<pad>"}),
        case("added_tokens.json beside added_tokens_decoder", added_tokens={"<x>": vocabulary}, tokenizer_config={"added_tokens_decoder": {}}),
        case("special_tokens_map", special_tokens_map={"pad_token": token("<pad>", None, lstrip=True), "bos_token": start}),
        case("special_tokens_map beside added_tokens_decoder", special_tokens_map={"pad_token": "<pad>"}, tokenizer_config={"added_tokens_decoder": decoder}),
        case("special_tokens_map before tokenizer_config", special_tokens_map={"pad_token": "<x>"}, tokenizer_config={"pad_token": "<pad>"}),
        case("a new pad token", tokenizer_config={"pad_token": "<pad>"}),
        case("an unknown token in the vocabulary", tokenizer_config={"unk_token": "the"}),
        case("further special tokens", tokenizer_config={"extra_special_tokens": ["<x>", "<pad>"]}),
        case("further special tokens by the older name", tokenizer_config={"additional_special_tokens": ["<x>", {"__type": "AddedToken", **token("<pad>", lstrip=True)}]}),
        case("further special tokens with keys", tokenizer_config={"extra_special_tokens": {"x_token": "<x>"}, "image_token": "<pad>"}),
        case("special tokens are split", tokenizer_config={**names, "split_special_tokens": True, "added_tokens_decoder": {str(vocabulary): token("<x>", False)}}),
        case("add_bos_token false", tokenizer_config={**names, "add_bos_token": False}),
        case("add_eos_token false", tokenizer_config={**names, "add_eos_token": False}),
        case("add_eos_token true", tokenizer_config={**names, "add_eos_token": True, "add_bos_token": True}),
        case("a template with an end", {"post_processor": template}, tokenizer_config={**names, "add_eos_token": False, "add_bos_token": False}),
        case("no post-processor", {"post_processor": None}, tokenizer_config={**names, "add_bos_token": True, "add_eos_token": True}),
        case("a beginning by another name", {"post_processor": template}, tokenizer_config={"bos_token": end}),
    ]


def drawn(number: int, sizes: Dict[str, int]) -> Dict[str, Any]:
    """A case from a seed."""
    rng = random.Random(number)
    base = rng.choice(["llama3", "qwen2"])
    size = sizes[base]

    def described(special: bool = True) -> Dict[str, Any]:
        return token(rng.choice(NAMES), rng.random() < 0.6 if special else None, **{flag: rng.random() < 0.4 for flag in FLAGS})

    def named() -> Any:
        return rng.choice(NAMES) if rng.random() < 0.7 else {"__type": "AddedToken", **described()}

    config: Dict[str, Any] = {}
    for key in rng.sample(KEYS, rng.randint(0, 3)):
        config[key] = named()
    if rng.random() < 0.6:
        entries, used = {}, set()
        for _ in range(rng.randint(0, 4)):
            entry = described()
            if entry["content"] in used:
                continue
            used.add(entry["content"])
            entries[entry["content"]] = entry
        # Mostly the ids that follow, as files that belong together have them.
        config["added_tokens_decoder"] = {str(size + place): entry for place, entry in enumerate(entries.values())}
    if rng.random() < 0.3:
        config[rng.choice(["extra_special_tokens", "additional_special_tokens"])] = [named() for _ in range(rng.randint(0, 3))]
    if rng.random() < 0.1:
        config["split_special_tokens"] = True
    for key in ("add_bos_token", "add_eos_token"):
        if rng.random() < 0.2:
            config[key] = rng.random() < 0.5
    files: Dict[str, Any] = {}
    if config or rng.random() < 0.5:
        files["tokenizer_config.json"] = config
    if rng.random() < 0.4:
        files["special_tokens_map.json"] = {key: rng.choice(NAMES) if rng.random() < 0.6 else described(False) for key in rng.sample(KEYS[:4], rng.randint(0, 3))}
    if rng.random() < 0.4:
        files["added_tokens.json"] = {name: size + place for place, name in enumerate(rng.sample(NAMES[:8], rng.randint(0, 3)))}
    return {"name": f"drawn {number}", "base": base, "changes": {}, "files": files}


def run(case: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """The case with what transformers makes of it; None where transformers refuses it."""
    layout = json.loads((FIXTURES / case["base"] / "tokenizer.json").read_text(encoding="utf-8"))
    layout.update(copy.deepcopy(case["changes"]))
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {"config.json": {"model_type": "llama"}, "tokenizer.json": layout, **case["files"]}.items():
            Path(folder, name).write_text(json.dumps(content), encoding="utf-8")
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder)
        except (TypeError, ValueError):
            return None
    known = {**layout["model"]["vocab"], **{entry["content"]: entry["id"] for entry in layout["added_tokens"]}}
    config = case["files"].get("tokenizer_config.json", {})
    if "added_tokens_decoder" in config:
        declared = {entry["content"]: int(key) for key, entry in config["added_tokens_decoder"].items()}
    else:
        declared = case["files"].get("added_tokens.json", {})
    ids = tokenizer.get_vocab()
    case["refused"] = any(content not in known and ids[content] != number for content, number in declared.items())
    if not case["refused"]:
        case["ids"] = [tokenizer(text)["input_ids"] for text in TEXTS]
        case["ids_plain"] = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
    return case


def main() -> None:
    """Write the cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FIXTURES / "added-tokens.json", help="where to write (default: %(default)s)")
    parser.add_argument("--count", type=int, default=60, help="cases at random (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: %(default)s)")
    arguments = parser.parse_args()
    sizes = {}
    for base in ("llama3", "qwen2"):
        layout = json.loads((FIXTURES / base / "tokenizer.json").read_text(encoding="utf-8"))
        sizes[base] = len(layout["model"]["vocab"]) + sum(entry["content"] not in layout["model"]["vocab"] for entry in layout["added_tokens"])
    made = fixed(sizes["llama3"]) + [drawn(number, sizes) for number in range(arguments.first, arguments.first + arguments.count)]
    cases = [case for case in map(run, made) if case is not None]
    body = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    arguments.out.write_text('{"texts": %s,\n"cases": [\n%s\n]}\n' % (json.dumps(TEXTS), body), encoding="utf-8")
    print(f"{len(made)} cases, {len(made) - len(cases)} that transformers refuses, {sum(case['refused'] for case in cases)} contradictions")


if __name__ == "__main__":
    main()
