"""``docqa policy``: look at policies."""

from __future__ import annotations

import click

from docqa import wiring
from docqa.batch.policy_diff import differences
from docqa.settings import Settings


@click.group()
def policy() -> None:
    """Compare policies."""


@policy.command("diff")
@click.argument("old")
@click.argument("new")
def diff(old: str, new: str) -> None:
    r"""Print the rules that NEW adds, removes or moves. Each is a name or the path of a TOML file.

    \b
    docqa policy diff sy-passport stricter.toml
    """
    folder = wiring.models_dir(Settings())
    catalogue, types = wiring.load_catalogue(folder), wiring.load_document_types(folder)
    one, other = (wiring.load_policy(folder, name, catalogue, types) for name in (old, new))
    for line in differences(one, other) or ["they say the same"]:
        click.echo(line)
