"""The model opened for a request, with its layers and windows, and the header that describes its activations."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..errors import USAGE, CollectError
from .layers import check_layers
from .model import Model
from .request import Request
from .weights_digest import weights_digest
from .windows import Framing, check_context


@dataclass(frozen=True)
class Opened:
    """A model and what is taken of it: the layers, what stands around a window, and a window's length in tokens."""

    model: Model
    layers: list[int]
    around: Framing
    context: int

    @property
    def description(self) -> str:
        """The model in a line: name, kind, layers and width."""
        kind = "decoder" if self.model.streams.is_causal else "encoder"
        return f"{self.model.name}: {kind}, {self.model.streams.layer_count} layers of width {self.model.streams.width}"


def opened(request: Request) -> Opened:
    """Opens the model.

    Raises:
        CollectError: it cannot be opened or run, lacks a layer, or takes no window of that length.
    """
    model = Model(request.model, request.tokenizer, request.compute, request.device)
    layers = check_layers(request.layers, model.streams.layer_count, model.name)
    if not model.streams.has_blocks and layers[-1] == model.streams.layer_count - 1:
        raise CollectError(
            f"{request.model}: the blocks of {model.kind} were not found, and hidden_states holds its last layer after "
            f"the final norm, if there is one; leave layer {layers[-1]} out",
            USAGE,
        )
    around = model.around()
    return Opened(model, layers, around, check_context(request.context, model.most_positions(), around.special))


def header_entries(request: Request, opened: Opened) -> dict[str, str]:
    """The text entries of a header (docs/activations.md)."""
    model = opened.model
    metadata = {
        "format": "routesae-activations-1",
        "model": model.name,
        "tokenizer": model.tokenizer_name,
        "layers": "[" + ",".join(map(str, opened.layers)) + "]",
        "context": str(opened.context),
        "compute_dtype": request.compute,
        "attention": "causal" if model.streams.is_causal else "bidirectional",
    }
    if not model.is_local:
        metadata["model_id"] = request.model + (f"@{os.path.basename(model.folder)}" if model.folder else "")
    if opened.around.writes_bos:
        metadata["bos_token_id"] = str(opened.around.prefix[0])
    digest = weights_digest(model.folder) if model.folder else None
    if digest:
        metadata["model_sha256"] = digest
    return metadata
