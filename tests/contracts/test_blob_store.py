"""What every BlobStore does."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from docqa.adapters.blobs import FolderBlobs
from docqa.adapters.memory import MemoryBlobs
from docqa.adapters.s3 import S3Blobs
from docqa.adapters.sealed_blobs import SealedBlobs
from docqa.adapters.sealing import Keyring
from docqa.ports import BlobStore
from tests.contracts import s3

KEY = "0123456789abcdef0123456789abcdef"
RING = Keyring({"k1": bytes(range(32))})
ADAPTERS: dict[str, Callable[[Path], BlobStore]] = {
    "folder": lambda folder: FolderBlobs(folder / "blobs"),
    "memory": lambda folder: MemoryBlobs(),
    "s3": lambda folder: s3.blobs(),
    "sealed folder": lambda folder: SealedBlobs(FolderBlobs(folder / "blobs"), RING),
    "sealed s3": lambda folder: SealedBlobs(s3.blobs(), RING),
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


def test_what_was_stored_before_a_moment_is_listed(blobs: BlobStore) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    keys = {KEY, KEY[::-1]}
    for key in keys:
        blobs.put(key, b"bytes")
    assert list(blobs.stored_before(before)) == []
    assert set(blobs.stored_before(datetime.now(UTC) + timedelta(minutes=1))) == keys


def test_what_a_dying_process_left_half_is_listed_and_deleted(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    (tmp_path / ".a1b2_3d4").write_bytes(b"half a sc")
    (tmp_path / "lost+found").mkdir()
    assert list(blobs.stored_before(datetime.now(UTC) + timedelta(minutes=1))) == [".a1b2_3d4"]
    blobs.delete(".a1b2_3d4")
    assert [path.name for path in tmp_path.iterdir()] == ["lost+found"]


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


def test_of_writers_of_one_key_at_the_same_moment_exactly_one_succeeds(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)

    def put(number: int) -> bool:
        try:
            blobs.put(KEY, b"%d" % number * 1000)
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(put, range(8)))
    assert won.count(True) == 1
    assert blobs.get(KEY) == b"%d" % won.index(True) * 1000


def test_objects_of_s3_lie_under_the_prefix_of_the_url() -> None:
    url = s3.bucket()
    s3.blobs(url).put(KEY, b"bytes")
    assert s3.blobs(url).get(KEY) == b"bytes"
    bare = s3.blobs(url.removesuffix("/scans"))
    with pytest.raises(KeyError):
        bare.get(KEY)


def test_an_s3_that_is_down_or_refuses_is_an_os_error_without_its_secrets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    gone = S3Blobs("s3://docqa", endpoint=nobody, region="r", credentials=("id", "secret-key"))
    missing = s3.blobs("s3://no-such-bucket")
    for blobs in (gone, missing):
        for use in (
            partial(blobs.put, KEY, b"x"),
            partial(blobs.get, KEY),
            partial(blobs.delete, KEY),
        ):
            with pytest.raises(OSError, match="S3 failed") as raised:
                use()
            assert "secret-key" not in str(raised.value)


# Whether it can be used.


def test_a_store_that_can_be_used_has_no_problem(blobs: BlobStore) -> None:
    assert blobs.problems() == []
    blobs.put(KEY, b"bytes")
    assert blobs.problems() == []


def test_a_folder_that_is_gone_is_a_problem_until_it_is_back(tmp_path: Path) -> None:
    blobs = SealedBlobs(FolderBlobs(tmp_path / "blobs"), RING)
    (tmp_path / "blobs").rename(tmp_path / "gone")
    [problem] = blobs.problems()
    assert "DOCQA_BLOBS_DIR" in problem and str(tmp_path) not in problem
    (tmp_path / "gone").rename(tmp_path / "blobs")
    assert blobs.problems() == []


def test_a_bucket_that_is_not_there_is_a_problem_and_is_not_asked_at_every_probe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blobs = s3.blobs("s3://docqa-no-such-bucket/scans")
    [problem] = blobs.problems()
    assert "DOCQA_BLOBS_URL" in problem
    asked: list[str] = []
    monkeypatch.setattr(S3Blobs, "get", lambda _, key: asked.append(key))
    assert blobs.problems() == [problem]
    assert asked == []
