"""Starts the service of this installation: its engine, its children, its stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from api.judging import StoredJudge, policy_json
from api.portal import Portal
from api.services import Inspected, Services, Texts
from docqa import doctor, wiring
from docqa.batch.attendant import Attendant
from docqa.batch.office import Office
from docqa.catalogue import LANGUAGES, Catalogue
from docqa.deadlines import DeadlineWatch
from docqa.memory_files import MemoryFiles
from docqa.overlay import Veil
from docqa.report import readings_json, to_json
from docqa.settings import Settings
from docqa.worker import Worker

_SLOWEST_START_S = 30.0
"""Of a process that judges again."""
_NO_CHILDREN = (
    "inspection: the processes that decode end before they have started. The log says why: free "
    "memory, raise DOCQA_CHILD_MEMORY_BYTES or run `docqa doctor`"
)


class WorkerInspector:
    """Inspects, and draws pages, in killable children.

    Args:
        worker: the children.
        catalogue: the sentences of the reports.
        files: in which they find what they are to draw: they get paths, never bytes.
    """

    def __init__(self, worker: Worker, catalogue: Catalogue, files: MemoryFiles) -> None:
        self._worker = worker
        self._catalogue = catalogue
        self._files = files

    def inspect_file(
        self,
        path: Path,
        *,
        document_type: str,
        claims: Mapping[str, str],
        file_name: str,
        sha256: Callable[[], str] | None = None,
    ) -> Inspected:
        """See :class:`api.services.Inspector`."""
        report = self._worker.inspect_file(
            path, document_type=document_type, claims=claims, sha256=sha256
        )
        return Inspected(to_json(report, self._catalogue), readings_json(report))

    def problems(self) -> list[str]:
        """Why nothing can be judged, for ``/readyz``, with its remedy; [] if it can."""
        return [] if self._worker.is_working else [_NO_CHILDREN]

    def render_page(
        self, data: bytes, page: int, max_side_px: int, veil: Veil | None = None
    ) -> bytes:
        """See :class:`api.services.PageRenderer`."""
        with self._files.holding(data) as path:
            return self._worker.page_picture(path, page=page, max_side_px=max_side_px, veil=veil)


def start(settings: Settings) -> tuple[Services, Callable[[], None]]:
    """Everything the application needs, and what closes it again.

    Raises:
        InvalidModel: a file in ``models/`` is wrong.
        MissingDependency: a program is not installed.
    """
    engine = wiring.load_engine(settings)
    lacking = [
        f"{finding.subject}: {finding.state}. {finding.remedy}"
        for finding in doctor.examine(settings)
        if finding.remedy is not None and finding.subject not in doctor.ASKED_ANEW
    ]
    stores = wiring.open_stores(settings)
    worker = wiring.start_worker(settings, engine)
    files = MemoryFiles()
    inspector = WorkerInspector(worker, engine.catalogue, files)
    end_background = _start_background(settings, stores)

    def close() -> None:
        end_background()
        worker.close()
        files.close()
        stores.documents.close()

    services = Services(
        settings=settings,
        inspector=inspector,
        render_page=inspector.render_page,
        files=files,
        document_types=engine.document_types,
        problem_text=lambda code, facts: _problem_text(engine.catalogue, code, facts),
        reason_codes=_reason_codes(engine.catalogue),
        field_names=engine.catalogue.field_names,
        store=stores.documents,
        rulings=stores.documents,
        sessions=stores.sessions,
        reservations=stores.reservations,
        desk=stores.desk,
        blobs=stores.blobs,
        webhooks=stores.webhooks,
        clients=stores.clients,
        ready=lambda: [
            *_problems(stores),
            *inspector.problems(),
            *lacking,
        ],
        portal=Portal(
            records=stores.records,
            corrections=stores.documents,
            bookings=stores.bookings,
            booked_services=wiring.load_services(
                wiring.models_dir(settings), engine.document_types
            ),
            judge=StoredJudge(engine),
            policies=(policy_json(engine.policy),),
            office=Office(settings, stores.revalidations, stores.requests),
        ),
    )
    return services, close


def _problems(stores: wiring.Stores) -> list[str]:
    return [
        *stores.documents.problems(),
        *stores.webhooks.problems(),
        *stores.blobs.problems(),
    ]


def _start_background(settings: Settings, stores: wiring.Stores) -> Callable[[], None]:
    """Start what works beside the requests; returns what ends it."""
    courier = wiring.make_courier(settings, stores.webhooks)
    courier.start(settings.webhook_threads)
    watch = DeadlineWatch(stores.desk)
    watch.start()
    quiet = timedelta(seconds=_SLOWEST_START_S + 2 * settings.inspect_timeout_s)
    attendant = Attendant(stores.requests, stores.revalidations, quiet=quiet)
    attendant.start()

    def end() -> None:
        attendant.close()
        courier.close()
        watch.close()

    return end


def _problem_text(catalogue: Catalogue, code: str, facts: Mapping[str, int | float | str]) -> Texts:
    said = {language: catalogue.say(code, language, facts) for language in LANGUAGES}
    return {
        language: {"title": text.message, "detail": text.advice} for language, text in said.items()
    }


def _reason_codes(catalogue: Catalogue) -> dict[str, Texts]:
    codes: dict[str, Texts] = {}
    for code in catalogue.codes:
        said = {language: catalogue.say(code, language, {}) for language in LANGUAGES}
        codes[code] = {
            "message": {language: text.message for language, text in said.items()},
            "advice": {language: text.advice for language, text in said.items()},
        }
    return codes
