"""Webhook endpoints and deliveries in an SQL database."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from docqa.adapters.schema import documents, events
from docqa.adapters.upserting import upsert
from docqa.adapters.webhook_rows import ENDPOINTS, attempt_of, delivery_of, endpoint_of, event_of
from docqa.adapters.webhook_secrets import live_secrets, new_secret, rotated, unopened
from docqa.adapters.webhook_tables import deliveries, webhook_endpoints
from docqa.webhooks.backoff import last_moment
from docqa.webhooks.gaps import before_gap
from docqa.webhooks.records import Attempt, DeliveryRecord, Endpoint, EventRecord, Outcome

_EVENTS_AT_ONCE = 100
_ID_BYTES = 16
_LAST_NUMBER = 2**31 - 1
_HELD = events.alias("held")


class SqlWebhooks:
    """WebhookStore on SQLite or PostgreSQL.

    Args:
        engine: an open database at the newest schema.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    # For administrators

    def add_endpoint(
        self, url: str, *, kinds: Sequence[str], client_id: str | None, now: datetime
    ) -> tuple[Endpoint, str]:
        """See :class:`docqa.webhooks.records.WebhookStore`."""
        while self.fan_out(now=now):  # what happened before is no business of the new one
            pass
        endpoint_id = "whe_" + secrets.token_hex(_ID_BYTES)
        secret = new_secret()
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(webhook_endpoints).values(
                    id=endpoint_id,
                    url=url,
                    kinds=sorted(set(kinds)),
                    client_id=client_id,
                    secret=secret,
                    enabled=True,
                    created_at=now,
                )
            )
        return self.endpoint(endpoint_id), secret

    def endpoints(self) -> list[Endpoint]:
        """See :class:`docqa.webhooks.records.WebhookStore`."""
        query = ENDPOINTS.order_by(webhook_endpoints.c.created_at, webhook_endpoints.c.id)
        with self._engine.connect() as connection:
            return [endpoint_of(row) for row in connection.execute(query)]

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """Raises KeyError."""
        query = ENDPOINTS.where(webhook_endpoints.c.id == endpoint_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise KeyError(endpoint_id)
        return endpoint_of(row)

    def change_endpoint(
        self,
        endpoint_id: str,
        *,
        enabled: bool | None = None,
        kinds: Sequence[str] | None = None,
    ) -> Endpoint:
        """See :class:`docqa.webhooks.records.WebhookStore`."""
        values: dict[str, Any] = {}
        if kinds is not None:
            values["kinds"] = sorted(set(kinds))
        if enabled is not None:
            values |= {"enabled": enabled, "disabled_because": None if enabled else "operator"}
        if values:
            self._change(endpoint_id, values)
        return self.endpoint(endpoint_id)

    def rotate_secret(self, endpoint_id: str, *, now: datetime) -> str:
        """See :class:`docqa.webhooks.records.WebhookStore`."""
        secret = new_secret()
        with self._engine.connect() as connection:
            values = rotated(connection, endpoint_id, secret, now)
        self._change(endpoint_id, values)
        return secret

    def unopened(self) -> list[str]:
        """Ids of the endpoints whose secret cannot be opened: they wait, and are told nothing."""
        with self._engine.connect() as connection:
            return unopened(connection)

    def problems(self) -> list[str]:
        """Which endpoints wait so, for ``/readyz``; [] where the database does not answer."""
        try:
            waiting = self.unopened()
            waiting = [one.id for one in self.endpoints() if one.enabled and one.id in waiting]
        except sa.exc.SQLAlchemyError:
            return []
        return [
            f"the secret of the webhook endpoint {name} cannot be opened: give its key in"
            f" DOCQA_ENCRYPTION_KEYS as well, or another secret by `docqa webhooks rotate {name}`"
            for name in waiting
        ]

    def events(self, *, after: int, limit: int, now: datetime) -> list[EventRecord]:
        """See :class:`docqa.webhooks.records.WebhookStore`."""
        first_held = sa.select(sa.func.min(_HELD.c.number)).where(*_is_held(now))
        query = (
            sa.select(events)
            .where(events.c.number > after)
            .where(events.c.number < sa.func.coalesce(first_held.scalar_subquery(), _LAST_NUMBER))
            .order_by(events.c.number)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            asked_at = connection.execute(sa.select(sa.func.now())).scalar_one()
            found = connection.execute(query).all()
            numbered = [(row.number, row.numbered_at) for row in found]
            found = found[: before_gap(numbered, after=after, now=asked_at)]
            numbers = [row.number for row in found]
            told: dict[int, list[DeliveryRecord]] = {number: [] for number in numbers}
            for row in connection.execute(
                sa.select(deliveries)
                .where(deliveries.c.event_number.in_(numbers))
                .order_by(deliveries.c.number)
            ):
                told[row.event_number].append(delivery_of(row))
        return [event_of(row, told[row.number]) for row in found]

    def redeliver(self, event_id: str, *, endpoint_id: str | None, now: datetime) -> int:
        """See :class:`docqa.webhooks.records.WebhookStore`."""
        with self._engine.connect() as connection:
            event = connection.execute(
                sa.select(events).where(events.c.id == event_id)
            ).one_or_none()
        if event is None:
            raise KeyError(event_id)
        if endpoint_id is not None:
            wanting = [self.endpoint(endpoint_id)]
            if wanting[0].client_id not in (None, event.client_id):
                raise ValueError("gets only events of another client")
        else:
            wanting = [one for one in self.endpoints() if one.enabled and _wants(one, event)]
        for one in wanting:
            try:
                self._start_again(event.number, one.id, now)
            except sa.exc.IntegrityError:  # made by another in between
                self._start_again(event.number, one.id, now)
        return len(wanting)

    # For couriers

    def fan_out(self, *, now: datetime) -> int:
        """See :class:`docqa.webhooks.records.WebhookStore`."""
        before = sa.exists().where(
            *_is_held(now), _HELD.c.document_id == events.c.document_id,
            _HELD.c.number < events.c.number,
        )  # fmt: skip
        free = events.c.held_until.is_(None) | (events.c.held_until <= now)
        new = events.c.told_at.is_(None) & free & ~before
        with self._engine.connect() as connection:  # idle couriers take no lock
            if connection.execute(sa.select(events.c.number).where(new).limit(1)).first() is None:
                return 0
        batch = (
            sa.select(events.c.number)
            .where(new)
            .order_by(events.c.number)
            .limit(_EVENTS_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        with self._engine.begin() as connection:
            told = connection.execute(
                sa.update(events)
                .where(events.c.number.in_(batch))
                .values(told_at=now)
                .returning(
                    events.c.number,
                    events.c.kind,
                    events.c.client_id,
                    events.c.document_id,
                    events.c.occurred_at,
                )
            ).all()
            rows = list(_deliveries_of(connection, sorted(told), now))
            upsert(connection, deliveries, rows, keep=True)  # some may be told again already
        return len(told)

    def claim(self, *, now: datetime, lease: timedelta, at_once: int = 2) -> Attempt | None:
        """See :class:`docqa.webhooks.records.WebhookStore`."""
        with self._engine.connect() as connection:  # idle couriers take no lock
            due = _due(now, at_once, unopened(connection))
            if connection.execute(due).first() is None:
                return None
        first = due.with_for_update(skip_locked=True, of=deliveries).scalar_subquery()
        with self._engine.begin() as connection:
            held = connection.execute(
                sa.update(deliveries)
                .where(deliveries.c.number == first)
                .values(
                    lease_until=now + lease,
                    fence=deliveries.c.fence + 1,
                    attempts=deliveries.c.attempts + 1,
                )
                .returning(*deliveries.c)
            ).one_or_none()
            if held is None:  # another courier was quicker
                return None
            event = connection.execute(
                sa.select(events).where(events.c.number == held.event_number)
            ).one()
            url = connection.execute(
                sa.select(webhook_endpoints.c.url).where(webhook_endpoints.c.id == held.endpoint_id)
            ).scalar_one()
            live = live_secrets(connection, held.endpoint_id, now)
        return attempt_of(held, event, url, live)

    def settle(self, attempt: Attempt, outcome: Outcome, *, due_at: datetime | None) -> bool:
        """See :class:`docqa.webhooks.records.WebhookStore`."""
        values: dict[str, Any] = {
            "lease_until": None,
            "status": outcome.status,
            "error": outcome.error,
        }
        if outcome.delivered:
            values["state"] = "delivered"
        elif due_at is None:
            values["state"] = "given_up"
        else:
            values["due_at"] = due_at
        mine = (deliveries.c.number == attempt.delivery) & (deliveries.c.fence == attempt.fence)
        with self._engine.begin() as connection:
            settled = connection.execute(sa.update(deliveries).where(mine).values(**values))
            if settled.rowcount == 1 and outcome.is_gone:
                connection.execute(
                    sa.update(webhook_endpoints)
                    .where(webhook_endpoints.c.id == attempt.endpoint_id)
                    .values(enabled=False, disabled_because="gone")
                )
        return settled.rowcount == 1

    def _change(self, endpoint_id: str, values: dict[str, Any]) -> None:
        with self._engine.begin() as connection:
            changed = connection.execute(
                sa.update(webhook_endpoints)
                .where(webhook_endpoints.c.id == endpoint_id)
                .values(**values)
            )
        if changed.rowcount == 0:
            raise KeyError(endpoint_id)

    def _start_again(self, event_number: int, endpoint_id: str, now: datetime) -> None:
        values = {
            "state": "waiting",
            "attempts": 0,
            "due_at": now,
            "until": last_moment(now, None),
            "status": None,
            "error": None,
        }
        with self._engine.begin() as connection:
            again = connection.execute(
                sa.update(deliveries)
                .where(
                    deliveries.c.event_number == event_number,
                    deliveries.c.endpoint_id == endpoint_id,
                )
                # Whoever is at it right now keeps the lease, but has no say any more.
                .values(**values, fence=deliveries.c.fence + 1)
            )
            if again.rowcount == 0:
                connection.execute(
                    sa.insert(deliveries).values(
                        **values, event_number=event_number, endpoint_id=endpoint_id, fence=0
                    )
                )


def _is_held(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """That nobody may be told of ``_HELD`` yet."""
    return _HELD.c.told_at.is_(None), _HELD.c.held_until > now


def _due(now: datetime, at_once: int, unopened: Sequence[str]) -> sa.Select[tuple[int]]:
    free = deliveries.c.lease_until.is_(None) | (deliveries.c.lease_until <= now)
    waiting = deliveries.c.state == "waiting"
    other = deliveries.alias()
    busy = (
        sa.select(other.c.endpoint_id)
        .where(other.c.state == "waiting", other.c.lease_until > now)
        .group_by(other.c.endpoint_id)
        .having(sa.func.count() >= at_once)
    )
    return (
        sa.select(deliveries.c.number)
        .join(webhook_endpoints, webhook_endpoints.c.id == deliveries.c.endpoint_id)
        .where(
            webhook_endpoints.c.enabled,
            waiting,
            deliveries.c.due_at <= now,
            free,
            deliveries.c.endpoint_id.not_in(busy),
            deliveries.c.endpoint_id.not_in(unopened),
        )
        .order_by(deliveries.c.due_at, deliveries.c.number)
        .limit(1)
    )


def _deliveries_of(
    connection: sa.Connection, told: Sequence[sa.Row[Any]], now: datetime
) -> Iterable[dict[str, Any]]:
    query = ENDPOINTS.where(webhook_endpoints.c.enabled)
    wanting = [endpoint_of(row) for row in connection.execute(query)]
    about = {event.document_id for event in told if event.document_id} if wanting else set()
    deadlines: dict[str, datetime | None] = {
        row.id: row.deadline_at
        for row in connection.execute(
            sa.select(documents.c.id, documents.c.deadline_at).where(documents.c.id.in_(about))
        )
    }
    for event in told:
        until = last_moment(event.occurred_at, deadlines.get(event.document_id))
        for endpoint in wanting:
            if _wants(endpoint, event):
                yield {
                    "event_number": event.number,
                    "endpoint_id": endpoint.id,
                    "state": "waiting",
                    "attempts": 0,
                    "due_at": now,
                    "until": until,
                    "fence": 0,
                }


def _wants(endpoint: Endpoint, event: sa.Row[Any]) -> bool:
    of_its_client = endpoint.client_id in (None, event.client_id)
    return of_its_client and (not endpoint.kinds or event.kind in endpoint.kinds)
