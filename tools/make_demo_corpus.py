#!/usr/bin/env python3
"""Build the demo corpus from the documentation and dictionaries of Debian 12 packages.

Three steps, each skipped when its result is there already:

    fetch     `apt-get download` of the pinned packages into WORK/debs
    unpack    `dpkg-deb -x` into WORK/packages; nothing of a package is executed
    extract   plain text, one JSON object a line with `text`, `source`, `title`

Two corpora are written, one file a source:

    WORK/{train,heldout}/*.jsonl   everything, about 110 MB: what tools/make_demo_model.py trains on
    OUT/{train,heldout}/*.jsonl    a share of each source whose licence allows it: the repository's text
    OUT/LICENSES/*.txt             the notices of the packages' copyright files

A document is a page, a chapter, a dictionary entry or forty glosses.  A paragraph
that an earlier page had already is dropped.  A document is held out when the
first eight hexadecimal digits of its text's SHA-256 are a multiple of 50.  The Bible,
the Jargon File and the Devil's Dictionary have a second, older split by a seeded hash:
its held-out documents are the ones shipped, and neither kind is trained on.

Of the held-out pages only those are shipped whose text does not depend on the order of the pages, and
of these the pieces that differ from the training text: at most `--overlap` of their runs of eight words
may occur there.

Needs selectolax (tools/requirements.txt), apt-get, dpkg-deb and gzip.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import hashlib
import json
import os
import random
import re
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Counter, Dict, Iterable, Iterator, List, NamedTuple, Set, Tuple

BOOKS: List[str] = """Genesis|Exodus|Leviticus|Numbers|Deuteronomy|Joshua|Judges|Ruth|1 Samuel|2 Samuel|1 Kings|2 Kings
1 Chronicles|2 Chronicles|Ezra|Nehemiah|Esther|Job|Psalm|Proverbs|Ecclesiastes|Song of Solomon|Isaiah|Jeremiah
Lamentations|Ezekiel|Daniel|Hosea|Joel|Amos|Obadiah|Jonah|Micah|Nahum|Habakkuk|Zephaniah|Haggai|Zechariah|Malachi
Matthew|Mark|Luke|John|Acts|Romans|1 Corinthians|2 Corinthians|Galatians|Ephesians|Philippians|Colossians
1 Thessalonians|2 Thessalonians|1 Timothy|2 Timothy|Titus|Philemon|Hebrews|James|1 Peter|2 Peter
1 John|2 John|3 John|Jude|Revelation""".replace("\n", "|").split("|")


class Source(NamedTuple):
    """One source: its package, how much of it is used, and which of its pages may be shipped."""

    name: str
    package: str
    version: str
    licence: str
    trained: float  # characters to train on, at most
    extracted: float = 1e9  # characters to extract, at most
    shipped: str = ""  # pattern of the pages that may be shipped
    required: str = ""  # a shipped page's file has to contain this


#: In the order of the packages' names, which decides which copy of a repeated paragraph is kept.
SOURCES: List[Source] = [
    Source("erlang", "erlang-doc", "1:25.2.3+dfsg-1+deb12u4", "Apache-2.0", 6e6, 10e6, r"/doc/erlang-doc/"),
    Source("boost", "libboost1.74-doc", "1.74.0+ds1-21", "BSL-1.0", 6e6, 10e6, r"/doc/html/", "Boost Software License"),
    Source("postgresql", "postgresql-doc-15", "15.20-0+deb12u1", "PostgreSQL", 8e6, shipped=r"/html/"),
    Source("django", "python-django-doc", "3:3.2.25-0+deb12u7", "BSD-3-Clause", 7e6, shipped=r"/html/"),
    Source("pandas", "python-pandas-doc", "1.5.3+dfsg-2", "BSD-3-Clause", 7e6, 10e6,
           r"/html/(_sources/)?(reference|generated|user_guide|getting_started)/"),
    Source("scipy", "python-scipy-doc", "1.10.1-2", "BSD-3-Clause", 6e6, 8e6, r"/html/(reference|tutorial)/"),
    Source("sklearn", "python-sklearn-doc", "1.2.1+dfsg-1", "BSD-3-Clause", 7e6, 8e6,
           r"/html/(?!whats_new|about|testimonials)"),
    Source("sqlalchemy", "python-sqlalchemy-doc", "1.4.46+ds1-1", "MIT", 6.2e6, shipped=r"/html/"),
    Source("python", "python3.11-doc", "3.11.2-6+deb12u9", "PSF-2.0", 18e6, shipped=r"/html/(?!whatsnew)"),
    Source("rust", "rust-doc", "1.63.0+dfsg1-2", "MIT OR Apache-2.0", 16e6, 22e6,
           r"/html/(std|core|alloc|proc_macro|test|book|reference|nomicon|rust-by-example|rustc|rustdoc|edition-guide)/"),
    Source("sqlite", "sqlite3-doc", "3.40.1-2+deb12u2", "public domain", 6.5e6, shipped=r"/doc/sqlite3/"),
    Source("wordnet", "wordnet-base", "1:3.0-37", "WordNet 3.0", 10.5e6, shipped="."),
    Source("bible", "bible-kjv-text", "4.38", "public domain", 1e9, shipped="."),
    Source("jargon", "dict-jargon", "4.4.7-3.1", "public domain", 1e9, shipped="."),
    Source("devil", "dict-devil", "1.0-13.1", "public domain", 1e9, shipped="."),
]
PROSE = ("bible", "jargon", "devil")

#: A page whose file has one of these is not shipped: text under another licence, or quoted from elsewhere.
OTHER_LICENCE = re.compile(
    rb"creative ?commons|\bCC[- ]BY\b|\bCC0\b|Free Documentation Licen|stackoverflow\.com", re.IGNORECASE
)
#: Indexes, and pages of legal text.
NOT_SHIPPED_NAME = re.compile(
    r"genindex|py-modindex|/search|copyright|licen[sc]e|/all\.html|legalnotice", re.IGNORECASE
)
#: A document with something like a key, or the host of a package registry, is not shipped.
NOT_SHIPPED_TEXT = re.compile(
    r"PRIVATE KEY|AKIA[0-9A-Z]{12}|gh[pousr]_\w{20}|pypi\.org|crates\.io|\b[0-9a-f]{40,}\b|[A-Za-z0-9+]{64,}"
)

MAX_CHARACTERS = 12_000
MIN_CHARACTERS = 40
HELD_OUT_MODULUS = 50
SHINGLE = 8


class Document(NamedTuple):
    """One document; `page` is the file it was made of, `shippable` whether its licence lets it be shipped.

    `paragraphs` has the digests of a page's long paragraphs, those too that were dropped as repeats.
    """

    source: str
    title: str
    text: str
    page: str = ""
    shippable: bool = True
    paragraphs: Tuple[bytes, ...] = ()


# --- packages ---------------------------------------------------------------------------------


def fetch(work: Path) -> None:
    """Download the pinned packages that are missing, and unpack those that are not unpacked."""
    debs, packages = work / "debs", work / "packages"
    debs.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        pattern = f"{source.package}_{source.version.replace(':', '%3a')}_*.deb"
        if not list(debs.glob(pattern)):
            subprocess.run(["apt-get", "download", "-qq", f"{source.package}={source.version}"], cwd=debs, check=True)
        folder = packages / source.package
        if not folder.exists():
            aside = packages / f".{source.package}.part"
            aside.mkdir(parents=True, exist_ok=True)
            subprocess.run(["dpkg-deb", "-x", str(next(debs.glob(pattern))), str(aside)], check=True)
            os.replace(aside, folder)


def copyright_file(source: Source, work: Path) -> str:
    """The package's copyright file."""
    path = work / "packages" / source.package / "usr/share/doc" / source.package / "copyright"
    return path.read_text(encoding="utf-8")


