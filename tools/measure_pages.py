#!/usr/bin/env python3
"""Measures the pages of `routesae serve`: milliseconds, from the answers' Server-Timing, and kilobytes.

    python3 tools/measure_pages.py CATALOG [--requests 100] [--program .build/release/routesae] [--sorts]

Starts a server of its own on the catalog and asks for the pages of the last dictionary, one after another. The first
request of each page is a column of its own, since it may compute what later ones find kept; median and 99th percentile
are of the others, and so is the processor time, which other programs on the machine change less. With --sorts the list is
asked for in the order of every column, both ways.
"""
import argparse
import json
import math
import pathlib
import re
import statistics
import subprocess
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent


def ask(address: str) -> tuple:
    """The milliseconds that the server took, those in which it computed, and the answer."""
    with urllib.request.urlopen(address) as answer:
        body = answer.read()
        total, processor = re.findall(r"dur=([0-9.e-]+)", answer.headers["Server-Timing"])
        return float(total), float(processor), body


def pages(base: str, sorts: bool) -> list:
    """The paths to measure."""
    catalog = json.loads(ask(base + "catalog.json")[2])
    dictionary = catalog["dictionaries"][-1]
    home = f"dictionaries/{dictionary['dictionary_id']}"
    features = f"{home}/features"
    rows = json.loads(ask(f"{base}{features}.json")[2])["features"]
    feature = rows[0]["feature_index"] if rows else 0
    token = urllib.parse.quote(str(rows[0]["top_token"])) if rows else "x"
    found = [
        "", home, features, f"{features}?alive=1&order=reversed", f"{features}?offset={dictionary['n_latents'] // 2}",
        f"{features}?where=p99%3E3", f"{features}?token={token}", f"{features}?layer={dictionary['layers'][0]}",
        f"{features}?q=the", f"{features}/{feature}", f"{features}/{feature}?contexts=all", f"{features}/{feature}.json",
        f"{features}/{feature}/contexts/top/0", f"{home}/map", f"{home}/map.json",
        f"runs/{catalog['runs'][0]['run_id']}", "search?q=the", "compare",
    ]
    if sorts:
        page = ask(base + features)[2].decode()
        names = re.findall(r'<option value="([a-z_0-9]+)"', page.split('name="sort"')[1].split("</select>")[0])
        found += [f"{features}?sort={name}{order}" for name in names for order in ("", "&order=reversed")]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("catalog")
    parser.add_argument("--requests", type=int, default=100, help="requests of each page after the first")
    parser.add_argument("--program", default=str(ROOT / ".build/release/routesae"))
    parser.add_argument("--sorts", action="store_true", help="the list in every order as well")
    options = parser.parse_args()
    server = subprocess.Popen([options.program, "serve", options.catalog], stdout=subprocess.PIPE, text=True)
    try:
        base = server.stdout.readline().removeprefix("Listening on ").strip()
        print("| page | first, ms | median, ms | 99 %, ms | processor, ms | kB |\n|---|---|---|---|---|---|")
        for page in pages(base, options.sorts):
            first, _, body = ask(base + page)
            answers = [ask(base + page) for _ in range(options.requests)]
            times = sorted(answer[0] for answer in answers)
            computed = statistics.median(answer[1] for answer in answers)
            last = times[math.ceil(0.99 * len(times)) - 1]
            figures = (first, statistics.median(times), last, computed, len(body) / 1000)
            print(f"| `/{page}` |" + "".join(f" {figure:.1f} |" for figure in figures))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
