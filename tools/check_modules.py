#!/usr/bin/env python3
"""Checks that every import in Sources agrees with Package.swift and that the targets form the DAG of ARCHITECTURE.md.

The package manager lets a target import whatever another target happened to build; this does not.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SYSTEM = {"Foundation", "FoundationNetworking", "Glibc", "Dispatch", "Synchronization", "Swift", "Testing"}


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
    print("\n".join(problems) if problems else f"modules: {len(targets)} targets, imports as declared")
    return 1 if problems else 0


def names(target: dict) -> set:
    return {next(iter(dependency.values()))[0] for dependency in target["dependencies"]}


if __name__ == "__main__":
    sys.exit(main())
