"""``docqa verify-audit``: whether the audit trail is whole."""

from __future__ import annotations

import click

from docqa import wiring
from docqa.audit import parse_head
from docqa.commands.speaking import EXIT_BAD_INPUT, errors
from docqa.settings import Settings


@click.command("verify-audit")
@click.option("--head", help="NUMBER:SHA256 that an earlier run printed: tells what was cut off.")
@click.pass_context
def verify_audit(context: click.Context, head: str | None) -> None:
    """Verify the audit trail's chain of digests and print its head.

    Keep the head outside of docqa: only with it can a tail that was cut off be told.

    \b
    docqa verify-audit
    docqa verify-audit --head 1204:9f86d081884c7d65…
    """
    if head is not None:
        try:
            parse_head(head)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--head") from error
    found = wiring.existing_stores(Settings()).audit.verify(head)
    if found.broken is None:
        click.echo(f"The audit trail is whole: {found.entries} entries. Its head is {found.head}")
        return
    errors.print(
        f"The audit trail is broken at entry {found.broken}: {found.problem}.\n"
        f"Everything before it is as it was written; the last good head is {found.head}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    context.exit(EXIT_BAD_INPUT)