def notice(source: Source, work: Path) -> str:
    """What applies of a package's copyright file: who holds the rights, and the licence's text."""
    text = copyright_file(source, work)
    if source.name == "python":
        start, end = text.index("Python License\n====="), text.index("BEOPEN.COM LICENSE AGREEMENT FOR PYTHON 2.0")
        body = text[start:end]
    elif not text.startswith("Format:"):
        body = text
    else:
        stanzas = re.split(r"\n\n+(?=[A-Z][-A-Za-z]*:)", text)
        first = next(s for s in stanzas if s.startswith(("Files: *", "Files: C*.md")))
        body = first
        names = re.search(r"^License: *(.+)$", first, re.MULTILINE)
        elsewhere = names is not None and not first[names.end():].startswith("\n ")
        wanted = re.split(r" or | and ", names.group(1)) if elsewhere else []
        for name in wanted:
            for stanza in stanzas:
                if re.match(rf"License: *{re.escape(name.strip())}\n ", stanza):
                    body += "\n\n" + stanza
                    break
    body = re.sub(r"[ \t]*<?[\w.+&-]+@[\w-]+\.[\w.-]+>?", "", body)
    origin = f"{source.package} {source.version}, from the copyright file of the Debian package."
    if source.name not in PROSE:
        origin += "\nThe text was extracted from its files: mark-up, navigation, repeats and addresses were removed."
    return f"{origin}\n\n{body.strip()}\n"


