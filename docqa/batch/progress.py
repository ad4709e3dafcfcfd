"""How a run tells where it is: a bar on standard error where that is a terminal, or JSON lines."""

from __future__ import annotations

import json
import sys
from collections import Counter
from time import monotonic
from types import TracebackType
from typing import Any, Protocol, Self

import click
import rich.progress as bars
from rich.console import Console

from docqa.plan import Run

_LINE_EVERY_S = 5.0
_COUNTS_EVERY_S = 1.0


class Counts(Protocol):
    """Tells the transitions of a run."""

    def counts(self, run_id: str) -> list[dict[str, Any]]:
        """Rows with ``after`` and ``documents``."""
        ...


class Progress:
    """Shows rate, time left, decisions so far and failures.

    Args:
        run: as it stands at the start.
        store: where its transitions are.
        is_terminal: whether to draw a bar; asked of standard error if None.
    """

    def __init__(
        self,
        run: Run,
        store: Counts,
        *,
        is_terminal: bool | None = None,
    ) -> None:
        self._store = store
        self._start = run
        self._started = self._told = self._counted = monotonic()
        self._decisions = ""
        self._bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TextColumn("{task.fields[rate]}/s"),
            bars.TimeRemainingColumn(),
            bars.TextColumn("{task.fields[decisions]}"),
            console=Console(stderr=True),
            disable=not (sys.stderr.isatty() if is_terminal is None else is_terminal),
        )
        self._task = self._bar.add_task(
            run.id, total=run.total, completed=run.decided, rate="", decisions=""
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def tell(self, run: Run) -> None:
        """Show the run as it stands now."""
        now = monotonic()
        if now - self._counted >= _COUNTS_EVERY_S:
            self._counted = now
            found: Counter[str] = Counter()
            for row in self._store.counts(run.id):
                found[row["after"]] += row["documents"]
            shown = [f"{number} {decision}" for decision, number in sorted(found.items())]
            self._decisions = ", ".join([*shown, f"{run.failed} failed"])
        elapsed = max(now - self._started, 1e-3)
        step = run.decided - self._start.decided
        rate = (step or run.recomputed - self._start.recomputed) / elapsed
        self._bar.update(
            self._task,
            description=run.id if step else f"{run.id}: {run.recomputed} recomputed",
            completed=run.decided,
            rate=f"{rate:.0f}",
            decisions=self._decisions,
        )
        if self._bar.disable and now - self._told >= _LINE_EVERY_S:
            self._told = now
            left = run.total - run.decided
            line = {
                "event": "progress",
                "id": run.id,
                "decided": run.decided,
                "recomputed": run.recomputed,
                "total": run.total,
                "failed": run.failed,
                "per_s": round(rate, 1),
                "eta_s": round(left / rate) if step and rate else None,
                "decisions": self._decisions,
            }
            click.echo(json.dumps(line))
