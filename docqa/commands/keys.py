"""``docqa keys``: who may call the HTTP service."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.table import Table

from docqa import wiring
from docqa.commands.speaking import stores_or_new
from docqa.settings import Settings

_DEFAULT_DAYS = 365


@click.group()
def keys() -> None:
    """Create, list and revoke the API keys of clients."""


@keys.command()
@click.argument("client")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(wiring.SCOPES),
    help="What it may do; give it once per scope.",
)
@click.option(
    "--days",
    default=_DEFAULT_DAYS,
    show_default=True,
    type=click.IntRange(min=1),
    help="How long it is valid.",
)
def create(client: str, scopes: tuple[str, ...], days: int) -> None:
    """Print a new key of CLIENT. It is shown this once: only its digest is kept.

    A client has at most two live keys, so that one can replace the other without a gap.

    \b
    docqa keys create portal --scope documents:write --scope documents:read
    """
    clients = stores_or_new(Settings()).clients
    try:
        key = clients.create_key(
            client, scopes, now=datetime.now(UTC), lifetime=timedelta(days=days)
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(key)


@keys.command("list")
def list_keys() -> None:
    """Show every key: whose, what for, until when, and when it was used last."""
    now = datetime.now(UTC)
    table = Table("key id", "client", "scopes", "state", "valid until", "last used")
    for key in wiring.existing_stores(Settings()).clients.all_keys():
        state = "live" if key.is_live(now) else "revoked" if key.revoked_at else "expired"
        table.add_row(
            key.key_id,
            key.client_id,
            " ".join(sorted(key.scopes)),
            state,
            f"{key.expires_at:%Y-%m-%d}",
            f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
        )
    Console(width=None if sys.stdout.isatty() else 150).print(table)


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Make the key KEY_ID useless from now on."""
    if not wiring.existing_stores(Settings()).clients.revoke_key(key_id, now=datetime.now(UTC)):
        raise click.UsageError(f"there is no live key {key_id}: see docqa keys list")
    click.echo(f"{key_id} opens nothing any more.")
