"""A service whose inspector follows a script; everything else is real."""

from __future__ import annotations

import io
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from PIL import Image, ImageDraw

from api.judging import StoredJudge, policy_json
from api.portal import Portal
from api.services import Inspected, PageRenderer, Services, Texts
from docqa import wiring
from docqa.adapters.blobs import FolderBlobs
from docqa.adapters.bookings import SqlBookings
from docqa.adapters.clients import SqlClients
from docqa.adapters.records import SqlRecords
from docqa.adapters.retention import SqlRetention
from docqa.adapters.revalidation_requests import SqlRequests
from docqa.adapters.revalidations import SqlRevalidations
from docqa.adapters.reviewing import SqlDesk
from docqa.adapters.schema import migrate
from docqa.adapters.sessions import SqlReservations, SqlSessions
from docqa.adapters.store import SqlStore
from docqa.adapters.webhook_store import SqlWebhooks
from docqa.batch.office import Office
from docqa.bookings import BookingRules, assess, filed
from docqa.catalogue import LANGUAGES
from docqa.documents import FieldSpec
from docqa.fields import CLAIM_NAMES
from docqa.memory_files import MemoryFiles
from docqa.overlay import Veil, hide
from docqa.pipeline import Engine
from docqa.settings import Settings
from tests.contracts.stores import postgresql_store, url_of

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PAGE_PX = (1240, 1754)
REVIEWER, PASSWORD = "huda", "correct horse"
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]


def reason(code: str, decision: str, **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "decision": decision,
        "measure": code.rpartition(".")[2],
        "field": None,
        "page": 1,
        "value": 1.84,
        "limit": 1.0,
        "unit": "deg",
        "regions": [],
        "message": {"ar": f"رسالة {code}", "en": f"Message of {code}"},
        "advice": {"ar": f"نصيحة {code}", "en": f"Advice of {code}"},
        **changes,
    }


