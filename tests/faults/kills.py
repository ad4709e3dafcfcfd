"""Kills the parts of a running installation at random moments while clients upload."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.installation import Installation
from tests.faults.load import Aftermath, Uploads, examine
from tests.faults.receivers import Receiver, answers, receiving
from tests.postgres_server import PostgresServer, running

_PAUSE_S = (0.5, 6.0)
_INSPECT_TIMEOUT_S = 10
_QUIET_WITHIN_S = 240.0
_LOOK_EVERY_S = 0.2


@dataclass
class Ordeal:
    """What was done to an installation, and how it took it."""

    seconds: float
    uploads: Uploads
    aftermath: Aftermath
    kills: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0
    """Uploads that were never acknowledged though nothing was killed any more."""


def ordeal(
    folder: Path, *, database: str, seconds: float, clients: int, seed: int, drain: bool
) -> Ordeal:
    """Kill for ``seconds``, let everything come to rest, and look.

    Args:
        folder: for the installation; must be empty.
        database: ``sqlite`` or ``postgresql``.
        seconds: how long things are killed.
        clients: how many upload at the same time.
        seed: of what is killed when.
        drain: wait until every upload that was begun is acknowledged.
    """
    with ExitStack() as stack:
        postgres = None
        if database == "postgresql":
            postgres = stack.enter_context(running())
        installation = Installation(
            folder,
            database_url=postgres.url if postgres else None,
            INSPECT_TIMEOUT_S=str(_INSPECT_TIMEOUT_S),
            WEBHOOK_TIMEOUT_S="2",
        )
        receiver = stack.enter_context(receiving(answers(204)))
        installation.command("migrate")
        receiver.secrets += installation.command("webhooks", "add", receiver.address).split()[1:]
        installation.start()
        stack.callback(installation.kill)
        uploads = Uploads(installation.address)
        threads = [threading.Thread(target=uploads.run) for _ in range(clients)]
        for thread in threads:
            thread.start()
        stack.callback(_end, uploads, threads)
        kills = _kill_for(seconds, random.Random(seed), installation, postgres)
        uploads.stop.set()
        if not drain:
            uploads.abandon.set()
        for thread in threads:
            thread.join(_QUIET_WITHIN_S)
        unfinished = len(uploads.begun) - len(uploads.acknowledged)
        aftermath = _when_told(installation, uploads, receiver)
        return Ordeal(seconds, uploads, aftermath, kills, unfinished)


def _kill_for(
    seconds: float,
    chance: random.Random,
    installation: Installation,
    postgres: PostgresServer | None,
) -> Counter[str]:
    kills: Counter[str] = Counter()
    ways: dict[str, Callable[[], bool]] = {
        "child": lambda: installation.kill_a_child(chance.random()),
        "service": lambda: _restart(installation),
    }
    if postgres is not None:
        server = postgres
        ways["backend"] = lambda: _kill_backend(server, chance)
        ways["postmaster"] = lambda: _restart_database(server, installation)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(chance.uniform(*_PAUSE_S))
        way = chance.choice(sorted(ways))
        kills[way] += ways[way]()
    return kills


def _restart(installation: Installation) -> bool:
    installation.kill()
    installation.start()
    return True


def _kill_backend(postgres: PostgresServer, chance: random.Random) -> bool:
    backends = postgres.backends()
    if not backends:
        return False
    try:
        os.kill(chance.choice(backends), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _restart_database(postgres: PostgresServer, installation: Installation) -> bool:
    postgres.kill()
    postgres.start()
    installation.wait_until_ready()
    return True


def _when_told(installation: Installation, uploads: Uploads, receiver: Receiver) -> Aftermath:
    """The aftermath once every event was told, or after as long as that may ever take."""
    until = time.monotonic() + _QUIET_WITHIN_S
    installation.wait_until_ready()
    aftermath = examine(installation, uploads, receiver)
    while aftermath.untold and time.monotonic() < until:
        time.sleep(_LOOK_EVERY_S * 10)
        aftermath = examine(installation, uploads, receiver)
    return aftermath


def _end(uploads: Uploads, threads: list[threading.Thread]) -> None:
    uploads.stop.set()
    uploads.abandon.set()
    for thread in threads:
        thread.join()
