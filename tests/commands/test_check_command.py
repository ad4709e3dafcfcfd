"""``docqa check``: which file it speaks of, and what it will not pass over in silence."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from docqa.cli import cli
from docqa.commands.speaking import EXIT_BY_DECISION
from docqa.errors import InvalidModel
from docqa.report import Report
from docqa.worker import Worker


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCQA_WORKERS", "1")
    monkeypatch.chdir(tmp_path)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", *arguments])


def picture(name: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (50, 60), 255).save(path)


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        (["two"], ["[x]/s.png", "[y/s.png"]),
        (["two/[x]", "two/[y"], ["[x]/s.png", "[y/s.png"]),
        (["two/[x]/s.png", "two/[y/s.png"], ["[x]/s.png", "[y/s.png"]),
        (["two/[x]/s.png", "other/../two/[y"], ["[x]/s.png", "[y/s.png"]),
        (["two/[x]/s.png"], ["s.png"]),
        (["two/[x]"], ["s.png"]),
    ],
)
def test_files_of_equal_names_are_told_apart(named: list[str], shown: list[str]) -> None:
    picture("two/[x]/s.png")
    picture("two/[y/s.png")
    Path("other").mkdir()
    done = check("--overlay", "seen", *named)
    cells = [line.split("│")[1].strip() for line in done.output.splitlines() if "│" in line]
    assert [cell for cell in cells if cell] == shown
    drawn = sorted(str(path.relative_to("seen")) for path in Path("seen").rglob("*.png"))
    assert drawn == [name.replace("s.png", "s-png-1.png") for name in shown]


@pytest.mark.parametrize("more", [[], ["--json"], ["--out", "upload/r.jsonl"]])
def test_nothing_to_judge_is_not_success(more: list[str]) -> None:
    Path("upload/below").mkdir(parents=True)
    Path("upload/.hidden.png").touch()
    done = check(*more, "upload")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "upload holds no files" in done.stderr


def test_what_is_judged_already_is_something() -> None:
    picture("upload/s.png")
    first = check("--out", "r.jsonl", "upload").exit_code
    assert first in EXIT_BY_DECISION.values()
    again = check("--out", "r.jsonl", "upload")
    assert (again.exit_code, again.output) == (first, "")


@pytest.mark.parametrize(
    ("typed", "of_type", "told"),
    [
        ({"national_number": "01234567890"}, [], "one of civil-extract, sy-id-back, sy-id-front\n"),
        ({"passport_number": "N012345"}, ["--type", "sy-id-back"], "one of passport\n"),
    ],
)
def test_claims_that_nothing_is_compared_with_are_refused(
    typed: dict[str, str], of_type: list[str], told: str
) -> None:
    picture("s.png")
    Path("claims.json").write_text(json.dumps(typed))
    done = check("--claims", "claims.json", *of_type, "s.png")
    assert (done.exit_code, done.stdout) == (click.UsageError.exit_code, "")
    assert done.stderr.endswith(told) and "--type" in done.stderr


ODD = {
    b"bad\xff.png": r"bad\udcff.png",
    b"esc\x1b[31m.png": r"esc\x1b[31m.png",
    b"line\nfeed.png": r"line\nfeed.png",
    "gnp\u202e.png".encode(): r"gnp\u202e.png",
    "عربي.png".encode(): "عربي.png",
}


@pytest.mark.parametrize("more", [[], ["--json"], ["--out", "r.jsonl"]])
def test_a_file_may_be_called_anything(more: list[str]) -> None:
    for name in ODD:
        picture("upload/" + os.fsdecode(name))
    done = check(*more, "upload")
    assert done.exit_code in EXIT_BY_DECISION.values(), done.output
    if not more:
        cells = [line.split("│")[1].strip() for line in done.output.splitlines() if "│" in line]
        assert sorted(cell for cell in cells if cell) == sorted(ODD.values())
        return
    written = done.stdout_bytes if more == ["--json"] else Path("r.jsonl").read_bytes()
    files = {os.fsencode(Path(json.loads(line)["file"]).name) for line in written.splitlines()}
    assert files == set(ODD)
    assert more == ["--json"] or check(*more, "upload").exit_code == done.exit_code
    assert more == ["--json"] or Path("r.jsonl").read_bytes() == written


def test_a_file_that_cannot_be_read_is_a_problem_of_its_own_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a.png", "b.png", "c.png"):
        picture(f"upload/{name}")
    inspect_file = Worker.inspect_file

    def one_is_locked(worker: Worker, path: Path, **more: Any) -> Report:
        if path.name == "b.png":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return inspect_file(worker, path, **more)

    with monkeypatch.context() as locked:
        locked.setattr(Worker, "inspect_file", one_is_locked)
        assert "Permission denied" in check("upload").output
        first = check("--out", "r.jsonl", "upload")
    assert first.exit_code == 2
    lines = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert [line.get("problem", {}).get("code") for line in lines] == [
        None, "check.unreadable", None,
    ]  # fmt: skip
    assert check("--out", "r.jsonl", "upload").exit_code in EXIT_BY_DECISION.values()
    lines = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert len(lines) == 4 and "verdict" in lines[3]
    assert lines[3]["file"] == str(Path("upload/b.png").absolute())


def test_what_is_left_out_is_said() -> None:
    picture("elsewhere/b.png")
    picture("upload/a.png")
    Path("upload/more").symlink_to(Path("elsewhere").absolute())
    done = check("--json", "upload")
    assert len(done.stdout.splitlines()) == 1
    assert "left out: 1 linked folders" in done.stderr
    assert done.exit_code in EXIT_BY_DECISION.values()
    Path("upload/more").unlink()
    assert check("--json", "upload").stderr == ""


@pytest.mark.parametrize("more", [[], ["--json"], ["--out", "r.jsonl"]])
def test_a_pipe_or_a_device_is_a_problem_at_once_and_the_others_are_judged(more: list[str]) -> None:
    picture("s.png")
    os.mkfifo("pipe")
    done = check(*more, "pipe", "/dev/null", "s.png")
    assert done.exit_code == 2
    if not more:
        assert done.stdout.count("copy it to a file") == 2
        return
    written = done.stdout if more == ["--json"] else Path("r.jsonl").read_text()
    found = [json.loads(line) for line in written.splitlines()]
    assert [line.get("problem", {}).get("code") for line in found] == [
        "check.unreadable", "check.unreadable", None,
    ]  # fmt: skip


def test_a_file_that_vanishes_after_its_folder_was_listed_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a.png", "b.png"):
        picture(f"upload/{name}")

    def walked(*_: Any) -> Iterator[Path]:
        yield from (Path("upload/a.png"), Path("upload/gone.png"), Path("upload/b.png"))

    monkeypatch.setattr("docqa.commands.check.walk", walked)
    done = check("--out", "r.jsonl", "upload")
    assert done.exit_code == 2
    found = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert [line.get("problem", {}).get("code") for line in found] == [
        None, "check.unreadable", None,
    ]  # fmt: skip


def test_a_picture_that_cannot_be_kept_costs_no_verdict() -> None:
    picture("a.png")
    picture("b" * 246 + ".png")
    done = check("--overlay", "seen", "--json", *sorted(path.name for path in Path().iterdir()))
    assert done.exit_code in EXIT_BY_DECISION.values()
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr.startswith("no picture of") and "b.png: File name too long" in done.stderr
    assert [path.name for path in Path("seen").iterdir()] == ["a-png-1.png"]


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_nobody_is_promised_to_look_at_what_is_not_kept(more: list[str]) -> None:
    picture("s.png")
    done = check(*more, "s.png")
    assert done.exit_code == EXIT_BY_DECISION["review"]
    assert "A person" not in done.stdout and "موظف" not in done.stdout


def test_pictures_that_were_drawn_before_are_not_judged() -> None:
    picture("upload/a.png")
    for _ in range(2):
        done = check("--json", "--overlay", "upload/seen", "upload")
        assert [json.loads(line)["file"] for line in done.stdout.splitlines()] == ["upload/a.png"]


def test_a_file_of_reports_is_json_already_and_no_device() -> None:
    picture("s.png")
    both = check("--json", "--out", "r.jsonl", "s.png")
    assert (both.exit_code, both.stdout) == (click.UsageError.exit_code, "")
    assert "leave out --json" in both.stderr
    device = check("--out", "/dev/null", "s.png")
    assert isinstance(device.exception, InvalidModel)
    assert "give another --out" in str(device.exception)
