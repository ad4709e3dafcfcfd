"""What an installation's service is once it has started."""

from __future__ import annotations

import base64
import gc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.app import from_settings
from api.start import start
from docqa import wiring
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


def test_a_service_that_cannot_open_the_secret_of_a_webhook_says_so(tmp_path: Path) -> None:
    one, other = (f"{name}:{base64.b64encode(bytes([at] * 32)).decode()}"
                  for at, name in enumerate(("k1", "k2")))  # fmt: skip
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/d.sqlite3", blobs_dir=tmp_path / "blobs",
        dev=True, workers=1, webhook_threads=0, encryption_keys=SecretStr(one),
    )  # fmt: skip
    stores = wiring.open_stores(settings)
    endpoint, _ = stores.webhooks.add_endpoint(
        "https://portal.example/hook", kinds=(), client_id=None, now=datetime.now(UTC)
    )
    stores.documents.close()
    services, close = start(settings.model_copy(update={"encryption_keys": SecretStr(other)}))
    try:
        assert [told for told in services.ready() if endpoint.id in told]
        services.webhooks.rotate_secret(endpoint.id, now=datetime.now(UTC))
        assert not [told for told in services.ready() if endpoint.id in told]
    finally:
        close()
