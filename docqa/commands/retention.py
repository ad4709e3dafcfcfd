"""``docqa purge``, ``hold``, ``holds``, ``release``: how long documents are kept."""

from __future__ import annotations

from collections import Counter

import click

from docqa import record_keeping, wiring
from docqa.commands.speaking import EXIT_BAD_INPUT, EXIT_CONFIGURATION, errors, visible
from docqa.settings import Settings

_ACTOR = "command_line"
_NO_DOCUMENTS = (
    "failed",
    record_keeping.ORPHANED,
    record_keeping.SPARED,
    record_keeping.UNCLAIMED,
)


@click.command("purge")
@click.option("--apply", "erases", is_flag=True, help="Erase them; otherwise they are counted.")
@click.pass_context
def run_purge(context: click.Context, erases: bool) -> None:
    """Erase the documents that have been kept as long as models/retention says.

    And uploads of no document that are older than any document gets. Held ones stay.
    What an interrupted run left is finished first; run it from a timer, daily.

    \b
    docqa purge
    docqa purge --apply
    """
    settings = Settings()
    stores = wiring.existing_stores(settings)
    counted: Counter[str] = Counter()
    for outcome in record_keeping.purge(settings, stores, erases=erases):
        counted[outcome] += 1
    for outcome, number in sorted(counted.items()):
        click.echo(f"{outcome}: {number}")
    state = "erased" if erases else "nothing was erased; add --apply to erase them"
    over = counted.total() - sum(counted[other] for other in _NO_DOCUMENTS)
    click.echo(f"{over} documents are over: {state}")
    if held := len(stores.retention.holds()):
        click.echo(f"{held} documents are held and stay: docqa holds lists them")
    if counted[record_keeping.UNCLAIMED]:
        errors.print(
            "The unclaimed uploads belong to no document and stay as long as the longest that is "
            "kept. A crash leaves a few. Many say that the database is older than the uploads, as "
            "one put back from a backup is.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    if counted[record_keeping.SPARED]:
        errors.print(
            "The uploads of no document are not erased: none that is stored there is known to this "
            "database. Do DOCQA_DATABASE_URL and DOCQA_BLOBS_DIR, or DOCQA_BLOBS_URL, name the "
            "same installation?",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        context.exit(EXIT_CONFIGURATION)
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
        wiring.existing_stores(Settings()).retention.hold(document_id, reason, _ACTOR)
    except KeyError:
        errors.print("There is no such document.")
        context.exit(EXIT_BAD_INPUT)
    click.echo(f"{document_id} is held.")


@click.command("holds")
def list_holds() -> None:
    """List the legal holds: of which document, since when, by whom and why."""
    for hold in wiring.existing_stores(Settings()).retention.holds():
        since = f"{hold.held_at:%Y-%m-%d %H:%M} UTC"
        click.echo(f"{hold.document_id}  {since}  {hold.held_by}  {visible(hold.reason)}")


@click.command("release")
@click.argument("document_id")
@click.pass_context
def run_release(context: click.Context, document_id: str) -> None:
    """End a document's legal hold."""
    try:
        wiring.existing_stores(Settings()).retention.release(document_id, _ACTOR)
    except KeyError:
        errors.print("There is no such document.")
        context.exit(EXIT_BAD_INPUT)
    click.echo(f"{document_id} is not held.")
