"""SVG pictures: dots with ranges, divided bars. They are legible on light and dark pages."""

from __future__ import annotations

import math

#: Of RouteSAE and its variants, of TopK, and of all others.
COLOURS = ["#0072b2", "#e69f00", "#555555"]


def frame(title: str, width: int, height: int, body: list) -> str:
    """An SVG picture that is legible on light and dark pages."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="60" y="22" font-size="15">{title}</text>', *body, "</svg>", ""])


def ticks(low: float, high: float) -> list:
    """Round numbers between two others."""
    step = 10 ** math.floor(math.log10((high - low) or 1))
    for factor in (0.2, 0.5, 1, 2):
        if (high - low) / (step * factor) <= 7:
            step *= factor
            break
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]


def reach(values: list) -> tuple[float, float]:
    """The ends of an axis: of what is within three times the middle half's range of it (Tukey's outer fences)."""
    ordered = sorted(values)
    first, third = ordered[len(ordered) // 4], ordered[(3 * len(ordered) - 1) // 4]
    inside = [one for one in ordered if first - 3 * (third - first) <= one <= third + 3 * (third - first)]
    margin = 0.05 * (inside[-1] - inside[0] or 1)
    return inside[0] - margin, inside[-1] + margin


def dots(title: str, across: str, rows: dict) -> str:
    """A row for each system, with the mean and the range over the seeds for each k: filled for the first, then hollow.

    `rows` has (mean, least, most) by system and k. What is far from all others is an arrow at the edge, with its value.
    """
    row, left, right, top, width = 18, 330, 900, 56, 960
    bottom = top + row * len(rows)
    ks = sorted({k for points in rows.values() for k in points})
    if not ks:
        return frame(title, width, bottom, [])
    low, high = reach([mean for points in rows.values() for mean, _, _ in points.values()])

    def x(value: float) -> float:
        return left + (min(max(value, low), high) - low) / (high - low) * (right - left)

    body = []
    for tick in ticks(low, high):
        body.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 6}" y2="{bottom}" stroke="#dddddd"/>')
        body.append(f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    body.append(f'<text x="{(left + right) / 2}" y="{bottom + 36}" text-anchor="middle">{across}</text>')
    for number, k in enumerate(ks):
        place = left + 100 * number
        body.append(mark(place, 37, "#555555", number == 0))
        body.append(f'<text x="{place + 10}" y="41">k = {k}</text>')
    for line, (name, points) in enumerate(rows.items()):
        y = top + row * line + row / 2
        colour = COLOURS[0] if name.startswith("RouteSAE") else COLOURS[1] if name.startswith("TopK") else COLOURS[2]
        body.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{name}</text>')
        for k, (value, least, most) in points.items():
            if not low <= value <= high:
                edge, sign, anchor = (left, 1, "start") if value < low else (right, -1, "end")
                body.append(f'<path d="M{edge} {y}l{8 * sign} -4v8z" fill="{colour}"/>')
                body.append(f'<text x="{edge + 12 * sign}" y="{y + 4}" text-anchor="{anchor}">{value:.3g}</text>')
                continue
            body.append(f'<line x1="{x(least):.1f}" x2="{x(most):.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
            body.append(mark(x(value), y, colour, k == ks[0]))
    return frame(title, width, bottom + 50, body)


def mark(x: float, y: float, colour: str, is_filled: bool) -> str:
    """A dot."""
    fill = colour if is_filled else "#ffffff"
    return f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'


def shade(number: int, count: int) -> str:
    """The colour of a layer, from the first, dark blue, to the last, yellow."""
    share = number / max(1, count - 1)
    return f"hsl({250 - 200 * share:.0f} {45 + 35 * share:.0f}% {32 + 30 * share:.0f}%)"


def bars(title: str, groups: dict, layers: list) -> str:
    """A bar for each system, divided by layer."""
    row, left, width = 22, 370, 990
    height = 70 + row * len(groups)
    body = []
    step = min(90.0, (width - left) / len(layers))
    for number, layer in enumerate(layers):
        x = left + step * number
        body.append(f'<rect x="{x:.1f}" y="34" width="12" height="12" fill="{shade(number, len(layers))}"/>')
        body.append(f'<text x="{x + 17:.1f}" y="45">{layer}</text>')
    for line, (name, shares) in enumerate(groups.items()):
        y, x = 58 + row * line, float(left)
        body.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{name}</text>')
        for number, share in enumerate(shares):
            span = share * (width - left - 20)
            body.append(f'<rect x="{x:.1f}" y="{y}" width="{span:.1f}" height="16" fill="{shade(number, len(layers))}"/>')
            x += span
    return frame(title, width, height, body)
