"""Untrusted bytes are decoded here: in child processes that may be killed at any moment.

A child has one thread, a memory limit, no core dumps, and dies with its parent, as what it started
dies with it. It gets the path of a file, never the bytes. When it crashes, hangs or runs out of
memory, only the document it held is affected: its report says review, with a ``system.*`` reason,
and the others live on.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import hashlib
import logging
import math
import os
import resource
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from pebble import ProcessExpired

from docqa.children import Children
from docqa.errors import InvalidDocument, InvalidRequest
from docqa.overlay import Veil, draw_regions, find_page, hide, picture, png
from docqa.pipeline import Engine, check_type, faulty_report, inspect
from docqa.plan import Work
from docqa.recompute import part
from docqa.report import Report

_LOG = logging.getLogger(__name__)
_PR_SET_PDEATHSIG = 1
_TASKS_PER_CHILD = 10_000
"""A child is replaced after so many documents, so that a leak in a decoder cannot grow for ever:
1,000 real documents leave about 1 MB behind. Seldom, since those who wait meanwhile wait for long:
a child takes more than a second to start."""
_ONE_THREAD = {"OMP_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_HEAP_OPTIONS = {-1: 128 << 20, -2: 16 << 20, -3: 32 << 20}
"""M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD of glibc's mallopt, bytes: what a page of 12
megapixels takes stays, the brightness of one over 32 is given back."""
_NICE = 5
"""Of a child: whoever answers requests goes first; it is little work, and others wait for it."""
_DIGESTED_HERE = ""
"""What a child writes for the digest of a file that its parent digests."""
_GUARD = ("/bin/sh", "-c", "read _; kill -KILL 0")
"""Waits until nobody can write to it any more, then ends its whole group, itself included."""
_FILE_BYTES = 1 << 30
"""No file that a child or its Tesseract writes may grow beyond this."""


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What one child may use."""

    timeout_s: float
    """Wall clock per document; then the child is killed."""
    memory_bytes: int
    """Address space (RLIMIT_AS), the interpreter and its libraries included."""


class Worker:
    """A pool of killable children, each with its own preloaded engine.

    Args:
        build_engine: called once in every child; must pickle.
        engine: the parent's own, for reports on documents that a child failed on.
        processes: how many children.
        limits: what each may use.
    """

    def __init__(
        self,
        build_engine: Callable[[], Engine],
        engine: Engine,
        *,
        processes: int,
        limits: ChildLimits,
    ) -> None:
        self.engine = engine
        self._limits = limits
        self._scratch = TemporaryDirectory(prefix="docqa-scratch-")
        os.environ.update(_ONE_THREAD)  # children inherit it before they import NumPy
        self._children = Children(
            processes=processes,
            calls_per_child=_TASKS_PER_CHILD,
            initializer=_start_child,
            initargs=(build_engine, limits, os.getpid(), self._scratch.name),
            folder=Path(self._scratch.name),
        )

    def inspect_file(
        self,
        path: Path,
        *,
        document_type: str,
        claims: Mapping[str, str] | None = None,
        sha256: Callable[[], str] | None = None,
    ) -> Report:
        """The report on the file at ``path``; blocks until a child has made it.

        Args:
            path: of the file.
            document_type: what the citizen says it is.
            claims: what the citizen typed.
            sha256: digests the file, hexadecimal; asked while the child works. The child digests
                it if None.

        Raises:
            InvalidDocument, InvalidRequest: as :func:`docqa.pipeline.inspect`. Whatever else goes
                wrong in the child becomes a report that says review.
        """
        check_type(self.engine, document_type)
        work = (_inspect, path, document_type, dict(claims or {}))
        if sha256 is None:
            return self._report(partial(_file_sha256, path), document_type, *work)
        digest = cache(sha256)
        report = self._report(digest, document_type, *work, _DIGESTED_HERE, beside=digest)
        return replace(report, sha256=digest())

    def recompute_file(self, path: Path, work: Work) -> Report:
        """What of a stored document's report is stale; see :func:`docqa.recompute.part`.

        Raises:
            InvalidDocument: as :func:`docqa.pipeline.inspect`.
        """
        return self._report(partial(_file_sha256, path), work.document_type, _recompute, path, work)

    def _report(
        self,
        digest: Callable[[], str],
        document_type: str,
        function: Callable[..., Report],
        *arguments: Any,
        beside: Callable[[], object] | None = None,
    ) -> Report:
        try:
            report: Report = self._call(function, *arguments, beside=beside)
        except (InvalidDocument, InvalidRequest):
            raise
        except Exception as error:
            # Whatever a decoder can do must not cost the citizen the booking.
            fault = _fault_code(error)
            _LOG.warning("%s after %s", fault, type(error).__name__)
            return faulty_report(self.engine, digest(), document_type, fault)
        return report

    def page_picture(
        self,
        path: Path,
        *,
        page: int,
        max_side_px: int,
        report: Mapping[str, Any] | None = None,
        veil: Veil | None = None,
    ) -> bytes:
        """A PNG of one page, re-encoded in a child; with ``report``, its regions drawn on.

        What the ``veil`` hides never leaves the child.

        Raises:
            InvalidDocument: there is no such page or it cannot be decoded, for whatever cause.
        """
        try:
            return bytes(self._call(_picture, path, page, max_side_px, report, veil))
        except InvalidDocument:
            raise
        except Exception as error:
            _LOG.warning("no picture: %s", type(error).__name__)
            raise InvalidDocument("file.damaged") from error

    @property
    def is_working(self) -> bool:
        """False while children end before they have started: every document then goes to review."""
        return self._children.is_working

    def close(self) -> None:
        """Stop the children at once; what they were doing is lost."""
        self._children.close()
        self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        beside: Callable[[], object] | None = None,
    ) -> Any:
        return self._children.call(
            function, *arguments, timeout_s=self._limits.timeout_s, beside=beside
        )


