#!/usr/bin/env python3
"""Tests README.md and docs/*.md: runs their commands, compares the output, and checks options and links.

    python3 tools/test_docs.py                         (makes a demo catalog first, which takes some minutes)
    ROUTESAE_DEMO=demo.sqlite python3 tools/test_docs.py
    ROUTESAE_DEMO=demo.sqlite python3 tools/test_docs.py --update docs/query.md     (rewrites what differs)

In a ```console block a line that begins with `$ ` is a command, continued while lines end in a backslash; the lines up
to the next one are its output. A line `…` stands for any lines, ` …` at the end of a line for the rest of it. Standard
output and error are compared together, without progress lines. A command has to exit with status 0. Every page
runs in a folder of its own with demo.sqlite, Demo and tools. A ```json NAME block is a file of that name.
Commands in ```sh blocks are not run: their verbs and options have to be those of `routesae VERB --help`.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(.*)$")
PROGRESS = re.compile(r"\d/s  ")
LINK = re.compile(r"\]\(([^)\s]+)\)")
MINIMUM_COMMANDS = 45
README_WORDS = 900
WIDTH = 140
TIME_LIMIT = 900


@dataclass
class Command:
    """A command of a console block, and the lines of the page that hold its output."""

    text: str
    line: int
    first: int
    last: int


@dataclass
class Page:
    """A page in its parts."""

    path: Path
    lines: list[str]
    commands: list[Command] = field(default_factory=list)
    unrun: list[tuple[int, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    prose: list[tuple[int, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))


def joined(lines: list[str], start: int, stop: int) -> tuple[str, int]:
    """The command that begins at a line, with its continuations, and the line after it."""
    at = start
    while lines[at].endswith("\\") and at + 1 < stop:
        at += 1
    return "\n".join(lines[start : at + 1]), at + 1


def read_page(path: Path) -> Page:
    page = Page(path, path.read_text(encoding="utf-8").split("\n"))
    at = 0
    while at < len(page.lines):
        fence = FENCE.match(page.lines[at])
        if not fence:
            page.prose.append((at, page.lines[at]))
            at += 1
            continue
        start, stop = at + 1, at + 1
        while stop < len(page.lines) and page.lines[stop] != "```":
            stop += 1
        if stop == len(page.lines):
            raise SystemExit(f"{page.name}:{at + 1}: a fence that is not closed")
        language, _, name = fence.group(1).partition(" ")
        if language == "console":
            read_console(page, start, stop)
        elif language == "sh":
            line = start
            while line < stop:
                text, after = joined(page.lines, line, stop)
                page.unrun.append((line, text))
                line = after
        elif name:
            page.files[name] = "\n".join(page.lines[start:stop]) + "\n"
        at = stop + 1
    return page


def read_console(page: Page, start: int, stop: int) -> None:
    if not page.lines[start].startswith("$ "):
        raise SystemExit(f"{page.name}:{start + 1}: a console block begins with a command, `$ …`")
    at = start
    while at < stop:
        text, first = command_text(page.lines, at, stop)
        last = first
        while last < stop and not page.lines[last].startswith("$ "):
            last += 1
        page.commands.append(Command(text, at, first, last))
        at = last


def command_text(lines: list[str], start: int, stop: int) -> tuple[str, int]:
    """A command without its `$ `: up to a line without a backslash at its end, with all quotes closed."""
    text, at = joined(lines, start, stop)
    while at < stop:
        try:
            shlex.split(text[2:])
            break
        except ValueError:
            more, at = joined(lines, at, stop)
            text += "\n" + more
    return text[2:], at


def plain(line: str) -> str:
    """A line as it is compared: with plain spaces, and none at its end."""
    return re.sub("[\u00a0\u2009\u202f]", " ", line).rstrip()


def same_line(expected: str, actual: str) -> bool:
    """Whether a line is as a page has it, up to its ` …` if it ends in one."""
    expected, actual = plain(expected), plain(actual)
    return actual.startswith(expected[:-2].rstrip()) if expected.endswith(" …") else expected == actual


def matches(expected: list[str], actual: list[str]) -> bool:
    """Whether an output is as a page has it, where a line `…` stands for any lines, none included."""
    reached = {0}  # numbers of actual lines that the expected lines so far can account for
    for line in expected:
        if line.strip() == "…":
            reached = set(range(min(reached), len(actual) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(actual) and same_line(line, actual[at])}
        if not reached:
            return False
    return len(actual) in reached


def shortened(expected: list[str], actual: list[str]) -> list[str]:
    """A new output, shortened where the page's was."""
    marks = [index for index, line in enumerate(expected) if line.strip() == "…"]
    actual = [line.rstrip() for line in actual]
    cut = [line if len(line) <= WIDTH else line[: WIDTH - 2].rstrip() + " …" for line in actual]
    if not marks:
        return cut
    head, tail = marks[0], len(expected) - marks[-1] - 1
    if len(cut) <= head + tail:
        return cut
    return cut[:head] + [expected[marks[0]]] + (cut[-tail:] if tail else [])


