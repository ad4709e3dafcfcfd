"""A bomb is refused or judged within the limits of a child, and never accepted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docqa import wiring
from docqa.errors import InvalidDocument
from docqa.intake import Limits, open_document
from docqa.settings import Settings
from docqa.worker import Worker
from tests.faults.bombs import bombs

_DEAR = {
    "filter_chain_pdf",
    "object_stream_bomb_pdf",
    "long_content_pdf",
    "forms_in_forms_pdf",
}
"""They take their time up to the limit."""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    settings = Settings(workers=1, inspect_timeout_s=20, child_memory_bytes=2_000_000_000)
    with wiring.start_worker(settings, wiring.load_engine(settings)) as made:
        yield made


def test_a_picture_in_a_million_strips_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(InvalidDocument, match=r"file\.damaged"):
        open_document(bombs()["tiff_many_strips"](), limits=Limits(), renderer=None)


def _outcome(worker: Worker, path: Path) -> str:
    try:
        report = worker.inspect_file(path, document_type="a4-generic")
    except InvalidDocument as refusal:
        return refusal.code
    return str(report.verdict.decision)


def _never_accepted(worker: Worker, tmp_path: Path, name: str) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(bombs()[name]())
    assert path.stat().st_size < Settings().max_upload_bytes, "it would not even get in"
    outcome = _outcome(worker, path)
    assert outcome in ("review", "reject") or outcome.startswith("file."), outcome


@pytest.mark.parametrize("name", sorted(bombs().keys() - _DEAR))
def test_a_bomb_is_refused_or_judged(worker: Worker, tmp_path: Path, name: str) -> None:
    _never_accepted(worker, tmp_path, name)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(_DEAR))
def test_a_dear_bomb_is_refused_or_judged(worker: Worker, tmp_path: Path, name: str) -> None:
    _never_accepted(worker, tmp_path, name)
