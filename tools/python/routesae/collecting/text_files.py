"""The text files that a path names: itself, or those of a folder and the folders in it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from ..errors import MISSING, USAGE, CollectError


def kind_of(path: str) -> str:
    """What lies at a path, links followed: `file`, `folder`, or why it cannot be read, as a phrase."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "is a link that leads in a circle"
        if os.path.islink(path):
            return f"is a link to {os.readlink(path)[:80]}, which is not there"
        return f"cannot be reached ({error.strerror})"
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return "file" if stat.S_ISREG(mode) else "folder"
    if stat.S_ISFIFO(mode):
        return "is a pipe (FIFO), and only plain files are read; write its text to a file first"
    return f"is a {'socket' if stat.S_ISSOCK(mode) else 'device'}, and only plain files are read"


def is_text(name: str) -> bool:
    """Whether a name is that of a text file."""
    return name.lower().endswith((".txt", ".jsonl"))


def text_files(path: str) -> list[str]:
    """The text files that a path names: itself, or those of a folder, by name.  Hidden ones are left out.

    Links are followed; a folder is read once, however many links lead to it.

    Raises:
        CollectError: nothing is there, or what is there is no text.
    """
    if not os.path.lexists(path):
        raise CollectError(f"{path}: no such file or folder of text", MISSING)
    kind = kind_of(path)
    if kind == "file":
        if not is_text(path):
            raise CollectError(f"{path}: is neither .txt nor .jsonl, which are read as text", USAGE)
        return [path]
    if kind != "folder":
        raise CollectError(f"{path}: {kind}", MISSING)
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    waiting = [path]  # Links come after all folders themselves.
    while waiting:
        folders = [waiting.pop(0)]
        while folders:
            folder = folders.pop(0)
            for inside, kind in _entries(folder, seen):
                if kind == "folder":
                    (waiting if os.path.islink(inside) else folders).append(inside)
                else:
                    found.append(inside)
    if not found:
        raise CollectError(f"{path}: holds no .txt or .jsonl file", MISSING)
    return sorted(found)


def _entries(folder: str, seen: set[tuple[int, int]]) -> Iterator[tuple[str, str]]:
    """The text files and the folders in a folder that was not seen before, by name, each with its kind."""
    try:
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise CollectError(f"{folder}: cannot be opened ({error.strerror})", MISSING) from None
    for name in names:
        inside = os.path.join(folder, name)
        if name.startswith("."):
            continue
        kind = kind_of(inside)
        if kind == "folder":
            yield inside, kind
        elif is_text(name):
            try:
                name.encode()
            except UnicodeEncodeError:
                shown = ascii(name)[1:-1].replace("\\udc", "\\x")
                raise CollectError(f"{folder}: holds a file whose name is not UTF-8, {shown}; rename it") from None
            if kind != "file":
                raise CollectError(f"{inside}: {kind}", MISSING)
            yield inside, kind
