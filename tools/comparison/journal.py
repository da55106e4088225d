"""What a comparison has done so far, in a JSON file beside its catalog."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path


class Journal:
    """Settings, time by stage, and dictionaries that diverged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        known = json.loads(path.read_text()) if path.exists() else {}
        #: What the catalog was begun with.
        self.settings: dict = known.get("settings", {})
        #: Seconds by stage, over all runs of the command.
        self.seconds: dict[str, float] = known.get("seconds", {})
        #: Names of dictionaries whose training failed: there is nothing to resume.
        self.diverged: list[str] = known.get("diverged", [])
        #: Labels that cannot be probed, since the text has fewer than two classes of them.
        self.missing_labels: list[str] = known.get("missing_labels", [])
        #: What the pilot sweep found: [system, k, value].
        self.knobs: list[list] = known.get("knobs", [])
        #: Shares found by decoder cosine, by dictionary and layer, where the program takes no census.
        self.census: dict[str, dict[str, float]] = known.get("census", {})

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        names = ("settings", "seconds", "diverged", "missing_labels", "knobs", "census")
        kept = {name: getattr(self, name) for name in names}
        scratch = self.path.with_suffix(".part")
        scratch.write_text(json.dumps(kept, indent=1))
        scratch.replace(self.path)

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds the time that a stage takes, also if it ends early."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0) + time.monotonic() - started
            self.save()
