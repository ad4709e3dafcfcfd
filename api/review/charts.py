"""Small charts as numbers for inline SVG; the templates draw them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BAR_PX = 160.0
LINE_WIDTH_PX, LINE_HEIGHT_PX = 180.0, 32.0
_INSET_PX = 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line over days; ``points`` and ``area`` as SVG wants them, the first day at the left."""

    points: str
    area: str
    last_x: float
    last_y: float
    most: int


def bar_px(part: float | None) -> float:
    """How long a bar for ``part`` of the longest is."""
    return round(BAR_PX * (part or 0.0), 1)


def sparkline(counts: Sequence[int]) -> Line:
    """A line of daily counts (at least one), its height that of the largest."""
    most = max(counts)
    wide, high = LINE_WIDTH_PX - 2 * _INSET_PX, LINE_HEIGHT_PX - 2 * _INSET_PX
    step = wide / max(1, len(counts) - 1)
    places = [
        (round(_INSET_PX + at * step, 1), round(_INSET_PX + high * (1 - count / max(1, most)), 1))
        for at, count in enumerate(counts)
    ]
    points = " ".join(f"{x:g},{y:g}" for x, y in places)
    floor = LINE_HEIGHT_PX - _INSET_PX
    area = f"{places[0][0]:g},{floor:g} {points} {places[-1][0]:g},{floor:g}"
    return Line(points, area, *places[-1], most)
