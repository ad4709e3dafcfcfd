"""How long the reviewers' pages take to render with a hundred thousand documents waiting.

``python -m benchmarks.load.review_pages [--documents 100000] [--out FILE]``: SQLite in a temporary
folder, the real store and pages, invented reports; server time only, pictures not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import statistics
import tempfile
import time
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher

from api.app import create_app
from api.review.queue import cursor
from api.services import Services
from api.start import start
from docqa.adapters.clients import SqlClients
from docqa.adapters.review_tables import review_facts, review_reasons
from docqa.adapters.schema import documents, open_engine, reports
from docqa.ports import StoredDocument
from docqa.reviewing import Position
from docqa.settings import Settings
from fixtures.demo import uploads

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

_LIMIT_MS = 100.0
_ROUNDS = 9
_AT_ONCE = 10_000
_CODES = ("quality.blur", "quality.glare", "geometry.skew", "capture.unclear", "field.near")
_RARE = "page.blank"
_NAME, _PASSWORD = "bench", "only for this"


def main() -> None:
    """Fill, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/review_pages.json"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(
            database_url=f"sqlite:///{folder}/docqa.sqlite3",
            blobs_dir=folder / "blobs",
        )
        services, close = start(settings)
        try:
            begun = time.perf_counter()
            shown = _fill(services, arguments.documents)
            print(f"filled in {time.perf_counter() - begun:.0f} s", flush=True)
            pages = _measure(services, shown)
        finally:
            close()
    result = {
        "documents_waiting": arguments.documents,
        "database": "SQLite",
        "limit_ms": _LIMIT_MS,
        "machine": {
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "load": os.getloadavg()[0],
        },
        "pages": pages,
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def _fill(services: Services, count: int) -> str:
    """One real document and ``count`` more that share its report; the real one's id."""
    upload = list(uploads())[2]
    with services.files.holding(upload.data) as path:
        found = services.inspector.inspect_file(
            path,
            document_type=upload.document_type,
            claims=upload.claims,
            file_name=upload.file_name,
        )
    now = datetime.now(UTC)
    first = StoredDocument(
        id="doc_" + "0" * 32, blob_key="0" * 32, file_name=upload.file_name,
        document_type=upload.document_type, claims=upload.claims, report=found.report,
        decision="review", received_at=now, booking_ref="B-0",
        deadline_at=now + timedelta(hours=1), readings=found.readings,
    )  # fmt: skip
    services.store.add(first)
    services.rulings.add_reviewer(_NAME, PasswordHasher().hash(_PASSWORD))
    SqlClients(open_engine(services.settings.database_url)).set_role(_NAME, "senior")
    engine = open_engine(services.settings.database_url)
    for begin in range(0, count, _AT_ONCE):
        made = [
            _waiting(first, number, now) for number in range(begin, min(count, begin + _AT_ONCE))
        ]
        _insert(engine, made, now)
    engine.dispose()
    return first.id


def _waiting(first: StoredDocument, number: int, now: datetime) -> StoredDocument:
    return replace(
        first,
        id="doc_" + secrets.token_hex(16),
        booking_ref=f"B-{number}",
        received_at=now - timedelta(minutes=number % 14_000),
        deadline_at=now + timedelta(minutes=7 * number % 15_000),
    )


def _insert(engine: sa.Engine, made: list[StoredDocument], now: datetime) -> None:
    rows, written, facts, reasons = [], [], [], []
    for at, document in enumerate(made):
        codes = [_CODES[at % 5], _CODES[(at + 1) % 5]] + ([_RARE] if at % 1000 == 0 else [])
        row: dict[str, Any] = {
            name: getattr(document, name, None)
            for name in documents.c.keys()  # noqa: SIM118
        }
        rows.append(row | {"report_number": 1, "claims": {}, "readings": {}, "is_withdrawn": False})
        written.append(
            {"document_id": document.id, "number": 1, "report": {"pages": []}, "recorded_at": now}
        )
        facts.append(
            {"document_id": document.id, "score": 50, "capture_class": "scanner", "codes": codes}
            | {"deadline_near_at": now}
        )
        reasons += [{"document_id": document.id, "code": code} for code in codes]
    with engine.begin() as connection:
        for table, values in (
            (documents, rows), (reports, written), (review_facts, facts), (review_reasons, reasons),
        ):  # fmt: skip
            connection.execute(sa.insert(table), values)


def _measure(services: Services, shown: str) -> dict[str, Any]:
    deep = _position(services, 90_000)
    paths = {
        "queue": "/review",
        "queue, far down": f"/review?after={cursor(deep)}",
        "queue, a common reason": f"/review?reason={_CODES[0]}",
        "queue, a rare reason": f"/review?reason={_RARE}",
        "queue, over 7 days": "/review?age=7",
        "queue, mine": "/review?only=mine",
        "queue, under 48 hours": "/review?only=soon",
        "document": f"/review/{shown}",
        "supervision": "/review/supervision",
    }
    client = TestClient(create_app(services))
    form = client.get("/review/login").text.partition('name="form_token" value="')[2]
    client.post(
        "/review/login",
        data={"form_token": form.partition('"')[0], "name": _NAME, "password": _PASSWORD},
    )
    return {name: _timed(client, path) for name, path in paths.items()}


def _position(services: Services, number: int) -> Position:
    """Where the document stands that so many come before."""
    order = documents.c.deadline_at, documents.c.received_at, documents.c.id
    query = sa.select(*order).order_by(*order).offset(number).limit(1)
    engine = open_engine(services.settings.database_url)
    with engine.connect() as connection:
        deadline, received, document_id = connection.execute(query).one()
    engine.dispose()
    return deadline, received, document_id


def _timed(client: TestClient, path: str) -> dict[str, float]:
    """Processor time says what the page costs; the clock also what else the machine was doing."""
    wall_ms, cpu_ms = [], []
    for _ in range(_ROUNDS + 2):
        begun, begun_cpu = time.perf_counter(), time.process_time()
        assert client.get(path).status_code == 200
        wall_ms.append(1000 * (time.perf_counter() - begun))
        cpu_ms.append(1000 * (time.process_time() - begun_cpu))
    quarters = statistics.quantiles(wall_ms[2:], n=4)
    return {
        "cpu_ms": round(statistics.median(cpu_ms[2:]), 1),
        "median_ms": round(quarters[1], 1),
        "upper_quartile_ms": round(quarters[2], 1),
    }


if __name__ == "__main__":
    main()