def _fault_code(error: Exception) -> str:
    if isinstance(error, FutureTimeout):
        return "system.timeout"
    if isinstance(error, ProcessExpired):
        return "system.crashed"
    if isinstance(error, MemoryError):
        return "system.out_of_memory"
    return "system.failed"


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# From here on: inside the child.

_child_engine: Engine | None = None
_child_limits: ChildLimits | None = None


def _start_child(
    build_engine: Callable[[], Engine], limits: ChildLimits, parent: int, scratch: str
) -> None:
    global _child_engine, _child_limits
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent died before the line above took effect
        os._exit(1)
    _lead_a_guarded_group()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    # What the Tesseract program writes, where there is no binding, holds personal data. It goes to
    # a private folder that ends with the pool, so that nothing a killed child was reading stays.
    os.environ["TMPDIR"] = tempfile.tempdir = scratch
    import cv2

    cv2.setNumThreads(1)
    _keep_heap_warm()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    _child_engine = build_engine()
    gc.freeze()  # the engine stays: no document need have it looked through for garbage
    _child_limits = limits
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))


def _lead_a_guarded_group() -> None:
    """Whatever this process starts ends with it, however it ends, even by kill -9.

    A wish to die with one's parent is not inherited, and pdf2image and pytesseract start their
    programs themselves. Only this process holds the pipe that the guard waits for.
    """
    os.setpgid(0, 0)
    awaited, _ = os.pipe()
    guard = subprocess.Popen(_GUARD, stdin=awaited)
    os.close(awaited)
    atexit.register(_dismiss, guard)


def _dismiss(guard: subprocess.Popen[bytes]) -> None:
    """At the end of a child that has done its share: else nobody may be there to bury it."""
    guard.kill()
    guard.wait()


def _keep_heap_warm() -> None:
    """Keep freed memory for the next document.

    glibc gives large arrays back at once, and the next document pays for every page of them anew:
    a third of what its decoding costs. Other C libraries have no such setting.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in _HEAP_OPTIONS.items():
            set_option(option, value)


def _engine() -> Engine:
    """This child's engine; using it renews the child's processor limit.

    Outside programs inherit that limit: the last resort, should their guard be gone too.
    """
    assert _child_engine is not None and _child_limits is not None
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = math.ceil(used.ru_utime + used.ru_stime + 2 * _child_limits.timeout_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))
    return _child_engine


def _inspect(
    path: Path, document_type: str, claims: dict[str, str], sha256: str | None = None
) -> Report:
    engine = _engine()
    data = _read(path, engine.limits.max_bytes)
    return inspect(data, engine=engine, document_type=document_type, claims=claims, sha256=sha256)


def _recompute(path: Path, work: Work) -> Report:
    engine = _engine()
    data = _read(path, engine.limits.max_bytes)

    def look(with_measures: Engine, is_read: bool) -> Report:
        claims = work.claims if is_read else None
        return inspect(data, engine=with_measures, document_type=work.document_type, claims=claims)

    return part(engine, work, look)


def _read(path: Path, max_bytes: int) -> bytes:
    """The file's bytes; one that is too large is refused before it fills the memory."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise InvalidDocument("file.too_large", limit=max_bytes, actual=size)
        return file.readall()


def _picture(
    path: Path,
    page: int,
    max_side_px: int,
    report: Mapping[str, Any] | None,
    veil: Veil | None,
) -> bytes:
    engine = _engine()
    data = _read(path, engine.limits.max_bytes)
    found = find_page(data, page, limits=engine.limits, renderer=engine.renderer)
    image = picture(found, max_side_px=max_side_px)
    if veil is not None:
        hide(image, veil)
    if report is not None:
        page_report = next(entry for entry in report["pages"] if entry["index"] == page)
        draw_regions(image, page_report, report["verdict"]["reasons"])
    return png(image)
