"""Where a model's residual streams are: its blocks, found by trying, and hooks on them.

Layer l is what the l-th block adds up to, before any final norm.  transformers returns that as hidden_states[l + 1],
except for the last layer of most decoders, where hidden_states holds the output of the final norm.  So layers are taken
by hooks on the blocks themselves, and a first, short run checks them against every hidden state that is not normed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import CollectError, one_line

#: Tokens of the vocabulary that texts for trying are made of, and how many have to be there.
TRIED_TOKENS, FEWEST_TOKENS = 8, 4
#: The longest reason of another library that a message repeats.
MOST_REASON = 300


class ResidualStreams:
    """The residual streams of a model of torch.

    Attributes:
        config: the model's, of its text part.
        vocabulary: tokens of the table of embeddings.
        layer_count: blocks.
        width: elements of a residual stream.
        is_causal: whether no token sees a later one, as in a decoder.

    Raises:
        CollectError: the model cannot be run on token ids alone, or its layers cannot be told apart.
    """

    def __init__(self, torch: Any, model: Any, path: str, device: str, special: set[Any]) -> None:
        self._torch, self._model, self._path, self._device = torch, model, path, device
        self.config = model.config.get_text_config()
        count = getattr(self.config, "num_hidden_layers", None)
        table = model.get_input_embeddings()
        if not isinstance(count, int) or count < 1 or table is None:
            raise CollectError(f"{path}: is no model of text with hidden layers")
        self.layer_count: int = count
        self.vocabulary: int = table.weight.shape[0]
        special = special | {self.config.pad_token_id}
        some = [i for i in range(min(self.vocabulary, 4096)) if i not in special][-TRIED_TOKENS:]
        if len(some) < FEWEST_TOKENS:
            raise CollectError(f"{path}: a vocabulary of {self.vocabulary} tokens is too small")
        # Two texts that differ at the end; one after the other, so that both take the same way through the machine.
        inputs = [torch.tensor([some[:-1]]), torch.tensor([some[:-2] + some[-1:]])]
        try:
            with torch.inference_mode():
                states = [self._hidden_states(ids) for ids in inputs]
        except Exception as error:
            raise CollectError(f"{path}: cannot be run on token ids alone ({one_line(error)[:MOST_REASON]})") from None
        if len(states[0]) != count + 1:
            raise CollectError(f"{path}: {count} layers, but {len(states[0])} hidden states; expected one more")
        self.width: int = states[0][0].shape[-1]
        for place, state in enumerate(states[0]):
            if not torch.isfinite(state).all():
                raise CollectError(
                    f"{path}: hidden state {place} of {count} is not finite; the weights may be damaged, or --compute "
                    "too narrow for them"
                )
        self.is_causal = self._is_causal(*(entry[-1][0, :-1].double() for entry in states))
        self._blocks = self._find_blocks(inputs[0])
        if self._blocks is None:
            self._check_order(inputs[0], states[0], some[-1])

    @property
    def has_blocks(self) -> bool:
        """Whether the blocks were found; if not, the last layer may be normed."""
        return self._blocks is not None

    def at(self, ids: Any, attention: Any, wanted: Any, layers: list[int]) -> Any:
        """The streams of some tokens, [rows, layers, width].

        Args:
            ids: [windows, tokens], padded.
            attention: likewise, 0 for padding.
            wanted: likewise, which tokens are wanted.
            layers: ascending.
        """
        ids, attention, wanted = (tensor.to(self._device) for tensor in (ids, attention, wanted))
        inputs = {"input_ids": ids}
        if not attention.all():
            inputs["attention_mask"] = attention
        if self.is_causal and hasattr(self.config, "use_cache"):
            inputs["use_cache"] = False
        taken = self._hooked(inputs, wanted, layers) if self._blocks else self._plain(inputs, wanted, layers)
        return self._torch.stack([taken[layer] for layer in layers], dim=1)

    def _hooked(self, inputs: dict[str, Any], wanted: Any, layers: list[int]) -> dict[int, Any]:
        """Rows of each layer, taken from the blocks themselves; the blocks above them are not run."""
        taken: dict[int, Any] = {}

        def hook(layer: int) -> Callable[[Any, Any, Any], None]:
            def take(_module: Any, _inputs: Any, output: Any) -> None:
                taken[layer] = _first(output)[wanted]
                if layer == layers[-1]:
                    raise _LayersDone

            return take

        assert self._blocks
        handles = [self._blocks[layer].register_forward_hook(hook(layer)) for layer in layers]
        try:
            self._model(**inputs)
        except _LayersDone:
            pass
        finally:
            for handle in handles:
                handle.remove()
        return taken

    def _plain(self, inputs: dict[str, Any], wanted: Any, layers: list[int]) -> dict[int, Any]:
        """Rows of each layer, taken from hidden_states; the last of them may be normed and is refused beforehand."""
        output = self._model(**inputs, output_hidden_states=True, return_dict=True)
        return {layer: output.hidden_states[layer + 1][wanted] for layer in layers}

    def _hidden_states(self, ids: Any) -> Any:
        return self._model(input_ids=ids.to(self._device), output_hidden_states=True, return_dict=True).hidden_states

    def _is_causal(self, before: Any, after: Any) -> bool:
        """Whether the last states of all tokens but the last are the same with another last one."""
        change = ((before - after).norm(dim=-1) / before.norm(dim=-1).clamp_min(1e-30)).max()
        bounds = {self._torch.float32: 1e-4, self._torch.float16: 2e-3}
        return bool(change < bounds.get(self._model.dtype, 1e-2))

    def _find_blocks(self, ids: Any) -> list[Any] | None:
        """The list of blocks whose outputs are the hidden states; None if there is none."""
        torch = self._torch
        for module in self._model.modules():
            if not isinstance(module, torch.nn.ModuleList) or len(module) != self.layer_count:
                continue
            outputs: dict[int, Any] = {}

            def hook(place: int, found: dict[int, Any]) -> Callable[[Any, Any, Any], None]:
                def keep(_module: Any, _inputs: Any, output: Any) -> None:
                    found[place] = _first(output)

                return keep

            handles = [block.register_forward_hook(hook(place, outputs)) for place, block in enumerate(module)]
            try:
                with torch.inference_mode():
                    states = self._hidden_states(ids)
            finally:
                for handle in handles:
                    handle.remove()
            if len(outputs) == self.layer_count and self._are_states(outputs, states):
                return list(module)
        return None

    def _are_states(self, outputs: dict[int, Any], states: Any) -> bool:
        """Whether blocks' outputs are the hidden states, but for the last one, which is often normed."""
        torch = self._torch
        # Most models put the embeddings first, some (Mamba) begin with the first block.
        return any(
            all(
                isinstance(outputs[place], torch.Tensor)
                and outputs[place].shape == states[place + first].shape
                and (place == self.layer_count - 1 or torch.equal(outputs[place], states[place + first]))
                for place in range(self.layer_count)
            )
            for first in (1, 0)
        )

    def _check_order(self, ids: Any, states: Any, other: int) -> None:
        """Refuses hidden states that do not begin with the embeddings, in which no token knows of another."""
        torch = self._torch
        changed = ids.clone()
        changed[0, 0] = other
        with torch.inference_mode():
            again = self._hidden_states(changed)
        if not torch.equal(states[0][0, 1:], again[0][0, 1:]) or torch.equal(states[-1][0, 1:], again[-1][0, 1:]):
            raise CollectError(
                f"{self._path}: neither the blocks of {type(self._model).__name__} nor the order of its hidden states "
                "could be made out, so its layers cannot be told apart"
            )


class _LayersDone(Exception):
    """Ends a forward pass once the last layer asked for has been taken."""


def _first(output: Any) -> Any:
    """A block's new residual stream: its output, or the first of several."""
    return output[0] if isinstance(output, (tuple, list)) else output
