#!/usr/bin/env python3
# Made with: torch 2.15.0, transformers 5.23.0, tokenizers 0.23.3, numpy 2.4.6, Python 3.11 (tools/requirements.txt).
"""Write activation files with tools/export_activations.py, and what should be in them.

Files in Tests/Fixtures/activations:

text.jsonl                            four documents, one of them without a token
llama-untied/                         tokenizer.json and tokenizer_config.json for the model of that name in
                                      Tests/Fixtures/models: byte-level BPE with no more bytes than the text needs, BOS
decoder-0000{0,1}-of-00002.safetensors  that model over the text: layers 0 and 2 of 3 (2 is the last, before the final
                                      norm), windows of 16, bf16, 60 rows a file
encoder.safetensors                   a BERT of 2 layers and width 24, made here from a seed and not kept: both layers,
                                      windows of 14, bf16; no rows for [CLS] and [SEP]
expected.json                         for `decoder` and `encoder`: token_ids and document_ids of every row, layers, and
                                      `rows`, every seventh row [row, [layer 0 ..., ...]] in float32

expected.json owes nothing to the script that is tested: windows are cut here again and run one by one, without
padding, in eager attention; the streams are added up from what the blocks are given and what they give back.  The
last layer is checked against the model's own final norm.

The model of Tests/Fixtures/models has to be there (tools/make_model_fixtures.py); its digest is in the header.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Tuple

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModel, BertConfig, BertModel, PreTrainedTokenizerFast

TEXTS = [
    "a small model reads a small text and the text is read once more",
    "",
    "one",
    "the second long text is not the first: it has a colon, a comma and a full stop. then it goes on for a while, "
    "since the rows of two files are to meet in the midst of a window",
]
ROOT = Path(__file__).resolve().parent.parent
SCRIPT = Path(__file__).resolve().parent / "export_activations.py"


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")


def decoder_tokenizer(folder: Path) -> None:
    """Byte-level BPE of 97 tokens, as many as the model has."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>"]
    tokenizer.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=97, special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "tokenizer_class": "PreTrainedTokenizerFast",
    }, indent=2) + "\n")


def encoder_folder(folder: Path) -> None:
    """A random BERT with a tokenizer of single characters."""
    names = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"] + sorted(set("".join(TEXTS)))
    tokenizer = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
    ).save_pretrained(folder)
    torch.manual_seed(4)
    model = BertModel(BertConfig(
        vocab_size=len(names), hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=32, pad_token_id=0))
    for name, weight in model.named_parameters():
        if weight.dim() == 1:
            weight.data += 0.3 * torch.randn_like(weight)
        else:
            weight.data *= 6
    model.save_pretrained(folder)


@torch.no_grad()
def expected(folder: Path, context: int, before: List[int], after: List[int], layers: List[int]) -> Dict[str, Any]:
    """Ids of all rows and the streams of every seventh."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    blocks = model.encoder.layer if after else model.layers
    tokens: List[int] = []
    owners: List[int] = []
    rows: List[Tuple[int, List[List[float]]]] = []
    for number, text in enumerate(TEXTS):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        room = context - len(before) - len(after)
        while ids:
            window, ids = before + ids[:room] + after, ids[room:]
            seen: Dict[int, torch.Tensor] = {}

            def hook(place: int, _module: Any, _arguments: Any, output: Any) -> None:
                seen[place] = (output if isinstance(output, torch.Tensor) else output[0])[0].clone()

            handles = [
                block.register_forward_hook(lambda *a, place=place: hook(place, *a)) for place, block in enumerate(blocks)]
            last = model(torch.tensor([window])).last_hidden_state[0]
            for handle in handles:
                handle.remove()
            norm = torch.nn.Identity() if after else model.norm
            assert torch.allclose(norm(seen[len(blocks) - 1]), last, atol=1e-5)
            # BOS of a decoder has a row, the special tokens of an encoder have none.
            for place in range(len(before) if after else 0, len(window) - len(after)):
                if len(tokens) % 7 == 0:
                    rows.append((len(tokens), [[float(f"{x:.7g}") for x in seen[l][place].tolist()] for l in layers]))
                tokens.append(window[place])
                owners.append(number)
    return {"layers": layers, "token_ids": tokens, "document_ids": owners, "rows": rows}


def run_script(model: Path, text: Path, output: Path, *options: str) -> None:
    subprocess.run(
        [sys.executable, str(SCRIPT), str(model), "--text", str(text), "--output", str(output), "--quiet", "--force", *options],
        check=True)


def main() -> None:
    """Write all fixtures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("Tests/Fixtures/activations"), help="output folder (default: %(default)s)")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    text = out / "text.jsonl"
    text.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    decoder_tokenizer(out / "llama-untied")
    with tempfile.TemporaryDirectory() as scratch:
        decoder, encoder = Path(scratch) / "llama-untied", Path(scratch) / "tiny-bert"
        shutil.copytree(ROOT / "Tests/Fixtures/models/llama-untied", decoder)
        shutil.copytree(out / "llama-untied", decoder, dirs_exist_ok=True)
        encoder.mkdir()
        encoder_folder(encoder)
        run_script(decoder, text, out / "decoder", "--layers", "0,2", "--context", "16", "--shard-tokens", "60")
        run_script(encoder, text, out / "encoder.safetensors", "--layers", "all", "--context", "14")
        write_json(out / "expected.json", {
            "decoder": expected(decoder, 16, [1], [], [0, 2]), "encoder": expected(encoder, 14, [1], [2], [0, 1])})
    for path in sorted(out.rglob("*")):
        if path.is_file():
            path.chmod(0o644)
            print(f"{path.stat().st_size:7} {path}")


if __name__ == "__main__":
    main()
