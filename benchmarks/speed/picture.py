"""Draws the bar chart of the README: ``python -m benchmarks.speed.picture [--out FILE]``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.speed.__main__ import OUT

PICTURE = Path("docs/pictures/speed.svg")
WIDTH, LABEL, ROW, BAR, HEAD = 860, 330, 26, 16, 56
COLOURS = {"decode": "#9aa5b1", "docqa": "#1f6f54", "peer": "#c78a3b"}
Row = tuple[str, float, str]
"""What it is, how many decodings it costs, which colour."""


def rows(result: dict[str, Any]) -> list[Row]:
    """Docqa on every input, then the peers, in decodings of the same file."""
    found: list[Row] = [("one colour decoding of the same file", 1.0, "decode")]
    for name, timed in result["report"]["inputs"].items():
        if not name.startswith("corpus"):
            found.append((f"docqa: {name}", timed["ratio"]["median"], "docqa"))
    for file, methods in result.get("peers", {}).get("quality", {}).items():
        for method, timed in methods.items() if isinstance(methods, dict) else ():
            if "ratio" in timed:
                found.append((f"{method}: {file}", timed["ratio"], "peer"))
    return found


def draw(found: Iterable[Row]) -> str:
    """The chart as SVG."""
    bars = list(found)
    longest = max(value for _, value, _ in bars)
    room = WIDTH - LABEL - 70
    height = HEAD + ROW * len(bars) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="26" font-size="16">Cost in colour decodings of the same file '
        "(less is better)</text>",
        '<text x="16" y="44" fill="#555555">processor time, one thread, heap kept warm; '
        "benchmarks/results/speed.json</text>",
    ]
    for index, (label, value, kind) in enumerate(bars):
        y = HEAD + ROW * index
        length = max(2.0, room * value / longest)
        parts.append(f'<text x="16" y="{y + 17}">{escape(label)}</text>')
        parts.append(
            f'<rect x="{LABEL}" y="{y + 4}" width="{length:.1f}" height="{BAR}" '
            f'fill="{COLOURS[kind]}"/>'
        )
        parts.append(f'<text x="{LABEL + length + 6:.1f}" y="{y + 17}">{value:.2f}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--result", type=Path, default=OUT)
    parser.add_argument("--out", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    result = json.loads(arguments.result.read_text(encoding="utf-8"))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(draw(rows(result)), encoding="utf-8")


if __name__ == "__main__":
    main()
