"""Looks out for documents that wait while their booking is about to lapse."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from docqa.reviewing import ESCALATE_WITHIN, ReviewDesk

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 60.0
_BETWEEN_BATCHES_S = 0.2
"""Others write as well: on SQLite one that never pauses would keep them all waiting."""
_STOP_WITHIN_S = 5.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DeadlineWatch:
    """Escalates each of them once, in a thread of its own. Any number may share one desk.

    Args:
        desk: where they wait.
        clock: the time, aware.
    """

    def __init__(self, desk: ReviewDesk, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._desk = desk
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)

    def look(self) -> int:
        """Escalate all that are due now; how many."""
        total = 0
        while not self._stopped.is_set():
            count = self._desk.escalate_due(now=self._clock(), within=ESCALATE_WITHIN)
            if count == 0:
                break
            total += count
            self._stopped.wait(_BETWEEN_BATCHES_S)
        return total

    def start(self) -> None:
        """Look again and again until :meth:`close`. What fails is done the next time."""
        self._thread.start()

    def close(self) -> None:
        """Stop; a look that is under way has a moment to end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_WITHIN_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except Exception as error:  # the database is away, or worse: never stop for good
                _LOG.error("deadlines wait: %s", type(error).__name__)
            self._stopped.wait(_LOOK_EVERY_S)
