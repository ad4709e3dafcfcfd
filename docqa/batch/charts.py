"""Charts as SVG text, drawn here: what shows them loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

COLOURS = {"accept": "#188038", "review": "#c47000", "reject": "#c81e1e"}
_LEFT_PX, _ROW_PX, _BAR_PX = 240, 26, 480
_SIDE_PX = 240


def bars(rows: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> str:
    """Stacked bars.

    Args:
        rows: a label, and of each part of its bar the colour and the number.
    """
    most = max((sum(number for _, number in parts) for _, parts in rows), default=0) or 1
    drawn = []
    for at, (label, parts) in enumerate(rows):
        y, x = at * _ROW_PX, float(_LEFT_PX)
        drawn.append(
            f'<text x="{_LEFT_PX - 8}" y="{y + 17}" text-anchor="end">{escape(label)}</text>'
        )
        for colour, number in parts:
            width = number / most * _BAR_PX
            drawn.append(
                f'<rect x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="18" fill="{colour}">'
                f"<title>{number}</title></rect>"
            )
            x += width
        total = sum(number for _, number in parts)
        drawn.append(f'<text x="{x + 6:.1f}" y="{y + 17}">{total}</text>')
    return _svg(_LEFT_PX + _BAR_PX + 90, len(rows) * _ROW_PX + 6, drawn)


def plot(
    line: Sequence[tuple[float, float]], marks: Sequence[tuple[float, float, str, str]]
) -> str:
    """A square with a line and marked places; both axes go from 0 to 1.

    Args:
        line: its corners.
        marks: places, each with its colour and its name.
    """

    def place(x: float, y: float) -> str:
        return f"{_LEFT_PX / 6 + x * _SIDE_PX:.1f},{8 + (1 - y) * _SIDE_PX:.1f}"

    corners = " ".join(place(x, y) for x, y in line)
    drawn = [
        f'<path d="M{place(0, 1)} L{place(0, 0)} L{place(1, 0)}" fill="none" stroke="#999"/>',
        f'<polyline points="{corners}" fill="none" stroke="#1a5fb4" stroke-width="2"/>',
    ]
    for x, y, colour, name in marks:
        across, down = place(x, y).split(",")
        drawn.append(
            f'<circle cx="{across}" cy="{down}" r="5" fill="{colour}">'
            f"<title>{escape(name)}</title></circle>"
        )
    bottom = _SIDE_PX + 24
    drawn.append(f'<text x="{_LEFT_PX / 6:g}" y="{bottom}">false rejects, 0 to 100 %</text>')
    turned = f'transform="translate(20 {_SIDE_PX + 8}) rotate(-90)"'
    drawn.append(f"<text {turned}>false accepts, 0 to 100 %</text>")
    return _svg(_SIDE_PX + _LEFT_PX / 6 + 16, _SIDE_PX + 34, drawn)


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="sans-serif" font-size="13">'
        + "".join(parts)
        + "</svg>"
    )
