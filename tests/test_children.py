"""Children answer, or it is said that they do not: whoever calls is never left waiting."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from docqa.children import Children

LONG_S = 600.0


def die_with_parent() -> None:
    """As those do that decode: Linux means the thread by it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def children(folder: Path, *, calls_per_child: int = 100) -> Children:
    return Children(
        processes=1,
        calls_per_child=calls_per_child,
        initializer=die_with_parent,
        initargs=(),
        folder=folder,
    )


def test_a_child_is_replaced_after_so_many_calls(tmp_path: Path) -> None:
    made = children(tmp_path, calls_per_child=3)
    try:
        answered = [made.call(os.getpid, timeout_s=LONG_S) for _ in range(6)]
    finally:
        made.close()
    assert [answered.count(pid) for pid in dict.fromkeys(answered)] == [2, 3, 1]  # and the first


def test_children_outlive_the_thread_that_asked_for_them(tmp_path: Path) -> None:
    def start() -> tuple[Children, int]:
        made = children(tmp_path)
        return made, made.call(os.getpid, timeout_s=LONG_S)

    with ThreadPoolExecutor() as threads:
        made, pid = threads.submit(start).result()
    try:
        assert made.call(os.getpid, timeout_s=LONG_S) == pid
    finally:
        made.close()


def test_whoever_waits_when_it_is_closed_is_told(tmp_path: Path) -> None:
    made, asked = children(tmp_path), threading.Semaphore(0)

    def call() -> None:
        made.call(time.sleep, LONG_S, timeout_s=LONG_S, beside=asked.release)

    with ThreadPoolExecutor() as threads:
        calls = [threads.submit(call) for _ in range(2)]
        for _ in calls:
            asked.acquire()
        made.close()
        for waiting in calls:
            with pytest.raises(RuntimeError):
                waiting.result(timeout=60)


def test_where_no_process_can_be_made_that_is_said_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no memory")

    with monkeypatch.context() as without_memory:
        without_memory.setattr("pebble.pool.process.launch_process", fail)
        made = children(tmp_path)
        with pytest.raises(BrokenProcessPool):
            made.call(os.getpid, timeout_s=LONG_S)
        assert not made.is_working
    try:
        assert made.call(os.getpid, timeout_s=LONG_S) != os.getpid()
        assert made.is_working
    finally:
        made.close()
