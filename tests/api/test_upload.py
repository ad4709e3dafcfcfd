"""An upload whose bytes were once lost is never taken for the whole."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from api.upload import _Spool


def test_what_could_not_be_written_is_asked_for_in_vain_for_ever(tmp_path: Path) -> None:
    spool = _Spool(tmp_path, max_bytes=100_000)
    path = spool.file()
    assert spool._stream is not None
    spool.write(b"x" * 50_000)
    with closing(spool._stream):
        here = os.dup(spool._stream.fileno())
        full = os.open("/dev/full", os.O_RDWR)
        os.dup2(full, spool._stream.fileno())
        with pytest.raises(OSError, match="No space"):
            spool.sha256()
        os.dup2(here, spool._stream.fileno())
        for ask in (spool.sha256, spool.file):
            with pytest.raises(OSError, match="No space"):
                ask()
        os.close(full)
        os.close(here)
    assert path.exists()


def test_small_chunks_count_what_they_take_in_memory(tmp_path: Path) -> None:
    spool = _Spool(tmp_path, max_bytes=100_000)
    for _ in range(1000):
        spool.write(b"x")
    assert spool._chunks_bytes > 33_000  # an object of one byte takes 34
    assert spool.file().stat().st_size == 0
    spool.sha256()
    assert spool.file().stat().st_size == 1000
    assert spool._chunks_bytes == 0
    assert spool._stream is not None
    spool._stream.close()
