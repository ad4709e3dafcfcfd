"""Floors under the figures. They only tighten: no command of this repository loosens one."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from pathlib import Path

from benchmarks.accuracy.figures import Better, Part

FLOORS = Path(__file__).with_name("floors.toml")
SLACK_FRACTION = 0.01
"""Room left for another processor's rounding, of the value."""
LEAST_SLACK = 0.0005
_HEAD = (
    "# The least (or, where lower is better, the most) that each figure may be.\n"
    "# `make bench-accuracy TIGHTEN=1` moves them towards better figures, never back.\n"
)

Floors = dict[str, dict[str, float]]


def read(path: Path = FLOORS) -> Floors:
    """Part -> figure -> floor; empty where there is no file yet."""
    if not path.exists():
        return {}
    return {part: dict(table) for part, table in tomllib.loads(path.read_text("utf-8")).items()}


def broken(parts: Iterable[Part], floors: Floors, *, with_corpus: bool) -> list[str]:
    """A line for every figure beyond its floor, or without a value where a floor is set.

    Without the corpus the figures that need it are absent, and nothing is said of them.
    """
    lines = []
    for part in parts:
        figures = {figure.name: figure for figure in part.figures}
        for name, floor in floors.get(part.name, {}).items():
            figure = figures.get(name)
            if figure is None or figure.value is None:
                if figure is not None or with_corpus:
                    lines.append(f"{part.name}, {name}: no value; its floor is {floor:g}")
            elif not _holds(figure.better, figure.value, floor):
                side = "under" if figure.better == "higher" else "over"
                lines.append(f"{part.name}, {name}: {figure.value:.4g} is {side} {floor:g}")
    return lines


def tightened(parts: Iterable[Part], floors: Floors) -> Floors:
    """The floors, moved to slightly under the measured values where those are better."""
    result = {part: dict(table) for part, table in floors.items()}
    for part in parts:
        table = result.setdefault(part.name, {})
        for figure in part.figures:
            if figure.value is None:
                continue
            new, old = _under(figure.better, figure.value), table.get(figure.name)
            higher = figure.better == "higher"
            table[figure.name] = new if old is None else max(old, new) if higher else min(old, new)
    return result


def write(floors: Floors, path: Path = FLOORS) -> None:
    """Write the floors."""
    lines = [_HEAD]
    for part, table in sorted(floors.items()):
        lines.append(f"[{part}]")
        lines += [f'"{name}" = {value:g}' for name, value in sorted(table.items())]
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


def _holds(better: Better, value: float, floor: float) -> bool:
    return value >= floor if better == "higher" else value <= floor


def _under(better: Better, value: float) -> float:
    slack = max(SLACK_FRACTION * abs(value), LEAST_SLACK)
    if better == "higher":
        return math.floor((value - slack) * 1000) / 1000
    return math.ceil((value + slack) * 1000) / 1000
