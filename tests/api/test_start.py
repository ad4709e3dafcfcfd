"""What an installation's service is once it has started."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from api.app import from_settings
from api.start import start
from docqa.settings import Settings
from tests.api.scripted_service import scripted_service


def test_what_was_made_at_the_start_is_looked_through_for_garbage_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCQA_DEV", "1")
    monkeypatch.setattr("docqa.wiring.set_up_logs", lambda: None)
    with scripted_service(tmp_path) as service:
        monkeypatch.setattr("api.app.start", lambda _: (service.services, lambda: None))
        try:
            app = from_settings()
            assert not any(found is app or found is app.routes for found in gc.get_objects())
        finally:
            gc.unfreeze()
    assert any(found is app for found in gc.get_objects())


def test_a_service_without_its_folder_of_uploads_is_not_ready(tmp_path: Path) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/d.sqlite3", blobs_dir=tmp_path / "blobs",
        dev=True, workers=1, webhook_threads=0,
    )  # fmt: skip
    services, close = start(settings)
    try:
        assert not [one for one in services.ready() if "BLOBS" in one]
        settings.blobs_dir.rename(tmp_path / "gone")
        assert [one for one in services.ready() if "DOCQA_BLOBS_DIR" in one]
    finally:
        close()
