"""What a webhook store does, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from docqa.adapters.events import held, record_event, retract
from docqa.adapters.schema import events
from docqa.adapters.sealing import Keyring
from docqa.adapters.store import SqlStore
from docqa.adapters.webhook_store import SqlWebhooks
from docqa.ports import StoredDocument
from docqa.webhooks.backoff import last_moment
from docqa.webhooks.records import EventRecord, Outcome
from tests.contracts.stores import SQL_STORES, postgresql_store, url_of

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=75)
URL = "https://booking.example/hook"
FINE = Outcome(True, 204, None)
FAILED = Outcome(False, 500, "status")
GONE = Outcome(False, 410, "status")


class Shop:
    """A store of documents and the webhooks of the same database."""

    def __init__(self, documents: SqlStore) -> None:
        self.documents = documents
        self.webhooks = SqlWebhooks(self.documents.engine)

    def happen(self, kind: str = "document.judged", client_id: str | None = None) -> str:
        with self.documents.engine.begin() as connection:
            return record_event(
                connection, kind, occurred_at=NOON, body={"decision": "review"}, client_id=client_id
            )

    def subscribe(self, *kinds: str, client_id: str | None = None) -> str:
        made, _ = self.webhooks.add_endpoint(URL, kinds=kinds, client_id=client_id, now=NOON)
        return made.id

    def told(self) -> list[str]:
        """Ids of events in the order in which they are claimed, each delivered at once."""
        self.webhooks.fan_out(now=NOON)
        ids = []
        while (attempt := self.webhooks.claim(now=NOON, lease=LEASE)) is not None:
            ids.append(attempt.event_id)
            assert self.webhooks.settle(attempt, FINE, due_at=None)
        return ids


@pytest.fixture(params=SQL_STORES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(SQL_STORES[request.param](tmp_path, stack))


def test_an_endpoint_gets_what_happens_after_it_was_added(shop: Shop) -> None:
    shop.happen()
    shop.subscribe()
    later = [shop.happen(), shop.happen("document.ruled")]
    assert shop.told() == later
    assert shop.told() == []


def test_an_endpoint_gets_only_what_it_wants(shop: Shop) -> None:
    shop.subscribe("document.ruled", client_id="portal")
    shop.happen("document.judged", client_id="portal")
    shop.happen("document.ruled", client_id="other")
    wanted = shop.happen("document.ruled", client_id="portal")
    assert shop.told() == [wanted]


def test_every_endpoint_gets_its_own_delivery(shop: Shop) -> None:
    shop.subscribe()
    shop.subscribe()
    event = shop.happen()
    assert shop.told() == [event, event]


def test_more_events_than_fit_into_one_batch_are_all_told(shop: Shop) -> None:
    shop.subscribe()
    happened = [shop.happen() for _ in range(230)]
    while shop.webhooks.fan_out(now=NOON):
        pass
    assert shop.told() == happened


def test_an_attempt_carries_the_event_and_the_live_secret(shop: Shop) -> None:
    _, secret = shop.webhooks.add_endpoint(URL, kinds=(), client_id=None, now=NOON)
    event = shop.happen()
    shop.webhooks.fan_out(now=NOON)
    attempt = shop.webhooks.claim(now=NOON, lease=LEASE)
    assert attempt is not None
    assert (attempt.event_id, attempt.number, attempt.url) == (event, 1, URL)
    assert attempt.secrets == (secret,)
    assert b'"decision":"review"' in attempt.body


def test_an_endpoint_whose_secret_does_not_open_waits_and_the_others_are_told(shop: Shop) -> None:
    lost, ring = Keyring({"k1": bytes(32)}), Keyring({"k2": bytes(range(32))})
    stores = [SqlStore(url_of(shop.documents), keys) for keys in (lost, ring)]
    before, now = (Shop(store) for store in stores)
    waiting, fine = before.subscribe(), now.subscribe()
    events = [now.happen(), now.happen()]
    assert now.told() == events
    assert {one.id for one in now.webhooks.endpoints()} == {waiting, fine}
    assert now.webhooks.unopened() == [waiting]
    [problem] = now.webhooks.problems()
    assert waiting in problem and "DOCQA_ENCRYPTION_KEYS" in problem and "rotate" in problem
    secret = now.webhooks.rotate_secret(waiting, now=NOON)
    assert now.webhooks.problems() == []
    attempt = now.webhooks.claim(now=NOON, lease=LEASE)
    assert attempt is not None and attempt.secrets == (secret,)
    assert attempt.event_id == events[0]
    now.webhooks.change_endpoint(fine, enabled=False)
    assert set(before.webhooks.unopened()) == {waiting, fine}
    assert len(before.webhooks.problems()) == 1  # what is switched off waits for nothing
    for store in stores:
        store.close()


def test_two_secrets_are_live_for_a_day_after_rotation(shop: Shop) -> None:
    endpoint, first = shop.webhooks.add_endpoint(URL, kinds=(), client_id=None, now=NOON)
    second = shop.webhooks.rotate_secret(endpoint.id, now=NOON)
    third = shop.webhooks.rotate_secret(endpoint.id, now=NOON)
    assert len({first, second, third}) == 3
    for hours, live in ((23, (third, second)), (25, (third,))):
        shop.happen()
        shop.webhooks.fan_out(now=NOON)
        moment = NOON + timedelta(hours=hours)
        attempt = shop.webhooks.claim(now=moment, lease=LEASE)
        assert attempt is not None and attempt.secrets == live
        shop.webhooks.settle(attempt, FINE, due_at=None)


def test_a_claimed_delivery_is_nobody_elses_until_the_lease_is_over(shop: Shop) -> None:
    shop.subscribe()
    shop.happen()
    shop.webhooks.fan_out(now=NOON)
    first = shop.webhooks.claim(now=NOON, lease=LEASE)
    assert first is not None
    assert shop.webhooks.claim(now=NOON + LEASE / 2, lease=LEASE) is None
    second = shop.webhooks.claim(now=NOON + LEASE, lease=LEASE)
    assert second is not None and second.number == 2
    assert not shop.webhooks.settle(first, GONE, due_at=None), "it is the second's by now"
    assert shop.webhooks.endpoints()[0].enabled
    assert shop.webhooks.settle(second, FINE, due_at=None)
    assert shop.told() == []


def test_what_failed_is_due_again_when_it_was_said_to_be(shop: Shop) -> None:
    shop.subscribe()
    shop.happen()
    shop.webhooks.fan_out(now=NOON)
    attempt = shop.webhooks.claim(now=NOON, lease=LEASE)
    assert attempt is not None
    due = NOON + timedelta(minutes=5)
    shop.webhooks.settle(attempt, FAILED, due_at=due)
    assert shop.webhooks.claim(now=due - timedelta(seconds=1), lease=LEASE) is None
    (event,) = shop.webhooks.events(after=0, limit=9, now=NOON)
    (delivery,) = event.deliveries
    assert (delivery.state, delivery.due_at, delivery.status) == ("waiting", due, 500)
    again = shop.webhooks.claim(now=due, lease=LEASE)
    assert again is not None and again.number == 2
    shop.webhooks.settle(again, FAILED, due_at=None)
    (event,) = shop.webhooks.events(after=0, limit=9, now=NOON)
    assert (event.deliveries[0].state, event.deliveries[0].due_at) == ("given_up", None)


def test_what_is_due_the_longest_is_tried_first(shop: Shop) -> None:
    shop.subscribe()
    first, second = shop.happen(), shop.happen()
    shop.webhooks.fan_out(now=NOON)
    attempt = shop.webhooks.claim(now=NOON, lease=LEASE)
    assert attempt is not None and attempt.event_id == first
    shop.webhooks.settle(attempt, FAILED, due_at=NOON + timedelta(minutes=5))
    attempt = shop.webhooks.claim(now=NOON + timedelta(minutes=6), lease=LEASE)
    assert attempt is not None and attempt.event_id == second


def test_one_that_is_gone_gets_nothing_any_more(shop: Shop) -> None:
    endpoint_id = shop.subscribe()
    for _ in range(2):
        shop.happen()
    shop.webhooks.fan_out(now=NOON)
    attempt = shop.webhooks.claim(now=NOON, lease=LEASE)
    assert attempt is not None
    shop.webhooks.settle(attempt, GONE, due_at=None)
    endpoint = shop.webhooks.endpoint(endpoint_id)
    assert (endpoint.enabled, endpoint.disabled_because) == (False, "gone")
    shop.happen()
    assert shop.told() == []
    shop.webhooks.change_endpoint(endpoint_id, enabled=True)
    assert len(shop.told()) == 1, "what was on its way goes on; what happened meanwhile does not"


def test_one_slow_endpoint_does_not_keep_the_others_waiting(shop: Shop) -> None:
    slow = shop.subscribe()
    for _ in range(5):
        shop.happen()
    shop.webhooks.fan_out(now=NOON)
    quick = shop.subscribe()
    shop.happen()
    shop.webhooks.fan_out(now=NOON + timedelta(seconds=1))
    moment = NOON + timedelta(seconds=1)
    claimed = [shop.webhooks.claim(now=moment, lease=LEASE) for _ in range(4)]
    assert [one.endpoint_id for one in claimed if one] == [slow, slow, quick]


def test_an_event_can_be_told_again(shop: Shop) -> None:
    endpoint_id = shop.subscribe()
    event = shop.happen()
    assert shop.told() == [event]
    assert shop.webhooks.redeliver(event, endpoint_id=None, now=NOON) == 1
    assert shop.told() == [event]
    newcomer = shop.subscribe()
    assert shop.webhooks.redeliver(event, endpoint_id=newcomer, now=NOON) == 1
    attempt = shop.webhooks.claim(now=NOON, lease=LEASE)
    assert attempt is not None and attempt.endpoint_id == newcomer
    for wrong in (
        {"event_id": "evt_x", "endpoint_id": None},
        {"event_id": event, "endpoint_id": "whe_x"},
    ):
        with pytest.raises(KeyError):
            shop.webhooks.redeliver(**wrong, now=NOON)
    assert shop.webhooks.endpoint(endpoint_id).enabled


def test_an_event_is_told_again_to_no_endpoint_of_another_client(shop: Shop) -> None:
    other = shop.subscribe(client_id="other")
    mine = shop.subscribe("document.ruled", client_id="portal")
    event = shop.happen("document.judged", client_id="portal")
    with pytest.raises(ValueError, match="another client"):
        shop.webhooks.redeliver(event, endpoint_id=other, now=NOON)
    assert shop.told() == []
    assert shop.webhooks.redeliver(event, endpoint_id=mine, now=NOON) == 1
    assert shop.told() == [event], "of a kind that it does not want, since it was named"


def test_an_event_is_not_told_again_to_one_that_is_switched_off(shop: Shop) -> None:
    shop.webhooks.change_endpoint(shop.subscribe(), enabled=False)
    assert shop.webhooks.redeliver(shop.happen(), endpoint_id=None, now=NOON) == 0


def test_what_is_told_again_long_after_it_happened_is_tried_as_long_as_anything_new(
    shop: Shop,
) -> None:
    shop.subscribe()
    event, late = shop.happen(), NOON + timedelta(days=30)
    assert shop.told() == [event]
    shop.webhooks.redeliver(event, endpoint_id=None, now=late)
    attempt = shop.webhooks.claim(now=late, lease=LEASE)
    assert attempt is not None and attempt.until == last_moment(late, None)


def test_what_is_told_again_has_nothing_of_the_attempts_before(shop: Shop) -> None:
    shop.subscribe()
    event = shop.happen()
    shop.webhooks.fan_out(now=NOON)
    attempt = shop.webhooks.claim(now=NOON, lease=LEASE)
    assert attempt is not None
    shop.webhooks.settle(attempt, FAILED, due_at=None)
    shop.webhooks.redeliver(event, endpoint_id=None, now=NOON)
    [again] = listed(shop)[0].deliveries
    assert (again.state, again.attempts, again.status, again.error) == ("waiting", 0, None, None)


def test_an_event_that_is_told_again_before_it_was_told_keeps_nothing_waiting(shop: Shop) -> None:
    first, second = shop.subscribe(), shop.subscribe()
    event = shop.happen()
    assert shop.webhooks.redeliver(event, endpoint_id=first, now=NOON) == 1
    later = shop.happen()
    assert sorted(shop.told()) == sorted([event, event, later, later])
    listed = shop.webhooks.events(after=0, limit=9, now=NOON)
    for one in listed:
        assert {delivery.endpoint_id for delivery in one.deliveries} == {first, second}


def test_telling_again_during_an_attempt_waits_for_it_and_is_not_undone_by_it(shop: Shop) -> None:
    shop.subscribe()
    event = shop.happen()
    shop.webhooks.fan_out(now=NOON)
    attempt = shop.webhooks.claim(now=NOON, lease=LEASE)
    assert attempt is not None
    shop.webhooks.redeliver(event, endpoint_id=None, now=NOON)
    assert shop.webhooks.claim(now=NOON, lease=LEASE) is None, "two attempts at once"
    assert not shop.webhooks.settle(attempt, FINE, due_at=None)
    assert shop.webhooks.claim(now=NOON + LEASE, lease=LEASE) is not None


@pytest.mark.parametrize("booked", [True, False])
def test_the_deadline_of_the_document_ends_the_attempts(shop: Shop, booked: bool) -> None:
    shop.subscribe()
    deadline = NOON + timedelta(days=1) if booked else None
    report = {"verdict": {"decision": "reject", "reasons": [{"code": "b.b"}, {"code": "a.a"}] * 2}}
    shop.documents.add(
        StoredDocument("doc_1", "0" * 32, "x.pdf", "a4-generic", {}, report, "reject", NOON,
                       deadline_at=deadline)
    )  # fmt: skip
    shop.webhooks.fan_out(now=NOON)
    attempt = shop.webhooks.claim(now=NOON, lease=LEASE)
    assert attempt is not None
    assert (attempt.until == deadline) == booked
    (event,) = shop.webhooks.events(after=0, limit=9, now=NOON)
    assert event.body == {"decision": "reject", "reason_codes": ["a.a", "b.b"]}


def test_endpoints_are_kept_as_they_were_given(shop: Shop) -> None:
    endpoint_id = shop.subscribe("b.b", "a.a", "b.b", client_id="portal")
    assert shop.webhooks.endpoints() == [shop.webhooks.endpoint(endpoint_id)]
    assert shop.webhooks.endpoint(endpoint_id).kinds == ("a.a", "b.b")
    assert shop.webhooks.change_endpoint(endpoint_id, kinds=["c.c"]).kinds == ("c.c",)
    for enabled, because in ((False, "operator"), (True, None)):
        changed = shop.webhooks.change_endpoint(endpoint_id, enabled=enabled)
        assert (changed.enabled, changed.disabled_because) == (enabled, because)
    for call in (shop.webhooks.endpoint, lambda name: shop.webhooks.rotate_secret(name, now=NOON)):
        with pytest.raises(KeyError):
            call("whe_unknown")


def test_events_come_in_pages(shop: Shop) -> None:
    happened = [shop.happen() for _ in range(5)]
    first = shop.webhooks.events(after=0, limit=3, now=NOON)
    rest = shop.webhooks.events(after=first[-1].number, limit=3, now=NOON)
    assert [event.id for event in first + rest] == happened


def listed(shop: Shop, after: int = 0) -> list[EventRecord]:
    return shop.webhooks.events(after=after, limit=9, now=NOON)


@pytest.mark.parametrize("occurred_at", [NOON, NOON - timedelta(days=1)])
def test_whoever_goes_on_from_the_last_event_misses_none_that_is_committed_later(
    tmp_path: Path, occurred_at: datetime
) -> None:
    with ExitStack() as stack:
        shop = Shop(postgresql_store(tmp_path, stack))  # SQLite has one writer at a time
        first = shop.happen()
        with shop.documents.engine.begin() as slow:
            late = record_event(slow, "document.judged", occurred_at=NOON, body={})
            with shop.documents.engine.begin() as quick:  # of a document received long before
                later = record_event(quick, "document.judged", occurred_at=occurred_at, body={})
            seen = listed(shop)
        assert [event.id for event in seen] == [first]
        assert [event.id for event in listed(shop, seen[-1].number)] == [late, later]
        assert [event.id for event in listed(shop)] == [first, late, later]


def test_a_number_that_nobody_will_fill_is_waited_for_only_where_somebody_might(
    shop: Shop,
) -> None:
    first = shop.happen()
    held_event(shop, "doc_1")
    later = shop.happen()
    with shop.documents.engine.begin() as connection:
        assert retract(connection, events.c.document_id == "doc_1") is not None
    is_sqlite = shop.documents.engine.dialect.name == "sqlite"
    at_once = [first, later] if is_sqlite else [first]
    for seconds, seen in (
        (20, at_once),
        (61, [first, later]),
        (None, [first, later]),
    ):
        numbered_at = (
            sa.null() if seconds is None else datetime.now(UTC) - timedelta(seconds=seconds)
        )
        if not is_sqlite:
            with shop.documents.engine.begin() as connection:
                connection.execute(sa.update(events).values(numbered_at=numbered_at))
        assert [event.id for event in listed(shop)] == seen


def test_couriers_that_race_never_hold_the_same_attempt(shop: Shop) -> None:
    for _ in range(4):
        shop.subscribe()
    for _ in range(10):
        shop.happen()
    held: list[tuple[int, int]] = []
    barrier = threading.Barrier(4)
    problems: list[Exception] = []

    def race() -> None:
        barrier.wait()
        try:
            while shop.webhooks.fan_out(now=NOON):
                pass
            idle = 0
            while idle < 5:  # others may hold what is left
                attempt = shop.webhooks.claim(now=NOON, lease=LEASE)
                if attempt is None:
                    idle += 1
                    continue
                held.append((attempt.delivery, attempt.fence))
                assert shop.webhooks.settle(attempt, FINE, due_at=None)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shop.told()
    assert not problems
    assert len(held) == len(set(held)) == len({delivery for delivery, _ in held})
    events = shop.webhooks.events(after=0, limit=100, now=NOON)
    assert [len(event.deliveries) for event in events] == [4] * 10
    assert {one.state for event in events for one in event.deliveries} == {"delivered"}
    assert {one.attempts for event in events for one in event.deliveries} == {1}


def test_an_outcome_knows_when_the_receiver_is_gone() -> None:
    assert GONE.is_gone and not replace(GONE, status=404).is_gone


# What can still be taken back


def held_event(shop: Shop, document_id: str, seconds: int = 12) -> str:
    with held(NOON + timedelta(seconds=seconds)), shop.documents.engine.begin() as connection:
        return record_event(
            connection, "document.ruled", occurred_at=NOON, body={}, document_id=document_id
        )


def later_event(shop: Shop, document_id: str) -> str:
    with shop.documents.engine.begin() as connection:
        return record_event(
            connection, "document.deleted", occurred_at=NOON, body={}, document_id=document_id
        )


def told_at(shop: Shop, seconds: int) -> list[str]:
    now = NOON + timedelta(seconds=seconds)
    while shop.webhooks.fan_out(now=now):
        pass
    ids = []
    while (attempt := shop.webhooks.claim(now=now, lease=LEASE)) is not None:
        ids.append(attempt.event_id)
        assert shop.webhooks.settle(attempt, FINE, due_at=None)
    return ids


def test_what_can_still_be_taken_back_is_told_once_it_cannot(shop: Shop) -> None:
    shop.subscribe()
    ruled = held_event(shop, "doc_1")
    assert told_at(shop, 11) == []
    assert told_at(shop, 12) == [ruled]
    assert told_at(shop, 13) == []


def test_nothing_overtakes_an_event_about_its_document_and_other_documents_do_not_wait(
    shop: Shop,
) -> None:
    shop.subscribe()
    ruled, deleted = held_event(shop, "doc_1"), later_event(shop, "doc_1")
    other = later_event(shop, "doc_2")
    assert told_at(shop, 1) == [other]
    assert told_at(shop, 12) == [ruled, deleted]


def test_the_list_of_events_ends_before_the_first_that_can_be_taken_back(shop: Shop) -> None:
    first = later_event(shop, "doc_1")
    ruled, after = held_event(shop, "doc_1"), later_event(shop, "doc_2")

    def listed(seconds: int) -> list[str]:
        now = NOON + timedelta(seconds=seconds)
        return [event.id for event in shop.webhooks.events(after=0, limit=9, now=now)]

    assert listed(11) == [first]
    assert listed(12) == [first, ruled, after]


def test_only_what_nobody_was_told_of_is_taken_back(shop: Shop) -> None:
    shop.subscribe()
    ruled = held_event(shop, "doc_1")
    of_document = events.c.document_id == "doc_1"
    assert told_at(shop, 12) == [ruled]
    with shop.documents.engine.begin() as connection:
        assert retract(connection, of_document) is None
    held_event(shop, "doc_1", seconds=20)
    with shop.documents.engine.begin() as connection:
        assert retract(connection, of_document) == NOON + timedelta(seconds=20)
    assert told_at(shop, 30) == []


def test_a_hold_within_another_makes_nothing_sooner(shop: Shop) -> None:
    shop.subscribe()
    with held(NOON + timedelta(seconds=30)):
        ruled = held_event(shop, "doc_1")
    assert told_at(shop, 29) == []
    assert told_at(shop, 30) == [ruled]
