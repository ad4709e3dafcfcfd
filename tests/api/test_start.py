"""What an installation's service is once it has started."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from api.app import from_settings
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
