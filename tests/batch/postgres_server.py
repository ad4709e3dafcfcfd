"""A PostgreSQL server of one's own, in a temporary folder, reached by a Unix socket alone."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL's programs; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parts[4]))
    return found[-1] if found else None


class PostgresServer:
    """A server that can be stopped, killed and started again, as its data allows."""

    def __init__(self, folder: Path) -> None:
        found = binaries()
        assert found is not None
        self._bin, self._data, self._folder = found, folder / "data", folder
        self._own()
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "docqa", "-E", "UTF8", "-N")

    @property
    def url(self) -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://docqa@/postgres?host={self._folder}"

    def start(self) -> None:
        """Returns once it answers."""
        options = f"-k {self._folder} -c listen_addresses=''"
        self._run(
            "pg_ctl", "-D", self._data, "-w", "-o", options, "-l", self._folder / "log", "start"
        )

    def stop(self) -> None:
        """Ends it in order."""
        self._run("pg_ctl", "-D", self._data, "-m", "fast", "-w", "stop")

    def kill(self) -> None:
        """What losing its machine does."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)  # of PostgreSQL: at once, recovering when it starts again
        self._run("pg_ctl", "-D", self._data, "-w", "stop", check=False)

    def _own(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")

    def _run(self, program: str, *arguments: str | Path, check: bool = True) -> None:
        subprocess.run(
            [self._bin / program, *arguments], check=check, cwd="/", preexec_fn=_unprivileged(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


def _unprivileged() -> Callable[[], None] | None:
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("postgres")

    def become() -> None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    return become


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A started server, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="docqa-pg-", dir="/tmp") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server._run("pg_ctl", "-D", server._data, "-m", "immediate", "-w", "stop", check=False)
