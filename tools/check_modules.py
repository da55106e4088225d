#!/usr/bin/env python3
"""Checks what the compiler does not: that every import agrees with Package.swift, that the targets form the DAG of
ARCHITECTURE.md, that SQL stands in FeatureCatalog alone, that options are spelled by the command line alone, and that no
enumeration is declared twice.

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

# Options of other programs that libraries name.
OPTIONS_OF_OTHERS = {"--local-dir", "--reasoning-parser", "--reasoning-format"}

# Words in backticks in the libraries' messages that are no settings.
NO_SETTINGS = {"ok", "undefined", "routed", "router", "routesae"}

# Enumerations of fewer cases than this may share them by chance.
FEWEST_CASES = 3

# Enumerations that share their cases with another one, and why.
ENUMERATIONS_APART = {
    "Cell": "a value as it is printed: of a blob only the size; CatalogValue holds the bytes",
    "InputRule": "the word in a file for an InputNormalization, which carries its number as well",
    "Code": "RouteSAEError.Code is the public face of FailureKind, whose module other packages do not import",
}


def needed(manifest: dict, targets: dict) -> set:
    """The targets that the libraries for other packages are made of."""
    found: set = set()
    waiting = [name for product in manifest["products"] if "library" in product["type"] for name in product["targets"]]
    while waiting:
        name = waiting.pop()
        if name in targets and name not in found:
            found.add(name)
            waiting += [value[0] for dependency in targets[name]["dependencies"] for value in dependency.values()]
    return found


def main() -> int:
    manifest = json.loads(subprocess.check_output(["swift", "package", "dump-package"], cwd=ROOT))
    problems = []
    targets = {target["name"]: target for target in manifest["targets"]}
    offered = needed(manifest, targets)
    for name, target in targets.items():
        if name in offered and any("unsafeFlags" in setting["kind"] for setting in target["settings"]):
            problems.append(f"Package.swift: {name} has unsafe flags, so no package can depend on a version of this one")
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
    problems += sql_outside() + options_outside() + enumerations_twice()
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


def options_outside() -> list:
    """Options spelled in the libraries' messages, and settings named there for which the command line has no option."""
    command_line = "".join(source.read_text() for source in sorted((ROOT / "Sources/routesae").rglob("*.swift")))
    options = set()
    for declaration, name in re.findall(r"@(?:Option|Flag)\b(.*?)\bvar (\w+)", command_line, re.DOTALL):
        longs = re.findall(r'customLong\(\s*"([\w-]+)"', declaration)
        options |= set(longs)
        if not longs or re.search(r"\.long\b", declaration):
            options.add(hyphenated(name))
    options |= {"no-" + name for name in options}
    names = (ROOT / "Sources/routesae/Options/OptionNames.swift").read_text()
    others = dict(re.findall(r'"(\w+)": "([\w-]+)"', names))
    problems = []
    for source in sorted((ROOT / "Sources").rglob("*.swift")):
        name = str(source.relative_to(ROOT))
        if name.startswith("Sources/routesae/"):
            continue
        text = source.read_text()
        for start, literal in split(text)[0]:
            place = f"{name}:{text.count(chr(10), 0, start) + 1}"
            problems += [f"{place}: spells the option {option}; name the setting in backticks"
                         for option in re.findall(r"--[a-z][a-z-]*[a-z]", literal) if option not in OPTIONS_OF_OTHERS]
            problems += [f"{place}: no verb has an option for `{setting}`; see OptionNames.swift"
                         for setting in re.findall(r"`([a-z][A-Za-z0-9]*)`", literal)
                         if others.get(setting, hyphenated(setting)) not in options and setting not in NO_SETTINGS]
    return problems


def hyphenated(setting: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: "-" + letter.group().lower(), setting)


def enumerations_twice() -> list:
    """Enumerations in Sources of one name, or of the same cases."""
    known, problems = {}, []
    for source in sorted((ROOT / "Sources").rglob("*.swift")):
        code = split(source.read_text())[1]
        declared = [(found, found.group(1)) for found in re.finditer(r"^(?:\w+ )*enum (\w+)", code, re.M)]
        for found in re.finditer(r"^([ ]*)(?:\w+ )*enum (\w+)[^{\n]*\{\n(.*?)^\1\}", code, re.DOTALL | re.M):
            indent, _, body = found.groups()
            cases = re.findall(rf"^{indent}    (?:indirect )?case ([^\n]+)", body, re.M)
            words = frozenset(word.split("(")[0].split("=")[0].strip(" `") for line in cases
                              for word in re.sub(r"\([^)]*\)", "", line).split(","))
            if len(words) >= FEWEST_CASES:
                declared.append((found, words))
        for found, key in declared:
            name = re.search(r"enum (\w+)", found.group()).group(1)
            place = f"{source.relative_to(ROOT)}:{code.count(chr(10), 0, found.start()) + 1}"
            if key in known and name not in ENUMERATIONS_APART:
                problems.append(f"{place}: {name} is declared at {known[key]} already")
            known.setdefault(key, place)
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
