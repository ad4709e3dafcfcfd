"""What ``--help`` shows of every command."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from docqa.cli import cli


def commands(command: click.Command = cli, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, *path, name)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_is_readable_and_each_example_has_a_line_of_its_own(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, [*path, "--help"])
    assert done.exit_code == 0
    assert "\\b" not in done.output and "\b" not in done.output
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    written = [line.strip() for line in (command.help or "").splitlines()]
    examples = [line for line in written if line.startswith("docqa ")]
    shown = [line.strip() for line in done.output.splitlines()]
    assert [line for line in shown if line.startswith("docqa ")] == examples


def test_there_are_examples() -> None:
    done = CliRunner().invoke(cli, ["check", "--help"])
    assert "\n  docqa check scan.jpg\n" in done.output
