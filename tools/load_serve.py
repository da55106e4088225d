#!/usr/bin/env python3
"""Loads `routesae serve` with many clients at once and says whether it answers all of them and keeps its memory.

    tools/load_serve.py demo.sqlite

Every client asks for one page after another on one connection, or on the next where the server closes it. Exits with 1 if a request fails or is refused,
or if the server's memory grows.
"""
import argparse
import asyncio
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Memory may grow by this factor from the third second to the end.
MOST_GROWTH = 1.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalog", help="a catalog with an indexed dictionary 1")
    parser.add_argument("--clients", type=int, default=200, help="at once (default: 200)")
    parser.add_argument("--seconds", type=float, default=20, help="how long they ask (default: 20)")
    parser.add_argument("--routesae", default=str(ROOT / ".build/release/routesae"), help="the program")
    options = parser.parse_args()
    start = time.perf_counter()
    server = subprocess.Popen([options.routesae, "serve", options.catalog], stdout=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r":(\d+)/", server.stdout.readline()).group(1))
        return asyncio.run(load(options, server.pid, port, start))
    finally:
        server.terminate()
        server.wait()


async def load(options, pid: int, port: int, start: float) -> int:
    first = await first_byte(port)
    print(f"first byte of the first page {1000 * (first - start):.0f} ms after the start of the program")
    paths = await pages(port)
    times, errors, memory = [], [], []
    end = time.perf_counter() + options.seconds
    clients = [client(port, paths, random.Random(seed), end, times, errors) for seed in range(options.clients)]
    await asyncio.gather(*clients, watch(pid, end, memory))
    times.sort()
    later = memory[3:] or memory
    print(f"{options.clients} clients, {options.seconds:.0f} s: {len(times)} answers, "
          f"{len(times) / options.seconds:.0f} a second, {len(errors)} errors")
    print(f"latency: median {1000 * statistics.median(times):.0f} ms, "
          f"p99 {1000 * times[int(0.99 * len(times))]:.0f} ms, most {1000 * times[-1]:.0f} ms")
    print("memory, MB: " + " ".join(f"{size:.0f}" for size in memory))
    for error, count in sorted({error: errors.count(error) for error in errors}.items()):
        print(f"error: {error} ({count} times)", file=sys.stderr)
    grows = max(later) > MOST_GROWTH * later[0]
    if grows:
        print("memory grows", file=sys.stderr)
    return 1 if errors or grows else 0


async def first_byte(port: int) -> float:
    """The time at which the first byte of the catalog's page comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("/", port))
    await reader.readexactly(1)
    writer.close()
    return time.perf_counter()


async def pages(port: int) -> list:
    """Addresses of pages of every kind, as a reader would find them."""
    paths = ["/", "/compare", "/search?q=king", "/dictionaries/1", "/dictionaries/1/features",
             "/dictionaries/1/features?sort=firing_rate", "/dictionaries/1/features.json", "/runs/1"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("/dictionaries/1/features", port))
    _, body, _ = await answer(reader)
    writer.close()
    return paths + sorted(set(re.findall(r'href="(/dictionaries/1/features/\d+)"', body.decode())))


async def client(port: int, paths: list, choice: random.Random, end: float, times: list, errors: list) -> None:
    writer = None
    while time.perf_counter() < end:
        path = choice.choice(paths)
        start = time.perf_counter()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(path, port))
            await writer.drain()
            status, _, closes = await asyncio.wait_for(answer(reader), 30)
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            errors.append(f"{path}: {type(error).__name__}")
            return
        times.append(time.perf_counter() - start)
        if status != 200:
            errors.append(f"{path}: status {status}")
        if closes:
            writer.close()
            writer = None
    if writer is not None:
        writer.close()


def request(path: str, port: int) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


async def answer(reader: asyncio.StreamReader) -> tuple:
    """The status and the body of an answer, and whether the server closes the connection behind it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = int(re.search(r"(?i)\r\ncontent-length: *(\d+)", head).group(1))
    closes = re.search(r"(?i)\r\nconnection: *close", head) is not None
    return int(head.split(" ")[1]), await reader.readexactly(length), closes


async def watch(pid: int, end: float, memory: list) -> None:
    """Notes the server's resident memory, in MB, each second."""
    pages_of_memory = os.sysconf("SC_PAGE_SIZE") / 1e6
    while time.perf_counter() < end:
        memory.append(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * pages_of_memory)
        await asyncio.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
