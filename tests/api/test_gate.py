"""Back-pressure, slow clients, and what happens at the same moment."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.gate import Gate
from api.problems import Problem
from docqa.adapters.clients import SqlClients
from tests.api.scripted_service import NOON, Scripted, add_key, scripted_service
from tests.memory_files import held_bytes

FILE = {"file": ("scan.pdf", b"%PDF-1.7 bytes", "application/pdf")}
WORKERS, WAITING = 2, 2


@pytest.mark.parametrize(
    ("waiting", "places", "share"),
    [(None, 4 * WORKERS, 0.2), (3, 3, math.inf), (0, 0, math.inf)],  # as the settings' page says
)
def test_only_who_chooses_how_many_wait_lets_them_wait_as_long_as_it_takes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    waiting: int | None,
    places: int,
    share: float,
) -> None:
    made: list[tuple[int, float]] = []

    def noted(**facts: Any) -> Gate:
        made.append((facts["waiting"], facts["most_wait_share"]))
        return Gate(**facts)

    monkeypatch.setattr("api.app.Gate", noted)
    with scripted_service(tmp_path, workers=WORKERS, waiting=waiting) as service:
        create_app(service.services)
    # Of page images, of uploads, of strangers' files.
    assert made == [(places, math.inf), (places, share), (4, math.inf)]


async def add_key_soon(request: httpx.Request) -> None:
    add_key(request)


def run_with(
    folder: Path, test: Callable[[Scripted, FastAPI, httpx.AsyncClient], Any], **changes: Any
) -> None:
    """Run ``test`` in an event loop against a service with room for four uploads."""

    async def main() -> None:
        facts = {"workers": WORKERS, "waiting": WAITING} | changes
        with scripted_service(folder, **facts) as service:
            app = create_app(service.services)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                client.event_hooks = {"request": [add_key_soon]}
                with anyio.fail_after(30):
                    await test(service, app, client)

    anyio.run(main)


def slow_body() -> AsyncIterator[bytes]:
    """What begins to come, and never ends."""

    async def body() -> AsyncIterator[bytes]:
        yield b"%PDF"
        await anyio.sleep_forever()

    return body()


async def begun(service: Scripted) -> None:
    """Wait until one more inspection has begun."""
    await anyio.to_thread.run_sync(service.inspector.begun.acquire)


async def post_unread(app: FastAPI) -> tuple[int, dict[bytes, bytes]]:
    """Post a document whose body must not be asked for."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/documents",
        "raw_path": b"/v1/documents",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"content-type", b"application/pdf"),
            (b"content-length", b"1000"),
            (b"idempotency-key", b"k-0"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


def test_a_full_service_refuses_before_the_body_is_read_and_recovers(tmp_path: Path) -> None:
    async def full(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        statuses: list[int] = []

        async def upload() -> None:
            statuses.append((await client.post("/v1/documents", files=FILE)).status_code)

        service.inspector.may_end.clear()
        async with anyio.create_task_group() as uploads:
            for _ in range(WORKERS + WAITING):
                uploads.start_soon(upload)
            for _ in range(WORKERS):
                await begun(service)
            await anyio.wait_all_tasks_blocked()
            status, headers = await post_unread(app)
            assert status == 503
            assert headers[b"retry-after"] == b"5"
            assert (await client.get("/livez")).status_code == 200
            assert (await client.get("/v1/documents/doc_unknown")).status_code == 404
            assert len(service.inspector.calls) == WORKERS
            service.inspector.may_end.set()
        assert statuses == [201] * (WORKERS + WAITING)
        assert (await client.post("/v1/documents", files=FILE)).status_code == 201

    run_with(tmp_path, full)


def test_who_still_sends_takes_no_place_of_those_who_wait_for_a_child(tmp_path: Path) -> None:
    async def full(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        statuses: list[int] = []

        async def upload() -> None:
            statuses.append((await client.post("/v1/documents", files=FILE)).status_code)

        service.inspector.may_end.clear()
        async with anyio.create_task_group() as slow, anyio.create_task_group() as uploads:
            for _ in range(WORKERS + WAITING - 1):
                slow.start_soon(lambda: client.post("/v1/documents", content=slow_body()))
            for _ in range(WORKERS + WAITING):
                await anyio.wait_all_tasks_blocked()
                uploads.start_soon(upload)
            await anyio.wait_all_tasks_blocked()
            assert (statuses, (await post_unread(app))[0]) == ([], 503)
            service.inspector.may_end.set()
            while len(statuses) < WORKERS + WAITING:
                await anyio.sleep(0)
            slow.cancel_scope.cancel()
        assert statuses == [201] * (WORKERS + WAITING)

    run_with(tmp_path, full)


def test_who_has_sent_everything_takes_a_place_only_where_one_is_left(tmp_path: Path) -> None:
    async def late(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        statuses: list[tuple[str, int]] = []
        may_end = anyio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"%PDF"
            await may_end.wait()

        async def upload(how: str, **sent: Any) -> None:
            statuses.append((how, (await client.post("/v1/documents", **sent)).status_code))

        service.inspector.may_end.clear()
        async with anyio.create_task_group() as uploads:
            uploads.start_soon(lambda: upload("slowly", content=body()))
            for _ in range(WORKERS + WAITING):
                await anyio.wait_all_tasks_blocked()
                uploads.start_soon(lambda: upload("at once", files=FILE))
            await anyio.wait_all_tasks_blocked()
            may_end.set()
            await anyio.wait_all_tasks_blocked()
            assert statuses == [("slowly", 503)]
            service.inspector.may_end.set()
        assert statuses[1:] == [("at once", 201)] * (WORKERS + WAITING)
        while held_bytes():
            await anyio.sleep(0)

    run_with(tmp_path, late)


def test_a_client_that_sends_slowly_keeps_no_other_client_out(tmp_path: Path) -> None:
    async def crowded(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        clients = SqlClients(service.store.engine)
        one, other = (
            {"Authorization": f"Bearer {key}"}
            for key in (
                clients.create_key(name, ("documents:write",), now=NOON, lifetime=timedelta(days=1))
                for name in ("one", "other")
            )
        )
        async with anyio.create_task_group() as slow:
            for _ in range(WORKERS + WAITING):
                slow.start_soon(
                    lambda: client.post("/v1/documents", content=slow_body(), headers=one)
                )
            await anyio.wait_all_tasks_blocked()
            again = await client.post("/v1/documents", files=FILE, headers=one)
            assert (again.status_code, again.headers["Retry-After"]) == (503, "5")
            answer = await client.post("/v1/documents", files=FILE, headers=other)
            assert answer.status_code == 201
            slow.cancel_scope.cancel()
        again = await client.post("/v1/documents", files=FILE, headers=one)
        assert again.status_code == 201

    run_with(tmp_path, crowded, dev=False)


def test_those_who_send_are_no_more_than_fit_into_memory() -> None:
    gate = Gate(running=1, waiting=1, retry_after_s=7)
    with gate.sending("one"), gate.sending("one"), gate.sending("two"):
        with pytest.raises(Problem), gate.sending("one"):
            pass
        with gate.sending("three"), pytest.raises(Problem), gate.sending("four"):
            pass
        with gate.admitted(), gate.arrived():
            for enter in (gate.admitted, gate.arrived, lambda: gate.sending("four")):
                with pytest.raises(Problem), enter():
                    pass
    with gate.sending("four"), gate.sending("four"), gate.admitted():
        pass


def test_failed_uploads_give_their_place_back(tmp_path: Path) -> None:
    async def failing(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        for _ in range(2 * (WORKERS + WAITING)):
            answer = await client.post("/v1/documents", files=FILE, data={"claims": "{"})
            assert answer.status_code == 400
        assert (await client.post("/v1/documents", files=FILE)).status_code == 201

    run_with(tmp_path, failing)


def test_a_client_that_sends_too_slowly_is_let_go(tmp_path: Path) -> None:
    async def slow(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/documents", content=slow_body())
        assert (answer.status_code, answer.json()["code"]) == (408, "http.timeout")
        while held_bytes():
            await anyio.sleep(0)

    run_with(tmp_path, slow, upload_timeout_s=0.05)


def test_the_same_key_at_the_same_moment_makes_one_document(tmp_path: Path) -> None:
    async def together(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        answers: list[httpx.Response] = []

        async def upload() -> httpx.Response:
            answer = await client.post(
                "/v1/documents", files=FILE, headers={"Idempotency-Key": "k-1"}
            )
            answers.append(answer)
            return answer

        service.inspector.may_end.clear()
        async with anyio.create_task_group() as uploads:
            uploads.start_soon(upload)
            await begun(service)
            second = await upload()
            assert second.status_code == 409
            assert second.json()["code"] == "http.idempotency.in_flight"
            assert second.headers["Retry-After"] == "5"
            service.inspector.may_end.set()
        assert (await upload()).json()["id"] == answers[1].json()["id"]
        assert len(list(service.store.scan())) == 1

    run_with(tmp_path, together)
