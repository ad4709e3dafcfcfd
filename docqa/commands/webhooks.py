"""``docqa webhooks``: where events are delivered."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from docqa import wiring
from docqa.settings import Settings
from docqa.webhooks.addresses import UnusableAddress, check_url
from docqa.webhooks.records import EVENT_KINDS


@click.group()
def webhooks() -> None:
    """Register who is told what happened, and look after it."""


@webhooks.command()
@click.argument("url")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(EVENT_KINDS),
    multiple=True,
    help="A kind of event; all if none is given.",
)
@click.option("--client", help="Only events of this client.")
def add(url: str, kinds: tuple[str, ...], client: str | None) -> None:
    """Deliver events to URL from now on; prints the endpoint's id and, this once, its secret.

    \b
    docqa webhooks add https://booking.example/docqa --kind document.judged
    """
    settings = Settings()
    try:
        check_url(url, settings.webhook_allowed_networks)
    except UnusableAddress as error:
        raise click.UsageError(f"{url} cannot be used: {error}") from error
    store = wiring.existing_stores(settings).webhooks
    endpoint, secret = store.add_endpoint(url, kinds=kinds, client_id=client, now=_now())
    click.echo(f"{endpoint.id}\n{secret}")


@webhooks.command("list")
def list_endpoints() -> None:
    """List the endpoints."""
    table = Table("endpoint", "url", "kinds", "client", "state")
    store = wiring.existing_stores(Settings()).webhooks
    unopened = store.unopened()
    for one in store.endpoints():
        state = "on" if one.enabled else f"off ({one.disabled_because})"
        if one.enabled and one.id in unopened:
            state = "waits: its secret cannot be opened"
        kinds = ", ".join(one.kinds) or "all"
        table.add_row(one.id, one.url, kinds, one.client_id or "all", state)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@webhooks.command()
@click.argument("endpoint_id")
def rotate(endpoint_id: str) -> None:
    """Print a new secret; for a day webhooks are signed with the old one as well."""
    store = wiring.existing_stores(Settings()).webhooks
    try:
        click.echo(store.rotate_secret(endpoint_id, now=_now()))
    except KeyError:
        raise _unknown("endpoint", endpoint_id) from None


@webhooks.command()
@click.argument("endpoint_id")
def disable(endpoint_id: str) -> None:
    """Deliver nothing there any more; PATCH /v1/webhook-endpoints/ID switches it on again."""
    store = wiring.existing_stores(Settings()).webhooks
    try:
        store.change_endpoint(endpoint_id, enabled=False)
    except KeyError:
        raise _unknown("endpoint", endpoint_id) from None
    click.echo(f"{endpoint_id} is off.")


@webhooks.command()
@click.argument("event_id")
@click.option("--endpoint", help="Only to this endpoint; to all that want it if not given.")
def redeliver(event_id: str, endpoint: str | None) -> None:
    """Tell an event again."""
    store = wiring.existing_stores(Settings()).webhooks
    try:
        count = store.redeliver(event_id, endpoint_id=endpoint, now=_now())
    except KeyError as error:
        what = "event" if error.args[0] == event_id else "endpoint"
        raise _unknown(what, str(error.args[0])) from None
    click.echo(f"{count} deliveries are on their way again.")


@webhooks.command()
@click.option("--once", is_flag=True, help="Deliver what is due, then end: for cron.")
def deliver(once: bool) -> None:
    """Deliver webhooks until stopped. `docqa serve` does so too: see DOCQA_WEBHOOK_THREADS."""
    settings = Settings()
    courier = wiring.make_courier(settings, wiring.existing_stores(settings).webhooks)
    if once:
        click.echo(f"{courier.deliver_due()} attempts were made.")
    else:
        courier.run()


def _now() -> datetime:
    return datetime.now(UTC)


def _unknown(what: str, name: str) -> click.UsageError:
    return click.UsageError(f"there is no {what} {name}; see docqa webhooks list or GET /v1/events")
