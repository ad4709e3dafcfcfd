"""Many files that are not stored: walked, judged in order in bounded memory, and kept as lines."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import stat
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from docqa.errors import InvalidModel
from docqa.recompute import CRASHES
from docqa.revalidate import FAILED

Result = TypeVar("Result")
UNREADABLE = "check.unreadable"
"""The code of a problem that is not the document's: another run looks at it again."""
_FILE, _FOLDER = "file", "folder"
LINKED = "linked folders"
LOCKED = "folders that cannot be read"
NO_FILE = "neither a file nor a folder"
_PASSING = (*CRASHES, FAILED)
"""Faults that may be the machine's, which was too busy: another run judges the file again."""
_BEGINNING = b'{"file": "'
"""Of every line."""
Judge = tuple[str, str, str]
"""Digests of policy and engine, and the document type."""


def walk(paths: Iterable[Path], left: Counter[str]) -> Iterator[Path]:
    """The files, and those in the folders; what is hidden in folders is left out.

    One folder's names are held at a time for each level, in their order.

    Args:
        paths: of files and folders.
        left: where what else is left out is counted: LINKED, LOCKED, NO_FILE.
    """
    for path in paths:
        if path.is_dir():
            yield from _inside(path, left)
        else:
            yield path


def _inside(folder: Path, left: Counter[str]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            kinds = sorted((entry.name, _kind(entry)) for entry in entries)
    except OSError:
        left[LOCKED] += 1
        return
    for name, kind in kinds:
        if name.startswith("."):
            continue
        if kind == _FOLDER:
            yield from _inside(folder / name, left)
        elif kind == _FILE:
            yield folder / name
        else:
            left[kind] += 1


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_dir(follow_symlinks=False):
        return _FOLDER
    try:
        return _FILE if entry.is_file() else LINKED if entry.is_dir() else NO_FILE
    except OSError:  # a link that leads in a circle, or nowhere it can be followed
        return NO_FILE


def refuse_what_is_no_file(path: Path) -> None:
    """A pipe may never end, and is empty when it is read again.

    Raises:
        OSError: there is no regular file at ``path``.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, copy it to a file")


def common_folder(paths: Iterable[Path]) -> Path:
    """The innermost folder that holds every one of these files and folders' contents."""
    folders = (path if path.is_dir() else path.parent for path in paths)
    return Path(os.path.commonpath([folder.resolve() for folder in folders]))


def below(folder: Path, path: Path) -> Path:
    """What tells a file apart from all others in the folder; a link keeps its own name."""
    return (path.parent.resolve() / path.name).relative_to(folder)


def in_order(
    executor: Executor, function: Callable[[Path], Result], paths: Iterable[Path], *, window: int
) -> Iterator[tuple[Path, Future[Result]]]:
    """Each path with what ``function`` makes of it, in their order, at most ``window`` ahead.

    The function is given absolute paths: it may run in a process that started elsewhere.
    """
    flying: deque[tuple[Path, Future[Result]]] = deque()
    for path in paths:
        flying.append((path, executor.submit(function, path.absolute())))
        if len(flying) >= window:
            yield flying.popleft()
    yield from flying


def came_of(result: Mapping[str, Any]) -> str:
    """The decision, or ``problem`` for what is no document."""
    return "problem" if "problem" in result else str(result["verdict"]["decision"])


class Lines:
    """A file of JSON lines, each a result; what stands in it need not be made again.

    Args:
        stream: open for reading and appending.
        judge: by what this run judges.
    """

    def __init__(self, stream: BinaryIO, judge: Judge) -> None:
        self._stream = stream
        self._done: dict[str, set[int]] = {}
        for line in _whole_lines(stream):
            result = json.loads(line)
            key = _key(result["file"])
            for done in self._done.values():  # of a file the last line counts
                done.discard(key)
            if _is_done(result, judge):
                self._done.setdefault(came_of(result), set()).add(key)

    def outcome(self, path: Path) -> str | None:
        """``problem``, or what was decided by the same policy, engine and type; None otherwise."""
        key = _key(str(path))
        return next((outcome for outcome, done in self._done.items() if key in done), None)

    def add(self, result: Mapping[str, Any]) -> None:
        """Write a result by its file's whole path, so that only the machine's own end can lose it.

        Two folders may hold files of equal names, and the next run may start elsewhere.
        """
        self._stream.write(line_of({**result, "file": _place(result["file"])}))
        self._stream.flush()


@contextmanager
def lines_at(path: Path, judge: Judge) -> Iterator[Lines]:
    """The lines of a file, made if need be; its owner alone may read it.

    Raises:
        InvalidModel: another process writes it, it holds something else, or is a device.
    """
    if path.exists() and not path.is_file():
        raise InvalidModel(f"{path} is no file that can be gone on with: give another --out")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidModel(f"another docqa check writes {path}: give another --out") from error
        try:
            lines = Lines(stream, judge)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidModel(f"{path} holds no results: give another --out") from error
        yield lines


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Every line; one that a killed process left unfinished is cut off.

    Raises:
        ValueError: what is unfinished never was a result.
    """
    whole = 0
    for line in stream:
        if not line.endswith(b"\n"):
            if line[: len(_BEGINNING)] != _BEGINNING[: len(line)]:
                raise ValueError("it ends in what is no beginning of a result")
            break
        whole += len(line)
        yield line
    stream.seek(whole)
    stream.truncate()


def line_of(result: Mapping[str, Any]) -> bytes:
    """A result as a line of JSON. Of a file's name bytes that are no UTF-8 are escaped in it."""
    return json.dumps(result, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _is_done(result: Mapping[str, Any], judge: Judge) -> bool:
    if "problem" in result:
        return bool(result["problem"].get("code") != UNREADABLE)
    is_passing = any(fault in _PASSING for fault in result.get("faults", ()))
    return not is_passing and _judge(result) == judge


def _judge(result: Mapping[str, Any]) -> Judge:
    return result["policy"]["digest"], result["engine"]["digest"], result["document_type"]


def _place(file: str) -> str:
    """The whole path of a file, however it was called."""
    return os.path.normpath(Path(file).absolute())


def _key(file: str) -> int:
    """Eight bytes stand for a path: of a million the chance that any two agree is 3 in 10^8."""
    data = _place(file).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
