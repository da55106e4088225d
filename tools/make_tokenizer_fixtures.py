#!/usr/bin/env python3
# Made with: tokenizers 0.23.3, Python 3.11, Unicode 14 of its unicodedata (tools/requirements.txt).
"""Write small byte-level BPE tokenizers with golden encodings of hostile text.

Each folder of Tests/Fixtures/tokenizers holds a `tokenizer.json` and a
`golden.json`, a list of objects with

    name          what the case is about
    bytes_base64  the input bytes; the text is their UTF-8 decoding, in which
                  each maximal ill-formed part becomes U+FFFD
    ids           the encoding with special tokens added
    ids_plain     the encoding without
    decoded       the decoding of ids_plain, special tokens kept
    split_bytes   the lengths in UTF-8 bytes of the pieces that the pre-tokenizer cuts the
                  (normalised) text into; absent where the text holds an added token

    llama3   the split rule of Llama 3, ByteLevel without its own rule, a beginning-of-text
             token by template, ignore_merges, merges as pairs
    gpt2     ByteLevel with its built-in rule (the key use_regex is absent, as in older files),
             merges as "a b" strings, <|endoftext|>
    cl100k   the split rule of cl100k (possessive quantifiers), merges as pairs
    tekken   the split rule of Mistral's Tekken; only the shorter cases
    qwen2    NFC, the split rule of Qwen 2 (single numbers), several special tokens and two added
             tokens that are not special, no beginning token, merges as "a b" strings
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sys
import unicodedata
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
    r"|\s*[\r\n]|\s+(?!\S)|\s+"
)
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

PROSE = [
    "In the beginning God created the heaven and the earth.",
    "We'll see; they're sure it's what he'd said, and I'm told you've known. Don't!",
    "ABSURDITY, n.  A statement or belief manifestly inconsistent with one's own opinion.",
    "The quick brown fox jumps over the lazy dog 1234567890 times; 3.14159 is about pi, 10,000,000 is ten million.",
    "L'été, à la plage, où l'on s'amuse; les élèves ont dîné. Ça va? Oui, très bien, naïveté et cœur.",
    "Größe, Straße, Übermut und Äpfel: Fünf Öfen. Der Müller heißt Jürgen.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. В начале сотворил Бог небо и землю.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Ἐν ἀρχῇ ἐποίησεν ὁ Θεὸς τὸν οὐρανὸν καὶ τὴν γῆν.",
    "في البدء خلق الله السموات والأرض. مرحبا بالعالم، كيف حالك؟",
    "בראשית ברא אלהים את השמים ואת הארץ. שלום עולם",
    "आदि में परमेश्वर ने आकाश और पृथ्वी की सृष्टि की। नमस्ते दुनिया",
    "起初,神创造天地。今天天气很好,我们去公园散步吧。你好,世界!",
    "はじめに神は天と地とを創造された。こんにちは、世界。カタカナもある。",
    "태초에 하나님이 천지를 창조하시니라. 안녕하세요 세계, 반갑습니다.",
    "ในปฐมกาลพระเจ้าทรงเนรมิตสร้างฟ้าและแผ่นดิน สวัสดีชาวโลก",
    "Ba mươi tư con gà trống, đường về nhà Việt Nam.",
    "😀 😃 😄 👍🏽 👩‍👩‍👧‍👦 🇩🇪🇫🇷 🏳️‍🌈 ❤️ ☃ ✈️ 1️⃣",
]
CODE = [
    "SELECT a.id, COUNT(*) AS n FROM t1 AS a LEFT JOIN t2 ON t2.id=a.id WHERE a.x>=10 GROUP BY 1 ORDER BY n DESC;",
    "int main(int argc, char **argv){\n  for(int i=0; i<argc; i++){\n\tprintf(\"%d: %s\\n\", i, argv[i]);\n  }\n  return 0;\n}\n",
    "def f(x: int) -> int:\n    \"\"\"Doc.\"\"\"\n    return x**2 if x > 0 else -x  # comment\n\n\nprint(f(3))\n",
    "func add(_ a: Int, _ b: Int) -> Int { a &+ b }\nlet s = \"\\u{1F600}\"; guard let x = y?.z else { return }\n",
    "<html><body class=\"x\">&nbsp;&amp;</body></html>\r\n<!-- --><br/>\r\n",
    "{\"a\": [1, 2.5e-10, null, true], \"b\": {\"c\": \"\\u00e9\"}}",
    "https://example.org/a/b?c=d&e=f#g  user@example.org  C:\\dir\\file.txt  ./a/../b  ~/.x",
    "x+=1;y--;z!=w&&a||b;c<<=2;d>>>3;e===f;g=>h;i->j;k::l;m..n;o...p",
]


class Fixture(NamedTuple):
    """A tokenizer to make."""

    pattern: Optional[str]
    merges_as_strings: bool
    ignore_merges: bool
    nfc: bool
    bos: Optional[str]
    special: Tuple[str, ...]
    added: Tuple[str, ...]


FIXTURES: Dict[str, Fixture] = {
    "llama3": Fixture(LLAMA3, False, True, False, "<|begin_of_text|>", (
        "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
    ), ()),
    "gpt2": Fixture(None, True, False, False, None, ("<|endoftext|>",), ()),
    "cl100k": Fixture(CL100K, False, False, False, None, ("<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|endofprompt|>"), ()),
    "qwen2": Fixture(QWEN2, True, False, True, None, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), ("<tool_call>", "</tool_call>")),
    "tekken": Fixture(TEKKEN, False, False, False, "<s>", ("<s>", "</s>", "[INST]", "[/INST]"), ()),
}


def build(fixture: Fixture, size: int) -> Tuple[Tokenizer, str]:
    """Train the tokenizer; return it with the text of its tokenizer.json."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=fixture.ignore_merges))
    if fixture.nfc:
        tokenizer.normalizer = normalizers.NFC()
    if fixture.pattern is None:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(fixture.pattern), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ])
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, show_progress=False, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    # English counts double, so that whole words are learnt beside parts of characters.
    tokenizer.train_from_iterator((PROSE + CODE) * 3 + PROSE[:4] * 3 + CODE * 2, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in fixture.special])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in fixture.added])
    if fixture.bos is not None:
        bos = tokenizer.token_to_id(fixture.bos)
        tokenizer.post_processor = processors.Sequence([
            processors.ByteLevel(add_prefix_space=True, trim_offsets=False, use_regex=True),
            processors.TemplateProcessing(
                single=f"{fixture.bos} $A", pair=f"{fixture.bos} $A {fixture.bos}:1 $B:1", special_tokens=[(fixture.bos, bos)],
            ),
        ])
    else:
        tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=fixture.pattern is None)
    layout = json.loads(tokenizer.to_str())
    merges = [m if isinstance(m, list) else m.split(" ") for m in layout["model"]["merges"]]
    layout["model"]["merges"] = [" ".join(m) for m in merges] if fixture.merges_as_strings else merges
    if fixture.pattern is None:  # as in older files, which lack these keys
        for key in ("ignore_merges", "byte_fallback"):
            layout["model"].pop(key)
        for part in ("pre_tokenizer", "decoder", "post_processor"):
            layout[part].pop("use_regex")
    text = json.dumps(layout, indent=1, ensure_ascii=False) + "\n"
    return Tokenizer.from_str(text), text