# --- pages ------------------------------------------------------------------------------------

BLOCKS = "p,div,li,tr,h1,h2,h3,h4,h5,h6,pre,dt,dd,br,table,blockquote"
NAVIGATION = (
    "script", "style", "nav", "header", "footer", "noscript", "svg", "button", "form",
    ".sphinxsidebar", ".related", ".headerlink", ".sidebar", ".navheader", ".navfooter",
)
LANGUAGE = (
    "de|fr|es|it|ja|zh|ru|pt|nl|ca|hu|cs|ko|pl|da|sv|nb|el|zh_cn|pt-br|id|tr|vi|ar|fi|uk|sr|hr|ro|gl|lt|lv|sl|sk|fa"
)


def tidy(text: str) -> str:
    """No blanks at line ends, no pilcrows, at most one empty line in a row."""
    text = text.replace("\r\n", "\n").replace("\u00b6", "")
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def page_text(content: bytes) -> Tuple[str, str]:
    """Title and text of an HTML page; blocks begin on a line of their own."""
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(content)
    title = page.css_first("title")
    name = re.sub(r"\s+", " ", title.text()).strip() if title else ""
    for selector in NAVIGATION:
        for node in page.css(selector):
            node.decompose()
    body = page.css_first("main") or page.css_first("[role=main]") or page.css_first(".document") or page.body
    if body is None:
        return name, ""
    for node in body.css(BLOCKS):
        node.insert_before("\n")
    return name, re.sub(r"\n[ \t]*(\n[ \t]*)+", "\n\n", body.text(separator=""))


def mostly_words(text: str) -> bool:
    """Whether the beginning is at least 60 % letters and blanks."""
    beginning = text[:4000]
    return sum(c.isalpha() or c == " " for c in beginning) >= 0.6 * len(beginning)


def without_repeats(text: str, pages: Counter[bytes]) -> Tuple[str, Tuple[bytes, ...]]:
    """The text without the long paragraphs that it or an earlier page had, and the digests of all of them.

    `pages` counts the pages on which a paragraph was met.
    """
    kept, own = [], {}
    for paragraph in text.split("\n\n"):
        if len(paragraph) > 120:
            digest = hashlib.sha256(paragraph.strip().encode("utf-8", "surrogatepass")).digest()[:16]
            repeated = digest in own or digest in pages
            own[digest] = None
            if repeated:
                continue
        kept.append(paragraph)
    pages.update(own.keys())
    return tidy("\n\n".join(kept)), tuple(own)


