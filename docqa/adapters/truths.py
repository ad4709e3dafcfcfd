"""What reviewers decided, beside what had been measured, in an SQL database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from docqa.adapters.report_facts import fill_facts
from docqa.adapters.revalidation_tables import origins, report_facts
from docqa.adapters.review_tables import review_decisions, second_looks
from docqa.adapters.schema import documents, rulings
from docqa.bulk import Origin, origin_from_json
from docqa.tuning import Truth

_ROWS_AT_ONCE = 1000


class SqlTruths:
    """Reads the decisions in force; one that was taken back is none.

    Args:
        engine: of the database that holds the documents.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def decided(self, since: datetime | None = None) -> Iterator[Truth]:
        """Every document with a ruling, once; the facts that are lacking are made first.

        One on which a second reviewer decided otherwise is left out: people do not agree on it.
        """
        fill_facts(self._engine)
        newest = sa.select(sa.func.max(rulings.c.number)).group_by(rulings.c.document_id)
        second = second_looks.c
        query = (
            sa.select(
                documents.c.document_type, rulings.c.decision, review_decisions.c.given_codes,
                report_facts.c.origin, report_facts.c.facts,
            )
            .select_from(rulings)
            .join(documents, documents.c.id == rulings.c.document_id)
            .join(report_facts, report_facts.c.document_id == documents.c.id)
            .outerjoin(
                review_decisions,
                # SQLite gives the number of a ruling that was taken back to the next one.
                (review_decisions.c.ruling_number == rulings.c.number)
                & review_decisions.c.undone_at.is_(None),
            )
            .outerjoin(second_looks, second.document_id == documents.c.id)
            .where(
                rulings.c.number.in_(newest),
                second.second_outcome.is_(None)
                | ((second.second_outcome == "accept") == (rulings.c.decision == "accept")),
            )
            .order_by(rulings.c.number)
        )  # fmt: skip
        if since is not None:
            query = query.where(rulings.c.ruled_at >= since)
        made_by: dict[str, Origin] = {}
        with self._engine.connect() as connection:
            for key, body in connection.execute(sa.select(origins.c.key, origins.c.body)):
                made_by[key] = origin_from_json(key, body)
            rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)
            for kind, decision, codes, origin, facts in rows:
                yield Truth(
                    kind,
                    decision == "accept",
                    tuple(codes or ()),
                    made_by[origin],
                    json.loads(facts)[0],
                )
