"""Judging stored documents again: what it would take, having it done, how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.principal import client_id_of
from api.problems import Problem
from api.routes.examples import problem_responses
from api.services import Services
from docqa.batch.office import Wanted
from docqa.plan import Mode, Plan, Run, Selection
from docqa.verdict import Decision

_MOST_LISTED = 100
_MOVES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "pause": ("paused", ("waiting", "running")),
    "resume": ("waiting", ("paused", "failed")),
    "cancel": ("cancelled", ("waiting", "running", "paused", "failed")),
}
"""action -> the state that comes of it, and the states in which it can be done."""
Value = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
PLAN: dict[str, Any] = {
    "documents": 120000,
    "decide": 118800,
    "measure": {"glare": 1200},
    "read": 0,
    "inspect": 0,
    "decode": 1200,
}
SUMMARY: dict[str, Any] = {
    "id": "rev_5d41402abc4b2a76",
    "mode": "report",
    "state": "running",
    "policy": {"id": "sy-passport", "digest": "sha256:…"},
    "where": {"document_type": "sy-id-front"},
    "since": "2026-01-01T00:00:00Z",
    "until": "2026-05-04T12:00:00Z",
    "total": 120000,
    "decided": 40000,
    "recomputed": 1200,
    "failed": 1,
}
REVALIDATION: dict[str, Any] = {
    **SUMMARY,
    "matrix": {
        "accept": {"accept": 36000, "review": 1000, "reject": 0},
        "review": {"accept": 500, "review": 1500, "reject": 0},
        "reject": {"accept": 0, "review": 0, "reject": 1000},
    },
    "transitions": [
        {
            "document_type": "sy-id-front",
            "before": "accept",
            "after": "review",
            "reason": "quality.glare",
            "documents": 1000,
        }
    ],
}


class Where(BaseModel):
    """Only documents of which all of this is so."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"document_type": "sy-id-front"}]}
    )

    document_type: Value | None = None
    decision: Literal["accept", "review", "reject"] | None = None
    booking_ref: Value | None = None
    client_id: Value | None = None


