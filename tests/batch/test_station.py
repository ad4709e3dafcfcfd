"""What a station hands to its children, and what it says of files that it cannot get."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from docqa.adapters.memory import MemoryBlobs
from docqa.adapters.sealed_blobs import SealedBlobs
from docqa.adapters.sealing import Keyring
from docqa.batch import station as station_module
from docqa.batch.station import Station, Tls, cluster
from docqa.errors import InvalidModel
from docqa.memory_files import MemoryFiles
from docqa.plan import Stale, Work
from docqa.revalidate import ClusterLost, Unread
from tests.memory_files import held_bytes

KEY = "0" * 32
SCAN = b"a scan in clear"
WORK = Work("doc_1", KEY, "a4-generic", Stale(("skew",)), 1)


class Child:
    """Stands in for the children: notes what it is given."""

    def __init__(self) -> None:
        self.found: list[tuple[bytes, bool]] = []

    def recompute_file(self, path: Path, work: Work) -> None:
        is_on_disk = any(file.is_file() for file in Path(tempfile.gettempdir()).rglob("*"))
        self.found.append((path.read_bytes(), is_on_disk))


@pytest.fixture
def blobs() -> SealedBlobs:
    made = SealedBlobs(MemoryBlobs(), Keyring({"k1": bytes(32)}))
    made.put(KEY, SCAN)
    return made


def station(blobs: Any, child: Any) -> Station:
    return Station(blobs, child, MemoryFiles())


def test_a_document_is_opened_in_memory_alone_and_wiped(
    blobs: SealedBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = Child()
    made = station(blobs, child)
    made(WORK)
    assert child.found == [(SCAN, False)]
    assert SCAN not in held_bytes()
    made.files.close()


class Away(MemoryBlobs):
    def __init__(self, *problems: str) -> None:
        super().__init__()
        self.said = list(problems)

    def get(self, key: str) -> bytes:
        raise OSError("the share is away")

    def problems(self) -> list[str]:
        return self.said


@pytest.mark.parametrize(
    "stored", [MemoryBlobs(), Away(), "sealed by another key"], ids=["lost", "torn", "sealed"]
)
def test_a_file_that_cannot_be_had_is_said_to_be_so_and_nothing_is_judged(
    stored: Any, blobs: SealedBlobs
) -> None:
    child = Child()
    if isinstance(stored, str):
        stored = SealedBlobs(blobs._inner, Keyring({"k2": bytes(range(32))}))
    with pytest.raises(Unread):
        station(stored, child)(WORK)
    assert child.found == []


def test_of_a_store_that_does_not_answer_it_is_the_store_that_is_said_to_fail() -> None:
    child = Child()
    with pytest.raises(OSError, match="the share is away"):
        station(Away("the folder cannot be read"), child)(WORK)
    assert child.found == []


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "another"])
def test_files_of_tls_that_cannot_be_used_are_told_before_a_scheduler_is_looked_for(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "cert.pem"
    if content is not None:
        file.write_text(content)
    tls = Tls(str(file), str(file), str(file))
    with pytest.raises(InvalidModel, match="TLS"), cluster("tls://127.0.0.1:1", tls):
        pass


class Scheduler:
    """Stands in for Dask: answers at once, and of its workers what it is told to say."""

    def __init__(self, *said: type[Exception] | None) -> None:
        self.said = list(said)
        self.is_closed = False

    def Client(self, *_: Any, **__: Any) -> Scheduler:  # as Dask spells it
        return self

    def wait_for_workers(self, n_workers: int, timeout: float) -> None:
        error = self.said.pop(0)
        if error is not None:
            raise error

    def nthreads(self) -> dict[str, int]:
        return {"tcp://node:1": 4, "tcp://node:2": 2}

    def get_executor(self, pure: bool) -> str:
        return "the executor"

    def close(self, timeout: float) -> None:
        self.is_closed = True


def opened(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, int]:
    monkeypatch.setattr(station_module, "import_dask", lambda: scheduler)
    with cluster("tcp://node:8786", None) as found:
        return found


@pytest.mark.parametrize("said", [[None], [TimeoutError, None]], ids=["at once", "later"])
def test_whoever_waits_for_the_first_worker_is_told_so(
    said: list[type[Exception] | None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = [] if said == [None] else ["the scheduler at tcp://node:8786 has no worker yet"]
    scheduler = Scheduler(*said)
    assert opened(scheduler, monkeypatch) == ("the executor", 6)
    assert caplog.messages == told
    assert (scheduler.said, scheduler.is_closed) == ([], True)


@pytest.mark.parametrize(
    "said", [[TimeoutError, TimeoutError], [ConnectionError], [TimeoutError, ConnectionError]],
    ids=["none comes", "the scheduler goes", "it goes later"],
)  # fmt: skip
def test_a_scheduler_to_which_no_worker_comes_is_a_lost_cluster(
    said: list[type[Exception] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(*said)
    with pytest.raises(ClusterLost, match=r"dask worker tcp://node:8786"):
        opened(scheduler, monkeypatch)
    assert (scheduler.said, scheduler.is_closed) == ([], True)
