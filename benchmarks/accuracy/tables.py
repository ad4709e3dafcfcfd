"""The accuracy result as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchmarks.accuracy.figures import Figure, Part

MARKS = {True: "yes", False: "**no**", None: ""}


def markdown(parts: Iterable[Part], head: str, missing: Mapping[str, str]) -> str:
    """One table per part: target, docqa, the peers beside it."""
    lines = ["# Accuracy", "", head, ""]
    for part in parts:
        names = list(dict.fromkeys(name for figure in part.figures for name in figure.peers))
        lines += [
            f"## {part.name}",
            "",
            "| " + " | ".join(("figure", "n", "target", "**docqa**", "reached", *names)) + " |",
            "|---|--:|--:|--:|:-:|" + "--:|" * len(names),
            *(_row(figure, names) for figure in part.figures),
            "",
            *(f"Note: {note}." for note in part.notes),
            "",
        ]
    if missing:
        lines += ["Peers that could not run:", ""]
        lines += [f"- {name}: {why}" for name, why in sorted(missing.items())]
    return "\n".join(lines).rstrip() + "\n"


def _row(figure: Figure, names: list[str]) -> str:
    sign = "≥" if figure.better == "higher" else "≤"
    target = "" if figure.target is None else f"{sign} {figure.target:g}"
    cells = [
        figure.name,
        str(figure.n),
        target,
        f"**{_shown(figure.value)}**",
        MARKS[figure.reached],
        *(_shown(figure.peers.get(name)) if name in figure.peers else "" for name in names),
    ]
    return "| " + " | ".join(cells) + " |"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
