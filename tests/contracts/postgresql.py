"""A PostgreSQL of the tests' own: nothing to install beyond the package, nothing left behind.

One cluster per test process (so one per xdist worker), started when first asked for and stopped
when the process ends. It is not durable: no test of durability may use it as it is.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import sqlalchemy as sa

_PROGRAMS = Path("/usr/lib/postgresql")
_UNPRIVILEGED = ("postgres", "nobody")
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
    "logging_collector": "off",
}
_numbers = itertools.count(1)


def server(template: str | None = None) -> str:
    """The URL of a fresh database, for SQLAlchemy with psycopg 3.

    Args:
        template: URL of a database of this cluster to copy, to which nobody is connected; empty
            if None.
    """
    cluster = _cluster()
    copied = f" TEMPLATE {sa.make_url(template).database}" if template else ""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    engine = sa.create_engine(_url(cluster, "postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}{copied}"))
    finally:
        engine.dispose()
    return _url(cluster, name)


def drop(url: str) -> None:
    """Remove a database that :func:`server` made, whoever is still connected to it."""
    made = sa.make_url(url)
    engine = sa.create_engine(made.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {made.database} WITH (FORCE)"))
    finally:
        engine.dispose()


def _url(port: int, name: str) -> str:
    return f"postgresql+psycopg://docqa@127.0.0.1:{port}/{name}"


@cache
def _cluster() -> int:
    """The port of this process's cluster."""
    folder = Path(tempfile.mkdtemp(prefix="docqa-postgresql-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    user = _owner(folder)
    _run(user, "initdb", "-D", str(folder / "data"), "-U", "docqa", "-A", "trust", "-N",
         "--encoding=UTF8", "--locale=C")  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    options = [f"-c{name}={value}" for name, value in _FAST.items()]
    options += [f"-cport={port}", f"-cunix_socket_directories={folder}"]
    _run(user, "pg_ctl", "-D", str(folder / "data"), "-l", str(folder / "log"), "-w", "-s",
         "-t", "60", "-o", " ".join(options), "start")  # fmt: skip
    postmaster = int((folder / "data/postmaster.pid").read_text().splitlines()[0])
    atexit.register(_stop, os.getpid(), postmaster, user, folder)
    return port


def _stop(owner_pid: int, postmaster: int, user: str | None, folder: Path) -> None:
    if os.getpid() == owner_pid:  # a fork of the tests ends without taking the server along
        try:
            _run(user, "pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "-s", "stop")
        except subprocess.CalledProcessError:
            os.kill(postmaster, signal.SIGQUIT)


def _owner(folder: Path) -> str | None:
    """Who runs the server; None for the one who runs the tests. It refuses to be root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next(name for name in _UNPRIVILEGED if name in known)
    shutil.chown(folder, user)
    return user


def _run(user: str | None, program: str, *arguments: str) -> None:
    newest = max(_PROGRAMS.glob("*/bin"), key=lambda path: int(path.parent.name))
    subprocess.run(
        [str(newest / program), *arguments],
        user=user, group=None if user is None else pwd.getpwnam(user).pw_gid,
        extra_groups=None if user is None else [],
        cwd="/", check=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
    )  # fmt: skip
