#!/usr/bin/env python3
"""Checks that every import in Sources agrees with Package.swift, that the targets form the DAG of ARCHITECTURE.md, and
that no statement in SQL stands outside the target FeatureCatalog.

The package manager lets a target import whatever another target happened to build; this does not.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SYSTEM = {"Foundation", "FoundationNetworking", "Glibc", "Dispatch", "Synchronization", "Swift", "Testing"}

# Statements in string literals, and calls that run one.
STATEMENT = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bUPDATE\b.+\bSET\b|\bDELETE\s+FROM\b"
    r"|\A\s*(SELECT|INSERT|UPDATE|DELETE|WITH|REPLACE|CREATE|DROP|ALTER|PRAGMA|VACUUM|ATTACH)\s", re.DOTALL)
CALL = re.compile(r"\brows\(\s*sql:")

# Files outside FeatureCatalog whose strings may hold SQL, and why.
SQL_FOR_PEOPLE = {
    "Sources/routesae/Look/SQLCommand.swift": "examples in the help of the verb that runs the user's own SQL",
    "Sources/routesae/Make/EvaluateCommand.swift": "an example in the help",
    "Sources/routesae/Make/BenchmarkQueriesCommand.swift": "questions that are asked of the verb sql",
    "Sources/routesae/Output/DemoSummary.swift": "a line printed for the reader to run",
}


def main() -> int:
    manifest = json.loads(subprocess.check_output(["swift", "package", "dump-package"], cwd=ROOT))
    problems = []
    targets = {target["name"]: target for target in manifest["targets"]}
    for name, target in targets.items():
        allowed = set(SYSTEM) | {name}
        for dependency in target["dependencies"]:
            kind, value = next(iter(dependency.items()))
            allowed.add(value[0])
        folder = ROOT / (target.get("path") or ("Tests" if target["type"] == "test" else "Sources") + "/" + name)
        for source in sorted(folder.rglob("*.swift")):
            for line_number, line in enumerate(source.read_text().splitlines(), 1):
                found = re.match(r"\s*(?:(?:public|package|internal|private)\s+)?import\s+(?:\w+\s+)?(\w+)", line)
                if found and found.group(1) not in allowed:
                    problems.append(f"{source.relative_to(ROOT)}:{line_number}: {name} imports {found.group(1)}, "
                                    "which Package.swift does not list")
    if any(dep in {d for d in names(targets["FeatureCatalog"])} for dep in ("LanguageModel", "SparseCoding")):
        problems.append("FeatureCatalog depends on the model's side")
    if "FeatureCatalog" in names(targets["LanguageModel"]) | names(targets["SparseTraining"]):
        problems.append("the model's side depends on FeatureCatalog")
    problems += sql_outside()
    print("\n".join(problems) if problems else f"modules: {len(targets)} targets, imports as declared")
    return 1 if problems else 0


def names(target: dict) -> set:
    return {next(iter(dependency.values()))[0] for dependency in target["dependencies"]}


def sql_outside() -> list:
    """Statements in Sources outside FeatureCatalog."""
    problems = []
    unused = dict(SQL_FOR_PEOPLE)
    for source in sorted((ROOT / "Sources").rglob("*.swift")):
        name = str(source.relative_to(ROOT))
        if name.startswith("Sources/FeatureCatalog/"):
            continue
        text = source.read_text()
        literals, code = split(text)
        found = [start for start, literal in literals if STATEMENT.search(literal)]
        if found and name in SQL_FOR_PEOPLE:
            unused.pop(name, None)
            found = []
        found += [match.start() for match in CALL.finditer(code)]
        problems += [f"{name}:{text.count(chr(10), 0, start) + 1}: SQL outside FeatureCatalog; put the statement there, "
                     "behind a function with a typed result" for start in sorted(found)]
    for name, why in unused.items():
        problems.append(f"{name}: holds no SQL ({why}); take it off the list in check_modules.py")
    return problems


def split(text: str) -> tuple:
    """The string literals of a Swift source with their places, and the source without them and its comments.

    What is interpolated is code again; in the literal it becomes a question mark.
    """
    literals = []
    code = list(text)

    def blank(start: int, end: int) -> None:
        for place in range(start, end):
            if code[place] != "\n":
                code[place] = " "

    def literal(start: int) -> int:
        opening = re.compile(r'#*("""|")').match(text, start)
        pounds = opening.group().count("#")
        closing = opening.group(1) + "#" * pounds
        escape = "\\" + "#" * pounds
        place, pieces = opening.end(), []
        while place < len(text) and not text.startswith(closing, place):
            if text.startswith(escape + "(", place):
                blank(start, place)
                start = statement(place + len(escape) + 1, until=")")
                place = start
                pieces.append("?")
            elif text.startswith(escape, place):
                place += len(escape) + 1
                pieces.append(" ")
            else:
                pieces.append(text[place])
                place += 1
        blank(start, min(place + len(closing), len(text)))
        literals.append((opening.start(), "".join(pieces)))
        return place + len(closing)

    def statement(place: int, until: str = "") -> int:
        depth = 0
        while place < len(text):
            if text.startswith("//", place):
                end = text.find("\n", place)
                end = len(text) if end < 0 else end
                blank(place, end)
                place = end
            elif text.startswith("/*", place):
                end = text.find("*/", place)
                end = len(text) if end < 0 else end + 2
                blank(place, end)
                place = end
            elif re.compile(r'#*"').match(text, place):
                place = literal(place)
            else:
                if text[place] == until and depth == 0:
                    return place + 1
                depth += {"(": 1, ")": -1}.get(text[place], 0)
                place += 1
        return place

    statement(0)
    return literals, "".join(code)


if __name__ == "__main__":
    sys.exit(main())
