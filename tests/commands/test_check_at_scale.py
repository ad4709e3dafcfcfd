"""``docqa check --out``: many files, in bounded memory, whatever stops it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from docqa.batch.checking import (
    LINKED,
    LOCKED,
    NO_FILE,
    UNREADABLE,
    in_order,
    line_of,
    lines_at,
    walk,
)
from docqa.commands.speaking import EXIT_BY_DECISION
from docqa.errors import InvalidModel
from tests.batch.dask_cluster import Cluster, Installation, killed_at_last, until

DOCQA = Path(sys.executable).parent / "docqa"
FILES = 300
JUDGE = ("p", "e", "a4-generic")


def check(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [DOCQA, "check", *arguments], cwd=cwd, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "DOCQA_BLOBS_DIR": str(cwd / "blobs")},
    )  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def archive(folder: Path, files: int = FILES) -> Path:
    """Tiny pictures in three folders, every tenth file no picture at all."""
    for at in range(files):
        place = folder / "archive" / f"{at % 3}" / f"{at:04d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        if at % 10:
            Image.new("L", (40 + at % 50, 60), 255).save(place)
        else:
            place.write_bytes(b"no picture")
    return folder / "archive"


def test_a_killed_check_goes_on_and_every_file_is_judged_once(tmp_path: Path) -> None:
    archive(tmp_path)
    out = tmp_path / "reports.jsonl"
    with killed_at_last(check("--out", out, "archive", cwd=tmp_path)):
        until(lambda: out.exists() and out.read_bytes().count(b"\n") >= FILES // 20)
    before = out.read_bytes()
    kept = before[: before.rfind(b"\n") + 1]
    assert FILES // 20 <= kept.count(b"\n") < FILES, "it was killed in the middle of its work"
    out.write_bytes(kept + b'{"file": "archive/0/0')  # as a kill in the middle of a line leaves it

    done = check("--out", out, "archive", cwd=tmp_path)
    assert done.communicate()[0] == ""
    assert done.returncode == 2, "some are no pictures"
    assert out.read_bytes().startswith(kept)
    found = lines(out)
    assert sorted(one["file"] for one in found) == sorted(
        str(path) for path in (tmp_path / "archive").rglob("*.png")
    )
    assert sum("problem" in one for one in found) >= FILES // 10

    whole = out.read_bytes()
    again = check("--out", out, "archive", cwd=tmp_path)
    again.communicate()
    assert again.returncode == 2, "there was nothing to judge, and some are no pictures as before"
    assert out.read_bytes() == whole


def result(
    file: str, policy: str = "p", engine: str = "e", decision: str = "accept"
) -> dict[str, Any]:
    return {"file": file, "policy": {"digest": policy}, "engine": {"digest": engine},
            "document_type": "a4-generic", "verdict": {"decision": decision}}  # fmt: skip


def test_what_another_policy_or_engine_judged_is_not_done(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with lines_at(out, JUDGE) as kept:
        kept.add(result("a"))
        kept.add(result("b", policy="q"))
        kept.add(result("c", engine="f"))
        kept.add({"file": "d", "problem": {}})
        kept.add(result("e", decision="reject"))
    with lines_at(out, JUDGE) as kept:
        came_of = {name: kept.outcome(Path(name)) for name in "abcdex"}
    assert came_of == {
        "a": "accept", "b": None, "c": None, "d": "problem", "e": "reject", "x": None,
    }  # fmt: skip
    assert out.stat().st_mode & 0o077 == 0


def test_of_several_lines_of_a_file_the_last_alone_counts(tmp_path: Path) -> None:
    unreadable = {"file": "d", "problem": {"code": UNREADABLE}}
    with lines_at(tmp_path / "out", JUDGE) as kept:
        for line in (
            result("a"), result("a", policy="q", decision="reject"),
            result("b", policy="q"), result("b", decision="review"),
            result("c", decision="reject"), {"file": "c", "problem": {}},
            result("d"), unreadable,
        ):  # fmt: skip
            kept.add(line)
    with lines_at(tmp_path / "out", JUDGE) as kept:
        came_of = {name: kept.outcome(Path(name)) for name in "abcd"}
    assert came_of == {"a": None, "b": "review", "c": "problem", "d": None}


def test_a_file_is_known_by_its_place_and_not_by_how_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "monday").mkdir()
    (tmp_path / "tuesday").mkdir()
    monkeypatch.chdir(tmp_path / "monday")
    with lines_at(tmp_path / "out", JUDGE) as kept:
        kept.add(result("scan.jpg"))
    names = ("scan.jpg", "./scan.jpg", "../monday/scan.jpg", str(tmp_path / "monday/scan.jpg"))
    with lines_at(tmp_path / "out", JUDGE) as kept:
        assert [kept.outcome(Path(name)) for name in names] == ["accept"] * 4
    monkeypatch.chdir(tmp_path / "tuesday")
    with lines_at(tmp_path / "out", JUDGE) as kept:
        assert kept.outcome(Path("scan.jpg")) is None
        assert kept.outcome(Path("../monday/scan.jpg")) == "accept"


def test_names_as_they_were_typed_once_still_count_from_where_they_were_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").write_bytes(line_of(result("scan.jpg")))
    with lines_at(Path("out"), JUDGE) as kept:
        assert kept.outcome(Path("scan.jpg")) == "accept"


@pytest.mark.parametrize("fault", ["timeout", "crashed", "out_of_memory", "failed"])
def test_what_failed_on_a_busy_machine_is_judged_again(tmp_path: Path, fault: str) -> None:
    failed = {**result("a", decision="review"), "faults": [f"system.{fault}"]}
    other = {**result("b", decision="review"), "faults": ["system.ocr_failed"]}
    with lines_at(tmp_path / "out", JUDGE) as kept:
        kept.add(failed)
        kept.add(other)
    with lines_at(tmp_path / "out", JUDGE) as kept:
        assert (kept.outcome(Path("a")), kept.outcome(Path("b"))) == (None, "review")
        kept.add(result("a"))
    with lines_at(tmp_path / "out", JUDGE) as kept:
        assert kept.outcome(Path("a")) == "accept"


@pytest.mark.parametrize("text", ["hello\n", "[1]\n", '{"a": 1}\n', "3\n", '{"problem": "a"}\n'])
def test_a_file_that_holds_something_else_is_refused_and_left_alone(
    tmp_path: Path, text: str
) -> None:
    out = tmp_path / "out"
    out.write_text(text)
    with pytest.raises(InvalidModel, match="another --out"), lines_at(out, JUDGE):
        pass
    assert out.read_text() == text


@pytest.mark.parametrize("text", ['{"given_name": "Lamia"}', "hello", '{"name": 1', "[1]"])
def test_one_line_without_an_end_that_is_no_result_is_left_alone(tmp_path: Path, text: str) -> None:
    out = tmp_path / "out"
    out.write_text(text)
    with pytest.raises(InvalidModel, match="another --out"), lines_at(out, JUDGE):
        pass
    assert out.read_text() == text


def test_a_line_cut_anywhere_is_cut_off(tmp_path: Path) -> None:
    out = tmp_path / "out"
    whole, cut = line_of(result("/a")), line_of(result("/b"))
    for kept_bytes in range(len(cut)):
        out.write_bytes(whole + cut[:kept_bytes])
        with lines_at(out, JUDGE) as kept:
            assert (kept.outcome(Path("/a")), kept.outcome(Path("/b"))) == ("accept", None)
        assert out.read_bytes() == whole


def test_two_cannot_write_the_same_file(tmp_path: Path) -> None:
    with (
        lines_at(tmp_path / "out", JUDGE),
        pytest.raises(InvalidModel, match="another docqa check"),
        lines_at(tmp_path / "out", JUDGE),
    ):
        pass


def test_no_more_than_a_window_is_ahead_of_whoever_takes_the_results() -> None:
    asked: list[int] = []

    def paths() -> Iterator[Path]:
        for at in range(1000):
            asked.append(at)
            yield Path(str(at))

    taken = []
    with ThreadPoolExecutor(4) as threads:
        for path, future in in_order(threads, lambda path: path.name, paths(), window=6):
            taken.append(future.result())
            assert path.name == taken[-1]
            assert len(asked) - len(taken) < 6
    assert taken == [str(at) for at in range(1000)]


def test_a_walk_finds_every_visible_file_in_order(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a/x/y", "c", ".hidden", "b/.hidden", "b/.thumbs/1"):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "b" / "gone").symlink_to(tmp_path / "nothing")
    (tmp_path / "d").symlink_to(tmp_path / "c")
    left: Counter[str] = Counter()
    found = [str(path.relative_to(tmp_path)) for path in walk([tmp_path], left)]
    assert found == ["a/x/y", "b/1", "b/2", "c", "d"]
    assert left == {LINKED: 1, NO_FILE: 2}


def test_a_folder_that_cannot_be_read_is_counted_and_the_others_are_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/1", "b/2"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    scandir = os.scandir

    def locked(folder: Path) -> Any:
        if folder == tmp_path / "a":
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", locked)
    left: Counter[str] = Counter()
    assert list(walk([tmp_path], left)) == [tmp_path / "b/2"]
    assert left == {LOCKED: 1}


@pytest.mark.long
def test_a_cluster_writes_the_lines_that_this_machine_writes(tmp_path: Path) -> None:
    archive(tmp_path, 60)
    home = Installation(tmp_path)
    with Cluster(home, 2) as cluster:
        there = check("--out", "there", "--cluster", cluster.address, "archive", cwd=tmp_path)
        said = there.communicate()
        assert there.returncode == 2, said
    here = check("--out", "here", "archive", cwd=tmp_path)
    here.communicate()

    def told(name: str) -> list[dict[str, Any]]:
        return [{**one, "timings_ms": None} for one in lines(tmp_path / name)]

    assert len(told("there")) == 60
    assert told("there") == told("here")


def test_what_was_judged_before_counts_in_the_exit_code(tmp_path: Path) -> None:
    for name, level in (("white.png", 255), ("dark.png", 20)):
        Image.new("L", (300, 400), level).save(tmp_path / name)
    codes = []
    for _ in range(2):
        done = check("--out", tmp_path / "out", "white.png", "dark.png", cwd=tmp_path)
        done.communicate()
        codes.append(done.returncode)
    decisions = {one["verdict"]["decision"] for one in lines(tmp_path / "out")}
    assert codes == [EXIT_BY_DECISION["reject" if "reject" in decisions else "review"]] * 2


def test_claims_are_not_for_a_file_of_many_reports(tmp_path: Path) -> None:
    for name in ("claims.json", "scan.png"):
        (tmp_path / name).write_text("{}")
    done = check("--claims", "claims.json", "--out", "out", "scan.png", cwd=tmp_path)
    assert "one citizen" in done.communicate()[1]
    assert done.returncode == 1
    assert not (tmp_path / "out").exists()
