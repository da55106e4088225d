#!/usr/bin/env python3
# Made with: tokenizers 0.23.3, Python 3.11 (tools/requirements.txt).
"""Write the pieces into which every form of `pre_tokenizer` splits hostile texts.

Tests/Fixtures/tokenizers/splits.json holds

    texts   the texts
    forms   a list of objects with
            name           the tokenizers that use the form, or what it is about
            pre_tokenizer  the entry of a tokenizer.json
            pieces         for each text its pieces; behind ByteLevel a character stands for each byte
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Dict, List

from tokenizers import Tokenizer, models

from make_tokenizer_fixtures import CL100K, CODE, LLAMA3, PROSE, QWEN2, TEKKEN

Json = Dict[str, Any]

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PUNCTUATION_AND_SPACES = r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + CONTRACTIONS
    + r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + CONTRACTIONS
    + PUNCTUATION_AND_SPACES
)
KIMI = (
    r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
    + CONTRACTIONS
    + r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
    + CONTRACTIONS + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
DEEPSEEK_WORDS = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK_LETTERS = (
    r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1F7Dᾀ-ᾴᾶ-ᾼ\u1FBEῂ-ῄῆ-ῌῐ-\u1FD3ῖ-\u1FDBῠ-Ῥ"
    r"ῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212A-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"
)

TEXTS = [
    "", "a", " ", "  ", "\n", "▁", " a", "a ", "  a  b  ", "a▁b ▁c▁▁d", "_a__b_ c",
    "I'll we've DON'T it'S 'ſ ''s", "x=12345678; y = 0.5e-10", "HTTPServer iPhone camelCase ABCdef's",
    "a\r\n\r\n b\n \n\tc \u00a0d\u3000e\u2028f\u0085g", "...!!! ?a-b_c (d) [e] {f} $g+h=i ^j `k` ~l|m<n>",
    "½ ² ٣٤ Ⅷ 1٣½x ² ò¹²³¼ Â²", "中文。你好,世界!123 あいうカタカナー 한국어 ไทย", "a\u0301e\u0301 \u0301x A\u0301B \u0295a A\u0295",
    "😀👍🏽 👩‍👩‍👧 🇩🇪 ❤️ 1️⃣", "\u166d\U000111c9x\u2e5d\u1b4e \u200d\u200cb\ufeff\ufffd\U0001ccf3\U00011de0",
    "İı K ß ẞ ﬁ ǅ ʰ ª", "\u0000\u0007\u001b\u007f\u0080", "a.b,c!d?e…f。g，h、i।j۔k،l|m(n)o", "12 345 6789 01234 567890",
]
TEXTS += [text[:90] for text in PROSE[4:16]] + [text[:100] for text in CODE[1:4]]


def split(pattern: str, behavior: str = "Isolated", invert: bool = False, kind: str = "Regex") -> Json:
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(*parts: Json) -> Json:
    return {"type": "Sequence", "pretokenizers": list(parts)}


def byte_level(prefix: bool = False, regex: bool = False) -> Json:
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def digits(individual: bool) -> Json:
    return {"type": "Digits", "individual_digits": individual}


def metaspace(scheme: str, parts: bool = True, character: str = "▁") -> Json:
    return {"type": "Metaspace", "replacement": character, "prepend_scheme": scheme, "split": parts}


def punctuation(behavior: str) -> Json:
    return {"type": "Punctuation", "behavior": behavior}


BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
WHITESPACE_SPLIT: Json = {"type": "WhitespaceSplit"}

FORMS: Dict[str, Any] = {
    "Llama 2, Gemma 3: none": None,
    "GPT-2, GPT-NeoX, Pythia, OLMo 1, MPT": byte_level(regex=True),
    "RoBERTa": byte_level(prefix=True, regex=True),
    "Llama 3": sequence(split(LLAMA3), byte_level()),
    "cl100k, OLMo 2, Phi 4": sequence(split(CL100K, "Removed", True), byte_level()),
    "Qwen 2 and 3": sequence(split(QWEN2), byte_level()),
    "o200k, Llama 4": sequence(split(O200K), byte_level()),
    "Tekken": sequence(split(TEKKEN), byte_level()),
    "Kimi K2": sequence(split(KIMI), byte_level()),
    "DeepSeek V3": sequence(
        split(r"\p{N}{1,3}"), split("[一-龥\u3040-ゟ゠-ヿ]+"), split(DEEPSEEK_WORDS), byte_level()),
    "DeepSeek V2, coder": sequence(
        split("[\r\n]"), split(DEEPSEEK_LETTERS), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"),
        split("[一-龥ࠀ-一가-퟿]+"), digits(True), byte_level()),
    "StarCoder, SmolLM": sequence(digits(True), byte_level(regex=True)),
    "Falcon": sequence(punctuation("Contiguous"), byte_level(regex=True), digits(False), split("[0-9][0-9][0-9]")),
    "BLOOM": sequence(split(BLOOM), byte_level()),
    "Gemma 2": split(" ", "MergedWithPrevious", kind="String"),
    "T5, XLM-R, older": sequence(WHITESPACE_SPLIT, {
        "type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": True}),
    "Metaspace always": metaspace("always"),
    "Metaspace first": metaspace("first"),
    "Metaspace never": metaspace("never"),
    "Metaspace without a split": metaspace("first", False),
    "Metaspace with another character": metaspace("always", character="_"),
    "Metaspace behind a split": sequence(WHITESPACE_SPLIT, metaspace("first")),
    "Metaspace twice": sequence(metaspace("always", False, "_"), split("_", kind="String"), metaspace("first")),
    "BERT": {"type": "BertPreTokenizer"},
    "Whitespace": {"type": "Whitespace"},
    "CharDelimiterSplit": {"type": "CharDelimiterSplit", "delimiter": "▁"},
    "FixedLength": {"type": "FixedLength", "length": 3},
    "ByteLevel twice": sequence(byte_level(), byte_level(prefix=True, regex=True)),
    "Steps behind ByteLevel": sequence(byte_level(regex=True), digits(True), {"type": "Whitespace"}),
    "Empty matches": split("a*"),
    "Empty matches, contiguous": split("a*", "Contiguous", True),
    "Empty text": split("", kind="String"),
    "Numbers from the right": split(r"\d{1,3}(?=(?:\d{3})*\b)"),
    "Lines": split(r"(?<=\n)(?=\S)|^\s+|\s+$", "MergedWithNext"),
    "GPT-2, known, merged": split(CL100K, "MergedWithPrevious"),
}
for behavior in BEHAVIORS:
    FORMS[f"Punctuation {behavior}"] = punctuation(behavior)
    for inverted in (False, True):
        FORMS[f"Split {behavior} {inverted}"] = split(r"\s+|[aeiou]", behavior, inverted)


def pieces(form: Json, texts: List[str]) -> List[List[str]]:
    document = json.loads(Tokenizer(models.BPE()).to_str())
    document["pre_tokenizer"] = form
    splitter = Tokenizer.from_str(json.dumps(document)).pre_tokenizer
    if splitter is None:
        return [[text] if text else [] for text in texts]
    return [[piece for piece, _ in splitter.pre_tokenize_str(text)] for text in texts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "tokenizers"
    parser.add_argument("--output", type=Path, default=folder / "splits.json", help="the file to write")
    arguments = parser.parse_args()

    forms = [{"name": name, "pre_tokenizer": form, "pieces": pieces(form, TEXTS)} for name, form in FORMS.items()]
    lines = ",\n".join(json.dumps(form, ensure_ascii=False, separators=(",", ":")) for form in forms)
    texts = json.dumps(TEXTS, ensure_ascii=False)
    # Some readers drop a byte order mark at the beginning of a string.
    document = f'{{"texts":{texts},\n"forms":[\n{lines}\n]}}\n'.replace("\ufeff", "\\ufeff")
    arguments.output.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main()
