"""Files in memory: whole, private, wiped before another upload uses them, and bounded."""

from __future__ import annotations

import hashlib
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docqa.memory_files import _KEPT_BYTES, MemoryFiles
from tests.memory_files import held_bytes

_SIZES = (0, 1, 262_143, 262_144, 3_000_000, _KEPT_BYTES, _KEPT_BYTES + 1, 11_000_000)


@pytest.fixture
def files() -> Iterator[MemoryFiles]:
    made = MemoryFiles()
    yield made
    made.close()


def _open_count() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _filled(files: MemoryFiles, data: bytes, step: int) -> Path:
    file = files.take()
    for start in range(0, len(data), step):
        file.append(data[start : start + step])
    file.complete()
    assert (file.size_bytes, file.sha256()) == (len(data), hashlib.sha256(data).hexdigest())
    assert file.path.read_bytes() == data
    assert held_bytes() == data.strip(b"\0")
    files.give_back(file)
    return file.path


@pytest.mark.parametrize("size", _SIZES)
def test_what_was_added_is_there_and_nothing_of_it_later(files: MemoryFiles, size: int) -> None:
    data = random.Random(size).randbytes(size)
    first = _filled(files, data, step=65_537)
    assert held_bytes() == b""
    assert first.stat().st_size == _KEPT_BYTES
    for later in _SIZES:
        assert _filled(files, b"x" * later, step=1_000_000) == first, "it is used again"
        assert held_bytes() == b""


def test_files_held_at_the_same_time_are_apart(files: MemoryFiles) -> None:
    with files.holding(b"one") as one, files.holding(b"two") as two:
        assert (one.read_bytes(), two.read_bytes()) == (b"one", b"two")


def test_another_process_reads_it_by_its_path_and_other_users_may_not(files: MemoryFiles) -> None:
    with files.holding(b"a scan") as path:
        read = [sys.executable, "-c", f"print(open({str(path)!r}, 'rb').read())"]
        assert subprocess.check_output(read, text=True) == "b'a scan'\n"
        assert path.stat().st_mode & 0o777 == 0o600


def test_without_room_it_is_an_error_and_what_was_held_goes_back(files: MemoryFiles) -> None:
    before = _open_count()
    file = files.take()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_KEPT_BYTES - 1, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            file.append(b"x" * (_KEPT_BYTES + 1))
        file.append(b"fits")
        file.complete()
        assert file.path.read_bytes() == b"fits"
        files.give_back(file)
        with pytest.raises(OSError, match="too large"):
            files.take()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert _open_count() == before
    assert held_bytes() == b""
