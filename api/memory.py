"""How much memory is left: to the machine, and to the container this process runs in."""

from __future__ import annotations

from pathlib import Path


def available_memory_bytes(root: Path = Path("/")) -> int | None:
    """The least of what the kernel and the control group leave; None where neither tells.

    Args:
        root: of the file system with ``proc`` and ``sys``.
    """
    told = [left for left in (_of_machine(root), _of_group(root)) if left is not None]
    return min(told, default=None)


def is_short_of_memory(spare_bytes: int) -> bool:
    """Whether less than ``spare_bytes`` is left; not where nobody can tell."""
    left = available_memory_bytes()
    return left is not None and left < spare_bytes


def _of_machine(root: Path) -> int | None:
    return _entry(root / "proc/meminfo", "MemAvailable:", 1024)


def _of_group(root: Path) -> int | None:
    group = root / "sys/fs/cgroup"
    most, used = _number(group / "memory.max"), _number(group / "memory.current")
    if most is None or used is None:
        return None
    # Pages of files that were read once are given back before anything is refused.
    cached = _entry(group / "memory.stat", "inactive_file", 1) or 0
    return max(0, most - used + cached)


def _entry(path: Path, name: str, unit_bytes: int) -> int | None:
    try:
        for line in path.read_text(encoding="ascii").splitlines():
            key, value, *_ = line.split()
            if key == name:
                return int(value) * unit_bytes
    except (OSError, ValueError):
        return None
    return None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max" where nothing is limited
        return None