class NewRevalidation(BaseModel):
    """What to judge again, and by what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"mode": "report", "dry_run": True}]},
    )

    mode: Mode = Field(
        default="report", description="`report` changes nothing; `apply` puts in force."
    )
    policy: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")] | None = Field(
        default=None, description="Name of an installed policy; the service's own if not given."
    )
    where: Where = Where()
    since: AwareDatetime | None = Field(default=None, description="Only documents received since.")
    dry_run: bool = Field(default=False, description="Only plan it: nothing is recorded.")


class PlanAnswer(BaseModel):
    """How much there is to do."""

    documents: int
    decide: int = Field(description="Only to be decided again, from what is stored.")
    measure: dict[str, int] = Field(description="Documents to be measured again, by measure.")
    read: int = Field(description="Documents to be read again.")
    inspect: int = Field(description="Documents whose inspection had failed.")
    decode: int = Field(description="Documents whose pixels are needed for any of this.")


class PolicyAnswer(BaseModel):
    """A policy."""

    id: str
    digest: str


class RevalidationSummary(BaseModel):
    """How far a run is."""

    id: str
    mode: Mode
    state: str = Field(description="waiting, running, paused, cancelled, done or failed.")
    policy: PolicyAnswer
    where: dict[str, str]
    since: datetime | None
    until: datetime = Field(description="Documents received later are not judged again.")
    total: int
    decided: int
    recomputed: int = Field(description="Documents measured, read or inspected anew.")
    failed: int = Field(
        description="Documents that could not be: they go to review, or stay as they are where "
        "their files could not be read."
    )


class TransitionAnswer(BaseModel):
    """Documents of one type that went from one decision to another for one reason."""

    document_type: str
    before: str
    after: str
    reason: str = Field(
        description="The weightiest of the new verdict, or of the old one; `storage.unread` where "
        "the file could not be read."
    )
    documents: int


class RevalidationAnswer(RevalidationSummary):
    """How far a run is, and what it found so far."""

    matrix: dict[str, dict[str, int]] = Field(description="old decision -> new -> documents")
    transitions: list[TransitionAnswer]


class StartAnswer(BaseModel):
    """The plan, and the run that was recorded unless only the plan was asked for."""

    plan: PlanAnswer
    revalidation: RevalidationSummary | None


class RevalidationList(BaseModel):
    """The latest runs."""

    items: list[RevalidationSummary]


def revalidation_routes(services: Services) -> APIRouter:
    """The routes under ``/v1/revalidations``."""
    router = APIRouter(prefix="/v1/revalidations", tags=["revalidations"])
    _add_start(router, services)
    _add_looks(router, services)
    return router


def _add_start(router: APIRouter, services: Services) -> None:
    @router.post(
        "",
        status_code=202,
        response_model=StartAnswer,
        summary="Judge stored documents again",
        responses={
            200: {"model": StartAnswer, "description": "The plan alone, for a dry run"},
            **problem_responses("http.not_json", "http.body_too_large", "http.invalid"),
        },
    )
    def start(new: NewRevalidation, request: Request, response: Response) -> dict[str, Any]:
        """Documents of all clients. A run that does the same and has not ended is gone on with."""
        try:
            since = new.since.astimezone(UTC) if new.since else None
        except OverflowError as error:  # the year 1 in one zone is the year 0 in another
            errors = [{"pointer": "/since", "detail": "no such time in UTC"}]
            raise Problem("http.invalid", errors=errors) from error
        where = tuple(sorted(new.where.model_dump(exclude_none=True).items()))
        wanted = Wanted(new.mode, new.policy, Selection(datetime.now(UTC), since, where))
        office = services.portal.office
        try:
            plan, run = office.plan(wanted)
        except KeyError as error:
            errors = [{"pointer": "/policy", "detail": "no installed policy has this name"}]
            raise Problem("http.invalid", errors=errors) from error
        if new.dry_run:
            response.status_code = 200
            return {"plan": _plan(plan), "revalidation": None}
        begun = office.start(run, client_id_of(request))
        response.headers["Location"] = f"/v1/revalidations/{begun.id}"
        return {"plan": _plan(plan), "revalidation": _summary(begun)}


def _add_looks(router: APIRouter, services: Services) -> None:
    @router.get("", response_model=RevalidationList, summary="The latest runs")
    def list_revalidations() -> dict[str, Any]:
        """A hundred at most, the newest first, those of the command line as well."""
        runs = services.portal.office.runs.runs()
        return {"items": [_summary(run) for run in runs[:_MOST_LISTED]]}

    @router.get(
        "/{revalidation_id}",
        response_model=RevalidationAnswer,
        summary="One run",
        responses=problem_responses("http.revalidation_not_found", "http.invalid"),
    )
    def show_revalidation(revalidation_id: str) -> dict[str, Any]:
        """How far it is, and which decisions would change or have changed."""
        return _answer(services, revalidation_id)

    for action, summary, said in (
        ("pause", "Stop a run after its batch", "Nothing of it is lost."),
        ("resume", "Go on with a run", "Where it was paused, or where it failed."),
        ("cancel", "Stop a run for good", "What is done stays done."),
    ):
        router.add_api_route(
            f"/{{revalidation_id}}/{action}",
            _mover(services, action),
            methods=["POST"],
            response_model=RevalidationAnswer,
            summary=summary,
            description=said,
            operation_id=f"{action}_revalidation",
            responses=problem_responses(
                "http.revalidation_not_found", "http.revalidation_state", "http.invalid"
            ),
        )


def _mover(services: Services, action: str) -> Any:
    state, allowed = _MOVES[action]

    def move(revalidation_id: str) -> dict[str, Any]:
        found = _answer(services, revalidation_id)
        moved = services.portal.office.runs.move(revalidation_id, state, allowed=allowed)
        if not moved and found["state"] != state:
            raise Problem("http.revalidation_state")
        return _answer(services, revalidation_id)

    return move


def _answer(services: Services, revalidation_id: str) -> dict[str, Any]:
    runs = services.portal.office.runs
    run = runs.get(revalidation_id)
    if run is None:
        raise Problem("http.revalidation_not_found")
    counts = runs.counts(run.id)
    moves: Counter[tuple[str, str]] = Counter()
    for row in counts:
        moves[row["before"], row["after"]] += row["documents"]
    names = [decision.value for decision in Decision]
    matrix = {before: {after: moves[before, after] for after in names} for before in names}
    return {**_summary(run), "matrix": matrix, "transitions": counts}


def _plan(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in Plan.__slots__}


def _summary(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "mode": run.mode,
        "state": run.state,
        "policy": {"id": run.policy_id, "digest": run.policy_digest},
        "where": dict(run.selection.where),
        "since": run.selection.since,
        "until": run.selection.until,
        "total": run.total,
        "decided": run.decided,
        "recomputed": run.recomputed,
        "failed": run.failed,
    }
