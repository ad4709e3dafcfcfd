"""``docqa reseal``: encrypt everything under the newest key."""

from __future__ import annotations

import click

from docqa import record_keeping, wiring
from docqa.errors import DamagedData
from docqa.settings import Settings


@click.command("reseal")
def run_reseal() -> None:
    """Encrypt every stored document and its claims under the first of DOCQA_ENCRYPTION_KEYS.

    After a new key was put in front of the others, or keys were set for the first time; once it is
    done the old keys can be taken away. It can run again at any time.
    """
    settings = Settings()
    changed = 0
    try:
        for _ in record_keeping.reseal(settings, wiring.existing_stores(settings)):
            changed += 1
    except DamagedData:
        if changed:
            click.echo(f"{changed} documents were encrypted anew.")
        raise
    click.echo(f"{changed} documents were encrypted anew; all are under the newest key.")
