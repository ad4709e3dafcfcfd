"""The real service in a process of its own, as an operator starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

DOCQA = Path(sys.executable).parent / "docqa"


@dataclass(frozen=True)
class Running:
    """A service that serves."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


def installation(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of an installation in ``folder``; settings without their prefix."""
    made = {
        "database_url": f"sqlite:///{folder}/docqa.sqlite3",
        "blobs_dir": str(folder / "blobs"),
        **settings,
    }
    return {**os.environ, **{f"DOCQA_{name.upper()}": value for name, value in made.items()}}


def until(holds: Callable[[], bool], *, within_s: float = 60.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        os.sched_yield()


@contextmanager
def running(environment: dict[str, str], folder: Path, *options: str) -> Iterator[Running]:
    """``docqa serve`` on a free port; killed afterwards if it has not ended."""
    log = folder / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [DOCQA, "serve", "--port", "0", *options],
            env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            address = re.search(r"http://\S+", process.stdout.readline())
            assert address, log.read_text()
            httpx.get(address.group() + "/livez", timeout=60).raise_for_status()
            yield Running(process, address.group(), log)
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
