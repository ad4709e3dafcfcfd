"""Bookings in an SQL database, judged anew in every transaction that changes their documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from docqa.adapters.booking_tables import booking_attempts, bookings
from docqa.adapters.events import held, record_event, retract
from docqa.adapters.review_tables import review_facts
from docqa.adapters.schema import documents, events
from docqa.adapters.store import SqlStore
from docqa.bookings import Assessment, Booking
from docqa.ports import StoredDocument

Judge = Callable[[Booking, Sequence[StoredDocument]], Assessment]

_IS_CANCELLED = sa.bindparam("is_cancelled", type_=sa.Boolean)
_LAPSES = sa.bindparam("lapses", type_=documents.c.deadline_at.type)
_OWN = documents.c.own_deadline_at
_DUE = sa.case((_OWN < _LAPSES, _OWN), else_=_LAPSES)
# Statements of every upload are made once. Mostly there is nothing to bind: a look is cheaper.
_TO_BIND = sa.select(documents.c.id, (documents.c.deadline_at < _DUE).label("is_later")).where(
    (documents.c.is_withdrawn != _IS_CANCELLED) | documents.c.deadline_at.is_distinct_from(_DUE)
)
_ONE_TO_BIND = _TO_BIND.where(documents.c.id == sa.bindparam("its_document"))
_ALL_TO_BIND = _TO_BIND.where(
    documents.c.client_id == sa.bindparam("its_client"),
    documents.c.booking_ref == sa.bindparam("its_ref"),
)


class SqlBookings:
    """Bookings, and how often each document was uploaded for them.

    From its making on, every change of a document in ``store`` refreshes the booking it belongs to,
    in the same transaction.

    Args:
        store: the documents.
        judge: what becomes of a booking with these documents.
        deadline: until when everything must be there for a booking.
    """

    def __init__(
        self, store: SqlStore, judge: Judge, deadline: Callable[[Booking], datetime]
    ) -> None:
        self._store = store
        self._judge = judge
        self._deadline = deadline
        store.watch(self._refresh)

    def get(self, client_id: str, ref: str) -> Booking | None:
        """The booking; None when this client has none with this reference."""
        with self._store.engine.connect() as connection:
            row = connection.execute(sa.select(bookings).where(_is(client_id, ref))).one_or_none()
        return None if row is None else _booking(row)

    def put(self, booking: Booking, *, now: datetime) -> bool:
        """Create the booking, or change it; whether it is new.

        Its documents lapse with it, or by their own deadline where that is earlier.
        """
        values = {
            "service": booking.service, "booked_at": booking.booked_at, "state": booking.state
        }  # fmt: skip
        which, deadline = _is(booking.client_id, booking.ref), self._deadline(booking)
        with self._store.engine.begin() as connection:
            _lock_documents(connection, booking)
            before = connection.execute(
                sa.update(bookings)
                .where(which)
                .values(version=bookings.c.version + 1)
                .returning(bookings)
            ).one_or_none()
            if before is None:
                _wait_for_others(connection, booking.client_id, booking.ref)
                connection.execute(
                    sa.insert(bookings).values(
                        client_id=booking.client_id, ref=booking.ref,
                        outcome="", reason_codes=[], version=1, **values,
                    )
                )  # fmt: skip
            else:
                connection.execute(sa.update(bookings).where(which).values(**values))
            _bind_documents(connection, booking, deadline)
            is_other_state = before is not None and before.state != booking.state
            self._tell_if_changed(connection, booking, now, always=is_other_state)
        return before is None

    def assessment(self, booking: Booking) -> Assessment:
        """What becomes of the booking with the documents it has now."""
        return self._judge(booking, self._documents(booking))

    def contradicts(self, booking: Booking, document: StoredDocument) -> bool:
        """Whether a document, stored or not, contradicts those that count of the other types."""
        mine = document.document_type
        others = [one for one in self._documents(booking) if one.document_type != mine]
        if not others:
            return False
        return document.id in self._judge(booking, [*others, document]).contradicting

    def services_in_use(self) -> set[str]:
        """Ids of the services that were booked."""
        with self._store.engine.connect() as connection:
            return set(connection.execute(sa.select(bookings.c.service).distinct()).scalars())

    def attempts(self, client_id: str, ref: str) -> dict[str, int]:
        """Uploads so far: document type -> count."""
        query = sa.select(booking_attempts).where(
            booking_attempts.c.client_id == client_id, booking_attempts.c.booking_ref == ref
        )
        with self._store.engine.connect() as connection:
            return {row.document_type: row.attempts for row in connection.execute(query)}

    def next_attempt(self, client_id: str, ref: str, document_type: str) -> int:
        """Count one more upload of a document; how many there are now.

        An upload that fails afterwards stays counted: at worst a person looks sooner.
        """
        key = {"client_id": client_id, "booking_ref": ref, "document_type": document_type}
        counted = (
            sa.update(booking_attempts)
            .filter_by(**key)
            .values(attempts=booking_attempts.c.attempts + 1)
            .returning(booking_attempts.c.attempts)
        )
        for _ in range(2):
            with self._store.engine.begin() as connection:
                number = connection.execute(counted).scalar_one_or_none()
            if number is not None:
                return int(number)
            try:
                with self._store.engine.begin() as connection:
                    connection.execute(sa.insert(booking_attempts).values(**key, attempts=1))
                return 1
            except sa.exc.IntegrityError:  # another upload came first: count on
                continue
        raise RuntimeError("an attempt could not be counted")

    def _documents(
        self, booking: Booking, connection: sa.Connection | None = None
    ) -> list[StoredDocument]:
        return self._store.find(lambda query: query.where(_of(booking)), connection)

    def _refresh(
        self, connection: sa.Connection, client_id: str, ref: str, document_id: str | None
    ) -> None:
        touch = (
            sa.update(bookings)
            .where(_is(client_id, ref))
            .values(version=bookings.c.version + 1)
            .returning(bookings)
        )
        row = connection.execute(touch).one_or_none()
        if row is None:
            _wait_for_others(connection, client_id, ref)
            row = connection.execute(touch).one_or_none()
        if row is not None:
            booking = _booking(row)
            if document_id is not None:  # held already; the others are not, and must not be now
                _bind_documents(connection, booking, self._deadline(booking), document_id)
            self._tell_if_changed(connection, booking, datetime.now(UTC))

    def _tell_if_changed(
        self, connection: sa.Connection, booking: Booking, now: datetime, *, always: bool = False
    ) -> None:
        held_until = _retract_change(connection, booking)
        found = self._judge(booking, self._documents(booking, connection))
        codes = sorted({reason.code for reason in found.reasons})
        changed = connection.execute(
            sa.update(bookings)
            .where(_is(booking.client_id, booking.ref))
            .where(sa.true() if always else bookings.c.outcome != found.outcome)
            .values(outcome=found.outcome, reason_codes=codes)
        )
        if changed.rowcount:
            with held(held_until):
                record_event(
                    connection,
                    "booking.changed",
                    occurred_at=now,
                    body={"outcome": found.outcome, "state": booking.state, "reason_codes": codes},
                    client_id=booking.client_id,
                    booking_ref=booking.ref,
                )


def _is(client_id: str, ref: str) -> sa.ColumnElement[bool]:
    return (bookings.c.client_id == client_id) & (bookings.c.ref == ref)


def _of(booking: Booking) -> sa.ColumnElement[bool]:
    return (documents.c.client_id == booking.client_id) & (documents.c.booking_ref == booking.ref)


def _lock_documents(connection: sa.Connection, booking: Booking) -> None:
    """Before the booking itself: whoever decides on a document holds that, then wants this."""
    mine = sa.select(documents.c.id).where(_of(booking)).order_by(documents.c.id).with_for_update()
    connection.execute(
        sa.update(documents)
        .where(documents.c.id.in_(mine))
        .values(is_withdrawn=documents.c.is_withdrawn)
    )


def _wait_for_others(connection: sa.Connection, client_id: str, ref: str) -> None:
    """Of a booking that is not there: who makes it and whose document is its first do not see each
    other before they end, so one waits for the other. SQLite has one writer at a time anyhow.
    """
    if connection.dialect.name == "postgresql":
        mine = sa.func.hashtextextended(f"{client_id}/{ref}", 0)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(mine)))


def _bind_documents(
    connection: sa.Connection, booking: Booking, deadline: datetime, document_id: str | None = None
) -> None:
    """Have all documents of the booking, or one, know whether it was cancelled and when they lapse.

    One added just now as well, whose upload may have begun before the booking was changed. Where
    a deadline moves away little time is told anew.
    """
    facts = {"is_cancelled": booking.state == "cancelled", "lapses": deadline}
    if document_id is None:
        of = {"its_client": booking.client_id, "its_ref": booking.ref}
        rows = connection.execute(_ALL_TO_BIND, {**facts, **of}).all()
    else:
        rows = connection.execute(_ONE_TO_BIND, {**facts, "its_document": document_id}).all()
    if not rows:
        return
    moved_away = [row.id for row in rows if row.is_later]
    connection.execute(
        sa.update(review_facts)
        .where(review_facts.c.document_id.in_(moved_away))
        .values(deadline_near_at=None)
    )
    to_bind = sa.update(documents).where(documents.c.id.in_([row.id for row in rows]))
    connection.execute(to_bind.values(is_withdrawn=_IS_CANCELLED, deadline_at=_DUE), facts)


def _retract_change(connection: sa.Connection, booking: Booking) -> datetime | None:
    """Forget a change that nobody was told of yet: it is overtaken, or was taken back.

    The booking then has the outcome that was told last. Returns until when the change was held.
    """
    changes = (
        (events.c.kind == "booking.changed")
        & (events.c.client_id == booking.client_id)
        & (events.c.booking_ref == booking.ref)
    )
    held_until = retract(connection, changes)
    if held_until is not None:
        last = sa.select(events.c.body).where(changes).order_by(events.c.number.desc()).limit(1)
        told = connection.execute(last).scalar_one_or_none() or {"outcome": "", "reason_codes": []}
        connection.execute(
            sa.update(bookings)
            .where(_is(booking.client_id, booking.ref))
            .values(outcome=told["outcome"], reason_codes=told["reason_codes"])
        )
    return held_until


def _booking(row: sa.Row[tuple[object, ...]]) -> Booking:
    return Booking(row.client_id, row.ref, row.service, row.booked_at, row.state)
