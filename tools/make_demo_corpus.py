#!/usr/bin/env python3
"""Build the demo corpus: public-domain text of four clearly different kinds.

The text comes from four Debian 12 packages, which have to be installed:

    bible-kjv-text 4.38, bible-kjv 4.38   King James Bible (`bible` unpacks it)
    sqlite3-doc 3.40.1-2+deb12u2          SQLite manual (HTML)
    dict-jargon 4.4.7-3.1                 The Jargon File 4.4.7 (dictd)
    dict-devil 1.0-13.1                   The Devil's Dictionary (dictd)

The result is one JSON object a line with the keys `text`, `source`, `title`:

    <out>/train/{bible,sqlite,jargon,devil}.jsonl
    <out>/heldout/{bible,sqlite,jargon,devil}.jsonl

A document is a chapter, a manual page (or a piece of a long one), or a
dictionary entry.  Held-out documents are chosen by a seeded hash of source and
title, so the split does not depend on order; all pieces of one manual page
fall on the same side.  Only the Python standard library is needed (3.9+).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import subprocess
import sys
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

BOOKS: List[str] = """Genesis|Exodus|Leviticus|Numbers|Deuteronomy|Joshua|Judges|Ruth|1 Samuel|2 Samuel|1 Kings|2 Kings
1 Chronicles|2 Chronicles|Ezra|Nehemiah|Esther|Job|Psalm|Proverbs|Ecclesiastes|Song of Solomon|Isaiah|Jeremiah
Lamentations|Ezekiel|Daniel|Hosea|Joel|Amos|Obadiah|Jonah|Micah|Nahum|Habakkuk|Zephaniah|Haggai|Zechariah|Malachi
Matthew|Mark|Luke|John|Acts|Romans|1 Corinthians|2 Corinthians|Galatians|Ephesians|Philippians|Colossians
1 Thessalonians|2 Thessalonians|1 Timothy|2 Timothy|Titus|Philemon|Hebrews|James|1 Peter|2 Peter
1 John|2 John|3 John|Jude|Revelation""".replace("\n", "|").split("|")

#: Pages of the SQLite manual that are indexes, or that repeat other pages.
SQLITE_SKIP = {
    "capi3ref", "doc_backlink_crossref", "doc_keyword_crossref", "doc_pagelink_crossref",
    "doc_target_crossref", "keyword_index", "requirements", "syntaxdiagrams", "search",
    "sitemap", "docs", "doclist", "c3ref/funclist", "c3ref/objlist", "c3ref/constlist",
    "session/funclist", "session/objlist", "session/constlist", "session/session", "chronology", "download",
}

MAX_CHARACTERS = 12_000
MIN_CHARACTERS = 40


class Document(NamedTuple):
    """One document; `key` decides the split (pieces of a page share it)."""

    source: str
    title: str
    text: str
    key: str


def clean(text: str) -> str:
    """NFC, no control characters, no trailing blanks, at most one empty line in a row."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.replace("\u00a0", " ").replace("\u200b", "").replace("\ufeff", "").expandtabs(4)
    text = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
    text = re.sub(r"[ ]+\n", "\n", text + "\n")
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n").rstrip()


# --- King James Bible -------------------------------------------------------------------------


def bible_documents(program: str) -> Iterator[Document]:
    """A document a chapter: the title, then a numbered verse a line."""
    raw = subprocess.run([program, "-f", "ge1:1-re99:99"], stdin=subprocess.DEVNULL, check=True, stdout=subprocess.PIPE)
    book_index, last_book, chapter = -1, "", 0
    lines: List[str] = []

    def finish() -> Optional[Document]:
        if not lines:
            return None
        title = f"{BOOKS[book_index]} {chapter}"
        return Document("bible", title, clean(title + "\n\n" + "\n".join(lines)), title)

    for line in raw.stdout.decode("latin-1").splitlines():
        match = re.match(r"^(\d?[A-Za-z]+)(\d+):(\d+) (.*)$", line)
        if match is None:
            raise SystemExit(f"unexpected verse line: {line!r}")
        book, number = match.group(1), int(match.group(2))
        if book != last_book or number != chapter:
            document = finish()
            if document is not None:
                yield document
            lines = []
            if book != last_book:
                book_index += 1
            last_book, chapter = book, number
        lines.append(f"{match.group(3)} {match.group(4).strip()}")
    document = finish()
    if document is not None:
        yield document
    if book_index != len(BOOKS) - 1:
        raise SystemExit(f"expected {len(BOOKS)} books, found {book_index + 1}")


