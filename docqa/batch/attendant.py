"""Drives the runs that clients ask the service for, each in a process of its own.

The process is ``docqa revalidate --resume``, at low priority: uploads are served by others. It
looks at the run's state after every batch, and what is left of a run is a query, so it may be
killed with the service or without it at any moment.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 2.0
_STOP_WITHIN_S = 10.0
_MOST_FAILURES = 3


class Requested(Protocol):
    """Knows which runs wait for the service."""

    def take(self, *, now: datetime, quiet: timedelta) -> str | None:
        """The next run, marked as being driven."""
        ...


class Runs(Protocol):
    """Gives runs another state."""

    def move(self, run_id: str, state: str, *, allowed: Sequence[str]) -> bool:
        """False when its state is none of ``allowed``."""
        ...


def command_for(run_id: str) -> list[str]:
    """What drives a run, with this process's settings."""
    return [sys.executable, "-m", "docqa", "revalidate", "--attended", "--resume", run_id]


class Attendant:
    """Drives one run after the other. Any number of them may share one database.

    Args:
        requested: the runs that wait.
        runs: where their state is.
        quiet: longer than any driver is without a commit: the one of a run that has not moved for
            so long is dead.
        command: what to start for a run; it ends with 0 when the run is done.
    """

    def __init__(
        self,
        requested: Requested,
        runs: Runs,
        *,
        quiet: timedelta,
        command: Callable[[str], list[str]] = command_for,
    ) -> None:
        self._quiet = quiet
        self._requested = requested
        self._runs = runs
        self._command = command
        self._failures: Counter[str] = Counter()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="revalidations", daemon=True)

    def start(self) -> None:
        """Begin to look for runs."""
        self._thread.start()

    def close(self) -> None:
        """Stop the run that is driven; whoever starts next goes on with it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _attend(self) -> None:
        while not self._stopping.is_set():
            try:
                run_id = self._requested.take(now=datetime.now(UTC), quiet=self._quiet)
                if run_id is not None:
                    self._drive(run_id)
                    continue
            except Exception as error:  # the database may be away: it comes back
                _LOG.warning("no run can be looked after: %s", type(error).__name__)
            self._stopping.wait(_LOOK_EVERY_S)

    def _drive(self, run_id: str) -> None:
        process = subprocess.Popen(
            self._command(run_id), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        threading.Thread(target=self._end_with_service, args=[process], daemon=True).start()
        code = process.wait()
        if code == 0:
            return
        self._failures[run_id] += not self._stopping.is_set()
        state = "failed" if self._failures[run_id] >= _MOST_FAILURES else "waiting"
        # One that was paused or cancelled meanwhile is left as it is.
        if self._runs.move(run_id, state, allowed=("running",)):
            _LOG.warning("the process of %s ended with %d: it is %s", run_id, code, state)
            self._stopping.wait(_LOOK_EVERY_S)

    def _end_with_service(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            if self._stopping.wait(_LOOK_EVERY_S):
                process.terminate()
                try:
                    process.wait(_STOP_WITHIN_S)
                except subprocess.TimeoutExpired:
                    process.kill()
