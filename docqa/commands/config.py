"""``docqa config``: is the configuration right, and what can be set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from docqa import wiring
from docqa.settings import PREFIX, Settings

_HEAD = """# Configuration

Every setting is an environment variable, or a key of the TOML file that `DOCQA_CONFIG` names (in
lower case, without `DOCQA_`). The environment wins. A key that does not exist, or a value of the
wrong kind, stops the start; `docqa config check` says so beforehand. What is accepted and rejected
is not set here but in `models/policy/`.

This page is made by `docqa config describe`.

| variable | kind | default | what it is |
|---|---|---|---|
| `DOCQA_CONFIG` | path | none | A TOML file with any of the settings below. |
"""


@click.group()
def config() -> None:
    """Check the configuration, or list everything that can be set."""


@config.command()
def check() -> None:
    """Say whether the service could start with this configuration, or what is wrong with it."""
    settings = Settings()
    wiring.load_engine(settings)
    wiring.load_retention(settings)
    wiring.rate_counter(settings.rate_limit, settings.rate_limit_storage)
    wiring.require_a_key(settings)
    click.echo("The configuration is right.")


@config.command()
def describe() -> None:
    """Print every setting, its kind, its default and what it is, as Markdown."""
    click.echo(_HEAD + "\n".join(_rows()))


def _rows() -> Iterator[str]:
    for name, schema in Settings.model_json_schema()["properties"].items():
        default = schema.get("default")
        shown = "none" if default is None else f"`{str(default).lower()}`"
        if isinstance(default, str):
            shown = f"`{default}`"
        yield f"| `{PREFIX}{name.upper()}` | {_kind(schema)} | {shown} | {schema['description']} |"


def _kind(schema: dict[str, Any]) -> str:
    schema = next((part for part in schema.get("anyOf", []) if part["type"] != "null"), schema)
    kind = {"string": "text", "boolean": "true or false"}.get(schema["type"], schema["type"])
    kind = {"path": "path", "password": "secret"}.get(schema.get("format", ""), kind)
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum")
    if least is not None:
        kind += f", {'over' if 'exclusiveMinimum' in schema else 'at least'} {least:g}"
    return kind if most is None else f"{kind}, at most {most:g}"
