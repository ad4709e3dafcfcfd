"""What an installation lacks, told apart from what would only be quicker."""

from __future__ import annotations

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
