"""What an installation lacks, told apart from what would only be quicker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from docqa.doctor import examine
from docqa.intake import turbojpeg
from docqa.settings import Settings


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_missing_turbojpeg_is_told_and_is_no_fault(
    is_installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turbojpeg, "is_installed", lambda: is_installed)
    settings = Settings(database_url=f"sqlite:///{tmp_path}/d.sqlite3")
    [finding] = [one for one in examine(settings) if one.subject == "TurboJPEG"]
    assert finding.remedy is None
    assert ("libturbojpeg0" in finding.state) == (not is_installed)


def test_a_place_for_uploads_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/d.sqlite3", blobs_dir=tmp_path / "blobs"
    )

    def uploads() -> tuple[str, bool]:
        [finding] = [one for one in examine(settings) if one.subject == "uploads"]
        return finding.state, finding.remedy is None

    state, is_fine = uploads()
    assert is_fine and "none yet" in state and list(tmp_path.iterdir()) == []
    settings.blobs_dir.mkdir()
    assert uploads() == ("can be read and written", True)
    monkeypatch.setattr(os, "access", lambda *_: False)  # as on a disk that is read-only
    state, is_fine = uploads()
    assert not is_fine and "DOCQA_BLOBS_DIR" in state
