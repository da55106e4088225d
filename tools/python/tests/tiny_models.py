"""Tiny random models of transformers, with a tokenizer of one token a character."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
from typing import Any

from activation_files import InFolder

#: Whether there is what collecting from a model needs.
HAS_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))


class WithModels(InFolder):
    """A test that makes models, each in a folder."""

    def tokenizer(self, folder: str, before: str, after: str) -> None:
        names = {name: i for i, name in enumerate(["<pad>", "<s>", "</s>", "?"] + [chr(c) for c in range(32, 127)])}
        template: list[dict[str, Any]] = [{"Sequence": {"id": "A", "type_id": 0}}]
        special = {}
        for place, token in ((0, before), (len(template), after)):
            if token:
                template.insert(
                    place if token == before else len(template), {"SpecialToken": {"id": token, "type_id": 0}}
                )
                special[token] = {"id": token, "ids": [names[token]], "tokens": [token]}
        self.write(
            f"{folder}/tokenizer.json",
            json.dumps(
                {
                    "version": "1.0",
                    "truncation": None,
                    "padding": None,
                    "normalizer": None,
                    "decoder": None,
                    "added_tokens": [
                        {
                            "id": names[t],
                            "content": t,
                            "special": True,
                            "single_word": False,
                            "lstrip": False,
                            "rstrip": False,
                            "normalized": False,
                        }
                        for t in ("<pad>", "<s>", "</s>")
                    ],
                    "pre_tokenizer": {
                        "type": "Split",
                        "pattern": {"String": ""},
                        "behavior": "Isolated",
                        "invert": False,
                    },
                    "post_processor": {
                        "type": "TemplateProcessing",
                        "single": template,
                        "pair": template,
                        "special_tokens": special,
                    }
                    if special
                    else None,
                    "model": {"type": "WordLevel", "vocab": names, "unk_token": "?"},
                }
            ),
        )
        self.write(
            f"{folder}/tokenizer_config.json",
            json.dumps(
                {
                    "tokenizer_class": "PreTrainedTokenizerFast",
                    "bos_token": "<s>",
                    "eos_token": "</s>",
                    "pad_token": "<pad>",
                }
            ),
        )

    def model(self, kind: str, **changes: Any) -> str:
        import torch
        import transformers

        shape = dict(
            vocab_size=99,
            hidden_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            max_position_embeddings=40,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        )
        config = {
            "llama": lambda: transformers.LlamaConfig(**shape, intermediate_size=24),
            "gpt2": lambda: transformers.GPT2Config(**shape),
            "bert": lambda: transformers.BertConfig(**shape, intermediate_size=24),
            "roberta": lambda: transformers.RobertaConfig(
                **{**shape, "max_position_embeddings": 42}, intermediate_size=24
            ),
            "albert": lambda: transformers.AlbertConfig(**shape, intermediate_size=24, embedding_size=8),
            "mamba": lambda: transformers.MambaConfig(vocab_size=99, hidden_size=16, num_hidden_layers=3, state_size=4),
            "t5": lambda: transformers.T5Config(vocab_size=99, d_model=16, d_kv=8, d_ff=24, num_layers=3, num_heads=2),
        }[kind]()
        torch.manual_seed(1)
        model = transformers.AutoModel.from_config(config)
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                weight.data *= 4
            elif "A_log" not in name:
                weight.data += 0.3 * torch.randn_like(weight)
        for name, change in changes.items():
            change(model)
        folder = self.path(kind)
        with contextlib.redirect_stderr(io.StringIO()):
            model.save_pretrained(folder)
        is_causal = kind in ("llama", "gpt2", "mamba")
        before = "" if kind in ("gpt2", "mamba", "t5") else "<s>"
        self.tokenizer(kind, before, "" if is_causal else "</s>")
        return folder