def without_addresses(text: str) -> str:
    """The text without web and e-mail addresses."""
    return re.sub(r"\S+@\S+\.\S+", "", re.sub(r"https?://\S+", "", text))


def page_documents(source: Source, packages: Path, pages: Counter[bytes]) -> Iterator[Document]:
    """The pages of a package, in the order of a hash of their paths."""
    names = [
        (Path(folder) / name).relative_to(packages).as_posix()
        for folder, _, files in os.walk(packages / source.package) for name in files
    ]
    total = 0
    for name in sorted(names, key=lambda n: hashlib.md5(f"packages/{n}".encode()).hexdigest()):
        if total > source.extracted:
            return
        path, lower = packages / name, f"packages/{name}".lower()
        if path.is_symlink() or path.stat().st_size > 8e6 or "copyright" in lower or "changelog" in lower:
            continue
        if re.search(rf"/({LANGUAGE})([-_][a-z]+)?/|\.({LANGUAGE}|zh-cn|zh-tw|nb-no)\.(html|txt)", lower):
            continue
        content = path.read_bytes()
        if lower.endswith(".gz"):
            content, lower = gzip.decompress(content), lower[:-3]
        is_page = lower.endswith((".html", ".htm", ".xhtml"))
        is_plain = lower.endswith((".txt", ".rst", ".md", ".cfg")) or ("/doc/" in lower and "." not in Path(lower).name)
        try:
            title, text = page_text(content) if is_page else ("", content.decode("utf-8") if is_plain else "")
        except UnicodeDecodeError:
            continue
        text = tidy(text)
        if len(text) < 400 or not mostly_words(text):
            continue
        text, paragraphs = without_repeats(text, pages)
        if len(text) < 400:
            continue
        total += len(text)
        shippable = (
            re.search(source.shipped, name) is not None and NOT_SHIPPED_NAME.search(name) is None
            and OTHER_LICENCE.search(content) is None and source.required.encode() in content
        )
        text = without_addresses(text[:200_000])
        yield Document(source.name, title or text.split("\n", 1)[0][:80], text, name, shippable, paragraphs)


def gloss_documents(folder: Path) -> Iterator[Document]:
    """WordNet: forty glosses a document, each after the first word of its set."""
    for part in ("noun", "verb", "adj", "adv"):
        glosses = []
        path = next(folder.rglob(f"data.{part}"))
        for line in path.read_text(encoding="utf-8", errors="ignore").split("\n"):
            match = re.match(r"^\d{8} \d\d \w ([0-9a-f]{2}) (\S+) ", line)
            if match and "|" in line:
                glosses.append(match.group(2).replace("_", " ") + ": " + line.split("|", 1)[1].strip())
        for start in range(0, len(glosses), 40):
            text = without_addresses("\n".join(glosses[start : start + 40]))
            yield Document("wordnet", f"{part} {start // 40 + 1}", text)


