"""A scripted service and a client of it, for every test of the HTTP service."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import StarletteDeprecationWarning
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from tests.api.scripted_service import Scripted, add_key, scripted_replicas, scripted_service

with warnings.catch_warnings():  # it would rather have httpx2, which only its tests need
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

    from tests.api.reviewing import ENGLISH, sign_in


INSTALLATIONS = {"one": scripted_service, "two replicas": scripted_replicas}


@pytest.fixture(params=INSTALLATIONS)
def service(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scripted]:
    with INSTALLATIONS[request.param](tmp_path) as made:
        yield made


@pytest.fixture
def client(service: Scripted) -> Iterator[TestClient]:
    with TestClient(in_turn([create_app(services) for services in service.replicas])) as made:
        made.event_hooks = {"request": [add_key]}
        yield made


def in_turn(replicas: list[FastAPI]) -> ASGIApp:
    """Each request to one of the replicas, as a load balancer does it.

    Two take turns as in the Thue-Morse sequence: of requests that always come together, such as a
    page and its form, each meets the one and the other.
    """

    @asynccontextmanager
    async def all_live(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in replicas:
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    life = Starlette(lifespan=all_live)
    turns = (replicas[number.bit_count() % len(replicas)] for number in count())

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        app = life if scope["type"] == "lifespan" else next(turns)
        await app(scope, receive, send)

    return answer


@pytest.fixture
def reviewer(client: TestClient) -> TestClient:
    client.headers.update(ENGLISH)
    assert sign_in(client).status_code == 303
    return client