class Program:
    """The program, and what its help says."""

    def __init__(self, path: Path):
        self.path = path
        if not os.access(path, os.X_OK):
            raise SystemExit(f"test_docs: no program at {path}; run 'tools/make build' first")

    @functools.cache
    def help(self, *verb: str) -> str:
        result = subprocess.run([self.path, *verb, "--help"], capture_output=True, text=True, timeout=60)
        return result.stdout if result.returncode == 0 else ""

    def verbs(self, *verb: str) -> list[str]:
        found, within = [], False
        for line in self.help(*verb).split("\n"):
            if line and not line.startswith(" "):
                within = line.endswith("SUBCOMMANDS:")
            elif within and (match := re.match(r"  ([a-z][a-z-]*)(?: \(default\))?(?:  |$)", line)):
                found.append(match.group(1))
        return found

    def options(self, *verb: str) -> set[str]:
        return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", self.help(*verb)))


def invocations(text: str) -> list[list[str]]:
    """The words of every call of routesae in a shell command."""
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars=";|&()<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    calls, words = [], []
    for word in [*lexer, ";"]:
        if set(word) <= set(";|&()<>"):
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if words and words[0] in ("routesae", ".build/release/routesae"):
                calls.append(words[1:])
            words = []
        else:
            words.append(word)
    return calls


def check_call(program: Program, words: list[str]) -> str | None:
    """What is wrong with a call: a verb or an option that the program's help does not list."""
    if not words or words[0].startswith("-"):
        return None
    verbs = program.verbs()
    if words[0] not in verbs:
        return f"no verb {words[0]!r}"
    verb = words[:1]
    subverbs = program.verbs(*verb)
    if subverbs:
        if len(words) > 1 and not words[1].startswith("-") and words[1] not in subverbs:
            return f"no verb '{words[0]} {words[1]}'"
        verb = words[:2]
    options = program.options(*verb)
    for word in words:
        option = word.split("=")[0]
        if word.startswith("--") and len(word) > 2 and option not in options:
            return f"'routesae {' '.join(verb)} --help' lists no {option}"
    return None