def clean(text: str) -> str:
    """NFC, no control characters, no trailing blanks, at most one empty line in a row."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.replace("\u00a0", " ").replace("\u200b", "").replace("\ufeff", "").expandtabs(4)
    text = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
    text = re.sub(r"[ ]+\n", "\n", text + "\n")
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n").rstrip()


# --- King James Bible -------------------------------------------------------------------------


def bible_verses(path: Path) -> str:
    """The verses of `bible.data`: windows of 64 KiB, each packed as by `compress` without its header."""
    content = path.read_bytes()
    (count,) = struct.unpack(">I", content[0x58:0x5C])
    offsets = [*struct.unpack(f">{count}I", content[0x5C : 0x5C + 4 * count]), len(content)]
    windows = [
        subprocess.run(
            ["gzip", "-dc"], input=b"\x1f\x9d\x90" + content[start:end], stdout=subprocess.PIPE, check=True
        ).stdout
        for start, end in zip(offsets, offsets[1:])
    ]
    return b"".join(windows).decode("latin-1").split("\n", 1)[1]


def bible_documents(verses: str) -> Iterator[Document]:
    """A document a chapter: the title, then a numbered verse a line."""
    chapters: Dict[str, List[str]] = {}
    book_index, last_book = -1, ""
    for line in verses.splitlines():
        match = re.match(r"^(\d?[A-Za-z]+)(\d+):(\d+) (.*)$", line)
        if match is None:
            raise SystemExit(f"unexpected verse line: {line!r}")
        if match.group(1) != last_book:
            book_index, last_book = book_index + 1, match.group(1)
        verse = f"{match.group(3)} {match.group(4).strip()}"
        chapters.setdefault(f"{BOOKS[book_index]} {match.group(2)}", []).append(verse)
    if book_index != len(BOOKS) - 1:
        raise SystemExit(f"expected {len(BOOKS)} books, found {book_index + 1}")
    for title, lines in chapters.items():
        yield Document("bible", title, clean(title + "\n\n" + "\n".join(lines)))


def split_long(text: str, limit: int) -> Iterator[str]:
    """Cut at empty lines so that each piece has at most `limit` characters where possible."""
    pieces: List[str] = []
    size = 0
    for paragraph in text.split("\n\n"):
        while len(paragraph) > limit:  # a single huge block, for example a table
            cut = paragraph.rfind("\n", 0, limit)
            cut = cut if cut > 0 else limit
            head, paragraph = paragraph[:cut], paragraph[cut:].lstrip("\n")
            if pieces:
                yield "\n\n".join(pieces)
                pieces, size = [], 0
            yield head
        if pieces and size + 2 + len(paragraph) > limit:
            yield "\n\n".join(pieces)
            pieces, size = [], 0
        pieces.append(paragraph)
        size += 2 + len(paragraph)
    if pieces:
        yield "\n\n".join(pieces)


# --- dictd dictionaries -----------------------------------------------------------------------

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def dictd_number(text: str) -> int:
    """A number of a dictd index (base 64, most significant digit first)."""
    value = 0
    for character in text:
        value = value * 64 + BASE64.index(character)
    return value


def dictd_entries(stem: Path) -> Iterator[str]:
    """The distinct entries of a dictd database in file order, without its header entries."""
    data = gzip.decompress(stem.with_suffix(".dict.dz").read_bytes())
    spans = set()
    for line in stem.with_suffix(".index").read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if fields[0].startswith("00-database") or fields[0].startswith("00database"):
            continue
        spans.add((dictd_number(fields[1]), dictd_number(fields[2])))
    for offset, length in sorted(spans):
        yield data[offset : offset + length].decode("utf-8", errors="replace").replace("\ufffd", "'")


def unwrap(text: str, width: int) -> str:
    """Undo hard line wrapping; verse, code and art, whose lines end early, stay as they are.

    A line break is taken for wrapping when the next word would not have fitted
    on the line and the next line does not start with a larger indent (the first
    line of a paragraph may be indented more than the rest).
    """
    out: List[str] = []
    previous = ""
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        before = len(previous) - len(previous.lstrip(" "))
        word = line.lstrip(" ").split(" ")[0]
        wrapped = (
            bool(previous.strip()) and bool(line.strip())
            and indent <= before
            and len(previous.rstrip()) + 1 + len(word) > width
        )
        if wrapped:
            out[-1] = out[-1].rstrip() + " " + line.strip()
        else:
            out.append(line)
        previous = line
    return "\n".join(out)


def dedent_body(text: str) -> str:
    """Remove the common indent of all lines but the first."""
    lines = text.split("\n")
    indents = [len(l) - len(l.lstrip(" ")) for l in lines[1:] if l.strip()]
    # The Jargon File's second line (pronunciation) is indented by one.
    body = [i for i in indents if i >= 4]
    cut = min(body) if body else 0
    return "\n".join([lines[0]] + [l[cut:] if l[:cut].strip() == "" else l.lstrip(" ") for l in lines[1:]])


def jargon_documents(stem: Path) -> Iterator[Document]:
    """A document an entry: headword, pronunciation, text; links stay in {braces}."""
    for entry in dictd_entries(stem):
        lines = entry.strip("\n").split("\n")
        title = lines[0].strip()
        if len(lines) > 1 and lines[1].strip() in ("//", ""):
            lines[1] = ""
        text = clean(dedent_body(unwrap("\n".join(lines), 79)))
        if len(text) >= MIN_CHARACTERS and title:
            yield Document("jargon", title, text)


def devil_documents(stem: Path) -> Iterator[Document]:
    """A document an entry of the Devil's Dictionary."""
    for entry in dictd_entries(stem):
        text = clean(unwrap(clean(entry), 70))
        title = re.split(r",|\.|\n", text, maxsplit=1)[0].strip()
        if len(text) >= MIN_CHARACTERS:
            yield Document("devil", title, text)


