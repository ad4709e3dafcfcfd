"""The single steps of a reviewer's decision, each inside the caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from docqa.adapters.document_rows import put_in_force
from docqa.adapters.events import record_event, retract
from docqa.adapters.review_tables import (
    review_claims,
    review_decision_codes,
    review_decisions,
    review_facts,
    review_trail,
    second_looks,
)
from docqa.adapters.schema import documents, events, rulings
from docqa.ports import Ruling
from docqa.reviewing import Claim, Decided, TrailEntry

PUT_BACK = second_looks.c.first_at
"""What ``second_until`` is once the reviewer put it back: earlier than any lease ends."""
ONLY_VERSION = 1
"""Of a second look, which nobody takes over."""
WAITS = (documents.c.decision == "review") & ~documents.c.is_withdrawn


def lock(connection: sa.Connection, document_id: str, which: sa.ColumnElement[bool]) -> bool:
    """Take the document's lock; whether it is among ``which``."""
    locked = connection.execute(
        sa.update(documents)
        .where(documents.c.id == document_id, which)
        .values(decision=documents.c.decision)
    )
    return bool(locked.rowcount)


def claim_of(connection: sa.Connection, document_id: str) -> Claim | None:
    """The claim on a document, over or not."""
    row = connection.execute(
        sa.select(review_claims).where(review_claims.c.document_id == document_id)
    ).one_or_none()
    if row is None:
        return None
    return Claim(row.document_id, row.reviewer, row.version, row.claimed_at, row.until)


def write_claim(connection: sa.Connection, claim: Claim, *, is_new: bool) -> None:
    """Put a claim in the place of the one before."""
    values = {
        "reviewer": claim.reviewer,
        "version": claim.version,
        "claimed_at": claim.claimed_at,
        "until": claim.until,
    }
    if is_new:
        connection.execute(sa.insert(review_claims).values(document_id=claim.document_id, **values))
    else:
        connection.execute(
            sa.update(review_claims)
            .where(review_claims.c.document_id == claim.document_id)
            .values(**values)
        )


def is_lost(held: Claim | None, decided: Decided, claim_version: int | None) -> bool:
    """Whether somebody else came in between."""
    mine = held is not None and held.reviewer == decided.reviewer
    if held is not None and not mine and held.until > decided.decided_at:
        return True
    if claim_version is None:
        return False
    return held is None or not mine or held.version != claim_version


def is_changed(connection: sa.Connection, decided: Decided) -> bool:
    """Whether the document waits with another report than the reviewer saw."""
    other = sa.select(documents.c.id).where(
        documents.c.id == decided.document_id,
        documents.c.report_number != decided.report_number,
        WAITS,
    )
    return connection.execute(other).first() is not None


def rule(connection: sa.Connection, decided: Decided) -> int | None:
    """Put the decision in force; the ruling's number, None when the document does not wait."""
    ruling = Ruling(
        document_id=decided.document_id,
        decision="accept" if decided.outcome == "accept" else "reject",
        reason=decided.message,
        reviewer=decided.reviewer,
        ruled_at=decided.decided_at,
    )
    if not put_in_force(connection, ruling, (documents.c.id == decided.document_id) & WAITS):
        return None
    newest = sa.select(sa.func.max(rulings.c.number)).where(
        rulings.c.document_id == decided.document_id
    )
    return int(connection.execute(newest).scalar_one())


def write_decision(
    connection: sa.Connection, decided: Decided, ruling_number: int | None, held: Claim | None
) -> None:
    """Record what was decided, with what had been found."""
    facts = connection.execute(
        sa.select(
            documents.c.document_type,
            review_facts.c.score,
            review_facts.c.capture_class,
            review_facts.c.codes,
        )
        .outerjoin(review_facts, review_facts.c.document_id == documents.c.id)
        .where(documents.c.id == decided.document_id)
    ).one()
    mine = held is not None and held.reviewer == decided.reviewer
    took = decided.decided_at - held.claimed_at if held is not None and mine else None
    number = connection.execute(
        sa.insert(review_decisions)
        .values(
            document_id=decided.document_id,
            ruling_number=ruling_number,
            reviewer=decided.reviewer,
            outcome=decided.outcome,
            note=decided.note,
            decided_at=decided.decided_at,
            day=_day(decided.decided_at),
            took_s=None if took is None else int(took.total_seconds()),
            document_type=facts.document_type,
            capture_class=facts.capture_class,
            score=facts.score,
            found_codes=facts.codes or [],
            given_codes=list(decided.given_codes),
        )
        .returning(review_decisions.c.number)
    ).scalar_one()
    if facts.codes:
        connection.execute(
            sa.insert(review_decision_codes),
            [{"decision_number": number, "code": code} for code in facts.codes],
        )
    if decided.outcome == "escalate":
        _escalate(connection, decided.document_id, decided.decided_at, decided.reviewer)
    _note_in_trail(connection, decided, decided.outcome)


def sample(connection: sa.Connection, decided: Decided) -> None:
    """Have somebody else decide the document a second time."""
    connection.execute(
        sa.delete(second_looks).where(second_looks.c.document_id == decided.document_id)
    )
    connection.execute(
        sa.insert(second_looks).values(
            document_id=decided.document_id,
            first_reviewer=decided.reviewer,
            first_outcome=_side(decided),
            first_at=decided.decided_at,
            first_day=_day(decided.decided_at),
        )
    )


