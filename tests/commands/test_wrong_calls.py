"""A wrong call or set-up is one sentence on stderr and its exit code, whatever raised it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from docqa import cli
from docqa.batch import station

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def docqa(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Calls it as its users do, in a folder with a picture and a file that is no database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCQA_WORKERS", "1")
    Image.new("L", (50, 60), 255).save("a.png")
    Path("file").write_text("no database, and no folder either, but a text of some length")

    def call(*arguments: str, **environment: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["docqa", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        assert printed.out == ""
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.err

    return call


@pytest.mark.parametrize("command", [["check", "a.png"], ["revalidate"]])
def test_an_address_of_no_cluster_is_refused_at_once(docqa: Call, command: list[str]) -> None:
    code, said = docqa(*command, "--cluster", "foo")
    assert code == 1
    assert "tcp://HOST:PORT" in said


def test_a_cluster_that_does_not_answer_is_a_lost_one(
    docqa: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unanswered(*_: Any, **__: Any) -> None:
        raise OSError("Timed out")

    monkeypatch.setattr(station, "import_dask", lambda: SimpleNamespace(Client=unanswered))
    code, said = docqa("check", "--cluster", "tcp://127.0.0.1:1", "a.png")
    assert (code, said) == (7, "no Dask scheduler answers at tcp://127.0.0.1:1\n")
