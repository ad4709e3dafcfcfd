"""A PostgreSQL of our own in a folder, from Debian's package; the machine's is not touched."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_BINARIES = sorted(
    Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
)
_UNPRIVILEGED = ("postgres", "nobody")
_START_WITHIN_S = "60"
_DEAD_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.02


@dataclass
class PostgresServer:
    """A cluster in ``folder`` that listens on 127.0.0.1 alone."""

    folder: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of PostgreSQL, beyond those that every server of the tests has."""

    @property
    def url(self) -> str:
        """For SQLAlchemy, of the database that every cluster has."""
        return f"postgresql+psycopg://docqa@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """Of the postmaster. Raises FileNotFoundError where none runs."""
        return int((self.folder / "data/postmaster.pid").read_text().splitlines()[0])

    def start(self) -> None:
        """Start it; ready to answer when this returns. Recovers after a crash."""
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "16MB",
            **self.settings,
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "start", "-w", "-t", _START_WITHIN_S, "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: ``fast`` in good order, ``immediate`` as a crash would."""
        self._run("pg_ctl", "stop", "-w", "-m", mode)

    def kill(self) -> None:
        """End everything at once, as a power cut would."""
        postmaster, children = self.pid, self._children()
        for pid in (postmaster, *children):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + _DEAD_WITHIN_S
        while any(_is_alive(pid) for pid in (postmaster, *children)):
            if time.monotonic() > until:
                raise RuntimeError("PostgreSQL survived SIGKILL")
            time.sleep(_LOOK_EVERY_S)
        # Where nobody collects dead processes, PostgreSQL would take it for a running one.
        (self.folder / "data/postmaster.pid").unlink()

    def backends(self) -> list[int]:
        """Processes that serve a client."""
        found = []
        for child in self._children():
            with suppress(FileNotFoundError):
                if b"127.0.0.1(" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(child)
        return found

    def _children(self) -> list[int]:
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(child) for child in listed.split()]

    def make(self) -> None:
        """Make the cluster."""
        if os.geteuid() == 0:
            owner = _unprivileged()
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-U", "docqa", "-A", "trust", "-E", "UTF8", "--no-sync")

    def _run(self, program: str, *arguments: str) -> None:
        user = _unprivileged().pw_uid if os.geteuid() == 0 else None
        log = self.folder / "log"
        more = ("-l", str(log)) if program == "pg_ctl" and arguments[0] == "start" else ()
        command = [_BINARIES[-1] / program, *arguments, "-D", self.folder / "data", *more]
        done = subprocess.run(
            command, user=user, group=user, extra_groups=[] if user else None, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}, check=False,
        )  # fmt: skip
        if done.returncode:
            said = log.read_text()[-2000:] if log.exists() else ""
            raise RuntimeError(f"{program} ended with {done.returncode}\n{said}")


@contextmanager
def running(settings: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """A new cluster in a temporary folder of its own, running, and removed afterwards.

    Not in a test's folder: those are closed to the other user that PostgreSQL needs under root.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="docqa-postgresql-"))
    made = PostgresServer(folder, port, settings or {})
    try:
        made.make()
        made.start()
        yield made
    finally:
        with suppress(RuntimeError):  # killed by the test
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _unprivileged() -> pwd.struct_passwd:
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is no other user")
