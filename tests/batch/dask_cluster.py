"""Installations with documents to inspect, and a real Dask cluster whose parts can be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from docqa import wiring
from docqa.ports import StoredDocument
from docqa.settings import Settings

BIN = Path(sys.executable).parent
DEADLINE_S = 120.0


@dataclass(frozen=True, slots=True)
class Installation:
    """A database and blobs of their own."""

    folder: Path
    workers: int = 1
    """Children that inspect at the same time, of each process."""

    @property
    def settings(self) -> Settings:
        return Settings(
            database_url=f"sqlite:///{self.folder}/d.sqlite3", blobs_dir=self.folder / "blobs"
        )

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DOCQA_DATABASE_URL": self.settings.database_url,
            "DOCQA_BLOBS_DIR": str(self.settings.blobs_dir),
            "DOCQA_WORKERS": str(self.workers),
            "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
        }

    def fill(self, files: list[bytes], number: int) -> None:
        """Store ``number`` documents whose inspection failed long ago: each has to be decoded."""
        stores = wiring.open_stores(self.settings)
        for at in range(number):
            stores.blobs.put(f"{at:032x}", files[at % len(files)])
            report = {
                "schema": "docqa.report/1", "sha256": f"{at:064x}", "document_type": "a4-generic",
                "verdict": {"decision": "review", "score": None, "reasons": []},
                "pages": [], "fields": [], "faults": ["system.crashed"],
                "policy": {"id": "old", "digest": "sha256:old"},
                "engine": {"version": "0", "digest": "sha256:old"}, "timings_ms": {},
            }  # fmt: skip
            stores.documents.add(
                StoredDocument(
                    id=f"doc_{at:06d}", blob_key=f"{at:032x}", file_name="x.jpg",
                    document_type="a4-generic", claims={}, report=report, decision="review",
                    received_at=datetime(2026, 1, 1, tzinfo=UTC),
                )
            )  # fmt: skip
        stores.documents.close()

    def reports(self) -> list[str]:
        """The reports in force as JSON texts, timings apart."""
        stores = wiring.open_stores(self.settings)
        found = [document.report for document in stores.documents.scan()]
        stores.documents.close()
        return [json.dumps({**report, "timings_ms": None}) for report in found]

    def reports_of_each(self) -> set[int]:
        """How many reports documents have had: ``{2}`` when each was judged again once."""
        stores = wiring.open_stores(self.settings)
        found = {len(stores.records.history(document.id)) for document in stores.documents.scan()}
        stores.documents.close()
        return found

    def recomputed(self) -> int:
        """How many documents the latest run has recomputed and committed so far."""
        stores = wiring.open_stores(self.settings)
        runs = stores.revalidations.runs()
        stores.documents.close()
        return runs[0].recomputed if runs else 0

    def is_done(self) -> bool:
        """Whether the latest run is."""
        stores = wiring.open_stores(self.settings)
        runs = stores.revalidations.runs()
        stores.documents.close()
        return bool(runs) and runs[0].state == "done"

    def started(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """A program beside this interpreter, with children in a group of their own.

        What Dask says goes nowhere: nobody would empty its pipe.
        """
        heard = subprocess.PIPE if arguments[0] == "docqa" else subprocess.DEVNULL
        return subprocess.Popen(
            [BIN / arguments[0], *arguments[1:]], env=self.environment, text=True,
            start_new_session=True, stdout=heard, stderr=heard,
        )  # fmt: skip

    def driver(self, *options: str) -> subprocess.Popen[str]:
        """``docqa revalidate --mode apply``, at work."""
        return self.started("docqa", "revalidate", "--mode", "apply", *options)

    def revalidated(self, *options: str) -> dict[str, Any]:
        """What the driver says last, when it is done."""
        said, errors = (driver := self.driver(*options)).communicate()
        assert driver.returncode == 0, said + errors
        last: dict[str, Any] = json.loads(said.splitlines()[-1])
        return last


@dataclass(slots=True)
class Cluster:
    """A scheduler and workers, each with a process group of its own."""

    home: Installation
    workers: int
    tls: tuple[str, ...] = ()
    """Options that name its files, the same for Dask and for docqa."""
    port: int = field(default_factory=lambda: _free_port())
    scheduler: subprocess.Popen[str] | None = None
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{self._protocol}://127.0.0.1:{self.port}"

    @property
    def _protocol(self) -> str:
        return "tls" if self.tls else "tcp"

    def start_scheduler(self) -> None:
        """Start it, or start it again at the same address."""
        self.scheduler = self.home.started(
            "dask", "scheduler", "--port", str(self.port), "--host", "127.0.0.1", "--no-dashboard",
            "--protocol", self._protocol, *self.tls,
        )  # fmt: skip
        until(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def start_worker(self) -> None:
        """One more, with one document at a time."""
        name = f"worker{len(self.running)}"
        self.running.append(
            self.home.started(
                "dask", "worker", self.address, "--nthreads", "1", "--no-dashboard",
                "--host", "127.0.0.1", "--name", name, "--death-timeout", str(DEADLINE_S),
                "--local-directory", self.home.folder / name,
                "--protocol", self._protocol, *self.tls,
            )
        )  # fmt: skip

    def kill_scheduler(self) -> None:
        """Without a word to anybody."""
        assert self.scheduler is not None
        kill(self.scheduler)

    def kill_worker(self) -> None:
        """With its nanny and the children that decode."""
        kill(self.running.pop())

    def __enter__(self) -> Self:
        self.start_scheduler()
        for _ in range(self.workers):
            self.start_worker()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in [*self.running, *([self.scheduler] if self.scheduler else [])]:
            kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    """A process and all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is None:
        process.wait()
    elif not process.stdout.closed:
        process.communicate()


@contextmanager
def killed_at_last(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive the context, whatever happens there."""
    try:
        yield process
    finally:
        kill(process)


def until(holds: Callable[[], bool], *, within_s: float = DEADLINE_S) -> None:
    """Wait for a condition; fail when it does not come to hold."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
