"""What every BlobStore does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from docqa.adapters.blobs import FolderBlobs
from docqa.adapters.memory import MemoryBlobs
from docqa.ports import BlobStore

KEY = "0123456789abcdef0123456789abcdef"
ADAPTERS: dict[str, Callable[[Path], BlobStore]] = {
    "folder": lambda folder: FolderBlobs(folder / "blobs"),
    "memory": lambda folder: MemoryBlobs(),
}


@pytest.fixture(params=sorted(ADAPTERS))
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return ADAPTERS[request.param](tmp_path)


@pytest.mark.parametrize("data", [b"", b"\x00\xff" * 100_000])
def test_bytes_come_back_as_they_were_put(blobs: BlobStore, data: bytes) -> None:
    blobs.put(KEY, data)
    assert blobs.get(KEY) == data


def test_a_key_is_written_once(blobs: BlobStore) -> None:
    blobs.put(KEY, b"first")
    with pytest.raises(ValueError, match="already"):
        blobs.put(KEY, b"second")
    assert blobs.get(KEY) == b"first"


def test_a_missing_key_is_a_key_error(blobs: BlobStore) -> None:
    with pytest.raises(KeyError):
        blobs.get(KEY)


def test_deleted_bytes_are_gone_and_deleting_again_is_no_error(blobs: BlobStore) -> None:
    blobs.put(KEY, b"bytes")
    blobs.delete(KEY)
    blobs.delete(KEY)
    with pytest.raises(KeyError):
        blobs.get(KEY)


@pytest.mark.parametrize(
    "key", ["", "short", "../../../etc/passwd", "A" * 32, "a" * 65, "a" * 31 + "/", "a" * 31 + "\n"]
)
def test_only_keys_that_docqa_makes_are_keys(blobs: BlobStore, key: str) -> None:
    for use in (lambda: blobs.put(key, b""), lambda: blobs.get(key), lambda: blobs.delete(key)):
        with pytest.raises(ValueError, match="a-z and 0-9"):
            use()


def test_the_folder_holds_only_whole_files_that_nobody_else_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    blobs = FolderBlobs(folder)
    blobs.put(KEY, b"bytes")
    with pytest.raises(ValueError, match="already"):
        blobs.put(KEY, b"bytes")
    assert [path.name for path in folder.iterdir()] == [KEY]
    assert (folder / KEY).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_new_process_finds_what_another_put(tmp_path: Path) -> None:
    FolderBlobs(tmp_path).put(KEY, b"bytes")
    assert FolderBlobs(tmp_path).get(KEY) == b"bytes"
