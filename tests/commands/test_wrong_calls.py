"""A wrong call or set-up is one sentence on stderr and its exit code, whatever raised it."""

from __future__ import annotations

import base64
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from docqa import cli, wiring
from docqa.batch import station
from docqa.ports import StoredDocument
from docqa.settings import Settings

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def docqa(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """Calls it as its users do, in a folder with a picture, a database, and a file that is none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCQA_WORKERS", "1")
    monkeypatch.setenv("DOCQA_DATABASE_URL", "sqlite:///d.sqlite3")
    monkeypatch.setenv("DOCQA_BLOBS_DIR", "blobs")
    Image.new("L", (50, 60), 255).save("a.png")
    Path("file").write_text("no database, and no folder either, but a text of some length")
    wiring.migrate_database(Settings())

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

    before = signal.getsignal(signal.SIGTERM)
    yield call
    signal.signal(signal.SIGTERM, before)  # docqa revalidate has one of its own


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


@pytest.mark.parametrize(
    "options",
    [
        ["--tls-ca-file", "a", "--tls-cert", "b", "--tls-key", "c"],
        ["--tls-ca-file", "a", "--cluster", "tls://127.0.0.1:1"],
        ["--tls-cert", "b", "--tls-key", "c", "--cluster", "tls://127.0.0.1:1"],
        ["--tls-ca-file", "a", "--tls-cert", "b", "--tls-key", "c", "--cluster", "tcp://h:1"],
    ],
    ids=" ".join,
)
def test_the_files_of_tls_go_together_with_a_cluster_that_uses_them(
    docqa: Call, options: list[str]
) -> None:
    code, said = docqa("revalidate", *options)
    assert code == 1
    assert "--tls-ca-file, --tls-cert and --tls-key go together, with --cluster tls://" in said


def test_tls_without_its_files_is_refused_at_once(docqa: Call) -> None:
    code, said = docqa("check", "--cluster", "tls://127.0.0.1:1", "a.png")
    assert (code, said.count("\n")) == (9, 1)
    assert "distributed.comm.tls" in said


KEY = "k1:" + base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "told"),
    [
        (["check", "--out", "gone/r.jsonl", "a.png"], {}, 2, "gone/r.jsonl: No such file"),
        (["check", "--overlay", "/proc/zz", "a.png"], {}, 2, "/proc/zz: No such file"),
        (["policy", "tune", "--out", "/proc/zz"], {}, 2, "/proc/zz: No such file"),
        (["keys", "list"], {"DATABASE_URL": "foo"}, 9, "DOCQA_DATABASE_URL"),
        (["keys", "list"], {"DATABASE_URL": "foo://u:secret@h/d"}, 9, "DOCQA_DATABASE_URL"),
        (["keys", "list"], {"DATABASE_URL": "sqlite:///file"}, 9, "file is not a database"),
        (["keys", "list"], {"DATABASE_URL": "sqlite:////proc/x/d"}, 9, "DOCQA_DATABASE_URL"),
        (["keys", "list"], {"MODELS_DIR": "gone"}, 9, "DOCQA_MODELS_DIR names gone, which has no"),
        (["check", "a.png"], {"MODELS_DIR": "blobs"}, 9, "DOCQA_MODELS_DIR names blobs, which has"),
        (["migrate"], {"DATABASE_URL": "foo"}, 9, "DOCQA_DATABASE_URL"),
        (["config", "check"], {"DATABASE_URL": "foo"}, 9, "DOCQA_DATABASE_URL"),
        (["config", "check"], {"BLOBS_DIR": "/proc/x"}, 9, "DOCQA_BLOBS_DIR"),
        (["config", "check"], {"BLOBS_DIR": "file"}, 9, "DOCQA_BLOBS_DIR"),
        (["config", "check"], {"RETENTION": "nope", "DEV": "1"}, 9, "cannot read nope.toml"),
        (
            ["config", "check"],
            {"RATE_LIMIT_STORAGE": "redis://:secret@h", "DEV": "1"},
            9,
            "DOCQA_RATE_LIMIT_STORAGE is wrong, or the library",
        ),
    ],
)
def test_a_place_that_cannot_be_used_is_named(
    docqa: Call, arguments: list[str], environment: dict[str, str], code: int, told: str
) -> None:
    found, said = docqa(*arguments, **{f"DOCQA_{k}": v for k, v in environment.items()})
    assert found == code
    assert told in said and said.count("\n") == 1
    assert "secret" not in said


def test_a_port_for_metrics_that_is_taken_is_named(docqa: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        code, said = docqa(
            "serve", DOCQA_DEV="1", DOCQA_PORT="0", DOCQA_METRICS_PORT=taken
        )  # fmt: skip
    assert (code, said.count("\n")) == (9, 1)
    assert f"cannot listen on 127.0.0.1:{taken}: Address already in use" in said
    assert "see DOCQA_METRICS_PORT" in said


def test_a_key_that_is_missing_is_named(docqa: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", KEY)
    stores = wiring.open_stores(Settings())
    stores.blobs.put("0" * 32, b"a scan")
    stores.documents.add(
        StoredDocument(
            id="doc_1", blob_key="0" * 32, file_name="x.jpg", document_type="a4-generic",
            claims={"given_name": "Sami"}, decision="review",
            report={"sha256": "0" * 64, "verdict": {"score": None, "reasons": []}},
            received_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
    )  # fmt: skip
    stores.documents.close()
    code, said = docqa("reseal", DOCQA_ENCRYPTION_KEYS=KEY.replace("k1", "k2"))
    assert code == 9
    assert "doc_1: stored bytes need the key 'k1': add it to the encryption keys" in said


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "told"),
    [
        (["check", "--policy", "nope", "a.png"], {}, 9, "there is no policy 'nope': sy-passport"),
        (["keys", "list"], {"POLICY": "nope"}, 9, "there is no policy 'nope': sy-passport"),
        (["check", "--policy", "nope.toml", "a.png"], {}, 9, "cannot read nope.toml"),
        (["revalidate", "--resume", "rev_unknown"], {}, 2, "rev_unknown: there is no such run"),
        (["revalidations", "pause", "rev_unknown"], {}, 2, "rev_unknown: there is no such run"),
    ],
)
def test_what_is_not_there_is_named(
    docqa: Call, arguments: list[str], environment: dict[str, str], code: int, told: str
) -> None:
    found, said = docqa(*arguments, **{f"DOCQA_{k}": v for k, v in environment.items()})
    assert (found, said.count("\n")) == (code, 1)
    assert told in said


@pytest.mark.parametrize(
    ("name", "value"), [("WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8,foo"), ("PORT", "foo")]
)
def test_a_wrong_setting_is_named_as_it_is_written(docqa: Call, name: str, value: str) -> None:
    code, said = docqa("keys", "list", **{f"DOCQA_{name}": value})
    assert code == 9
    for line in said.splitlines():
        assert line.startswith(f"DOCQA_{name}: Input should be ") or "not a valid" in line
        assert line.split(": ")[0] == f"DOCQA_{name}"


@pytest.mark.parametrize("condition", ["decision=maybe", "decision=", "decision=Accept"])
def test_only_decisions_that_there_are_can_be_selected(docqa: Call, condition: str) -> None:
    code, said = docqa("revalidate", "--dry-run", "--where", condition)
    assert code == 1
    assert "accept, review, reject" in " ".join(said.split())


@pytest.mark.parametrize(
    "option",
    [
        "--mode apply",
        "--mode report",
        "--policy x",
        "--where decision=review",
        "--since 2026-01-01",
    ],
)
def test_a_run_that_goes_on_is_not_told_to_be_another(docqa: Call, option: str) -> None:
    name, value = option.split()
    code, said = docqa("revalidate", "--resume", "rev_1", name, value)
    assert code == 1
    assert f"--resume goes on with a run as it was begun: leave out {name}" in said


def test_a_document_type_that_nothing_has_is_refused_with_those_that_there_are(docqa: Call) -> None:
    code, said = docqa("revalidate", "--dry-run", "--where", "document_type=sy-id-bakc")
    assert code == 1
    assert "a4-generic" in said and "sy-id-back" in said


@pytest.mark.parametrize(
    "command", [["config", "check"], ["serve"], ["reviewer", "nobody", "--disable"]], ids=" ".join
)
def test_what_only_looks_makes_no_database(docqa: Call, command: list[str]) -> None:
    new = {"DOCQA_DATABASE_URL": "sqlite:///new/d.sqlite3", "DOCQA_BLOBS_DIR": "new/blobs"}
    code, said = docqa(*command, **new)
    assert (code, said.count("\n"), Path("new").exists()) == (9, 1, False)
    assert "there is no database" in said
