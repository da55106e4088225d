"""Feature pages and catalogs as HTML for notebooks. All text of the file is escaped, and nothing in it is a link."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .catalog import Catalog
    from .page import FeaturePage

#: Colour of an activation; its opacity is the share of the strongest.
_COLOUR = "255, 140, 0"
_CONTEXT = "white-space: pre-wrap; font-family: monospace; border-top: 1px solid #8884; padding: 2px 0"


def feature_html(page: FeaturePage) -> str:
    """A feature as a fragment of HTML."""
    s = page.statistics
    explanation = f"<p>{escape(str(s['explanation']))}</p>" if s.get("explanation") else ""
    figures = [
        ("fires on", f"{s['n_fired']:,} tokens ({100 * float(s['firing_rate']):.4g} %)"),
        ("in", f"{s['n_documents']:,} documents"),
        ("strongest", _number(s["max_activation"])),
        ("peak layer", s["peak_layer"]),
        ("simulation score", _number(s["simulation_score"])),
        ("baseline", _number(s["simulation_baseline"])),
        ("detection", _number(s["detection_score"])),
        ("fuzzing", _number(s["fuzzing_score"])),
    ]
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in figures if value is not None
    )
    strongest = max((context["activation"] for context in page.contexts), default=0.0)
    contexts = "".join(_context(context, strongest) for context in page.contexts)
    return (
        f"<div><h3>Feature {page.feature_index} of {escape(page.dictionary)} on {escape(page.corpus)}</h3>{explanation}"
        f"<table>{rows}</table>{_layers(page)}{_logits(page)}{contexts}</div>"
    )


def catalog_html(catalog: Catalog) -> str:
    """What a catalog holds as a fragment of HTML."""
    rows = ""
    for one in catalog.records():
        corpora = (
            ", ".join(f"{escape(index.corpus)} ({index.n_tokens:,} tokens)" for index in one.indexes) or "not indexed"
        )
        layers = ", ".join(map(str, one.layers))
        rows += (
            f"<tr><td>{one.dictionary_id}</td><td>{escape(one.name)}</td><td>{escape(one.architecture)}</td>"
            f"<td>{one.n_latents:,}</td><td>{one.k or ''}</td><td>{layers}</td><td>{corpora}</td></tr>"
        )
    head = "".join(
        f"<th>{name}</th>" for name in ("", "dictionary", "architecture", "latents", "k", "layers", "indexed on")
    )
    return f"<div><h3>{escape(catalog.path)}</h3><table><tr>{head}</tr>{rows}</table></div>"


def tokens_html(
    tokens: list[str], activations: npt.NDArray[np.float32], strongest: float, peak: int | None = None
) -> str:
    """Text with every token coloured by its activation; the peak is underlined, and each tells its activation."""
    parts = []
    for place, (token, value) in enumerate(zip(tokens, activations.tolist())):
        text = escape(token).replace("\n", "⏎\n")
        if value == 0 and place != peak:
            parts.append(text)
            continue
        opacity = min(max(value / strongest, 0.0), 1.0) if strongest > 0 else 0.0
        style = f"background: rgba({_COLOUR}, {opacity:.2f})" + (
            "; text-decoration: underline" if place == peak else ""
        )
        parts.append(f'<span style="{style}" title="{value:.4g}">{text}</span>')
    return "".join(parts)


def _context(context: dict[str, Any], strongest: float) -> str:
    title = escape(str(context["document"] or ""))
    about = f"{context['band']} {context['rank']}: {context['activation']:.4g}, layer {context['layer']}, {title}"
    text = tokens_html(context["tokens"], context["activations"], strongest, context["peak"])
    return f'<div style="{_CONTEXT}"><small>{about}</small>\n{text}</div>'


def _layers(page: FeaturePage) -> str:
    total = sum(row["n_fired"] for row in page.layers) or 1
    bars = "".join(
        f'<tr><td>layer {row["layer"]}</td><td><div style="background: rgba({_COLOUR}, 0.8); height: 0.8em; '
        f'width: {200 * row["n_fired"] / total:.1f}px"></div></td><td>{100 * row["n_fired"] / total:.1f} %</td></tr>'
        for row in page.layers
    )
    return f"<table>{bars}</table>" if len(page.layers) > 1 else ""


def _logits(page: FeaturePage) -> str:
    lines = ""
    for direction in ("promoted", "suppressed"):
        found = [row for row in page.logits if row["direction"] == direction][:10]
        if found:
            tokens = " ".join(
                f'<code title="{row["value"]:.4g}">{escape(str(row["token"] or ""))}</code>' for row in found
            )
            lines += f"<p>{direction}: {tokens}</p>"
    return lines


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"
