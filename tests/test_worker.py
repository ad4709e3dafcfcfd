"""Whatever a child does, its document goes to review, and the parent and the next document live."""

from __future__ import annotations

import hashlib
import io
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

import docqa.worker
from docqa.errors import InvalidDocument, InvalidRequest
from docqa.overlay import Veil
from docqa.worker import ChildLimits, Worker
from tests.api.running import until
from tests.children import children_of
from tests.faults.measures import build, build_unless

ROOT = Path(__file__).parent.parent
LONG_S, MEMORY_BYTES = 600.0, 3_000_000_000


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    Image.new("L", (200, 100), 255).save(path)
    return path


@pytest.fixture
def start() -> Iterator[Callable[[str], Worker]]:
    started: list[Worker] = []

    def start(fault: str) -> Worker:
        limits = ChildLimits(2.0 if fault == "hang" else LONG_S, MEMORY_BYTES)
        started.append(Worker(partial(build, fault), build(fault), processes=1, limits=limits))
        return started[-1]

    yield start
    for worker in started:
        worker.close()


def straight_worker(processes: int) -> Worker:
    limits, engine = ChildLimits(LONG_S, MEMORY_BYTES), build("straight")
    return Worker(partial(build, "straight"), engine, processes=processes, limits=limits)


def test_a_good_document_comes_back_from_the_child(
    start: Callable[[str], Worker], picture: Path
) -> None:
    report = start("straight").inspect_file(picture, document_type="a4-generic")
    assert report.verdict.decision == "accept"
    assert (report.pages[0].width_px, report.pages[0].height_px) == (200, 100)


def test_a_digest_that_is_known_is_not_made_again(
    start: Callable[[str], Worker], picture: Path
) -> None:
    worker, made = start("straight"), hashlib.sha256(picture.read_bytes()).hexdigest()
    assert worker.inspect_file(picture, document_type="a4-generic").sha256 == made
    known = worker.inspect_file(picture, document_type="a4-generic", sha256=lambda: "ab" * 32)
    assert known.sha256 == "ab" * 32


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("crash", "system.crashed"),
        ("hang", "system.timeout"),
        ("hoard", "system.out_of_memory"),
        ("raise_bug", "system.failed"),
    ],
)
def test_a_fault_is_review_and_the_pool_lives_on(
    start: Callable[[str], Worker], picture: Path, fault: str, code: str
) -> None:
    worker = start(fault)
    for _ in range(2):
        report = worker.inspect_file(picture, document_type="a4-generic")
        assert report.verdict.decision == "review"
        assert [reason.code for reason in report.verdict.reasons] == [code]
        assert len(report.sha256) == 64


def test_a_child_that_ends_quietly_is_noticed_long_before_the_time_limit(picture: Path) -> None:
    limits = ChildLimits(LONG_S, MEMORY_BYTES)
    build_engine = partial(build, "exit_quietly")
    with Worker(build_engine, build_engine(), processes=1, limits=limits) as worker:
        begun = time.monotonic()
        report = worker.inspect_file(picture, document_type="a4-generic")
        assert [reason.code for reason in report.verdict.reasons] == ["system.crashed"]
        assert time.monotonic() - begun < 60


@pytest.mark.parametrize("processes", [1, 2])
def test_children_that_were_killed_while_idle_cost_no_document(
    picture: Path, processes: int
) -> None:
    before = children_of()
    with straight_worker(processes) as worker:
        assert worker.inspect_file(picture, document_type="a4-generic").verdict.decision == "accept"
        for child in children_of() - before:
            os.kill(child, signal.SIGKILL)
        for _ in range(2):
            report = worker.inspect_file(picture, document_type="a4-generic")
            assert report.verdict.decision == "accept"


def test_asking_whether_it_works_brings_children_back(picture: Path) -> None:
    before = children_of()
    with straight_worker(1) as worker:
        worker.inspect_file(picture, document_type="a4-generic")
        [killed] = children_of() - before
        os.kill(killed, signal.SIGKILL)
        until(lambda: worker.is_working and bool(children_of() - before - {killed}))
        assert worker.is_working


def test_children_that_cannot_start_are_few_and_are_back_once_they_can(
    picture: Path, tmp_path: Path
) -> None:
    obstacle, documents, processes = tmp_path / "obstacle", 2, 2
    obstacle.touch()
    build_engine = partial(build_unless, obstacle)
    limits = ChildLimits(LONG_S, MEMORY_BYTES)
    with Worker(build_engine, build("straight"), processes=processes, limits=limits) as worker:
        for _ in range(documents):
            report = worker.inspect_file(picture, document_type="a4-generic")
            assert [reason.code for reason in report.verdict.reasons] == ["system.failed"]
        assert not worker.is_working
        assert obstacle.stat().st_size <= (1 + 2 * documents) * processes
        obstacle.unlink()
        until(lambda: worker.is_working)
        assert worker.inspect_file(picture, document_type="a4-generic").verdict.decision == "accept"


def look_around(worker: Worker, path: Path) -> Mapping[str, int | float | str]:
    """What the fault of this name tells of the child."""
    with pytest.raises(InvalidDocument) as told:
        worker.inspect_file(path, document_type="a4-generic")
    return told.value.facts


def test_a_child_looks_through_its_engine_for_garbage_no_more(
    start: Callable[[str], Worker], picture: Path
) -> None:
    assert look_around(start("look_around"), picture)["engines"] == 0


