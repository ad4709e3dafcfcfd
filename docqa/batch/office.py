"""Where the service plans runs that clients ask for, and tells how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from docqa import wiring
from docqa.errors import InvalidModel
from docqa.plan import Group, Mode, Plan, Run, Selection, make_plan
from docqa.settings import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asks for."""

    mode: Mode
    policy: str | None
    """A name in models/policy; the service's own if None."""
    selection: Selection


class Runs(Protocol):
    """Remembers runs; see :class:`docqa.adapters.revalidations.SqlRevalidations`."""

    def prepare(self) -> int:
        """Make the facts that are lacking."""
        ...

    def begin(self, run: Run) -> Run:
        """Record a new run."""
        ...

    def unfinished(self, run: Run) -> Run | None:
        """A run that does the same and has not ended."""
        ...

    def get(self, run_id: str) -> Run | None:
        """The run as it stands."""
        ...

    def runs(self) -> list[Run]:
        """All of them, newest first."""
        ...

    def counts(self, run_id: str) -> list[dict[str, Any]]:
        """The transitions so far."""
        ...

    def move(self, run_id: str, state: str, *, allowed: tuple[str, ...]) -> bool:
        """Give a run another state."""
        ...

    def tally(self, selection: Selection) -> list[Group]:
        """How many documents there are of each making."""
        ...


class Requests(Protocol):
    """Remembers which runs the service is to drive."""

    def ask(self, run: Run, client_id: str, *, now: datetime) -> None:
        """Have the service drive a run."""
        ...


class Office:
    """Plans and records runs; :class:`docqa.batch.attendant.Attendant` has them driven.

    Args:
        settings: of this installation.
        runs: remembers runs.
        requests: remembers which of them the service is to drive.
    """

    def __init__(self, settings: Settings, runs: Runs, requests: Requests) -> None:
        self._settings = settings
        self.runs = runs
        self._requests = requests

    def plan(self, wanted: Wanted) -> tuple[Plan, Run]:
        """What would have to be done, and the run that would do it, not recorded.

        Raises:
            KeyError: there is no such policy.
        """
        folder = wiring.models_dir(self._settings)
        name = wanted.policy or self._settings.policy
        try:
            text = wiring.policy_text(folder, name)
        except InvalidModel as error:
            raise KeyError(name) from error
        engine = wiring.load_engine(self._settings, name)
        self.runs.prepare()
        run = Run(
            "", wanted.mode, "waiting", engine.policy.id, engine.policy.digest, text,
            engine.digest, wanted.selection,
        )  # fmt: skip
        return make_plan(engine, self.runs.tally(wanted.selection)), run

    def start(self, run: Run, client_id: str) -> Run:
        """Record a planned run, or find the one that does the same, and have it driven."""
        begun = self.runs.unfinished(run) or self.runs.begin(run)
        self._requests.ask(begun, client_id, now=datetime.now(UTC))
        return begun
