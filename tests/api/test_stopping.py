"""Starting only when somebody could call, and stopping without losing anything."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.api.running import DOCQA, Running, installation, running, until
from tests.memory_files import held_bytes


def docqa(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DOCQA, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_without_any_key_the_service_does_not_start(tmp_path: Path) -> None:
    done = docqa(installation(tmp_path), "serve", "--port", "0")
    assert (done.returncode, done.stdout) == (9, "")
    assert "docqa keys create" in done.stderr and "--dev" in done.stderr


def test_without_keys_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    done = docqa(installation(tmp_path), "serve", "--dev", "--host", "0.0.0.0")
    assert done.returncode == 9
    assert "127.0.0.1 only" in done.stderr and "Traceback" not in done.stderr


def test_keys_are_made_listed_and_revoked_on_the_command_line(tmp_path: Path) -> None:
    environment = installation(tmp_path)
    made = docqa(environment, "keys", "create", "portal", "--scope", "admin", "--days", "7")
    key_id = made.stdout.split("_")[1]
    listed = docqa(environment, "keys", "list").stdout
    assert key_id in listed and "portal" in listed and "live" in listed
    assert made.stdout.strip().split("_", 2)[2] not in listed
    assert docqa(environment, "keys", "revoke", key_id).returncode == 0
    assert "revoked" in docqa(environment, "keys", "list").stdout
    again = docqa(environment, "keys", "revoke", key_id)
    assert again.returncode == 1 and key_id in again.stderr


def begin_upload(service: Running, body: bytes) -> tuple[socket.socket, bytes]:
    """Send an upload's head and its body slowly until some of it lies there; what is left."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    connection.sendall(
        b"POST /v1/checks HTTP/1.1\r\nHost: test\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n"
    )
    sent = 0

    def is_let_in() -> bool:
        nonlocal sent
        sent += connection.send(body[sent : sent + 1])
        return held_bytes(service.process.pid) != b""

    until(is_let_in)
    return connection, body[sent:]


def answer_on(connection: socket.socket) -> tuple[int, Any]:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())


def test_what_is_in_flight_is_finished_and_what_is_new_is_refused(tmp_path: Path) -> None:
    body = (Path(__file__).parents[2] / "fixtures/pages/id-back-scan.jpg").read_bytes()
    with running(installation(tmp_path), tmp_path, "--dev") as service, ExitStack() as stack:
        connection, rest = begin_upload(service, body)
        stack.enter_context(connection)
        service.process.send_signal(signal.SIGTERM)
        with httpx.Client(base_url=service.address, timeout=60) as client:
            until(lambda: client.get("/readyz").status_code == 503)
            refused = client.post("/v1/checks", content=b"x")
            assert (refused.status_code, refused.json()["code"]) == (503, "service.stopping")
            assert refused.headers["retry-after"] == "5"
            assert client.get("/livez").status_code == 200
        connection.sendall(rest)
        status, found = answer_on(connection)
        assert (status, found["report"]["schema"]) == (200, "docqa.report/1")
        assert service.process.wait(timeout=30) == 0


def test_a_client_that_never_finishes_does_not_keep_the_service(tmp_path: Path) -> None:
    environment = installation(tmp_path, shutdown_timeout_s="1")
    with running(environment, tmp_path, "--dev") as service, ExitStack() as stack:
        stack.enter_context(begin_upload(service, b"x" * 100_000)[0])
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(timeout=30) == 0  # its client never finishes


def test_an_idle_service_stops_at_once_and_ends_well(tmp_path: Path) -> None:
    with running(installation(tmp_path), tmp_path, "--dev") as service:
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(timeout=20) == 0
