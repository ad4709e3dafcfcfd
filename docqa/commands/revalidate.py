"""``docqa revalidate``: judge stored reports again."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from docqa import wiring
from docqa.commands.speaking import progress_bar
from docqa.pipeline import Engine
from docqa.revalidate import apply, rejudge
from docqa.settings import Settings
from docqa.verdict import Decision


@click.command()
@click.option("--policy", help="Name of a policy, or path of its TOML file.")
@click.option("--apply", "writes", is_flag=True, help="Put the new reports in force.")
def revalidate(policy: str | None, writes: bool) -> None:
    r"""Judge every stored report again and print what changes; nothing is written by default.

    No picture is touched: the stored measurements are judged by the new limits.

    \b
    docqa revalidate --policy stricter.toml
    docqa revalidate --policy stricter.toml --apply
    """
    settings = Settings()
    engine = wiring.load_engine(settings, policy)
    store = wiring.open_stores(settings).documents
    total = store.count()
    with progress_bar() as bar:
        task = bar.add_task("judging again", total=total)

        def each() -> None:
            bar.advance(task)

        if writes:
            counts = apply(store, rejudge(store, engine), each)
        else:
            counts = _count(rejudge(store, engine), each)
    _print_transitions(counts, engine, writes)


def _count(
    transitions: Iterable[Any], each: Callable[[], None]
) -> Counter[tuple[Decision, Decision]]:
    counts: Counter[tuple[Decision, Decision]] = Counter()
    for transition in transitions:
        counts[transition.before, transition.after] += 1
        each()
    return counts


def _print_transitions(
    counts: Counter[tuple[Decision, Decision]], engine: Engine, written: bool
) -> None:
    table = Table("old \\ new", *(decision.value for decision in Decision))
    for before in Decision:
        cells = (str(counts[before, after]) for after in Decision)
        table.add_row(before.value, *cells)
    changed = sum(number for (old, new), number in counts.items() if old != new)
    state = "in force now" if written else "nothing was written; add --apply to put it in force"
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(table)
    console.print(f"{counts.total()} documents, {changed} change under {engine.policy.id}: {state}")
