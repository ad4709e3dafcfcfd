"""``docqa policy``: look at policies, and hold them against what people decided."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from docqa import wiring
from docqa.batch.policy_diff import differences
from docqa.batch.tune_page import write_curves
from docqa.settings import Settings
from docqa.tuning import Curve, Point, curves


@click.group()
def policy() -> None:
    """Compare policies, and hold their limits against reviewers' decisions."""


@policy.command("diff")
@click.argument("old")
@click.argument("new")
def diff(old: str, new: str) -> None:
    """Print the rules that NEW adds, removes or moves. Each is a name or the path of a TOML file.

    \b
    docqa policy diff sy-passport stricter.toml
    """
    folder = wiring.models_dir(Settings())
    catalogue, types = wiring.load_catalogue(folder), wiring.load_document_types(folder)
    one, other = (wiring.load_policy(folder, name, catalogue, types) for name in (old, new))
    for line in differences(one, other) or ["they say the same"]:
        click.echo(line)


@policy.command("tune")
@click.argument("name", required=False)
@click.option("--since", type=click.DateTime(), help="Only decisions made since (UTC).")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path),
              help="Folder for the curves: tune.html and tune.json.")  # fmt: skip
def tune(name: str | None, since: datetime | None, out: Path | None) -> None:
    """Hold every limit of a policy against what reviewers decided.

    For each rule alone: how many of the documents that a person rejected it would let pass (false
    accepts), and how many of those a person accepted it would stop (false rejects), at the present
    limits and where the two shares have the least sum. A document rejected for reasons that are
    not the rule's does not count for it.

    \b
    docqa policy tune
    docqa policy tune stricter.toml --since 2026-01-01 --out curves/
    """
    settings = Settings()
    folder = wiring.models_dir(settings)
    catalogue, types = wiring.load_catalogue(folder), wiring.load_document_types(folder)
    judged = wiring.load_policy(folder, name or settings.policy, catalogue, types)
    stores = wiring.existing_stores(settings)
    try:
        found = curves(judged, stores.truths.decided(since.replace(tzinfo=UTC) if since else None))
    finally:
        stores.documents.close()
    if out is not None:
        write_curves(out, judged, found)
    _print_curves(found)


def _print_curves(found: list[Curve]) -> None:
    table = Table(
        "rule", "accepted", "rejected", "accept limit", "false acc.", "false rej.",
        "reject limit", "false acc.", "false rej.", "least error at", "false acc.", "false rej.",
    )  # fmt: skip
    for curve in found:
        if curve.accepted or curve.rejected:
            points = (curve.at_accept, curve.at_reject, curve.least)
            cells = [cell for point in points for cell in _cells(point)]
            table.add_row(curve.name, str(curve.accepted), str(curve.rejected), *cells)
    Console(width=None if sys.stdout.isatty() else 180).print(table)
    if not table.rows:
        click.echo("no reviewer has decided on a measured document yet")


def _cells(point: Point | None) -> tuple[str, str, str]:
    if point is None:
        return "–", "", ""
    return f"{point.limit:.4g}", str(point.false_accepts), str(point.false_rejects)
