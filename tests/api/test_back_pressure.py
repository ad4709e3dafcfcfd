"""Who is not let in while the service could not serve them soon."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from anyio.abc import TaskGroup

from api.gate import Gate
from api.memory import available_memory_bytes
from api.problems import Problem

GIB = 1 << 30


def test_while_memory_is_short_nobody_more_is_let_in() -> None:
    short = [True]
    gate = Gate(running=1, waiting=1, retry_after_s=7, is_short_of_memory=lambda: short[0])
    with pytest.raises(Problem) as refused, gate.admitted():
        pass
    assert (refused.value.code, refused.value.retry_after_s) == ("service.overloaded", 7)
    short[0] = False
    with gate.admitted():
        pass


def test_while_somebody_has_waited_too_long_nobody_more_is_let_in() -> None:
    gate = Gate(running=1, waiting=9, retry_after_s=7, longest_wait_s=0.0)
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert may_end.wait(20)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            with gate.admitted():  # nobody waits yet
                tasks.start_soon(gate.run, work)
                await anyio.to_thread.run_sync(begun.wait)
            tasks.start_soon(gate.run, may_end.set)
            await anyio.wait_all_tasks_blocked()
            assert gate.waiting == 1 and gate.oldest_wait_s > 0
            with pytest.raises(Problem), gate.admitted():
                pass
            may_end.set()
        assert (gate.waiting, gate.oldest_wait_s) == (0, 0)
        with gate.admitted():
            pass

    anyio.run(main)


def is_let_in(gate: Gate) -> bool:
    try:
        with gate.admitted():
            return True
    except Problem:
        return False


def test_nobody_is_let_in_whose_turn_is_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("api.gate.monotonic", lambda: now[0])
    gate = Gate(running=2, waiting=2, retry_after_s=7, most_wait_share=0.5)
    begun, may_end = threading.Semaphore(0), threading.Event()

    def work() -> None:
        begun.release()
        assert may_end.wait(20)

    async def upload() -> None:
        with gate.admitted():
            await gate.run(work)

    async def begin_at(moment_s: float, tasks: TaskGroup) -> None:
        now[0] = moment_s
        tasks.start_soon(upload)
        await anyio.to_thread.run_sync(begun.acquire)

    def let_in_at(*moments_s: float) -> list[bool]:
        let_in = []
        for now[0] in moments_s:
            let_in.append(is_let_in(gate))
        return let_in

    async def main() -> None:
        with gate.admitted():
            await gate.run(lambda: now.__setitem__(0, 10.0))  # so long it takes, usually
        async with anyio.create_task_group() as tasks:
            await begin_at(10.0, tasks)
            assert is_let_in(gate)  # the second turn is free
            with gate.admitted():  # who is still sending takes nobody's turn
                assert is_let_in(gate)
            await begin_at(13.0, tasks)
            # The first of the two ends at 20, the second at 23; 5 s before that is not far.
            for_the_first = let_in_at(13.0, 14.9, 15.1)
            tasks.start_soon(upload)
            await anyio.wait_all_tasks_blocked()
            for_the_second = let_in_at(15.1, 17.9, 18.1, 99.0)
            may_end.set()
        assert for_the_first == [False, False, True]
        assert for_the_second == [False, False, True, True]

    anyio.run(main)


def test_the_more_comes_the_nearer_must_the_turn_be(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("api.gate.monotonic", lambda: now[0])
    gate = Gate(running=1, waiting=9, retry_after_s=7, most_wait_share=0.2)

    async def upload(work: Callable[[], object]) -> None:
        with gate.admitted():
            await gate.run(work)

    async def let_in_behind_two(count: int) -> list[bool]:
        """Who of so many is, while one has just begun and one waits."""
        begun, may_end = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            assert may_end.wait(20)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(upload, work)
            await anyio.to_thread.run_sync(begun.wait)
            tasks.start_soon(upload, lambda: None)
            await anyio.wait_all_tasks_blocked()
            let_in = [is_let_in(gate) for _ in range(count)]
            may_end.set()
        return let_in

    async def main() -> None:
        await upload(lambda: now.__setitem__(0, 0.1))  # so long it takes, usually
        now[0] = 60.0
        # Ten a second can be served. With the 14th of late it is 7 a second: too many for a wait of
        # two turns.
        assert await let_in_behind_two(20) == [True] * 11 + [False] * 9
        now[0] = 120.0
        assert await let_in_behind_two(11) == [True] * 11

    anyio.run(main)


def test_the_next_turn_begins_when_one_ends_though_its_work_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("api.gate.monotonic", lambda: now[0])
    gate = Gate(running=1, waiting=1, retry_after_s=7, most_wait_share=0.5)
    next_has_begun = threading.Event()

    def work(end_turn: Callable[[], object]) -> bool:
        now[0] += 10.0
        end_turn()
        end_turn()  # once more is nothing
        return next_has_begun.wait(20)

    async def first() -> None:
        with gate.admitted():
            assert await gate.run_until(work)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first)
            await anyio.wait_all_tasks_blocked()
            with gate.admitted():  # whose turn is not far, with no turn taken
                await gate.run(next_has_begun.set)
        with gate.admitted(), gate.admitted():
            assert not is_let_in(gate)

    anyio.run(main)


def told(root: Path, **files: str) -> Path:
    places = {
        "meminfo": "proc/meminfo",
        "max": "sys/fs/cgroup/memory.max",
        "current": "sys/fs/cgroup/memory.current",
        "stat": "sys/fs/cgroup/memory.stat",
    }
    for name, text in files.items():
        path = root / places[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_container_counts_where_it_leaves_less_than_the_machine(tmp_path: Path) -> None:
    meminfo = f"MemTotal: 1 kB\nMemAvailable: {8 * GIB // 1024} kB\n"
    assert available_memory_bytes(told(tmp_path, meminfo=meminfo)) == 8 * GIB
    limited = told(tmp_path, max=str(4 * GIB), current=str(3 * GIB), stat="anon 5\n")
    assert available_memory_bytes(limited) == GIB
    cached = told(tmp_path, stat=f"anon 5\ninactive_file {GIB}\n")
    assert available_memory_bytes(cached) == 2 * GIB
    unlimited = told(tmp_path, max="max\n")
    assert available_memory_bytes(unlimited) == 8 * GIB


@pytest.mark.parametrize("meminfo", ["", "nonsense", "MemAvailable: many kB"])
def test_where_nobody_tells_nobody_is_refused_for_it(tmp_path: Path, meminfo: str) -> None:
    assert available_memory_bytes(told(tmp_path, meminfo=meminfo)) is None


def test_this_machine_tells() -> None:
    left = available_memory_bytes()
    assert left is not None and left > 0


@pytest.mark.parametrize(("running", "at_work"), [(1, 0), (2, 0), (3, 1), (8, 6)])
def test_who_comes_behind_leaves_a_turn_free_or_waits(running: int, at_work: int) -> None:
    first = Gate(running=running, waiting=9, retry_after_s=7)
    behind = Gate(running=1, waiting=9, retry_after_s=7, behind=first)
    begun, may_end, one_may_end = threading.Semaphore(0), threading.Event(), threading.Event()

    def work(end: threading.Event) -> None:
        begun.release()
        assert end.wait(20)

    async def begin(tasks: TaskGroup, end: threading.Event) -> None:
        tasks.start_soon(first.run, lambda: work(end))
        await anyio.to_thread.run_sync(begun.acquire)

    async def main() -> None:
        served: list[str] = []
        async with anyio.create_task_group() as tasks:
            for _ in range(at_work):
                await begin(tasks, may_end)
            await behind.run(lambda: served.append("at once"))
            await begin(tasks, one_may_end)
            tasks.start_soon(behind.run, lambda: served.append("later"))
            await anyio.wait_all_tasks_blocked()
            assert (served, behind.waiting) == (["at once"], 1)
            one_may_end.set()
            with anyio.fail_after(20):
                while behind.waiting:
                    await anyio.sleep(0)
            may_end.set()
        assert served == ["at once", "later"]

    anyio.run(main)


def test_who_has_waited_behind_for_too_long_is_sent_away_and_takes_no_turn_along() -> None:
    first = Gate(running=1, waiting=9, retry_after_s=7)
    behind = Gate(running=1, waiting=9, retry_after_s=7, behind=first, longest_wait_s=0.0)
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert may_end.wait(20)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first.run, work)
            await anyio.to_thread.run_sync(begun.wait)
            for _ in range(2):
                with pytest.raises(Problem) as refused:
                    await behind.run(may_end.set)
                assert (refused.value.code, refused.value.retry_after_s) == (
                    "service.overloaded",
                    7,
                )
            may_end.set()
        assert await behind.run(lambda: "served") == "served"

    anyio.run(main)
