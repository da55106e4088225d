"""Collecting to standard output: rows go into a pipe as they are computed."""

from __future__ import annotations

import os
from collections.abc import Callable

from ..activation_stream import StreamWriter, row_bytes
from ..errors import USAGE, CollectError
from .opening import header_entries, opened
from .progress import Progress, size, to_standard_error
from .request import Request
from .rows import computed
from .text_files import text_files


def write_stream(request: Request, say: Callable[[str], None]) -> None:
    """Writes all rows to standard output; a reader that closes the pipe ends it.

    Raises:
        CollectError: standard output is a terminal, or the text or the model cannot be used.
    """
    if os.isatty(1):
        raise CollectError("standard output is a terminal, and a stream is bytes; add a pipe, or --output FILE", USAGE)
    # Whatever a library prints must not get into the stream.
    descriptor = os.dup(1)
    os.dup2(2, 1)
    progress = Progress(request.quiet)
    writer: StreamWriter | None = None
    try:
        files = [file for path in request.text for file in text_files(path)]
        source = opened(request)
        width, layers = source.model.streams.width, source.layers
        metadata = header_entries(request, source)
        writer = StreamWriter(descriptor, metadata, layers, width, request.dtype, request.first_row)
        begun = writer.row
        say(
            f"{source.description}, on {source.model.device} in {request.compute}\n"
            f"{len(layers)} layers in {request.dtype}, {size(row_bytes(len(layers), width, request.dtype))} a token, "
            f"from token {begun} on"
        )
        progress = Progress(request.quiet)
        for part in computed(request, files, source, begun, to_standard_error):
            writer.append(*part)
            progress.update(writer.row - begun, None)
        writer.finish()
    except BrokenPipeError:
        progress.finish()
        return say(f"the reader closed the stream at token {writer.row if writer else 0:,}")
    finally:
        os.close(descriptor)
    rate = progress.rate(writer.row - begun)
    progress.finish()
    say(f"the stream is complete: {writer.row:,} tokens, {rate:,.0f} a second")
