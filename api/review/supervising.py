"""The supervisor's page: what was decided, how alike, and where the machine was overruled."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from fastapi import APIRouter, Depends, Response
from starlette.responses import StreamingResponse

from api.review import views
from api.review.account import HOME
from api.review.charts import Line, bar_px, sparkline
from api.review.texts import TEXTS, counted, hour
from api.review.visits import Visit, visits
from api.services import Services
from docqa.reviewing import ESCALATE_WITHIN, Figures, QueueFilter, Waiting, share

_PERIODS_DAYS = (7, 30, 90)
_REASONS_SHOWN = 12
_ESCALATIONS_SHOWN = 8
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would run."""
_COLUMNS = (
    "document_id",
    "document_type",
    "reviewer",
    "outcome",
    "decided_at",
    "took_s",
    "score",
    "capture_class",
    "found_codes",
    "given_codes",
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a bar chart."""

    label: str
    bar_px: float
    shown: tuple[str, ...]
    """What stands beside the bar."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A document that waits for a supervisor."""

    id: str
    title: str
    booking_ref: str | None
    left: views.Left
    by: str | None
    """The reviewer who passed it on."""
    since: str
    """When it was escalated because little time was left; "" when it was not."""
    holder: str | None


@dataclass(frozen=True, slots=True)
class Trend:
    """How often one reason was found, day by day."""

    label: str
    total: int
    line: Line


def supervisor_routes(services: Services) -> APIRouter:
    """``/review/supervision`` and its exports, for supervisors."""
    router = APIRouter(prefix=f"{HOME}/supervision", include_in_schema=False)
    signed_in = Depends(visits(services))

    @router.get("")
    def show(visit: Visit = signed_in) -> Response:
        if not visit.supervises:
            return visit.render("refused.html", 403)
        days = _period(visit)
        figures = services.desk.figures(**_between(services, days))
        return visit.render(
            "supervision.html",
            periods=_PERIODS_DAYS,
            days=days,
            escalations=_escalations(services, visit),
            **_charts(figures, visit.language),
        )

    @router.get("/decisions.{form}")
    def export(form: str, visit: Visit = signed_in) -> Response:
        if not visit.supervises:
            return visit.render("refused.html", 403)
        if form not in ("csv", "jsonl"):
            return visit.render("missing.html", 404)
        rows = services.desk.decisions(**_between(services, _period(visit)))
        lines = csv_lines(rows) if form == "csv" else json_lines(rows)
        kind = "text/csv; charset=utf-8" if form == "csv" else "application/jsonl"
        name = f'attachment; filename="decisions.{form}"'
        return StreamingResponse(lines, media_type=kind, headers={"Content-Disposition": name})

    return router


def _escalations(services: Services, visit: Visit) -> list[Escalation]:
    """What waits for a supervisor: lapses soon, or was passed on by a reviewer; the first few."""
    now, zone = services.clock(), services.settings.time_zone
    soon = QueueFilter(due_before=now + ESCALATE_WITHIN)
    found: dict[str, Waiting] = {}
    for which in (QueueFilter(escalated=True), soon):
        for waiting in services.desk.queue(which, after=None, limit=_ESCALATIONS_SHOWN, now=now):
            found.setdefault(waiting.id, waiting)
    return [
        Escalation(
            id=one.id,
            title=views.type_title(services.document_types, one.document_type, visit.language),
            booking_ref=one.booking_ref,
            left=views.time_left(one.deadline_at, now, visit.language),
            by=one.escalated_by,
            since=""
            if one.deadline_near_at is None
            else hour(one.deadline_near_at, visit.language, zone),
            holder=one.holder,
        )
        for one in found.values()
    ]


def csv_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """RFC 4180 with a header; no cell begins like a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in _with_header(rows):
        writer.writerow([_cell(row[name]) for name in _COLUMNS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One JSON object per line."""
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _with_header(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    yield {name: name for name in _COLUMNS}
    yield from rows


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _period(visit: Visit) -> int:
    asked = visit.request.query_params.get("days", "")
    return int(asked) if asked in map(str, _PERIODS_DAYS) else _PERIODS_DAYS[1]


def _between(services: Services, days: int) -> dict[str, str]:
    today = services.clock().astimezone(UTC).date()
    return {
        "first_day": (today - timedelta(days=days - 1)).isoformat(),
        "last_day": today.isoformat(),
    }


def _charts(figures: Figures, language: str) -> dict[str, Any]:
    texts = TEXTS[language]
    sampled, decided, agreed = figures.second_looks
    return {
        "total": sum(figures.per_day),
        "first_day": figures.days[0],
        "last_day": figures.days[-1],
        "per_day": sparkline(figures.per_day),
        "agreement": _percent(share(agreed, decided)),
        "agreement_of": counted("agreement_of", decided, language, agreed=agreed, sampled=sampled),
        "throughput": _bars(
            [
                (name, count, (f"{count:,}", _seconds(mean, texts)))
                for name, count, mean in figures.per_reviewer
            ]
        ),
        "outcomes": _bars(
            [
                (texts.get(f"action_{name}", name), count, (f"{count:,}",))
                for name, count in figures.per_outcome
            ]
        ),
        "trends": [
            Trend(views.reason_label(code, language), sum(counts), sparkline(counts))
            for code, counts in figures.reasons[:_REASONS_SHOWN]
        ],
        "overturned_reasons": _overturned(
            [
                (views.reason_label(code, language), count, accepted)
                for code, count, accepted in figures.overturned_reasons[:_REASONS_SHOWN]
            ]
        ),
        "overturned_captures": _overturned(
            [
                (views.capture_label(name, language), count, accepted)
                for name, count, accepted in figures.overturned_captures
            ]
        ),
    }


def _bars(rows: list[tuple[str, int, tuple[str, ...]]]) -> list[Bar]:
    most = max((count for _, count, _ in rows), default=0)
    return [Bar(label, bar_px(share(count, most)), shown) for label, count, shown in rows]


def _overturned(rows: list[tuple[str, int, int]]) -> list[Bar]:
    return [
        Bar(
            label,
            bar_px(share(accepted, count)),
            (f"{accepted:,} / {count:,}", _percent(share(accepted, count))),
        )
        for label, count, accepted in rows
    ]


def _percent(part: float | None) -> str:
    return "–" if part is None else f"{100 * part:.0f}%"


def _seconds(mean: float | None, texts: Mapping[str, str]) -> str:
    return "–" if mean is None else texts["seconds"].format(n=f"{mean:.0f}")
