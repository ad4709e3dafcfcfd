"""One Chromium for every test of a file, and a real server for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.api.scripted_service import Scripted
from tests.browser.reviewing_in_a_browser import CHROMIUM, served_service, started_browser


@pytest.fixture(scope="module")  # its event loop must not outlive the file
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    with started_browser() as started:
        yield started


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Scripted, str]]:
    with served_service(tmp_path) as service:
        yield service
