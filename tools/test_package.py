#!/usr/bin/env python3
"""Builds Demo/package, another package that uses the library RouteSAE, and runs it on a catalog.

    python3 tools/test_package.py            needs .build/release/routesae, to migrate the catalog
"""
import pathlib
import subprocess
import sys
import tempfile

import zstandard

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "Demo/package"
MOST_LINES = 30


def main() -> int:
    sources = [PACKAGE / "Package.swift", *PACKAGE.glob("Sources/*/*.swift")]
    lines = sum(len(source.read_text().splitlines()) for source in sources)
    if lines >= MOST_LINES:
        return fail(f"{PACKAGE.relative_to(ROOT)} has {lines} lines; it is to show that fewer than {MOST_LINES} do")
    page = ROOT / "docs/library.md"
    for source in sources:
        if source.read_text() not in page.read_text():
            return fail(f"docs/library.md does not show {source.relative_to(ROOT)} as it is")
    scratch = ["--package-path", str(PACKAGE), "--scratch-path", str(ROOT / ".build/package")]
    subprocess.run(["swift", "build", *scratch], check=True)
    program = subprocess.check_output(["swift", "build", *scratch, "--show-bin-path"], text=True).strip()
    with tempfile.TemporaryDirectory() as folder:
        catalog = pathlib.Path(folder) / "catalog.sqlite"
        packed = (ROOT / "Tests/Fixtures/catalogs/version-5.sqlite.zst").read_bytes()
        catalog.write_bytes(zstandard.ZstdDecompressor().decompressobj().decompress(packed))
        subprocess.run([ROOT / ".build/release/routesae", "migrate", catalog], check=True, capture_output=True)
        mine = catalog.with_name("mine.sqlite")
        output = subprocess.check_output([program + "/FirstFeatures", catalog, mine], text=True).splitlines()
        print("\n".join(output))
        if len(output) != 4 or not all(line[:1].isdigit() for line in output):
            return fail("it does not print three features and a count of latents")
        if not output[-1].endswith("are active"):
            return fail("it does not train a dictionary")
        check = [ROOT / ".build/release/routesae", "verify", mine]
        if subprocess.run(check, capture_output=True).returncode != 0:
            return fail("the catalog that it writes does not pass verify")
    print(f"package: built and run, {lines} lines")
    return 0


def fail(problem: str) -> int:
    print(f"test_package.py: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
