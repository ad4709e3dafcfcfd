"""What happens reaches the receiver, signed; whatever the receiver does, nothing is lost."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa.adapters.events import record_event
from docqa.adapters.schema import migrate, open_engine
from docqa.adapters.webhook_sender import HttpSender
from docqa.adapters.webhook_store import SqlWebhooks
from docqa.settings import Settings
from docqa.webhooks.backoff import DELAYS
from docqa.webhooks.courier import Courier
from docqa.webhooks.records import DeliveryRecord
from tests.faults import receivers
from tests.faults.receivers import Receiver, answers, receiving

LOOPBACK = (ip_network("127.0.0.0/8"),)
TIMEOUT_S = 1.0
"""For receivers that take longer than any."""
Behaviour = Callable[[BaseHTTPRequestHandler, Receiver], None]


@dataclass
class Office:
    """A courier, what it carries, and a clock that is moved by hand."""

    engine: sa.Engine
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    results: list[str] = field(default_factory=list)
    timeout_s: float = 20.0

    @property
    def store(self) -> SqlWebhooks:
        return SqlWebhooks(self.engine)

    def courier(self, *allowed: str) -> Courier:
        networks = tuple(ip_network(one) for one in allowed) or LOOPBACK
        return Courier(
            self.store, HttpSender(networks, timeout_s=self.timeout_s),
            timeout_s=self.timeout_s,
            clock=lambda: self.now, observe=self.results.append,
        )  # fmt: skip

    def happen(self) -> str:
        with self.engine.begin() as connection:
            return record_event(
                connection, "document.judged", occurred_at=self.now, body={"decision": "accept"}
            )

    def subscribe(self, receiver: Receiver, url: str = "") -> str:
        endpoint, secret = self.store.add_endpoint(
            url or receiver.address, kinds=(), client_id=None, now=self.now
        )
        receiver.secrets.append(secret)
        return endpoint.id

    def delivery(self) -> DeliveryRecord:
        (event,) = self.store.events(after=0, limit=9, now=self.now)
        (delivery,) = event.deliveries
        return delivery


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path}/docqa.sqlite3"
    migrate(url)
    engine = open_engine(url)
    yield Office(engine)
    engine.dispose()


@contextmanager
def told_once(office: Office, behave: Behaviour) -> Iterator[tuple[Receiver, DeliveryRecord]]:
    """After one event and one attempt to tell a receiver that behaves like that."""
    with receiving(behave) as receiver:
        office.subscribe(receiver)
        office.happen()
        assert office.courier().deliver_due() == 1
        yield receiver, office.delivery()


def test_a_receiver_verifies_what_it_is_told(office: Office) -> None:
    with receiving(answers(204)) as receiver:
        office.subscribe(receiver)
        happened = [office.happen() for _ in range(3)]
        assert office.courier().deliver_due() == 3
    assert [event_id for event_id, _ in receiver.bodies] == happened
    assert receiver.forged == 0
    assert receiver.bodies[0][1]["data"]["decision"] == "accept"
    assert office.results == ["delivered"] * 3


def test_after_a_rotation_both_secrets_verify(office: Office) -> None:
    with receiving(answers(200)) as receiver:
        endpoint_id = office.subscribe(receiver)
        old, new = receiver.secrets[0], office.store.rotate_secret(endpoint_id, now=office.now)
        for known in (old, new):
            receiver.secrets[:] = [known]
            office.happen()
            office.courier().deliver_due()
        assert len(receiver.bodies) == 2 and receiver.forged == 0


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_failure_is_tried_again_later(office: Office, status: int) -> None:
    with told_once(office, answers(status)) as (receiver, delivery):
        assert (delivery.state, delivery.status, delivery.error) == ("waiting", status, "status")
        assert delivery.due_at is not None
        assert timedelta(seconds=5) <= delivery.due_at - office.now < timedelta(seconds=6)
        assert office.courier().deliver_due() == 0
        receiver.behave = answers(200)
        office.now = delivery.due_at
        assert office.courier().deliver_due() == 1
    assert office.delivery().state == "delivered"
    assert len({event_id for event_id, _ in receiver.bodies}) == 1, "the same id every time"


def test_a_receiver_that_always_fails_is_given_up_after_the_whole_schedule(office: Office) -> None:
    with told_once(office, answers(500)) as (receiver, delivery):
        while (due := office.delivery().due_at) is not None:
            office.now = due
            assert office.courier().deliver_due() == 1
        assert receiver.requests == len(DELAYS)
    assert office.delivery().state == "given_up"
    assert office.results == ["retry"] * (len(DELAYS) - 1) + ["given_up"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_that_nobody_follows(office: Office, status: int) -> None:
    with receiving(answers(200)) as elsewhere:
        redirecting = answers(status, location=elsewhere.address)
        with told_once(office, redirecting) as (_, delivery):
            assert (delivery.state, delivery.error) == ("waiting", "redirect")
        assert elsewhere.requests == 0


def test_410_switches_the_endpoint_off(office: Office) -> None:
    with told_once(office, answers(410)) as (_, delivery):
        assert delivery.state == "given_up"
        assert office.results == ["given_up"]
        assert [one.disabled_because for one in office.store.endpoints()] == ["gone"]
        office.happen()
        assert office.courier().deliver_due() == 0


@pytest.mark.parametrize("behave", [receivers.never_answers, receivers.drips])
def test_a_receiver_that_takes_for_ever_is_left_in_time(office: Office, behave: Behaviour) -> None:
    office.timeout_s = TIMEOUT_S
    begun = time.monotonic()
    with told_once(office, behave) as (_, delivery):
        assert time.monotonic() - begun < 20 * TIMEOUT_S
        assert (delivery.state, delivery.error) == ("waiting", "timeout")


def test_an_endless_answer_is_not_listened_to(office: Office) -> None:
    with told_once(office, receivers.huge_answer) as (_, delivery):
        assert delivery.state == "delivered"


def test_an_answer_that_is_no_http_is_a_failure(office: Office) -> None:
    with told_once(office, receivers.nonsense) as (_, delivery):
        assert (delivery.state, delivery.error) == ("waiting", "protocol")


def test_nobody_there_is_a_failure(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    office.store.add_endpoint(address, kinds=(), client_id=None, now=office.now)
    office.happen()
    office.courier().deliver_due()
    assert (office.delivery().state, office.delivery().error) == ("waiting", "connection")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]",
             "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0"],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_connected_to(office: Office, host: str) -> None:
    with receiving(answers(200)) as receiver:
        port = receiver.address.rsplit(":", 1)[1]
        office.subscribe(receiver, f"http://{host}:{port}")
        office.happen()
        assert office.courier("10.0.0.0/8").deliver_due() == 1
        assert receiver.requests == 0
    assert office.delivery().error in ("address", "name", "protocol")


def test_the_address_that_was_judged_is_the_one_connected_to(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that resolves to another address at every look-up gains nothing."""
    lookups: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *args: object, **more: object) -> object:
        lookups.append(host)
        inside = "127.0.0.1" if len(lookups) == 1 else "127.0.0.99"
        return real(inside, port, type=socket.SOCK_STREAM)

    with receiving(answers(200)) as receiver:
        port = receiver.address.split(":")[2].split("/")[0]
        office.subscribe(receiver, f"http://rebind.example:{port}/hook")
        office.happen()
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        office.courier("127.0.0.1/32").deliver_due()
        assert receiver.requests == 1
    assert lookups.count("rebind.example") == 1
    assert office.delivery().state == "delivered"