# --- SQLite manual ----------------------------------------------------------------------------


class PageText(HTMLParser):
    """Plain text of one manual page; `<pre>` keeps its white space."""

    SKIPPED = {"script", "style", "svg", "button", "form", "select", "head", "noscript"}
    BLOCKS = {"p", "h1", "h2", "h3", "h4", "h5", "ul", "ol", "dl", "table", "blockquote", "center", "hr", "pre"}
    BREAKS = {"br", "li", "dt", "dd", "tr", "div"}
    SKIPPED_CLASSES = ("nosearch", "fancy_toc", "imgcontainer", "menu", "searchmenu", "mobileonly", "rightsidebar")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.title_open = True  # some pages have more than one title
        self.parts: List[str] = []
        self.link_characters = 0
        self.characters = 0
        self._skip: List[str] = []  # open elements inside (and including) a skipped one
        self._pre = 0
        self._link = 0
        self._title = False
        self._cells = 0

    def _newline(self, count: int) -> None:
        """End the current line so that `count` newlines precede what follows."""
        joined = "".join(self.parts[-3:])
        have = len(joined) - len(joined.rstrip("\n"))
        self.parts.append("\n" * max(0, count - have))

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        if tag == "title":
            self._title = True
        if self._skip:
            if tag == self._skip[0]:
                self._skip.append(tag)
            return
        classes = (dict(attrs).get("class") or "").split()
        if tag in self.SKIPPED or (tag in ("div", "p") and any(c in self.SKIPPED_CLASSES for c in classes)):
            self._skip.append(tag)
            return
        if tag == "a":
            self._link += 1
        elif tag in self.BLOCKS:
            self._newline(2)
            self._pre += tag == "pre"
        elif tag in self.BREAKS:
            self._newline(1)
            if tag == "li":
                self.parts.append("* ")
            if tag == "dd":
                self.parts.append("    ")
            if tag == "tr":
                self._cells = 0
        elif tag in ("td", "th"):
            if self._cells:
                self.parts.append(" | ")
            self._cells += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._title = False
            self.title_open = not self.title.strip()
        if self._skip:
            if tag == self._skip[0]:
                self._skip.pop()
            return
        if tag == "a":
            self._link = max(0, self._link - 1)
        elif tag == "pre":
            self._pre = max(0, self._pre - 1)
            self._newline(2)
        elif tag in self.BLOCKS:
            self._newline(2)
        elif tag in ("dt", "dd", "tr", "div"):
            self._newline(1)

    def handle_data(self, data: str) -> None:
        if self._title and self.title_open:
            self.title += data
        if self._skip:
            return
        if not self._pre:
            data = re.sub(r"[ \t\r\n\f]+", " ", data)
            before = self.parts[-1][-1:] if self.parts and self.parts[-1] else ""
            if not before:
                before = next((p[-1] for p in reversed(self.parts) if p), "\n")
            if before in ("\n", " "):
                data = data.lstrip(" ")
        if not data:
            return
        self.parts.append(data)
        weight = len(re.sub(r"\s", "", data))
        self.characters += weight
        if self._link:
            self.link_characters += weight

    def text(self) -> str:
        """The page as text, without footers, hash lines and empty bullets."""
        kept = []
        for line in "".join(self.parts).split("\n"):
            stripped = line.strip()
            if re.search(r"[0-9a-f]{32}", line) or stripped in ("*", "Hashes:", "|"):
                continue
            if re.match(r"^(\* )?SQLITE_SOURCE_ID", stripped) or stripped.startswith("This page last modified"):
                continue
            if stripped.startswith("See also lists of Objects, Constants, and Functions"):
                continue
            kept.append(line)
        return clean("\n".join(kept))


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


