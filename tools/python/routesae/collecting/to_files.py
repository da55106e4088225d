"""Collecting to safetensors files, planned and checked before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import CollectError
from .opening import Opened, header_entries, opened
from .progress import Progress, size, to_standard_error
from .request import Request
from .rows import all_windows, computed
from .shard_files import ShardFiles
from .shard_plan import Plan, check_folder, check_output, check_space, plan_files
from .text_files import text_files
from .weights_digest import weight_files
from .windows import limited


def write_files(request: Request, say: Callable[[str], None]) -> None:
    """Writes all rows to files, which appear together when they are complete.

    Raises:
        CollectError: the text or the model cannot be used, or the files cannot be written.
    """
    files = [file for path in request.text for file in text_files(path)]
    check_folder(request.output)
    if request.shard_tokens is None:  # With it, the names of the files depend on the number of tokens.
        check_output([request.output], request.force, files)
    source = opened(request)
    rows, count = _counted(request, files, source)
    width, layers = source.model.streams.width, source.layers
    plan = plan_files(request.output, rows, request.shard_tokens, len(layers), width, request.dtype)
    read = files + (weight_files(request.model) if source.model.is_local else [])
    check_output(plan.paths, request.force, read)
    with ShardFiles(plan, header_entries(request, source)) as shards:
        free = check_space(plan, shards.header_bytes())
        say(_announced(request, source, plan, count, free))
        if request.dry_run:
            for path in plan.paths[:3] + (["..."] if len(plan.paths) > 3 else []):
                say(path)
            return
        progress = Progress(request.quiet)
        for part in computed(request, files, source):
            shards.append(*part)
            progress.update(shards.done, rows)
        shards.finish()
        rate = progress.rate(rows)
        progress.finish()
    names = plan.paths[0] if len(plan.paths) == 1 else f"{plan.paths[0]} ... {len(plan.paths) - 1:05}"
    say(f"{names}: activations [{rows}, {len(layers)}, {width}] {request.dtype}, {rate:,.0f} tokens a second")


def _counted(request: Request, files: Sequence[str], source: Opened) -> tuple[int, int]:
    """The rows that will be written, and the documents that they are of."""
    rows = count = 0
    last = -1
    for window in limited(all_windows(files, source, to_standard_error), request.tokens):
        rows += window.rows
        count += window.document != last
        last = window.document
    if rows == 0:
        raise CollectError(f"{', '.join(request.text)}: the text holds no tokens")
    return rows, count


def _announced(request: Request, source: Opened, plan: Plan, count: int, free: int) -> str:
    """What is about to be written."""
    around = source.around
    special = "no special tokens"
    if around.special:
        special = "BOS among them" if around.writes_bos else "special tokens left out"
    return (
        f"{source.description}, on {source.model.device} in {request.compute}\n"
        f"{sum(plan.rows):,} tokens of {count:,} documents ({special}), {len(source.layers)} layers: "
        f"{size(plan.bytes)} of {request.dtype} in {len(plan.paths)} {'file' if len(plan.paths) == 1 else 'files'}, "
        f"{size(free)} are free"
    )
