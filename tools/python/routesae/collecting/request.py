"""What collecting was asked for: the options of a command line, checked once."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from ..errors import USAGE, CollectError
from .layers import parse_layers


@dataclass(frozen=True)
class Request:
    """The options, as ``command.add_options`` describes them.

    Raises:
        CollectError: a number is out of its range, or two options exclude each other.
    """

    model: str
    text: tuple[str, ...]
    #: The layers to collect, ascending; None for all.
    layers: tuple[int, ...] | None
    #: A file, a prefix of files, or - for a stream.
    output: str
    #: How activations are stored, and what the model computes in: f32, f16 or bf16.
    dtype: str
    compute: str
    tokenizer: str | None
    device: str | None
    #: Tokens of a window; None for all that the model takes, 2048 at most.
    context: int | None
    #: Rows after which to stop, at the end of a window; None for all of the text.
    tokens: int | None
    #: Windows that are run at once.
    batch_size: int
    #: The row in whose block a stream begins; None for the first.
    from_token: int | None
    #: Rows of each file; None for one file of all.
    shard_tokens: int | None
    force: bool
    dry_run: bool
    quiet: bool

    @classmethod
    def of(cls, options: argparse.Namespace) -> Request:
        """A request from parsed options."""
        layers = parse_layers(options.layers)
        return cls(
            model=options.model,
            text=tuple(options.text),
            layers=None if layers is None else tuple(layers),
            output=options.output,
            dtype=options.dtype,
            compute=options.compute,
            tokenizer=options.tokenizer,
            device=options.device,
            context=options.context,
            tokens=options.tokens,
            batch_size=options.batch_size,
            from_token=options.from_token,
            shard_tokens=options.shard_tokens,
            force=options.force,
            dry_run=options.dry_run,
            quiet=options.quiet,
        )

    def __post_init__(self) -> None:
        for name in ("tokens", "batch_size", "shard_tokens"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise CollectError(f"--{name.replace('_', '-')} is {value}; allowed: from 1", USAGE)
        if not self.is_stream:
            if self.from_token is not None:
                raise CollectError("--from-token goes with --output -, a stream; files are written whole", USAGE)
            return
        for name in ("shard_tokens", "force", "dry_run"):
            if getattr(self, name):
                raise CollectError(f"--{name.replace('_', '-')} goes with files; --output - is a stream", USAGE)
        if self.first_row < 0:
            raise CollectError(f"--from-token is {self.from_token}; allowed: from 0", USAGE)

    @property
    def is_stream(self) -> bool:
        """Whether rows go to standard output rather than to files."""
        return self.output == "-"

    @property
    def first_row(self) -> int:
        """The row of the text that is asked for first."""
        return self.from_token or 0