Case = Tuple[str, bytes]


def category_cases() -> List[Case]:
    """For every general category: characters of it alone, in words, and between blanks."""
    by_category: Dict[str, List[str]] = {}
    for code in range(sys.maxunicode + 1):
        if 0xD800 <= code < 0xE000:
            continue
        by_category.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    rng = random.Random(5)
    cases = []
    for category, members in sorted(by_category.items()):
        # Unassigned characters of this Unicode version may be letters in a later one.
        if category == "Cn":
            members = ["\ufdd0", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"]
        picked = sorted(rng.sample(members, min(8, len(members))))
        cases.append((f"category {category}: run", "".join(picked).encode()))
        cases.append((f"category {category}: mixed", " ".join(f"a{c}1 {c}b{c}" for c in picked).encode()))
    return cases


def fixed_cases(fixture: Fixture) -> List[Case]:
    """Hand-made hostile text."""
    texts: List[Tuple[str, str]] = [
        ("empty", ""), ("one letter", "a"), ("one blank", " "), ("two blanks", "  "), ("newline", "\n"), ("crlf", "\r\n"), ("nul", "\0"),
        ("nul inside", "a\0b\0\0c \0 d"), ("controls", "".join(map(chr, range(32))) + "\x7f"), ("c1 controls", "".join(map(chr, range(128, 160)))),
        ("printable ascii", "".join(map(chr, range(32, 127)))), ("latin-1", "".join(map(chr, range(160, 256)))),
        ("leading blanks", "   leading"), ("trailing blanks", "trailing   "), ("both", "  both  sides  "), ("blanks inside", "a b  c   d    e     f"),
        ("tabs", "\ta\t\tb\t c \t d\t"), ("tab blank tab", "x \t \t y"), ("newlines and blanks", "a\n b\n\n  c\n\n\n   d \n e  \n"),
        ("crlf runs", "a\r\nb\r\n\r\nc\r\r\nd\n\re\r\n \r\n f"), ("punctuation then newlines", "end.\n\nnext!\r\n\r\nmore...\n \n;;\n"),
        ("blank then newlines", " \n \n\n  \n\t\n\r"), ("only newlines", "\n\n\n\n"), ("only tabs", "\t\t\t\t"), ("only blanks", " " * 37),
        ("blanks before newline", "x   \n   y"), ("newline then blanks", "x\n    y\n\tz"), ("indentation", "if x:\n        y\n\t\tz\n"),
        ("nbsp", "a\u00a0b \u00a0c\u00a0 d\u00a0\u00a0e"), ("nel", "a\u0085b \u0085 c\u0085\u0085d"), ("em space", "a\u2003b \u2003c\u2003 d"),
        ("ideographic space", "a\u3000b \u3000c\u3000\u3000d\u3000"), ("zero width space", "a\u200bb \u200b c\u200b\u200b"),
        ("line separators", "a\u2028b\u2029c \u2028 \u2029"), ("ogham and thin spaces", "a\u1680b\u2009c\u202fd\u205fe"),
        ("vertical tab, form feed", "a\x0bb\x0cc \x0b \x0c d\x1c\x1d\x1e\x1fe"), ("bom", "\ufeffabc\ufeff"), ("word joiner", "a\u2060b\u180ec"),
        ("mixed white space", " \t\n\u00a0\u2003\r\n\u3000 \u0085x\u2003\n\u00a0\n"), ("white space at the end", "word \u00a0\u2003"),
        ("contractions", "I'm you're he's it'd we'll they've don't"), ("contractions upper", "I'M YOU'RE HE'S IT'D WE'LL THEY'VE DON'T"),
        ("contractions mixed", "x'S x'Ll x'lL x'Re x'rE x'Ve x'D x'T x'M"), ("contractions long s", "x'\u017f x'\u017fx 'LL\u017f \u017f'\u017f"),
        ("contractions kelvin", "x'\u212a \u212a's x'\u0130 x'\u0131"), ("curly apostrophe", "don\u2019t it\u2019s we\u2019ll"),
        ("apostrophes", "'' ''' 's's's 'sa 'tt 'll'll 'lll ' s ' d"), ("apostrophe alone", "'"), ("apostrophe start", "'tis 'twas 'em"),
        ("apostrophe digits", "90's '90s 5'd 6'll"), ("apostrophe newline", "a'\ns '\r\nt"), ("quote word", "\"'s\" ('ll) ['re]"),
        ("digits", "1 12 123 1234 12345 123456 1234567"), ("digits and letters", "a1b22c333d4444 1a 22b"), ("digits spaced", " 1  12   123"),
        ("arabic digits", "\u0661\u0662\u0663\u0664\u0665 \u06f1\u06f2\u06f3\u06f4"), ("devanagari digits", "\u0967\u0968\u0969\u096a\u096b"),
        ("fullwidth digits", "\uff11\uff12\uff13\uff14 \uff21\uff22"), ("thai digits", "\u0e51\u0e52\u0e53\u0e54"),
        ("fractions", "\u00bd \u00be1\u00bd 3\u00bd4 \u2153\u2154"), ("roman numerals", "\u2167 \u2160\u2161\u2162\u2163 x\u2179y"),
        ("superscripts", "x\u00b2 y\u00b3\u00b9 10\u2076 \u2080\u2081\u2082\u2083"), ("circled", "\u2460\u2461\u2462\u2463 \u32b1"), ("cjk numbers", "\u3007\u4e00\u4e8c \u3021\u3022\u3023\u3024"),
        ("mathematical digits", "\U0001d7d8\U0001d7d9\U0001d7da\U0001d7db"), ("mathematical letters", "\U0001d400\U0001d401 \U0001d51e"),
        ("emoji", "😀😃 😄a😁1"), ("emoji zwj family", "👩‍👩‍👧‍👦 x👨‍🚀y"), ("emoji skin", "👍🏽👍🏿 a👋🏻b"), ("flags", "🇩🇪🇫🇷 🇯🇵x🇺"), ("rainbow", "🏳️‍🌈🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("keycaps", "1️⃣2️⃣#️⃣*️⃣"), ("variation selectors", "❤️❤︎ ☃️☃"), ("combining", "e\u0301 e\u0301e\u0301 a\u030a\u0301"),
        ("zalgo", "Z\u0300\u0301\u0302\u0303\u0304a\u0305\u0306\u0307l\u0308\u0309\u030a\u030bg\u030c\u030d\u030eo"),
        ("combining alone", "\u0301 \u0301\u0302 1\u0301 .\u0301"), ("combining order", "a\u0323\u0307 a\u0307\u0323 \u1e69 s\u0323\u0307 s\u0307\u0323"),
        ("precomposed and not", "\u00e9 e\u0301 \u00c5 \u212b A\u030a \u1e9b\u0323 \ufb01 \u2126 \u03a9"), ("nfc exclusions", "\u0958 \u0915\u093c \u2adc \ufb1d \u0344 \u0374"),
        ("hangul", "\ud55c\uae00 \u1112\u1161\u11ab\u1100\u1173\u11af"), ("hangul jamo", "\u1112\u1161 \u1161\u11ab \u3131\u314f \uac00\u11a8"), ("hangul lv plus t", "\uac00\u11a8\u11a8\uac01\u11a8"),
        ("arabic", "السَّلَامُ عَلَيْكُمْ ﷺ ـــ"), ("hebrew", "שָׁלוֹם עֲלֵיכֶם"), ("devanagari", "क्षत्रिय श्री नमस्ते ज़"), ("tamil", "தமிழ் கௌ கெள"), ("thai", "ภาษาไทย น้ำ"), ("tibetan", "བོད་སྐད་ \u0f73 \u0f71\u0f72"),
        ("khmer", "ភាសាខ្មែរ"), ("cjk", "漢字仮名交じり文、「引用」。"), ("cjk extension", "\U00020000\U0002a6d6 \U00030000"), ("cjk compatibility", "\uf900\uf901 \u2f00 \ufa0e"), ("kana", "ガギグ カ\u3099キ\u3099 ﾊﾟﾊﾞ ー〜"),
        ("georgian and cherokee", "ქართული ᲥᲐᲠᲗᲣᲚᲘ Ꭰꭰ"), ("turkish", "İstanbul ısı Iı iİ"), ("german", "STRASSE Straße ẞ"), ("ligatures", "ﬁ ﬂ ﬀ Ǆ ǅ ǆ"), ("bidi controls", "a\u202eb\u202c \u2066c\u2069"),
        ("soft hyphen", "so\u00adft hy\u00ad phen"), ("tags", "\U000e0001\U000e0061"), ("private use", "\ue000\uf8ff \U000f0000\U0010fffd"), ("noncharacters", "\ufdd0\uffff\U0001ffff"), ("replacement", "\ufffd a\ufffdb \ufffd\ufffd"),
        ("symbols", "€£¥₿ ±×÷ ←→ ∑∏√ ™®© §¶†‡"), ("punctuation", "…—–‘’“”«»‹›¿¡、。「」"), ("ascii punctuation", "!!! ??? ... --- === ### $$$ %%% &&& *** ((( )))"), ("punctuation glued", "a.b,c;d:e!f?g"), ("underscores", "__init__ snake_case _x_ a__b"),
        ("camel case", "camelCaseHTTPServer2Go"), ("many a", "a" * 5000), ("many ab", "ab" * 1500), ("many digits", "7" * 3000), ("many digits varied", "1234567890" * 300), ("many dots", "." * 700), ("many newlines", "\n" * 300), ("many blanks and word", " " * 300 + "x"),
        ("many letters of a word", "the" * 700), ("long cjk", "天地" * 400), ("long emoji", "😀" * 300), ("blank punctuation", " . , ; : ! ?"), ("blank then symbol", "  +  -  *  /  "), ("byte-level look-alikes", "Ġhello Ċ ĉ ġ ł Ń Ā"),
        ("sharp json", "\"\\\"\\\\\\n\""), ("percent", "100% 5%-10% %s %d"), ("unknown letters", "ʘǃǂ ɮɬ ꙮ"), ("old scripts", "𐌀𐌁 𒀀𒀁 𓀀 𐎠"), ("adlam", "𞤀𞤣𞤤𞤢𞤥"), ("music", "𝄞𝅘𝅥𝅮"),
    ]
    for number, line in enumerate(PROSE):
        texts.append((f"prose {number}", line))
    for number, line in enumerate(CODE):
        texts.append((f"code {number}", line))
    for token in fixture.special + fixture.added:
        texts += [(f"special {token}", token), (f"special {token} inside", f"ab{token}cd  {token} e\n{token}\n")]
    first, last = fixture.special[0], (fixture.special + fixture.added)[-1]
    texts += [
        ("special adjacent", first + last + first + first), ("special with blanks", f"  {first}  {last}\n\n"), ("special after apostrophe", f"it'{first}s '{last}"),
        ("near special: cut", first[:-1] + " " + first[1:] + " " + first[: len(first) // 2]), ("near special: case", first.upper() + first.title()),
        ("near special: blank", first[0] + " " + first[1:]), ("near special: doubled", "<" + first + ">" + first[:-2] + first), ("near special: begin", "<|begin_of"),
        ("special and accents", f"e\u0301{first}\u0301e{last}\u0301"), ("special between digits", f"12{first}345{last}6"), ("special and nul", f"\0{first}\0"),
    ]
    raw: List[Case] = [
        ("bad: 0xff", b"a\xffb\xff\xff c"), ("bad: 0xfe", b"\xfe\xfe\xff\xff"), ("bad: lone continuation", b"a\x80b\xbf\x80\x80c"), ("bad: truncated 2", b"ab\xc3"), ("bad: truncated 3", b"ab\xe2\x82"), ("bad: truncated 4", b"ab\xf0\x9f\x98"),
        ("bad: truncated inside", b"a\xe2\x82b\xf0\x9f\x98c\xf0\x9fd\xc3e"), ("bad: truncated then good", b"\xf0\x9f\x98\xf0\x9f\x98\x80"), ("bad: overlong 2", b"\xc0\xaf\xc1\xbf"), ("bad: overlong 3", b"\xe0\x80\xaf\xe0\x9f\xbf"),
        ("bad: overlong 4", b"\xf0\x80\x80\xaf\xf0\x8f\xbf\xbf"), ("bad: surrogates", b"\xed\xa0\x80\xed\xbf\xbf a\xed\xa0\xbd\xed\xb8\x80b"), ("bad: above 10ffff", b"\xf4\x90\x80\x80 \xf5\x80\x80\x80 \xf8\x88\x80\x80\x80"),
        ("bad: latin-1 text", "Größe café naïve".encode("latin-1")), ("bad: utf-16", "hello wörld".encode("utf-16-le")), ("bad: all bytes", bytes(range(256))), ("bad: all bytes reversed", bytes(reversed(range(256)))),
        ("bad: inside special", first.encode()[:4] + b"\xff" + first.encode()[4:]), ("bad: cesu", b"\xed\xa0\x81\xed\xb0\x80"), ("bad: e0 then ascii", b"\xe0\x41\xe0\xa0\x41\xf1\x80\x41\xf4\x8f\xbf"),
    ]
    return [(name, text.encode()) for name, text in texts] + raw


def random_cases(seed: int, fixture: Fixture) -> List[Case]:
    """Seeded random text: assigned characters, whole range, near-ASCII soup, and random bytes."""
    rng = random.Random(seed)
    assigned = [
        c for c in range(sys.maxunicode + 1)
        if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co") and not 0xAC00 <= c < 0xD7A4 and not 0x3400 <= c < 0xA000 and c < 0x20000
    ]
    soup = list(" \t\n\r'.,;!?-_()aAbBsStTlLdDmMrReEvV0123456789éß中अ😀\u0301\u00a0\u3000½") + ["'s", "'LL", "\r\n", "  "] + list(fixture.special[:2])
    cases: List[Case] = []
    for number in range(60):
        text = "".join(chr(rng.choice(assigned)) for _ in range(rng.randint(1, 40)))
        cases.append((f"random assigned {number}", text.encode()))
    for number in range(70):
        text = "".join(rng.choice(soup) for _ in range(rng.randint(1, 60)))
        cases.append((f"random soup {number}", text.encode()))
    for number in range(20):
        lines = [rng.choice(PROSE + CODE) for _ in range(3)]
        text = rng.choice([" ", "\n", "\r\n\r\n", "\u3000", ""]).join(l[rng.randint(0, 9) : rng.randint(20, 60)] for l in lines)
        cases.append((f"random pieces {number}", text.encode()))
    for number in range(20):
        cases.append((f"random bytes {number}", bytes(rng.randrange(256) for _ in range(rng.randint(1, 40)))))
    return cases


def main() -> None:
    """Write all fixtures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("Tests/Fixtures/tokenizers"), help="output folder (default: %(default)s)")
    parser.add_argument("--vocabulary", type=int, default=600, help="entries before the special tokens (default: %(default)s)")
    arguments = parser.parse_args()
    for index, (name, fixture) in enumerate(FIXTURES.items()):
        tokenizer, layout = build(fixture, arguments.vocabulary)
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokenizer.json").write_text(layout, encoding="utf-8")
        cases = category_cases() + fixed_cases(fixture) + random_cases(100 + index, fixture)
        if name == "tekken":
            cases = [case for case in cases if len(case[1]) < 40]
        golden: List[Dict[str, Any]] = []
        for title, data in cases:
            text = data.decode("utf-8", errors="replace")
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            golden.append({
                "name": title, "bytes_base64": base64.b64encode(data).decode(), "ids": tokenizer.encode(text).ids,
                "ids_plain": plain, "decoded": tokenizer.decode(plain, skip_special_tokens=False),
            })
            if not any(token in text for token in fixture.special + fixture.added):
                normal = tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer else text
                # The byte-level alphabet has one character a byte.
                golden[-1]["split_bytes"] = [len(piece) for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal)]
                assert sum(golden[-1]["split_bytes"]) == len(normal.encode()), title
        body = ",\n".join(json.dumps(g, ensure_ascii=True) for g in golden)
        (folder / "golden.json").write_text(f"[\n{body}\n]\n", encoding="utf-8")
        exact = sum(g["decoded"] == base64.b64decode(g["bytes_base64"]).decode("utf-8", errors="replace") for g in golden)
        print(f"{name:8} {tokenizer.get_vocab_size()} tokens, {len(golden)} cases, {exact} decode to the input")


if __name__ == "__main__":
    main()