def test_a_courier_in_threads_delivers_what_happens_and_ends(office: Office) -> None:
    with receiving(answers(200)) as receiver:
        office.subscribe(receiver)
        courier = office.courier()
        courier.start(2)
        event = office.happen()
        assert receiver.arrived.acquire(timeout=20)
        courier.close()
        assert receiver.seen == {event}
    assert not [one for one in threading.enumerate() if one.name.startswith("courier")]


def test_a_courier_outlives_trouble_with_its_store(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(SqlWebhooks):
        def fan_out(self, *, now: datetime) -> int:
            asked.release()
            raise sa.exc.OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr("docqa.webhooks.courier._AFTER_TROUBLE_S", 0.0)
    asked = threading.Semaphore(0)
    sender = HttpSender(LOOPBACK, timeout_s=TIMEOUT_S)
    courier = Courier(Away(office.engine), sender, timeout_s=TIMEOUT_S)
    courier.start(1)
    try:
        for _ in range(2):
            assert asked.acquire(timeout=20)
    finally:
        courier.close()


def test_a_clock_that_jumps_loses_nothing_and_repeats_nothing(office: Office) -> None:
    with receiving(answers(500)) as receiver:
        office.subscribe(receiver)
        office.happen()
        office.courier().deliver_due()
        office.now -= timedelta(days=2)
        assert office.courier().deliver_due() == 0
        receiver.behave = answers(200)
        office.now += timedelta(days=9)
        assert office.courier().deliver_due() == 1
        assert office.courier().deliver_due() == 0
    assert office.delivery().state == "delivered"


@pytest.mark.parametrize("threads", [2, 3, Settings().webhook_threads])
def test_a_slow_receiver_does_not_hold_up_another(office: Office, threads: int) -> None:
    office.timeout_s = 60.0
    with receiving(receivers.never_answers) as slow, receiving(answers(200)) as quick:
        office.subscribe(slow)
        office.subscribe(quick)
        for _ in range(6):
            office.happen()
        courier = office.courier()
        courier.start(threads)
        try:
            for _ in range(6):
                assert quick.arrived.acquire(timeout=20)
            assert slow.requests <= min(2, threads - 1)  # and none of them has ended yet
        finally:
            slow.released.set()
            courier.close()
        assert slow.requests < 6 and len(quick.bodies) == 6
