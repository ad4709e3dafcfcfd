"""``docqa purge``, ``docqa hold``, ``docqa release``: how long documents are kept."""

from __future__ import annotations

from collections import Counter

import click

from docqa import record_keeping, wiring
from docqa.commands.speaking import EXIT_BAD_INPUT, errors
from docqa.settings import Settings

_ACTOR = "command_line"


@click.command("purge")
@click.option("--apply", "erases", is_flag=True, help="Erase them; otherwise they are counted.")
@click.pass_context
def run_purge(context: click.Context, erases: bool) -> None:
    """Erase the documents that have been kept as long as models/retention says.

    And uploads of no document, as a crash leaves them. Held ones stay. What an interrupted run left
    is finished first; run it from a timer, daily.

    \b
    docqa purge
    docqa purge --apply
    """
    settings = Settings()
    stores = wiring.open_stores(settings)
    counted: Counter[str] = Counter()
    for outcome in record_keeping.purge(settings, stores, erases=erases):
        counted[outcome] += 1
    for outcome, number in sorted(counted.items()):
        click.echo(f"{outcome}: {number}")
    state = "erased" if erases else "nothing was erased; add --apply to erase them"
    over = counted.total() - counted["failed"] - counted[record_keeping.ORPHANED]
    click.echo(f"{over} documents are over: {state}")
    if counted["failed"]:
        errors.print("Some could not be erased: run docqa purge again, and see docqa's log.")
        context.exit(EXIT_BAD_INPUT)


@click.command("hold")
@click.argument("document_id")
@click.option("--reason", required=True, help="Why, for those who ask later.")
@click.pass_context
def run_hold(context: click.Context, document_id: str, reason: str) -> None:
    """Forbid to erase a document (legal hold)."""
    try:
        wiring.open_stores(Settings()).retention.hold(document_id, reason, _ACTOR)
    except KeyError:
        errors.print("There is no such document.")
        context.exit(EXIT_BAD_INPUT)
    click.echo(f"{document_id} is held.")


@click.command("release")
@click.argument("document_id")
@click.pass_context
def run_release(context: click.Context, document_id: str) -> None:
    """End a document's legal hold."""
    try:
        wiring.open_stores(Settings()).retention.release(document_id, _ACTOR)
    except KeyError:
        errors.print("There is no such document.")
        context.exit(EXIT_BAD_INPUT)
    click.echo(f"{document_id} is not held.")