# --- split and choice -------------------------------------------------------------------------


def is_heldout(document: Document) -> bool:
    """The rule by the text's digest."""
    return int(hashlib.sha256(document.text.encode()).hexdigest()[:8], 16) % HELD_OUT_MODULUS == 0


def is_old_heldout(document: Document) -> bool:
    """The older rule for the three prose sources: 4.5 % by a seeded hash of source and title."""
    digest = hashlib.sha256(f"7\0{document.source}\0{document.title}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < 0.045 * 2**64


def is_stable(document: Document, pages: Counter[bytes]) -> bool:
    """Whether the text, and with it the rule that holds it out, is the same in any order of the pages.

    It is when every long paragraph is on this page alone, or on so many that an earlier one surely had it.
    """
    return all(pages[p] == 1 or pages[p] >= 50 for p in document.paragraphs)


def shingles(text: str) -> Iterator[str]:
    """Runs of eight words, without case and punctuation."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    for start in range(len(words) - SHINGLE + 1):
        yield " ".join(words[start : start + SHINGLE])


def overlaps(heldout: List[Document], train: Iterable[Document]) -> List[float]:
    """For every held-out document the share of its runs of words that occur in the training text."""
    own = [set(shingles(d.text)) for d in heldout]
    wanted: Set[str] = set().union(*own) if own else set()
    found: Set[str] = set()
    for document in train:
        found.update(s for s in shingles(document.text) if s in wanted)
    return [len(o & found) / max(1, len(o)) for o in own]


def pieces(documents: Iterable[Document], most: int) -> Iterator[Document]:
    """The first pieces of every document that may be shipped, cut at empty lines."""
    for document in documents:
        if not document.shippable:
            continue
        parts = [document.text] if document.source in PROSE else list(split_long(document.text, MAX_CHARACTERS))
        for number, part in enumerate(parts[:most], 1):
            suffix = f" ({number}/{len(parts)})" if len(parts) > 1 else ""
            if NOT_SHIPPED_TEXT.search(part) is None:
                yield document._replace(text=part, title=f"{document.title}{suffix}")


def take(pieces: Iterable[Document], size: float) -> List[Document]:
    """The pieces in turn, until there are `size` bytes."""
    taken: List[Document] = []
    for piece in pieces:
        if size <= 0:
            break
        taken.append(piece)
        size -= len(piece.text.encode())
    return taken


def write(path: Path, documents: Iterable[Document]) -> None:
    """One JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        for d in documents:
            stream.write(json.dumps({"text": d.text, "source": d.source, "title": d.title}, ensure_ascii=False) + "\n")


def repeated_share(heldout: List[Document], train: List[Document]) -> float:
    """Share of the characters in held-out paragraphs of more than 60 that also occur in the training text."""
    known = {p.strip() for d in train for p in re.split(r"\n\n+", d.text)}
    long = [p.strip() for d in heldout for p in re.split(r"\n\n+", d.text) if len(p.strip()) > 60]
    return sum(len(p) for p in long if p in known) / max(1, sum(map(len, long)))


def megabytes(documents: Iterable[Document]) -> float:
    """Size of the text in UTF-8."""
    return sum(len(d.text.encode()) for d in documents) / 1e6


def extract(work: Path) -> Dict[str, List[Document]]:
    """The documents of every source, after the choice of how much of it is used."""
    packages = work / "packages"
    pages: Counter[bytes] = collections.Counter()
    everything = [d for s in SOURCES[:-4] for d in page_documents(s, packages, pages)]
    everything = [
        d._replace(shippable=d.shippable and (not is_heldout(d) or is_stable(d, pages))) for d in everything
    ]
    everything += gloss_documents(packages / "wordnet-base")
    order = list(range(len(everything)))
    random.Random(4).shuffle(order)
    limits = {s.name: s.trained for s in SOURCES}
    chosen: Dict[str, List[Document]] = {s.name: [] for s in SOURCES}
    for document in (everything[i] for i in order):
        # Held-out documents cost nothing: all of them are kept.
        if limits[document.source] >= 0 or is_heldout(document):
            chosen[document.source].append(document)
            limits[document.source] -= len(document.text)
    chosen["bible"] = list(bible_documents(bible_verses(packages / "bible-kjv-text/usr/lib/bible.data")))
    chosen["jargon"] = list(jargon_documents(packages / "dict-jargon/usr/share/dictd/jargon"))
    chosen["devil"] = list(devil_documents(packages / "dict-devil/usr/share/dictd/devil"))
    return chosen


def main() -> None:
    """Fetch, unpack, extract, choose and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--work", type=Path, default=Path(".build-demo"), help="packages and whole text (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=Path("Demo/text"), help="the text to ship (default: %(default)s)")
    parser.add_argument(
        "--train-bytes", type=float, default=650e3, help="shipped training text of a source (default: %(default)s)"
    )
    parser.add_argument(
        "--heldout-bytes", type=float, default=100e3, help="the same of the held-out text (default: %(default)s)"
    )
    parser.add_argument(
        "--overlap", type=float, default=0.5, help="most of a held-out page that may be known (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of the choice of documents (default: %(default)s)")
    arguments = parser.parse_args()
    fetch(arguments.work)
    chosen = extract(arguments.work)
    print("source      train MB docs | held out docs, overlap | "
          "shipped: train MB docs, held out kB docs, overlap, repeated paragraphs")
    for source in SOURCES:
        documents = chosen[source.name]
        old = is_old_heldout if source.name in PROSE else lambda document: False
        train = [d for d in documents if not is_heldout(d) and not old(d)]
        heldout = [d for d in documents if is_heldout(d) or old(d)]
        known = overlaps(heldout, train)
        write(arguments.work / "train" / f"{source.name}.jsonl", train)
        write(arguments.work / "heldout" / f"{source.name}.jsonl", heldout)
        order = list(train)
        random.Random(arguments.seed).shuffle(order)
        shipped = take(pieces(order, 3), arguments.train_bytes)
        if source.name in PROSE:
            kept = [d for d in documents if old(d)]
        else:
            candidates = list(pieces(heldout, 20))
            shares = overlaps(candidates, train)
            new = (d for d, share in zip(candidates, shares) if share <= arguments.overlap)
            kept = take(new, arguments.heldout_bytes)
        write(arguments.out / "train" / f"{source.name}.jsonl", shipped)
        write(arguments.out / "heldout" / f"{source.name}.jsonl", kept)
        notices = arguments.out / "LICENSES" / f"{source.name}.txt"
        notices.parent.mkdir(parents=True, exist_ok=True)
        notices.write_text(notice(source, arguments.work), encoding="utf-8")
        again = overlaps(kept, train)
        print(
            f"{source.name:11} {megabytes(train):6.2f} {len(train):5} | "
            f"{len(heldout):4} {sum(known) / max(1, len(known)):.2f} | "
            f"{megabytes(shipped):5.2f} {len(shipped):4}, {1000 * megabytes(kept):5.1f} {len(kept):4}, "
            f"{sum(again) / max(1, len(again)):.2f}, {repeated_share(kept, shipped):.3f}", flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