class Documents:
    """The test: pages, program, and the problems found."""

    def __init__(self, pages: list[Page], program: Program):
        self.pages, self.program = pages, program
        self.problems: list[str] = []
        self.ran = 0

    def fail(self, page: Page, line: int, text: str) -> None:
        self.problems.append(text)
        print(f"{page.name}:{line + 1}: {text}", flush=True)

    def check_calls(self) -> None:
        """Verbs and options of blocks that are not run, and of code within prose."""
        paths = [*(ROOT / "tools").glob("*.py"), *(ROOT / "tools/python/routesae").rglob("*.py")]
        scripts = "".join(path.read_text(encoding="utf-8") for path in paths)
        known = set(re.findall(r"--[a-z][a-z-]*", scripts))
        for verb in self.program.verbs():
            known |= self.program.options(verb)
            for subverb in self.program.verbs(verb):
                known |= self.program.options(verb, subverb)
        for page in self.pages:
            spans = [(line, span) for line, text in page.prose for span in re.findall(r"`([^`]+)`", text)]
            for line, text in page.unrun + [(line, span) for line, span in spans if span.startswith("routesae ")]:
                try:
                    calls = invocations(text)
                except ValueError as error:
                    self.fail(page, line, f"cannot be parsed as a shell command: {error}")
                    continue
                for words in calls:
                    if "VERB" not in words and (problem := check_call(self.program, words)):
                        self.fail(page, line, problem)
            for line, span in spans:
                for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", span):
                    if option not in known:
                        self.fail(page, line, f"no verb and no script has an option {option}")

    def check_coverage(self) -> None:
        """Every verb has a command on a page of docs, and a link in docs/README.md."""
        used: set[str] = set()
        for page in self.pages:
            if page.path.parent.name != "docs":
                continue
            for text in [command.text for command in page.commands] + [text for _, text in page.unrun]:
                used |= {words[0] for words in invocations(text) if words}
        contents = next(page for page in self.pages if page.name == "docs/README.md")
        verbs = self.program.verbs()
        if len(verbs) < 20:
            self.fail(contents, 0, f"'routesae --help' lists {len(verbs)} verbs; 20 or more are expected")
        for verb in verbs:
            if verb not in used:
                self.fail(contents, 0, f"no command on any page of docs uses the verb '{verb}'")
            if not any(f"`{verb}`" in text and LINK.search(text) for _, text in contents.prose):
                self.fail(contents, 0, f"no line has the verb `{verb}` and a link to its page")
        commands = sum(len(page.commands) for page in self.pages)
        if commands < MINIMUM_COMMANDS:
            self.fail(contents, 0, f"{commands} commands are run; {MINIMUM_COMMANDS} or more are expected")

    def check_links(self) -> None:
        """Links to files lead to files, and every page is linked from docs/README.md."""
        linked: set[Path] = set()
        for page in self.pages:
            for line, text in page.prose:
                for target in LINK.findall(text):
                    if re.match(r"[a-z]+:", target) or target.startswith("#"):
                        continue
                    path = (page.path.parent / target.split("#")[0]).resolve()
                    if page.name == "docs/README.md":
                        linked.add(path)
                    if not path.exists():
                        self.fail(page, line, f"a link to {target}, which is not there")
        for page in self.pages:
            if page.path.parent.name == "docs" and page.name != "docs/README.md" and page.path not in linked:
                self.fail(page, 0, "docs/README.md has no link to this page")

    def check_length(self) -> None:
        readme = next(page for page in self.pages if page.name == "README.md")
        words = len(" ".join(readme.lines).split())
        if words > README_WORDS:
            self.fail(readme, 0, f"{words} words; {README_WORDS} at most")

    def run_page(self, page: Page, demo: Path, summary: list[str] | None, scratch: Path, update: bool) -> None:
        folder = scratch / page.name.replace("/", "-").removesuffix(".md")
        folder.mkdir()
        shutil.copy(demo, folder / "demo.sqlite")
        for name in ("Demo", "tools"):
            (folder / name).symlink_to(ROOT / name)
        for name, text in page.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        replaced: list[tuple[Command, list[str]]] = []
        for command in page.commands:
            if command.text == "routesae demo":
                if summary is None:
                    print(f"{page.name}: 'routesae demo' is not compared: the catalog was given", flush=True)
                    continue
                status, actual = 0, summary
            else:
                status, actual = self.run(command.text, folder, scratch / "bin")
            self.ran += 1
            expected = page.lines[command.first : command.last]
            while expected and not expected[-1].strip():
                expected = expected[:-1]
            if status != 0:
                self.fail(page, command.line, f"exit status {status} from: {command.text}\n" + "\n".join(actual))
            elif not matches(expected, actual):
                if update and sum(line.strip() == "…" for line in expected) < 2:
                    replaced.append((command, shortened(expected, actual)))
                else:
                    lines = ([plain(line) for line in output] for output in (expected, actual))
                    diff = difflib.unified_diff(*lines, "the page", "the program", lineterm="", n=1)
                    self.fail(page, command.line, f"another output from: {command.text}\n" + "\n".join(diff))
        if replaced:
            for command, output in reversed(replaced):
                page.lines[command.first : command.last] = output
            page.path.write_text("\n".join(page.lines), encoding="utf-8")
            print(f"{page.name}: {len(replaced)} outputs rewritten", flush=True)

    def run(self, text: str, folder: Path, programs: Path) -> tuple[int, list[str]]:
        """Exit status and output of a command, without progress lines."""
        environment = {
            "PATH": f"{programs}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "HOME": str(folder), "LC_ALL": "C.UTF-8", "TZ": "UTC", "USER": "ada",
            "PYTHONPATH": str(ROOT / "tools/python"),  # As after `pip install ./tools/python`.
        }
        try:
            result = subprocess.run(
                ["bash", "-o", "pipefail", "-c", text], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIME_LIMIT, check=False)
        except subprocess.TimeoutExpired:
            return 124, [f"not finished after {TIME_LIMIT} s"]
        output = result.stdout.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        lines = output.rstrip("\n").split("\n")
        lines = [line for line in lines if not PROGRESS.search(line)]
        return result.returncode, [] if lines == [""] else lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Tests the commands of README.md and docs/*.md.")
    parser.add_argument("pages", nargs="*", help="only these pages are run (all are checked)")
    parser.add_argument("--update", action="store_true", help="rewrites outputs that differ, shortened as before")
    parser.add_argument("--dry-run", action="store_true", help="runs nothing: checks verbs, options and links")
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/routesae")
    arguments = parser.parse_args()
    program = Program(arguments.program.resolve())
    pages = [read_page(path) for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]]
    documents = Documents(pages, program)
    documents.check_calls()
    documents.check_coverage()
    documents.check_links()
    documents.check_length()
    started = time.monotonic()
    if not arguments.dry_run:
        chosen = {Path(name).resolve() for name in arguments.pages}
        if unknown := chosen - {page.path for page in pages}:
            raise SystemExit(f"test_docs: no page {', '.join(map(str, unknown))}")
        with tempfile.TemporaryDirectory(prefix="routesae-docs-") as name:
            scratch = Path(name)
            (scratch / "bin").mkdir()
            (scratch / "bin/routesae").symlink_to(program.path)
            # The Python of this script, which has numpy and pandas where bootstrap has run.
            shim = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
            (scratch / "bin/python3").write_text(shim, encoding="utf-8")
            (scratch / "bin/python3").chmod(0o755)
            summary = None
            if given := os.environ.get("ROUTESAE_DEMO"):
                demo = Path(given).resolve()
                if not demo.is_file():
                    raise SystemExit(f"test_docs: ROUTESAE_DEMO names {given}, which is not there")
            else:
                demo = scratch / "demo.sqlite"
                (scratch / "Demo").symlink_to(ROOT / "Demo")
                status, summary = documents.run("routesae demo --output demo.sqlite", scratch, scratch / "bin")
                if status != 0:
                    raise SystemExit("test_docs: 'routesae demo' failed:\n" + "\n".join(summary))
            for page in pages:
                if page.commands and (not chosen or page.path in chosen):
                    documents.run_page(page, demo, summary, scratch, arguments.update)
            if not chosen and documents.ran < MINIMUM_COMMANDS - 1:
                documents.problems.append("too few commands")
                print(f"test_docs: {documents.ran} commands were run; at least {MINIMUM_COMMANDS - 1} are expected")
    parsed = sum(len(page.unrun) for page in pages)
    print(f"{len(pages)} pages, {documents.ran} commands run in {time.monotonic() - started:.0f} s, {parsed} lines "
          f"of sh parsed, {len(documents.problems)} problems")
    return 1 if documents.problems else 0


if __name__ == "__main__":
    sys.exit(main())
