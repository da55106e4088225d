"""The command line of collecting: its options, its messages and its exit statuses."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any

from ..activation_stream import DTYPES
from ..errors import CANNOT_WRITE, INTERNAL, INTERRUPTED, CollectError, one_line
from .progress import silent, to_standard_error
from .request import Request
from .to_files import write_files
from .to_stream import write_stream

#: What `--help` says before the options.
DESCRIPTION = """Collect a Hugging Face model's residual streams over text for `routesae train --activations`.

Any model that AutoModel opens will do: decoders (Llama, GPT-2, Gemma ...), encoders (BERT, RoBERTa ...) and the
encoder of an encoder-decoder.  What `routesae activations` writes for the models that it runs itself, this writes for
all others, in the same format:

    activations  [tokens, layers, d]   bf16 (or f16, f32)
    token_ids    [tokens]              i64
    document_ids [tokens]              i64, numbers of the documents in the order they were read
    is_prefix    [tokens]              u8, 1 for a BOS that was put before a text, 0 for the text's own tokens

One row for every token, in the order of the text.  The header says format, model, model_sha256 (where the weights
are local safetensors files), tokenizer, layers, context, bos_token_id (only if the tokenizer puts one) and, of
several files, shard and shards.

Layers are counted from 0; layer l is what the l-th block adds up to, before any final norm.  They are taken by hooks
on the blocks themselves; a first, short run checks that the blocks found are the right ones.  Where no such blocks are
found the hidden states of transformers are taken, and the last layer is refused.

Text is .txt files (one document each), .jsonl files (one document a line, key `text`) and folders of them; UTF-8, or
what a byte-order mark says.  A document is cut into windows of --context tokens; windows never cross a document's
border.

    Decoders   each window begins with BOS if the tokenizer puts one; BOS has a row of its own, which is_prefix lets
               training leave out.  A BOS that a text contains is text.
    Encoders   each window stands between the tokenizer's special tokens, such as [CLS] and [SEP].  The model sees
               them, but they get no rows.

Whether a model is the one or the other is found by trying: in a decoder no token sees a later one.  Padding never
gets a row.  Files are written under the name FILE.partial and renamed when all of them are complete; after an error
nothing is left.  A stream has the same rows; one that breaks off has no end, by which its reader knows.  Neither the
weights nor the text leave the machine; a model in a folder needs no network.
"""
#: Examples of writing files, of the script; and of a stream, of the package.
EXAMPLES_OF_FILES = """
Examples:
    {program} bert-base-uncased --text books/ --layers 3-11 --output bert.safetensors
    {program} ./gemma-3-1b-pt --text a.jsonl --layers all --shard-tokens 1000000 --output out/gemma
    {program} ./gpt2 --text a.txt --layers 5,11 --output gpt2.safetensors --dry-run
"""
EXAMPLES_OF_STREAMS = """
Without --output the rows go to standard output as a stream, which a trainer reads from a pipe:
    {program} ./gpt2 --text books/ --layers 3-8 | routesae train c.sqlite --activations - \\
        --latents 16384 --k 64 --tokens 10000000
    {program} ./gpt2 --text books/ --layers 3-8 --from-token 409600 | routesae train c.sqlite --resume
"""


def add_options(parser: argparse.ArgumentParser, streams: bool) -> None:
    """Describes the options; ``streams`` says whether standard output is the default."""
    add = parser.add_argument
    add("model", help="a model's folder, or its name on the Hugging Face hub")
    add("--text", nargs="+", required=True, help="text files (.txt, .jsonl) and folders of them")
    add("--layers", required=True, help="layers counted from 0: 3-11, 3,5,7 or all")
    add(
        "--output",
        default="-" if streams else None,
        required=not streams,
        help="the file to write, - for a stream on standard output; with --shard-tokens the start of the files' names",
    )
    add("--from-token", type=int, help="begin a stream with the block that holds this token, to resume training on it")
    add("--shard-tokens", type=int, help="rows of each file (default: one file for all)")
    add("--dtype", choices=sorted(DTYPES), default="bf16", help="how activations are stored (default: %(default)s)")
    add("--context", type=int, help="the most tokens the model sees at once (default: all its positions, 2048 at most)")
    add("--tokens", type=int, help="stop after this many rows, at the end of a window")
    add("--max-tokens", dest="tokens", type=int, help=argparse.SUPPRESS)  # Its name in earlier versions.
    add("--batch-size", type=int, default=8, help="windows run at once (default: %(default)s)")
    add("--tokenizer", help="a tokenizer's folder or name (default: the model's)")
    add("--compute", choices=sorted(DTYPES), default="f32", help="what the model computes in (default: %(default)s)")
    add("--device", help="a torch device (default: cuda if there is one, else cpu)")
    add("--force", action="store_true", help="replace existing files")
    add("--dry-run", action="store_true", help="say what would be written, and write nothing")
    add("--quiet", "-q", action="store_true", help="nothing on standard error but errors")


def run(options: argparse.Namespace) -> int:
    """Collects what the options ask for and returns the exit status; every error is one line on standard error."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        request = Request.of(options)
        write = write_stream if request.is_stream else write_files
        write(request, silent if request.quiet else to_standard_error)
        return 0
    except KeyboardInterrupt:
        left = "the stream has no end" if options.output == "-" else "nothing was written"
        print(f"\nstopped; {left}", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        print(f"error: {error.filename or options.output}: {error.strerror or one_line(error)}", file=sys.stderr)
        return CANNOT_WRITE
    except CollectError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.status
    except RuntimeError as error:  # What torch throws, out of memory among them.
        print(f"error: {options.model}: {one_line(error)}; a lower --batch-size takes less memory", file=sys.stderr)
        return INTERNAL


def _stop(number: int, _frame: Any) -> None:
    """Lets a signal clean up."""
    raise KeyboardInterrupt(number)
