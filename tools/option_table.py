#!/usr/bin/env python3
"""Writes docs/options.md: every option of the command line, what it does, and the verbs that take it.

    python3 tools/option_table.py            writes the page, from .build/release/routesae
    python3 tools/option_table.py --check    exits with 1 where the page is not what the program says
"""
import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/options.md"
PROGRAM = ROOT / ".build/release/routesae"
# What every verb has.
EVERYWHERE = {"--help", "--version"}
HEAD = """# Options by verb

An option has one name and one meaning wherever it appears. Where verbs differ in a default, `routesae VERB --help` states
it. `tools/option_table.py` writes this page from the program's help.

| option | meaning | verbs |
|---|---|---|
"""


def verbs(command: dict, words: tuple = ()) -> list:
    """All verbs with their arguments, in the order of the help."""
    found = []
    for child in command.get("subcommands", []):
        if child["commandName"] == "help":
            continue
        name = words + (child["commandName"],)
        found += verbs(child, name) or [(" ".join(name), child.get("arguments", []))]
    return found


def page() -> str:
    help_ = json.loads(subprocess.check_output([PROGRAM, "--experimental-dump-help"]))
    meanings = collections.defaultdict(dict)
    for verb, arguments in verbs(help_["command"]):
        for argument in arguments:
            names = ["--" + name["name"] for name in argument.get("names", []) if name["kind"] == "long"]
            if not names or not argument.get("shouldDisplay") or EVERYWHERE & set(names):
                continue
            value = f" {argument['valueName'].upper()}" if argument["kind"] == "option" else ""
            option = ", ".join(f"`{name}{value}`" for name in names)
            meanings[option].setdefault(argument["abstract"], []).append(verb)
    rows = []
    for option in sorted(meanings):
        for abstract, users in meanings[option].items():
            rows.append(f"| {option} | {abstract.replace('|', chr(92) + '|')} | {', '.join(users)} |")
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        print(f"options: {PAGE.relative_to(ROOT)} is what the program says")
        return 0
    print(f"{PAGE.relative_to(ROOT)}: is not what the program says; run tools/option_table.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
