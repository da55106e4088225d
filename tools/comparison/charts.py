"""SVG pictures: lines, dots with ranges, divided bars. They are legible on light and dark pages."""

from __future__ import annotations

import math

COLOURS = ["#0072b2", "#56b4e9", "#cc79a7", "#e69f00", "#999999", "#777777", "#555555", "#bbbbbb", "#333333", "#009e73",
           "#d55e00", "#8c564b", "#17becf", "#bcbd22", "#7f3c8d", "#aa4499"]


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


def chart(title: str, across: str, up: str, lines: dict) -> str:
    """Lines with the range over the seeds at every point."""
    width, left, right, top, bottom = 960, 60, 560, 40, 370
    height = max(bottom + 50, top + 20 * len(lines) + 10)
    points = [point for line in lines.values() for point in line]
    if not points:
        return frame(title, width, height, [])
    x0, x1 = min(p[0] for p in points), max(p[0] for p in points)
    y0, y1 = min(p[2] for p in points), max(p[3] for p in points)
    x0, x1 = x0 - 0.05 * (x1 - x0 or 1), x1 + 0.05 * (x1 - x0 or 1)
    y0, y1 = y0 - 0.05 * (y1 - y0 or 1), y1 + 0.05 * (y1 - y0 or 1)

    def x(value: float) -> float:
        return left + (value - x0) / (x1 - x0) * (right - left)

    def y(value: float) -> float:
        return bottom - (value - y0) / (y1 - y0) * (bottom - top)

    body = []
    for tick in ticks(x0, x1):
        body.append(f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    for tick in ticks(y0, y1):
        body.append(f'<line x1="{left}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#dddddd"/>')
        body.append(f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    body.append(f'<text x="{(left + right) / 2}" y="{bottom + 36}" text-anchor="middle">{across}</text>')
    body.append(f'<text x="{left}" y="{top - 6}" fill="#555555">{up}</text>')
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        dash = ' stroke-dasharray="4 3"' if name.startswith("TopK") else ""
        path = " ".join(f"{x(p[0]):.1f},{y(p[1]):.1f}" for p in sorted(line))
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        for p in line:
            body.append(f'<line x1="{x(p[0]):.1f}" x2="{x(p[0]):.1f}" y1="{y(p[2]):.1f}" y2="{y(p[3]):.1f}" stroke="{colour}"/>')
            body.append(f'<circle cx="{x(p[0]):.1f}" cy="{y(p[1]):.1f}" r="3" fill="{colour}"/>')
        place = top + 20 * number
        body.append(f'<line x1="{right + 24}" x2="{right + 48}" y1="{place}" y2="{place}" stroke="{colour}" stroke-width="2"{dash}/>')
        body.append(f'<text x="{right + 56}" y="{place + 4}">{name}</text>')
    return frame(title, width, height, body)


def dots(title: str, across: str, lines: dict) -> str:
    """The mean and the range over the seeds, in a row for each system."""
    row, left, right, top, width = 18, 330, 900, 40, 960
    bottom = top + row * len(lines)
    points = {name: line[0] for name, line in lines.items()}
    if not points:
        return frame(title, width, bottom, [])
    low, high = min(p[2] for p in points.values()), max(p[3] for p in points.values())
    low, high = low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1)

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    body = []
    for tick in ticks(low, high):
        body.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 6}" y2="{bottom}" stroke="#dddddd"/>')
        body.append(f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    body.append(f'<text x="{(left + right) / 2}" y="{bottom + 36}" text-anchor="middle">{across}</text>')
    for number, (name, (_, value, least, most)) in enumerate(points.items()):
        y = top + row * number + row / 2
        colour = COLOURS[0] if name.startswith("RouteSAE") else COLOURS[3] if name.startswith("TopK") else COLOURS[6]
        body.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{name}</text>')
        body.append(f'<line x1="{x(least):.1f}" x2="{x(most):.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        body.append(f'<circle cx="{x(value):.1f}" cy="{y}" r="4" fill="{colour}"/>')
    return frame(title, width, bottom + 50, body)


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
