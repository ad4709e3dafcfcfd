"""``/try`` takes strangers' files: what they send never costs the portal its turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.reviewing import ENGLISH
from tests.api.scripted_service import Scripted, scripted_service
from tests.api.test_gate import FILE, begun, run_with

STRANGERS = 10


def test_strangers_who_send_slowly_take_no_place_of_the_portals(tmp_path: Path) -> None:
    async def crowded(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        met, everybody = [], anyio.Event()

        def meet(what: str) -> None:
            met.append(what)
            if len(met) == STRANGERS:
                everybody.set()

        async def slow() -> AsyncIterator[bytes]:
            meet("sends")
            yield b"%PDF"
            await anyio.sleep_forever()

        async def stranger() -> None:
            answer = await client.post("/try", content=slow())
            assert answer.headers["Retry-After"] == "5"
            meet(str(answer.status_code))

        async with anyio.create_task_group() as strangers:
            for _ in range(STRANGERS):
                strangers.start_soon(stranger)
            await everybody.wait()
            assert set(met) == {"sends", "503"}
            assert (await client.post("/v1/documents", files=FILE)).status_code == 201
            strangers.cancel_scope.cancel()

    run_with(tmp_path, crowded)


def test_a_strangers_file_is_not_looked_at_while_the_portals_need_the_children(
    tmp_path: Path,
) -> None:
    async def busy(service: Scripted, app: FastAPI, client: httpx.AsyncClient) -> None:
        service.inspector.may_end.clear()
        async with anyio.create_task_group() as uploads:
            uploads.start_soon(lambda: client.post("/v1/documents", files=FILE))
            await begun(service)
            assert (await client.post("/try", files=FILE)).status_code == 503
            assert len(service.inspector.calls) == 1
            service.inspector.may_end.set()
        assert (await client.post("/try", files=FILE)).status_code == 200

    run_with(tmp_path, busy, longest_wait_s=0.01)


def test_all_strangers_together_have_one_clients_rate(tmp_path: Path) -> None:
    with scripted_service(tmp_path, rate_limit="2/minute") as service:
        http = TestClient(create_app(service.services), headers=ENGLISH)
        assert [http.post("/try", files=FILE).status_code for _ in range(2)] == [200, 200]
        refused = http.post("/try", files=FILE)
        assert refused.status_code == 429 and "Too many requests" in refused.text
        assert 1 <= int(refused.headers["Retry-After"]) <= 120
        assert len(service.inspector.calls) == 2
        assert http.get("/try").status_code == 200


def test_an_installation_may_take_no_strangers_files(tmp_path: Path) -> None:
    with scripted_service(tmp_path, try_page=False) as service:
        http = TestClient(create_app(service.services))
        assert http.get("/try").status_code == 404
        assert http.post("/try", files=FILE).status_code == 404
        assert service.inspector.calls == []