def second_look_of(document_id: str, reviewer: str) -> tuple[sa.ColumnElement[bool], ...]:
    """That the reviewer was the last to get the document for a second look, still undecided."""
    return (
        second_looks.c.document_id == document_id,
        second_looks.c.second_reviewer == reviewer,
        second_looks.c.second_outcome.is_(None),
    )


def hold_second_look(
    connection: sa.Connection, document_id: str, reviewer: str, until: datetime
) -> bool:
    """Hold it longer, or again; False when it is none of this reviewer's."""
    held = connection.execute(
        sa.update(second_looks)
        .where(*second_look_of(document_id, reviewer))
        .values(second_until=until)
    )
    return bool(held.rowcount)


def second_look_claim(connection: sa.Connection, document_id: str) -> Claim | None:
    """Who was the last to get it for a second look, still undecided."""
    row = connection.execute(
        sa.select(second_looks).where(
            second_looks.c.document_id == document_id,
            second_looks.c.second_reviewer.is_not(None),
            second_looks.c.second_outcome.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    since = row.first_at  # or later: when it was taken is kept in the trail alone
    return Claim(document_id, row.second_reviewer, ONLY_VERSION, since, row.second_until)


def decide_second_look(
    connection: sa.Connection, decided: Decided
) -> Literal["recorded", "changed"] | None:
    """Record what the second look says; nothing comes into force.

    ``changed`` when the document has another report than the reviewer saw; None when it is no
    second look.
    """
    mine = second_look_of(decided.document_id, decided.reviewer)
    seen = sa.exists().where(
        documents.c.id == decided.document_id,
        documents.c.report_number == decided.report_number,
    )
    done = connection.execute(
        sa.update(second_looks)
        .where(*mine, seen)
        .values(second_outcome=_side(decided), second_at=decided.decided_at)
    )
    if done.rowcount:
        _note_in_trail(connection, decided, "second_look")
        return "recorded"
    is_mine = connection.execute(sa.select(second_looks.c.document_id).where(*mine)).first()
    return None if is_mine is None else "changed"


def take_back(connection: sa.Connection, row: sa.Row[Any], now: datetime) -> None:
    """Undo the decision in ``row`` of review_decisions: the document waits again."""
    connection.execute(
        sa.update(review_decisions)
        .where(review_decisions.c.number == row.number)
        .values(undone_at=now)
    )
    if row.ruling_number is None:
        earlier = connection.execute(_newest_escalation(row.document_id)).first()
        at, by = (None, None) if earlier is None else (earlier.decided_at, earlier.reviewer)
        _escalate(connection, row.document_id, at, by)
    else:
        connection.execute(sa.delete(rulings).where(rulings.c.number == row.ruling_number))
        reopened = connection.execute(
            sa.update(documents)
            .where(documents.c.id == row.document_id)
            .values(decision="review")
            .returning(documents.c.client_id, documents.c.booking_ref)
        ).one()
        ruled = (events.c.kind == "document.ruled") & (events.c.document_id == row.document_id)
        if retract(connection, ruled) is None:  # it was told: so is this
            record_event(
                connection,
                "document.reopened",
                occurred_at=now,
                body={"decision": "review"},
                client_id=reopened.client_id,
                document_id=row.document_id,
                booking_ref=reopened.booking_ref,
            )
    connection.execute(
        sa.delete(second_looks).where(
            second_looks.c.document_id == row.document_id,
            second_looks.c.first_at == row.decided_at,
        )
    )
    record(connection, TrailEntry(row.document_id, row.reviewer, "undone", "", now))


def record(connection: sa.Connection, entry: TrailEntry) -> None:
    """Add to the trail."""
    connection.execute(
        sa.insert(review_trail).values(
            document_id=entry.document_id,
            reviewer=entry.reviewer,
            action=entry.action,
            detail=entry.detail,
            recorded_at=entry.recorded_at,
        )
    )


def _newest_escalation(document_id: str) -> sa.Select[tuple[datetime, str]]:
    """Of those that nobody took back."""
    return (
        sa.select(review_decisions.c.decided_at, review_decisions.c.reviewer)
        .where(
            review_decisions.c.document_id == document_id,
            review_decisions.c.outcome == "escalate",
            review_decisions.c.undone_at.is_(None),
        )
        .order_by(review_decisions.c.number.desc())
        .limit(1)
    )


def _escalate(
    connection: sa.Connection, document_id: str, at: datetime | None, by: str | None
) -> None:
    connection.execute(
        sa.update(review_facts)
        .where(review_facts.c.document_id == document_id)
        .values(escalated_at=at, escalated_by=by)
    )


def _note_in_trail(connection: sa.Connection, decided: Decided, action: str) -> None:
    detail = " · ".join(filter(None, (", ".join(decided.given_codes), decided.note)))
    record(
        connection,
        TrailEntry(decided.document_id, decided.reviewer, action, detail, decided.decided_at),
    )


def _side(decided: Decided) -> Literal["accept", "reject", "escalate"]:
    return "reject" if decided.outcome == "rescan" else decided.outcome


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
