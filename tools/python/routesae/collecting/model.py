"""A Hugging Face model with its tokenizer, opened for collecting its residual streams."""

from __future__ import annotations

import importlib
import os
from typing import Any

from ..errors import MISSING, CollectError, one_line
from .residual_streams import ResidualStreams
from .windows import Framing, Window, framing

#: The longest reason of another library that a message repeats.
MOST_REASON = 300


class Model:
    """A model with its tokenizer and its residual streams.

    Args:
        name: a model's folder, or its name on the hub.
        tokenizer: likewise of a tokenizer; None for the model's own.
        compute: what the model computes in: f32, f16 or bf16.
        device: of torch; None for a GPU if there is one, else the CPU.

    Raises:
        CollectError: torch or transformers is not installed, or the model cannot be opened or run.
    """

    def __init__(self, name: str, tokenizer: str | None, compute: str, device: str | None) -> None:
        self.is_local = os.path.isdir(name)
        if not self.is_local and (name.startswith((".", "/", "~")) or name.count("/") > 1):
            raise CollectError(f"{name}: no such model folder", MISSING)
        if self.is_local and (tokenizer is None or os.path.isdir(tokenizer)):
            os.environ["HF_HUB_OFFLINE"] = "1"  # Read on import: a folder has all that is needed.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        torch, transformers = _imported("torch"), _imported("transformers")
        transformers.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self.torch = torch
        self.path = name
        self.name = _last_part(name)
        words = tokenizer or name
        self.tokenizer_name = _last_part(words)
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        # Names that are nowhere, damaged files, unknown architectures: all sorts of exceptions, each with its reason.
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(words)
            whole, loading = transformers.AutoModel.from_pretrained(
                name, dtype=_dtype(torch, compute), output_loading_info=True
            )
            self._model = whole.get_encoder() if whole.config.is_encoder_decoder else whole
            self._model = self._model.eval().to(self.device)
        except Exception as error:
            raise CollectError(f"{name}: cannot be opened ({one_line(error)[:MOST_REASON]})") from None
        # A pooler sits on top of the last layer; everything else is needed.
        lacking = [key for key in sorted(loading["missing_keys"]) if "pooler" not in key]
        lacking += [str(key) for key in loading.get("mismatched_keys", [])]
        if lacking:
            raise CollectError(f"{name}: the weights lack {lacking[0]} ({len(lacking)} in all); they would be random")
        self.folder = name if self.is_local else self._cached_folder()
        special = {self.tokenizer.pad_token_id, *self.tokenizer.all_special_ids}
        self.streams = ResidualStreams(torch, self._model, name, self.device, special)

    @property
    def kind(self) -> str:
        """The name of the model's class."""
        return type(self._model).__name__

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Token ids of texts, without special tokens of its own."""
        found = self.tokenizer(texts, add_special_tokens=False, verbose=False, return_attention_mask=False)
        ids: list[list[int]] = found["input_ids"]
        return ids

    def around(self) -> Framing:
        """What the tokenizer puts before and after a text.

        Raises:
            CollectError: it cannot be told from the text's own tokens.
        """
        plain = self.encode(["a"])[0]
        full = self.tokenizer("a", verbose=False)["input_ids"]
        places = [i for i in range(len(full) - len(plain) + 1) if plain and full[i : i + len(plain)] == plain]
        if not places:
            raise CollectError(f"{self.tokenizer_name}: cannot tell the tokenizer's special tokens from the text's")
        prefix, suffix = full[: places[0]], full[places[0] + len(plain) :]
        return framing(prefix, suffix, self.tokenizer.bos_token_id, self.streams.is_causal)

    def most_positions(self) -> int | None:
        """How many tokens the model takes; None for any number."""
        most = getattr(self.streams.config, "max_position_embeddings", None)
        limits = [most] if isinstance(most, int) and most > 0 else []
        for module_name, module in self._model.named_modules():
            # RoBERTa counts its positions from the one after padding.
            if module_name.endswith("position_embeddings") and isinstance(module, self.torch.nn.Embedding):
                limits.append(module.num_embeddings - (-1 if module.padding_idx is None else module.padding_idx) - 1)
        if not self.streams.is_causal and self.tokenizer.model_max_length < 1_000_000:
            limits.append(self.tokenizer.model_max_length)
        return min(limits, default=None)

    def rows(self, batch: list[Window], layers: list[int], dtype: str) -> memoryview:
        """Activations of a batch's rows in order: bytes of [rows, layers, width] in the stored type.

        Raises:
            CollectError: one is not finite, or too large for the type.
        """
        torch = self.torch
        pad = self.tokenizer.pad_token_id
        length = max(len(window.ids) for window in batch)
        ids = torch.full((len(batch), length), 0 if pad is None else pad)
        attention = torch.zeros_like(ids)
        wanted = torch.zeros(ids.shape, dtype=torch.bool)
        for place, window in enumerate(batch):
            ids[place, : len(window.ids)] = torch.tensor(window.ids)
            attention[place, : len(window.ids)] = 1
            wanted[place, window.first : window.end] = True
        with torch.inference_mode():
            values = self.streams.at(ids, attention, wanted, layers)
            stored = values.to(_dtype(torch, dtype))
            for what, numbers in (("not finite", values), (f"too large for {dtype}", stored)):
                if not torch.isfinite(numbers).all():
                    row, place = (~torch.isfinite(numbers)).nonzero()[0].tolist()[:2]
                    owners = [window.document for window in batch for _ in range(window.rows)]
                    hint = "; store them as f32" if numbers is stored else ""
                    raise CollectError(
                        f"{self.path}: activations are {what}: layer {layers[place]}, document {owners[row]}{hint}"
                    )
            return memoryview(stored.contiguous().cpu().view(torch.uint8).numpy().data).cast("B")

    def _cached_folder(self) -> str | None:
        """Where the files of a model from the hub lie; the folder's name is the revision."""
        path = _imported("huggingface_hub").try_to_load_from_cache(self.path, "config.json")
        return os.path.dirname(path) if isinstance(path, str) else None


def _imported(name: str) -> Any:
    """A library that need not be installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise CollectError(
            f"collecting needs torch and transformers ({one_line(error)}); pip install torch transformers", MISSING
        ) from None


def _last_part(name: str) -> str:
    """The name of a folder, or of a model on the hub without its owner."""
    return os.path.basename(os.path.abspath(name)) if os.path.isdir(name) else name.rsplit("/", 1)[-1]


def _dtype(torch: Any, name: str) -> Any:
    """A type of torch by its name here."""
    return {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[name]