def sqlite_documents(root: Path) -> Iterator[Document]:
    """A document a manual page; pages that are mostly links are dropped."""
    seen = set()
    for path in sorted(root.rglob("*.html")):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in SQLITE_SKIP or name.startswith(("releaselog/", "syntax/")):
            continue
        parser = PageText()
        parser.feed(path.read_text(encoding="utf-8", errors="replace").replace("\ufffd", "'"))
        parser.close()
        text = parser.text()
        title = clean(re.sub(r"\s+", " ", parser.title)).strip() or name
        if not text.startswith(title):
            text = f"{title}\n\n{text}"
        if len(text) < 400 or parser.link_characters > 0.5 * max(1, parser.characters):
            continue
        digest = hashlib.sha256(text.split("\n\n", 1)[-1].encode()).digest()
        if digest in seen:
            continue
        seen.add(digest)
        pieces = list(split_long(text, MAX_CHARACTERS))
        for number, piece in enumerate(pieces, 1):
            suffix = f" ({number}/{len(pieces)})" if len(pieces) > 1 else ""
            yield Document("sqlite", f"{title}{suffix}", piece, name)


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
            yield Document("jargon", title, text, title)


def devil_documents(stem: Path) -> Iterator[Document]:
    """A document an entry of the Devil's Dictionary."""
    for entry in dictd_entries(stem):
        text = clean(unwrap(clean(entry), 70))
        title = re.split(r",|\.|\n", text, maxsplit=1)[0].strip()
        if len(text) >= MIN_CHARACTERS:
            yield Document("devil", title, text, title)


# --- split and output -------------------------------------------------------------------------


def is_heldout(document: Document, seed: int, share: float) -> bool:
    """A seeded hash of source and key, compared with the wanted share."""
    digest = hashlib.sha256(f"{seed}\0{document.source}\0{document.key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def write(documents: Iterable[Document], out: Path, seed: int, share: float) -> None:
    """Write both splits and print their sizes."""
    everything = list(documents)
    for split in ("train", "heldout"):
        for source in ("bible", "sqlite", "jargon", "devil"):
            chosen = [
                d for d in everything
                if d.source == source and is_heldout(d, seed, share) == (split == "heldout")
            ]
            path = out / split / f"{source}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8") as stream:
                for d in chosen:
                    stream.write(json.dumps({"text": d.text, "source": d.source, "title": d.title}, ensure_ascii=False) + "\n")
            size = sum(len(d.text.encode()) for d in chosen)
            print(f"{split:8} {source:7} {len(chosen):5} documents {size:9} bytes")


def main() -> None:
    """Read the four packages and write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("Demo/text"), help="output folder (default: %(default)s)")
    parser.add_argument("--bible", default="bible", help="the `bible` program (default: %(default)s)")
    parser.add_argument("--sqlite", type=Path, default=Path("/usr/share/doc/sqlite3"), help="folder of the SQLite manual")
    parser.add_argument("--dictd", type=Path, default=Path("/usr/share/dictd"), help="folder of the dictd databases")
    parser.add_argument("--seed", type=int, default=7, help="seed of the split (default: %(default)s)")
    parser.add_argument("--heldout-share", type=float, default=0.045, help="share of held-out documents (default: %(default)s)")
    arguments = parser.parse_args()
    documents = [
        *bible_documents(arguments.bible),
        *sqlite_documents(arguments.sqlite),
        *jargon_documents(arguments.dictd / "jargon"),
        *devil_documents(arguments.dictd / "devil"),
    ]
    write(documents, arguments.out, arguments.seed, arguments.heldout_share)


if __name__ == "__main__":
    sys.exit(main())
