"""Who are the children of a process that decode for it."""

from __future__ import annotations

from pathlib import Path


def children_of(pid: int | str = "self") -> set[int]:
    """Process ids of those that multiprocessing spawned, whichever thread started them."""
    listed: set[str] = set()
    tasks = Path(f"/proc/{pid}/task")
    for thread in tasks.iterdir() if tasks.exists() else ():
        try:
            listed.update((thread / "children").read_text().split())
        except OSError:
            continue
    return {int(child) for child in listed if b"spawn_main" in _command(child)}


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
