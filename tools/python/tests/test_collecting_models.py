"""Collecting from tiny random models: activations are those of hooks, written apart from the package."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import unittest
from pathlib import Path
from typing import Any

from activation_files import integers, read_safetensors, widened
from tiny_models import HAS_TORCH, WithModels

from routesae.__main__ import main
from routesae.collecting.weights_digest import weights_digest


@unittest.skipUnless(HAS_TORCH, "torch and transformers are not installed")
class Models(WithModels):
    """`python -m routesae collect --output FILE`."""

    def run_module(self, model: str, *options: str, layers: str = "all", context: int = 12) -> Any:
        if not os.path.exists(self.path("t.jsonl")):
            texts = ["hello there", "a", "", "a longer text, of more than one window. " * 2, "z z"]
            self.write("t.jsonl", "\n".join(json.dumps({"text": text}) for text in texts))
        arguments = [
            "collect",
            model,
            "--text",
            self.path("t.jsonl"),
            "--layers",
            layers,
            "--context",
            str(context),
            "--output",
            self.path("out.safetensors"),
            "--batch-size",
            "3",
            *options,
        ]
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            return subprocess.CompletedProcess(arguments, main(arguments), "", errors.getvalue())

    def exported(self, model: str, *options: str, **settings: Any) -> tuple[dict[str, str], list[int], list[int], Any]:
        """Runs it; the header, ids, and activations of what it wrote."""
        import torch

        result = self.run_module(model, *options, **settings)
        self.assertEqual(result.returncode, 0, result.stderr)
        metadata, tensors = read_safetensors(self.path("out.safetensors"))
        dtype, shape, raw = tensors["activations"]
        values = torch.tensor(widened(dtype, raw)).view(shape)
        return metadata, integers(tensors["token_ids"][2]), integers(tensors["document_ids"][2]), values

    def states(self, folder: str, ids: list[int]) -> tuple[Any, list[Any]]:
        """The opened model, and the embeddings and every layer's output for one window, by hooks on the blocks."""
        import torch
        import transformers

        with contextlib.redirect_stderr(io.StringIO()):
            model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
        inner = model.encoder if hasattr(model, "encoder") else model
        blocks = next(getattr(inner, name) for name in ("layers", "layer", "h", "block") if hasattr(inner, name))
        seen: list[Any] = []
        for block in blocks:
            block.register_forward_hook(
                lambda _m, _i, out: seen.append((out if isinstance(out, torch.Tensor) else out[0])[0].clone())
            )
        with torch.no_grad():
            (inner if model.config.is_encoder_decoder else model)(input_ids=torch.tensor([ids]))
        return model, seen

    def check(self, kind: str, before: list[int], after: list[int], writes_before: bool, last_norm: Any) -> None:
        import torch

        folder = self.model(kind)
        metadata, tokens, owners, values = self.exported(folder, "--dtype", "f32")
        texts = [json.loads(line)["text"] for line in Path(self.path("t.jsonl")).read_text().splitlines()]
        row = 0
        for number, text in enumerate(texts):
            ids = [ord(c) - 28 for c in text]
            room = 12 - len(before) - len(after)
            for start in range(0, len(ids), room):
                window = before + ids[start : start + room] + after
                kept = slice(0 if writes_before else len(before), len(window) - len(after))
                model, layers = self.states(folder, window)
                count = len(window[kept])
                self.assertEqual(tokens[row : row + count], window[kept])
                self.assertEqual(owners[row : row + count], [number] * count)
                for place, layer in enumerate(layers):
                    scale = float(layer.abs().max())
                    torch.testing.assert_close(values[row : row + count, place], layer[kept], rtol=0, atol=1e-5 * scale)
                if last_norm:
                    with torch.no_grad():
                        final = model(input_ids=torch.tensor([window])).last_hidden_state[0]
                        torch.testing.assert_close(
                            last_norm(model)(values[row : row + count, -1]), final[kept], rtol=1e-3, atol=1e-4
                        )
                        self.assertGreater((values[row : row + count, -1] - final[kept]).abs().max(), 0.1)
                row += count
        self.assertEqual(len(tokens), row)
        self.assertEqual(metadata["attention"], "causal" if kind in ("llama", "gpt2", "mamba") else "bidirectional")
        self.assertEqual(metadata.get("bos_token_id"), "1" if writes_before else None)
        self.assertEqual(metadata["model_sha256"], weights_digest(folder))
        self.assertEqual((metadata["model"], metadata["layers"], metadata["context"]), (kind, "[0,1,2]", "12"))

    def test_llama(self) -> None:
        self.check("llama", [1], [], True, lambda model: model.norm)

    def test_gpt2_has_no_bos(self) -> None:
        self.check("gpt2", [], [], False, lambda model: model.ln_f)

    def test_mamba_counts_hidden_states_otherwise(self) -> None:
        self.check("mamba", [], [], False, lambda model: model.norm_f)

    def test_bert(self) -> None:
        self.check("bert", [1], [2], False, None)

    def test_roberta_has_fewer_positions_than_it_says(self) -> None:
        self.check("roberta", [1], [2], False, None)
        result = self.run_module(self.path("roberta"), "--force", context=42)
        self.assertIn("takes 3 ... 41 tokens", result.stderr)

    def test_t5_gives_its_encoder(self) -> None:
        self.check("t5", [], [2], False, None)

    def test_the_last_layer_is_refused_where_it_cannot_be_told(self) -> None:
        folder = self.model("albert")
        result = self.run_module(folder)
        self.assertEqual(result.returncode, 64)
        self.assertIn("leave layer 2 out", result.stderr)
        self.assertEqual(self.exported(folder, layers="0-1")[3].shape[1:], (2, 16))

    def test_files_types_and_limits(self) -> None:
        folder = self.model("llama")
        _, tokens, _, full = self.exported(folder, "--dtype", "f32", layers="0,2")
        for dtype, share in (("bf16", 2**-8), ("f16", 2**-11)):
            stored = self.exported(folder, "--dtype", dtype, "--force", layers="0,2")[3]
            self.assertTrue(((stored - full).abs() <= full.abs() * share + 1e-6).all())
        cut = self.exported(folder, "--tokens", "13", "--force")
        self.assertEqual(cut[1], tokens[: len(cut[1])])
        self.assertEqual(len(cut[1]), 14)  # two windows: 12 and 2

        os.unlink(self.path("out.safetensors"))
        result = self.run_module(folder, "--shard-tokens", "50", layers="0,2")
        self.assertEqual(result.returncode, 0, result.stderr)
        names = sorted(name for name in os.listdir(self.folder) if name.startswith("out"))
        self.assertEqual(names, [f"out-0000{i}-of-00003.safetensors" for i in range(3)])
        parts = [read_safetensors(self.path(name))[1]["token_ids"][2] for name in names]
        self.assertEqual(integers(b"".join(parts)), tokens)

    def left(self) -> list[str]:
        return [name for name in os.listdir(self.folder) if name.startswith("out")]

    def test_a_dry_run_says_the_size_and_writes_nothing(self) -> None:
        result = self.run_module(self.model("llama"), "--dry-run")
        self.assertEqual((result.returncode, self.left()), (0, []))
        self.assertIn("106 tokens of 4 documents (BOS among them), 3 layers: 12.0 KB of bf16 in 1 file", result.stderr)

    def refused(self, status: int, words: str, result: Any) -> None:
        """One line on standard error, and nothing written."""
        self.assertEqual((result.returncode, self.left()), (status, []), result.stderr)
        self.assertIn(words, result.stderr)
        self.assertEqual(result.stderr.strip().splitlines()[-1][:7], "error: ")

    def test_activations_that_cannot_be_stored(self) -> None:
        def damaged(model: Any) -> None:
            model.layers[1].mlp.down_proj.weight.data[0, 0] = float("nan")

        def one_token(model: Any) -> None:
            model.embed_tokens.weight.data[ord("m") - 28, 0] = float("inf")

        def large(model: Any) -> None:
            model.layers[1].mlp.down_proj.weight.data *= 1e6

        self.refused(65, "hidden state 2 of 3 is not finite", self.run_module(self.model("llama", change=damaged)))
        self.refused(65, "not finite: layer 0, document 3", self.run_module(self.model("llama", change=one_token)))
        folder = self.model("llama", change=large)
        self.refused(65, "too large for f16: layer 1", self.run_module(folder, "--dtype", "f16"))
        self.assertEqual(self.run_module(folder).returncode, 0)

    def test_folders_that_are_no_models(self) -> None:
        self.refused(66, "no such model folder", self.run_module(self.path("none")))
        os.mkdir(self.path("empty"))
        self.refused(65, "cannot be opened", self.run_module(self.path("empty")))
        folder = self.model("llama")
        self.refused(64, "layer 7; llama has layers 0 ... 2", self.run_module(folder, layers="1,7"))
        self.refused(64, "takes 2 ... 40", self.run_module(folder, context=41))

        from safetensors.torch import load_file, save_file

        weights = load_file(folder + "/model.safetensors")
        del weights["layers.1.mlp.up_proj.weight"]
        save_file(weights, folder + "/model.safetensors", metadata={"format": "pt"})
        self.refused(65, "lack layers.1.mlp.up_proj.weight", self.run_module(folder))


if __name__ == "__main__":
    unittest.main()
