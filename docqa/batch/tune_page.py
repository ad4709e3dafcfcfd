"""Curves of false accepts against false rejects, as one page for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import jinja2

from docqa.batch.charts import COLOURS, plot
from docqa.policy import Policy
from docqa.tuning import Curve, Point, curve_json

_MOST_CORNERS = 400


def write_curves(folder: Path, policy: Policy, curves: Sequence[Curve]) -> None:
    """Write ``tune.html``, which loads nothing, and ``tune.json``, with every point.

    Args:
        folder: made if need be.
        policy: whose limits they are.
        curves: of all its rules.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tune.html").write_text(tune_page(policy, curves), encoding="utf-8")
    found = {
        "schema": "docqa.tune/1",
        "policy": {"id": policy.id, "digest": policy.digest},
        "rules": [curve_json(curve) for curve in curves],
    }
    (folder / "tune.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def tune_page(policy: Policy, curves: Sequence[Curve]) -> str:
    """The page: a row of figures for each rule, and its curve where people decided both ways."""
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        (Path(__file__).parent / "tune.html").read_text(encoding="utf-8")
    )
    return template.render(
        policy=policy,
        curves=curves,
        drawn=[(curve, _drawn(curve)) for curve in curves if curve.accepted and curve.rejected],
    )


def _drawn(curve: Curve) -> str:
    def share(point: Point) -> tuple[float, float]:
        return point.false_rejects / curve.accepted, point.false_accepts / curve.rejected

    step = -(-len(curve.points) // _MOST_CORNERS)
    line = [(1.0, 0.0), *map(share, curve.points[::step]), (0.0, 1.0)]
    marks = [
        (*share(curve.at_accept), COLOURS["accept"], f"accept {curve.at_accept.limit:g}"),
        (*share(curve.at_reject), COLOURS["reject"], f"reject {curve.at_reject.limit:g}"),
    ]
    return plot(line, marks)
