"""``docqa measures``, ``docqa doctor``, ``docqa migrate``, ``docqa reviewer``: look after it."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.table import Table

from docqa import doctor, measures, wiring
from docqa.commands.speaking import EXIT_MISSING, stores_or_new
from docqa.settings import Settings

SHORTEST_PASSWORD_CHARACTERS = 12
LONGEST_NAME_CHARACTERS = 200


@click.command("measures")
@click.option("--policy", help="Name of a policy, or path of its TOML file.")
def list_measures(policy: str | None) -> None:
    """List the measures that ship, their outputs, units and limits."""
    engine = wiring.load_engine(Settings(), policy)
    limits = {(rule.measure, rule.output): rule for rule in engine.policy.rules}
    table = Table("measure", "output", "unit", "accept", "reject", "source of the limits")
    for name in measures.names():
        for output in measures.resolve(name).outputs.values():
            rule = limits.get((name, output.name))
            row = (f"{rule.accept:g}", f"{rule.reject:g}", rule.source) if rule else ("", "", "")
            table.add_row(name, output.name, output.unit, *row)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


@click.command("doctor")
@click.pass_context
def run_doctor(context: click.Context) -> None:
    """Say what this installation lacks and how to install it."""
    findings = doctor.examine(Settings())
    for finding in findings:
        mark = "ok     " if finding.remedy is None else "MISSING"
        click.echo(f"{mark} {finding.subject}: {finding.state}")
        if finding.remedy is not None:
            click.echo(f"        {finding.remedy}")
    context.exit(EXIT_MISSING if any(finding.remedy for finding in findings) else 0)


@click.command("migrate")
def run_migrate() -> None:
    """Create the database, or bring its schema up to date."""
    wiring.migrate_database(Settings())
    click.echo("The database is up to date.")


@click.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(wiring.ROLES),
    help="An auditor sees everything but covered numbers, and decides nothing. If not given, an"
    " account keeps its role; a new one is a reviewer's.",
)
@click.option("--password", help="Asked for on the terminal when not given.")
@click.option(
    "--disable",
    is_flag=True,
    help="Sign the account out and let it in no more, not even by the provider, until it gets "
    "another password.",
)
def reviewer(name: str, role: str | None, password: str | None, disable: bool) -> None:
    """Create a reviewer's account, give it a new password and role, or close it."""
    name = name.strip()
    if disable:
        _close(name, is_alone=role is None and password is None)
        return
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME_CHARACTERS:
        raise click.UsageError(f"a name has 1 to {LONGEST_NAME_CHARACTERS} visible characters")
    if password is None:
        password = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    if len(password) < SHORTEST_PASSWORD_CHARACTERS:
        raise click.UsageError(f"a password has at least {SHORTEST_PASSWORD_CHARACTERS} characters")
    wiring.add_reviewer(stores_or_new(Settings()), name, password, role)
    click.echo(f"{name} can sign in at /review.")


def _close(name: str, *, is_alone: bool) -> None:
    if not is_alone:
        raise click.UsageError("--disable goes alone, without a password or a role")
    if not wiring.close_reviewer(wiring.existing_stores(Settings()), name):
        raise click.UsageError(f"there is no account {name}: give the name that signs in")
    click.echo(f"{name} cannot sign in any more.")