def report(decision: str = "accept", reasons: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    outline = {"kind": "page", "polygon": square(40, 40, 1100)}
    return {
        "schema": "docqa.report/1",
        "sha256": "0" * 64,
        "document_type": "sy-id-front",
        "verdict": {"decision": decision, "score": 64, "reasons": list(reasons)},
        "pages": [
            {
                "index": 1,
                "width_px": PAGE_PX[0],
                "height_px": PAGE_PX[1],
                "measures": {
                    "perspective": {
                        "status": "assessed",
                        "score": 90,
                        "outputs": {"angle_deg": 0.1},
                        "regions": [outline],
                    },
                    "glare": {"status": "not_assessed", "score": None, "outputs": {}, "why": "-"},
                },
            }
        ],
        "fields": [],
        "faults": [],
        "policy": {"id": "sy-passport", "digest": "sha256:0"},
        "engine": {"version": "0.1.0", "digest": "sha256:0"},
        "timings_ms": {"decode": 1.0, "measures": 1.0, "reading": 0.0},
    }


@dataclass
class ScriptedInspector:
    """Answers with ``answer``, or raises it; remembers what it was asked."""

    answer: dict[str, Any] | Exception = field(default_factory=report)
    readings: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released when an inspection begins."""
    may_end: threading.Event = field(default_factory=threading.Event)
    """Cleared, an inspection waits for it."""

    def __post_init__(self) -> None:
        self.may_end.set()

    def inspect_file(
        self,
        path: Path,
        *,
        document_type: str,
        claims: Mapping[str, str],
        file_name: str,
        sha256: Callable[[], str] | None = None,
    ) -> Inspected:
        digest = None if sha256 is None else sha256()  # completes the file
        self.calls.append(
            {
                "path": path,
                "data": path.read_bytes(),
                "mode": path.stat().st_mode & 0o777,
                "document_type": document_type,
                "claims": dict(claims),
                "file_name": file_name,
                "sha256": digest,
            }
        )
        self.begun.release()
        assert self.may_end.wait(20)
        if isinstance(self.answer, Exception):
            raise self.answer
        return Inspected(self.answer, self.readings)


@dataclass(frozen=True)
class Title:
    title_ar: str
    title_en: str
    other_side: str | None = None
    fields: tuple[FieldSpec, ...] = ()


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Scripted:
    """A service, and the strings it hangs on."""

    replicas: tuple[Services, ...]
    inspector: ScriptedInspector
    clock: Clock
    store: SqlStore
    unready: list[str]

    @property
    def services(self) -> Services:
        """Of the first replica."""
        return self.replicas[0]


def add_key(request: httpx.Request) -> None:
    """As a portal does it: a new key for every upload, unless the test says which."""
    if request.method == "POST" and request.url.path == "/v1/documents":
        request.headers.setdefault("Idempotency-Key", secrets.token_hex(16))


@cache
def _empty_database() -> bytes:
    """Migrated once: a copy is there sooner."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "docqa.sqlite3")
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


@cache
def engine() -> Engine:
    return wiring.load_engine(Settings())


@cache
def booking_rules() -> BookingRules:
    return wiring.load_booking_rules(Settings())


def problem_text(code: str, facts: Mapping[str, int | float | str]) -> Texts:
    said = {language: engine().catalogue.say(code, language, facts) for language in LANGUAGES}
    return {
        language: {"title": text.message, "detail": text.advice} for language, text in said.items()
    }


NUMBER = (FieldSpec("national_number", "number", ("digits", "barcode"), ("الرقم الوطني",), 5),)


def draw_page(data: bytes, page: int, max_side_px: int, veil: Veil | None = None) -> bytes:
    """A picture that looks like a page; of the data nothing is decoded."""
    width, height = PAGE_PX
    image = Image.new("RGB", PAGE_PX, "#fdfcf8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((100, 120, width - 100, 240), fill="#d8dde3")
    for y in range(320, height - 200, 60):
        draw.line((100, y, width - 100 - (y * 7) % 300, y), fill="#6b7280", width=10)
    if veil is not None:
        hide(image, veil)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@contextmanager
def scripted_service(
    folder: Path,
    render_page: PageRenderer = draw_page,
    clock: Clock | None = None,
    **changes: Any,
) -> Iterator[Scripted]:
    """A service in ``folder`` with the settings ``changes`` and one reviewer's account."""
    (folder / "docqa.sqlite3").write_bytes(_empty_database())
    url = f"sqlite:///{folder}/docqa.sqlite3"
    script = _Script(ScriptedInspector(), clock or Clock(), render_page)
    with _replica(folder, url, script, changes) as (services, store):
        _add_reviewer(store)
        yield Scripted((services,), script.inspector, script.clock, store, script.unready)


@contextmanager
def scripted_replicas(folder: Path) -> Iterator[Scripted]:
    """Two services as :func:`scripted_service`, on one new PostgreSQL and one folder."""
    script = _Script(ScriptedInspector(), Clock(), draw_page)
    with ExitStack() as stack:
        url = url_of(postgresql_store(folder, stack))
        made = [stack.enter_context(_replica(folder, url, script, {})) for _ in range(2)]
        store = made[0][1]
        _add_reviewer(store)
        services = tuple(services for services, _ in made)
        yield Scripted(services, script.inspector, script.clock, store, script.unready)


@dataclass
class _Script:
    """What the replicas of a service share beyond their database and folder."""

    inspector: ScriptedInspector
    clock: Clock
    render_page: PageRenderer
    unready: list[str] = field(default_factory=list)


def _add_reviewer(store: SqlStore) -> None:
    store.add_reviewer(REVIEWER, _HASH)
    SqlClients(store.engine).set_role(REVIEWER, "senior")


@contextmanager
def _replica(
    folder: Path, database_url: str, script: _Script, changes: Mapping[str, Any]
) -> Iterator[tuple[Services, SqlStore]]:
    facts: dict[str, Any] = {
        "database_url": database_url,
        "blobs_dir": folder / "blobs",
        "max_upload_bytes": 300_000,
        "dev": True,
        "waiting": 16,
        "second_look_fraction": 0.0,
    }
    settings = Settings(**(facts | dict(changes)))
    store, files = SqlStore(settings.database_url), MemoryFiles()
    try:
        yield _services(settings, store, files, script), store
    finally:
        files.close()
        store.close()


def _services(settings: Settings, store: SqlStore, files: MemoryFiles, script: _Script) -> Services:
    blobs = FolderBlobs(settings.blobs_dir)
    return Services(
        settings=settings,
        inspector=script.inspector,
        render_page=script.render_page,
        document_types={
            "sy-id-front": Title(
                "البطاقة الشخصية، الوجه", "Identity card, front", "sy-id-back", NUMBER
            ),
            "sy-id-back": Title("البطاقة الشخصية، الظهر", "Identity card, back"),
        },
        problem_text=problem_text,
        reason_codes={"geometry.skew": {"message": {"ar": "مائلة", "en": "Turned"}}},
        field_names={
            "ar": {name: f"حقل {name[:5]}" for name in CLAIM_NAMES},
            "en": {name: name.replace("_", " ").capitalize() for name in CLAIM_NAMES},
        },
        store=store,
        rulings=store,
        sessions=SqlSessions(
            store.engine, idle=timedelta(minutes=30), lifetime=timedelta(hours=12)
        ),
        reservations=SqlReservations(store.engine),
        blobs=blobs,
        files=files,
        webhooks=SqlWebhooks(store.engine),
        clients=SqlClients(store.engine),
        desk=SqlDesk(store),
        ready=lambda: [*store.problems(), *script.unready],
        portal=_portal(settings, store, blobs),
        clock=script.clock,
    )


def _portal(settings: Settings, store: SqlStore, blobs: FolderBlobs) -> Portal:
    rules = booking_rules()
    return Portal(
        records=SqlRecords(store, SqlRetention(store.engine, blobs, store.booking_changed)),
        corrections=store,
        bookings=SqlBookings(
            store, lambda booked, found: assess(rules, booked, map(filed, found)), rules.deadline
        ),
        booked_services=rules.services,
        judge=StoredJudge(engine()),
        policies=(policy_json(engine().policy),),
        office=Office(settings, SqlRevalidations(store.engine), SqlRequests(store.engine)),
    )
