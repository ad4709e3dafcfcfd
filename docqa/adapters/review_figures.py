"""What reviewers did in a period, counted by the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from docqa.adapters.review_tables import review_decision_codes, review_decisions, second_looks
from docqa.reviewing import Figures, days_between

_ROWS_AT_ONCE = 500
_ACCEPTED = sa.func.sum(sa.case((review_decisions.c.outcome == "accept", 1), else_=0))
_COUNT = sa.func.count()


def figures(connection: sa.Connection, first_day: str, last_day: str) -> Figures:
    """See :class:`docqa.reviewing.ReviewDesk`."""
    made = _made(first_day, last_day)
    days = days_between(first_day, last_day)
    ruled = (*made, review_decisions.c.outcome != "escalate")
    decision, code = review_decisions.c, review_decision_codes.c.code

    def rows(*columns: Any, where: Any = made, by: Any, codes: bool = False) -> list[Any]:
        query = sa.select(*columns).where(*where).group_by(*by)
        if codes:
            query = query.join_from(review_decisions, review_decision_codes)
        return list(connection.execute(query))

    per_day = {day: count for day, count in rows(decision.day, _COUNT, by=[decision.day])}
    over_time: dict[str, dict[str, int]] = {}
    for name, day, count in rows(code, decision.day, _COUNT, by=[code, decision.day], codes=True):
        over_time.setdefault(name, {})[day] = count
    return Figures(
        days=days,
        per_reviewer=tuple(
            (name, count, None if mean is None else float(mean))
            for name, count, mean in sorted(
                rows(
                    decision.reviewer, _COUNT, sa.func.avg(decision.took_s), by=[decision.reviewer]
                ),
                key=lambda row: (-row[1], row[0]),
            )
        ),
        per_day=tuple(per_day.get(day, 0) for day in days),
        per_outcome=tuple(
            (name, count) for name, count in rows(decision.outcome, _COUNT, by=[decision.outcome])
        ),
        reasons=tuple(
            (name, tuple(counts.get(day, 0) for day in days))
            for name, counts in sorted(
                over_time.items(), key=lambda item: (-sum(item[1].values()), item[0])
            )
        ),
        overturned_reasons=_overturned(
            rows(code, _COUNT, _ACCEPTED, where=ruled, by=[code], codes=True)
        ),
        overturned_captures=_overturned(
            rows(
                decision.capture_class, _COUNT, _ACCEPTED, where=ruled, by=[decision.capture_class]
            )
        ),
        second_looks=_second_looks(connection, first_day, last_day),
    )


def decisions(connection: sa.Connection, first_day: str, last_day: str) -> Iterator[dict[str, Any]]:
    """See :class:`docqa.reviewing.ReviewDesk`."""
    query = (
        sa.select(review_decisions)
        .where(*_made(first_day, last_day))
        .order_by(review_decisions.c.number)
    )
    for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query):
        yield {
            "document_id": row.document_id,
            "document_type": row.document_type,
            "reviewer": row.reviewer,
            "outcome": row.outcome,
            "decided_at": row.decided_at.isoformat(),
            "took_s": row.took_s,
            "score": row.score,
            "capture_class": row.capture_class,
            "found_codes": list(row.found_codes),
            "given_codes": list(row.given_codes),
        }


def _made(first_day: str, last_day: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        review_decisions.c.day >= first_day,
        review_decisions.c.day <= last_day,
        review_decisions.c.undone_at.is_(None),
    )


def _overturned(rows: list[Any]) -> tuple[tuple[str, int, int], ...]:
    ordered = sorted(rows, key=lambda row: (-row[2], -row[1], row[0] or ""))
    return tuple((name or "unknown", count, int(accepted)) for name, count, accepted in ordered)


def _second_looks(connection: sa.Connection, first_day: str, last_day: str) -> tuple[int, int, int]:
    agree = second_looks.c.second_outcome == second_looks.c.first_outcome
    query = (
        sa.select(
            _COUNT,
            sa.func.count(second_looks.c.second_outcome),
            sa.func.coalesce(sa.func.sum(sa.case((agree, 1), else_=0)), 0),
        )
        .select_from(second_looks)
        .where(second_looks.c.first_day >= first_day, second_looks.c.first_day <= last_day)
    )
    sampled, decided, agreed = connection.execute(query).one()
    return int(sampled), int(decided), int(agreed)
