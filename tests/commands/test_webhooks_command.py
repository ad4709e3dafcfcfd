"""An operator registers endpoints and delivers from the command line."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from docqa import wiring
from docqa.adapters.events import record_event
from docqa.cli import cli
from docqa.settings import Settings
from tests.faults.receivers import answers, receiving
from tests.webhooks.test_backoff import NOON


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCQA_DATABASE_URL", f"sqlite:///{tmp_path}/docqa.sqlite3")
    monkeypatch.setenv("DOCQA_BLOBS_DIR", str(tmp_path / "blobs"))
    monkeypatch.setenv("DOCQA_WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8, ::1/128")
    wiring.migrate_database(Settings())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["webhooks", *arguments])


def happen() -> str:
    store = wiring.open_stores(Settings()).documents
    with store.engine.begin() as connection:
        event = record_event(connection, "document.judged", occurred_at=NOON, body={})
    store.close()
    return event


def test_an_endpoint_is_added_told_rotated_and_switched_off() -> None:
    with receiving(answers(200)) as receiver:
        endpoint_id, secret = run("add", receiver.address).output.split()
        receiver.secrets.append(secret)
        event = happen()
        assert run("deliver", "--once").output == "1 attempts were made.\n"
        assert receiver.seen == {event}
        assert run("redeliver", event).output.startswith("1 deliveries")
        run("deliver", "--once")
        assert len(receiver.bodies) == 2
        assert receiver.address in run("list").output
        receiver.secrets[:] = [run("rotate", endpoint_id).output.strip()]
        assert receiver.secrets[0] != secret
        run("redeliver", event, "--endpoint", endpoint_id)
        run("deliver", "--once")
        assert len(receiver.bodies) == 3 and receiver.forged == 0
        assert run("disable", endpoint_id).exit_code == 0
        assert "off (operator)" in run("list").output
        run("redeliver", event)
        assert run("deliver", "--once").output == "0 attempts were made.\n"


def test_an_endpoint_whose_secret_cannot_be_opened_is_listed_as_one_that_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCQA_ENCRYPTION_KEYS", f"k1:{base64.b64encode(bytes(32)).decode()}")
    endpoint_id = run("add", "http://127.0.0.1/hook").output.split()[0]
    monkeypatch.delenv("DOCQA_ENCRYPTION_KEYS")
    assert "waits: its secret cannot be opened" in run("list").output
    assert run("rotate", endpoint_id).exit_code == 0
    assert "waits" not in run("list").output


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "ftp://booking.example/"),
        ("add", "https://10.0.0.1/"),
        ("rotate", "whe_x"),
        ("disable", "whe_x"),
        ("redeliver", "evt_x"),
    ],
)
def test_what_cannot_be_is_said(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert arguments[1] in result.output


def test_allowed_networks_are_read_from_the_environment() -> None:
    networks = Settings().webhook_allowed_networks
    assert [str(network) for network in networks] == ["127.0.0.0/8", "::1/128"]
