"""What the README shows is what happens: its commands are run, and its output is compared."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
SHELL = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)


def commands(session: str) -> list[tuple[str, str]]:
    """Each ``$ command`` of a session with the output under it."""
    parts = re.split(r"^\$ (.*)\n", session, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


SHOWN = [pair for session in SESSIONS for pair in commands(session)]


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_shown_session_prints_what_is_shown(command: str, output: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "docqa"
    environment = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [line.rstrip() for line in done.stdout.splitlines()] == [
        line.rstrip() for line in output.splitlines()
    ]


def test_sessions_are_shown() -> None:
    assert SHOWN


CAPTURED = {
    "camera-cropped": "camera, cropped by an app",
    "screen-recapture": "photo of a screen",
    "born-digital": "born digital",
}
"""What the README calls what the result has under another name."""


def test_the_decisions_on_real_files_are_those_of_the_last_result() -> None:
    result = json.loads((ROOT / "benchmarks/results/decisions.json").read_text(encoding="utf-8"))
    assert f"Judged on {result['files']} real files" in README
    _, _, table = README.partition("| what it truly is | files | accept |")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    # How many were refused stands before what they are.
    shown = [re.findall(r"(?<=\| )[^|(]+(?= )", row) for row in rows]
    measured = [
        [CAPTURED.get(label, label), str(sum(counts.values())),
         *(str(counts.get(outcome, 0)) for outcome in ("accept", "review", "reject", "problem"))]
        for label, counts in result["decisions"].items()
    ]  # fmt: skip
    assert sorted(shown) == sorted(measured)


def test_the_library_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    data = (ROOT / "fixtures/pages/id-back-scan.jpg").read_bytes()
    known = {"data": data}
    exec(example, known)
    assert repr(known["report"].verdict.decision).startswith("<Decision.ACCEPT")  # type: ignore[attr-defined]  # made by the example


def test_every_make_target_in_the_readme_exists() -> None:
    targets = re.findall(r"^make ([a-z-]+)", "\n".join(SHELL), flags=re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        done = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_every_file_the_readme_points_at_exists() -> None:
    for path in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / path).exists(), path


def test_every_command_is_in_the_readme() -> None:
    from docqa.cli import cli

    for name in cli.commands:
        assert f"docqa {name}" in README
