"""A scripted service and a client of it, for every test of the HTTP service."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.exceptions import StarletteDeprecationWarning

from api.app import create_app
from tests.api.scripted_service import Scripted, add_key, scripted_service

with warnings.catch_warnings():  # it would rather have httpx2, which only its tests need
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

    from tests.api.reviewing import ENGLISH, sign_in


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Scripted]:
    with scripted_service(tmp_path) as made:
        yield made


@pytest.fixture
def client(service: Scripted) -> Iterator[TestClient]:
    with TestClient(create_app(service.services)) as made:
        made.event_hooks = {"request": [add_key]}
        yield made


@pytest.fixture
def reviewer(client: TestClient) -> TestClient:
    client.headers.update(ENGLISH)
    assert sign_in(client).status_code == 303
    return client