def test_a_child_is_replaced_after_ten_thousand_documents(
    start: Callable[[str], Worker], picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert docqa.worker._TASKS_PER_CHILD == 10_000
    monkeypatch.setattr(docqa.worker, "_TASKS_PER_CHILD", 2)
    worker = start("look_around")
    first, second, third = (look_around(worker, picture)["pid"] for _ in range(3))
    assert first != second == third, "a child is first asked whether it is there"
    until(lambda: _is_empty(int(first)))


def _is_empty(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_whoever_answers_goes_before_the_children(picture: Path) -> None:
    before = children_of()
    with straight_worker(1) as worker:
        worker.inspect_file(picture, document_type="a4-generic")
        [child] = children_of() - before
        niceness = os.getpriority(os.PRIO_PROCESS, child)
    assert niceness == min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)


def test_what_went_wrong_is_logged_without_what_was_in_it(
    start: Callable[[str], Worker], picture: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start("raise_bug").inspect_file(picture, document_type="a4-generic")
    assert "system.failed" in caplog.text
    assert "02012345678" not in caplog.text


def test_an_invalid_document_keeps_its_code_and_facts_across_the_process(
    start: Callable[[str], Worker], picture: Path
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        start("refuse").inspect_file(picture, document_type="a4-generic")
    assert caught.value.code == "file.too_many_pixels"
    assert caught.value.facts == {"limit": 1, "actual": 2}


def test_an_unknown_document_type_is_refused_before_any_child_works(
    start: Callable[[str], Worker], picture: Path
) -> None:
    with pytest.raises(InvalidRequest):
        start("crash").inspect_file(picture, document_type="driving-licence")


def test_a_page_picture_is_a_small_png_without_metadata(
    start: Callable[[str], Worker], tmp_path: Path
) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[271] = "Specimen"
    Image.new("RGB", (640, 480), (200, 210, 220)).save(path, exif=exif)
    drawn = start("straight").page_picture(path, page=1, max_side_px=320)
    image = Image.open(io.BytesIO(drawn))
    assert (image.format, image.size) == ("PNG", (320, 240))
    assert not image.getexif() and b"Specimen" not in drawn


def test_a_page_that_is_not_there_is_a_named_problem(
    start: Callable[[str], Worker], picture: Path
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        start("straight").page_picture(picture, page=7, max_side_px=320)
    assert caught.value.code == "file.no_pages"


_PARENT = """
import sys
from functools import partial
from pathlib import Path
from docqa.overlay import Veil
from docqa.worker import ChildLimits, Worker
from tests.faults.measures import build

if __name__ == "__main__":
    limits = ChildLimits(timeout_s=600.0, memory_bytes=3_000_000_000)
    fault = sys.argv[2]
    worker = Worker(partial(build, fault), build(fault), processes=1, limits=limits)
    worker.inspect_file(Path(sys.argv[1]), document_type="a4-generic")
"""


@pytest.mark.parametrize("fault", ["tell_and_hang", "await_program"])
def test_a_child_dies_with_its_parent(picture: Path, tmp_path: Path, fault: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    fifo = _fifo(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, script, picture, f"{fault}:{fifo}"], env=environment)
    try:
        with _told(fifo) as process:
            parent.send_signal(signal.SIGKILL)
            assert _ends(process), "it outlived the parent by 30 s"
    finally:
        parent.kill()
        parent.wait()


@pytest.mark.parametrize("limit_s", [5.0, LONG_S], ids=["at its time limit", "by kill -9"])
def test_what_a_child_started_dies_with_it(picture: Path, tmp_path: Path, limit_s: float) -> None:
    before, fifo = children_of(), _fifo(tmp_path)
    build_engine = partial(build, f"await_program:{fifo}")
    limits = ChildLimits(limit_s, MEMORY_BYTES)
    with (
        Worker(build_engine, build_engine(), processes=1, limits=limits) as worker,
        ThreadPoolExecutor(1) as citizen,
    ):
        answer = citizen.submit(worker.inspect_file, picture, document_type="a4-generic")
        with _told(fifo) as program:
            if limit_s == LONG_S:
                [child] = children_of() - before
                os.kill(child, signal.SIGKILL)
            assert answer.result().verdict.decision == "review"
            assert _ends(program), "it outlived the child by 30 s"


def _fifo(folder: Path) -> Path:
    fifo = folder / "pid"
    os.mkfifo(fifo)
    return fifo


@contextmanager
def _told(fifo: Path) -> Iterator[int]:
    """A descriptor of the process that writes its id to ``fifo``; killed at the end."""
    process = os.pidfd_open(int(fifo.read_text()))
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGKILL)
        os.close(process)


def _ends(process: int) -> bool:
    return bool(select.select([process], [], [], 30)[0])


def test_what_is_covered_is_not_in_the_picture(
    start: Callable[[str], Worker], tmp_path: Path
) -> None:
    path = tmp_path / "page.png"
    Image.radial_gradient("L").save(path)
    worker = start("straight")
    whole, hidden = (
        Image.open(
            io.BytesIO(worker.page_picture(path, page=1, max_side_px=256, veil=veil))
        ).convert("RGB")
        for veil in (None, Veil(((0.0, 0.0, 0.5, 1.0),)))
    )
    left, right = (0, 0, 128, 256), (130, 0, 256, 256)
    assert len(hidden.crop(left).getcolors() or ()) == 1
    assert len(whole.crop(left).getcolors() or ()) > 1
    assert hidden.crop(right).tobytes() == whole.crop(right).tobytes()
