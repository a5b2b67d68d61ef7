"""Charts as inline SVG: numbers in, text out. The page gives the colours, light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 640
LEFT: Final = 44
TOP: Final = 10
BOTTOM: Final = 34


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float
    series: int  # picks the colour
    label: str  # what is shown when it is pointed at


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values between ``low`` and ``high`` to pixels between ``start`` and ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values, at most eight of them."""
        span = self.high - self.low
        step = next(
            mantissa * 10.0**power
            for power in range(-2, 7)
            for mantissa in (1, 2, 5)
            if span / (mantissa * 10.0**power) <= 7
        )
        first = -(-self.low // step) * step
        return [first + n * step for n in range(8) if first + n * step <= self.high + 1e-9]


def scale(values: Sequence[float], start: float, end: float) -> Scale:
    """Holds every value and zero, and is never empty."""
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    return Scale(low, high if high > low else low + 1, start, end)


def points(rows: Sequence[Point], x_title: str, y_title: str, lines: bool = False) -> str:
    """A scatter plot, its series joined by lines on request."""
    height = 260
    across = scale([row.x for row in rows], LEFT, WIDTH - 12)
    if lines and rows:
        across = Scale(min(r.x for r in rows) - 0.5, max(r.x for r in rows) + 0.5, LEFT, WIDTH - 12)
    up = scale([row.y for row in rows], height - BOTTOM, TOP)
    drawn = [grid(across, up, height, x_title)]
    if lines:
        for series in sorted({row.series for row in rows}):
            path = " ".join(f"{across(r.x):.1f},{up(r.y):.1f}" for r in rows if r.series == series)
            drawn.append(f'<polyline class="line s{series}" points="{path}"/>')
    for row in rows:
        drawn.append(
            f'<circle class="dot s{row.series}" r="3.5" cx="{across(row.x):.1f}"'
            f' cy="{up(row.y):.1f}">'
            f"<title>{escape(row.label)}</title></circle>"
        )
    return svg(drawn, height, f"{y_title} by {x_title}")


def grid(across: Scale, up: Scale, height: int, x_title: str) -> str:
    lines = [
        f'<line class="{"axis" if abs(y) < 1e-9 else "grid"}" x1="{LEFT}" x2="{WIDTH - 12}"'
        f' y1="{up(y):.1f}" y2="{up(y):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{up(y) + 4:.1f}" text-anchor="end">{y:g}</text>'
        for y in up.ticks()
    ]
    lines += [
        f'<text x="{across(x):.1f}" y="{height - 18}" text-anchor="middle">{x:g}</text>'
        for x in across.ticks()
    ]
    lines.append(
        f'<text class="title" x="{WIDTH - 12}" y="{height - 3}" text-anchor="end">'
        f"{escape(x_title)}</text>"
    )
    return "".join(lines)


def bars(rows: Sequence[tuple[str, float, str]], title: str) -> str:
    """Horizontal bars from (name, value, label) rows, to the left of zero where negative."""
    row_height, names = 24, 170
    across = scale([value for _, value, _ in rows], names, WIDTH - 60)
    zero = across(0)
    drawn = []
    for index, (name, value, label) in enumerate(rows):
        y, end = TOP + index * row_height, across(value)
        drawn.append(
            f'<text x="{names - 34}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="bar" x="{min(zero, end):.1f}" y="{y + 2}" rx="2" height="16"'
            f' width="{max(abs(end - zero), 1):.1f}"><title>{escape(label)}</title></rect>'
            f'<text class="value" x="{max(zero, end) + 6:.1f}" y="{y + 14}">{value:g}</text>'
        )
    height = TOP * 2 + len(rows) * row_height
    drawn.append(
        f'<line class="axis" x1="{zero:.1f}" x2="{zero:.1f}" y1="{TOP}" y2="{height - TOP}"/>'
    )
    return svg(drawn, height, title)


def columns(values: Sequence[tuple[str, float, str]]) -> str:
    """A strip of upright bars from (label, value, link) rows: one day each on the index."""
    height, gap = 120, 3
    up = scale([value for _, value, _ in values], height - 4, 4)
    width = (WIDTH - gap) / max(len(values), 1)
    drawn = [
        f'<a href="{escape(link)}"><rect class="bar" x="{gap + n * width:.1f}" rx="2"'
        f' y="{up(value):.1f}" width="{width - gap:.1f}" height="{height - up(value):.1f}">'
        f"<title>{escape(label)}</title></rect></a>"
        for n, (label, value, link) in enumerate(values)
    ]
    return svg(drawn, height, "One bar a day")


def svg(drawn: Sequence[str], height: int, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        + "".join(drawn)
        + "</svg>"
    )
