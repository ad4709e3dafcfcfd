"""A client of docqa's HTTP service, for portals written in Python.

>>> with Client("http://127.0.0.1:8000") as docqa:
...     document = docqa.upload(data, file_name="scan.jpg", document_type="sy-id-back",
...                             claims={"given_name": "…"}, booking_ref="B-7")
>>> document.decision
'accept'

Whatever fails on the way is asked again: an upload carries one Idempotency-Key through all its
attempts, so it is stored once. What the service refuses is a :class:`ProblemError` with the
sentences for the citizen in both languages.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from docqa.errors import DocqaError

MOST_ATTEMPTS = 4
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
_WORTH_REPEATING = frozenset({500, 502, 503, 504})
_IN_FLIGHT = "http.idempotency.in_flight"

Decision = Literal["accept", "review", "reject"]


class UnreachableError(DocqaError):
    """The service did not answer, however often it was asked."""


class ProblemError(DocqaError):
    """The service refused a request. ``str(error)`` is the code; the sentences are attributes."""

    def __init__(
        self, status: int, problem: Mapping[str, Any], retry_after_s: float | None
    ) -> None:
        self.status = status
        self.code = str(problem.get("code", f"http.{status}"))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        self.title_ar = str(problem.get("title_ar", ""))
        self.detail_ar = str(problem.get("detail_ar", ""))
        self.request_id = str(problem.get("request_id", ""))
        self.errors: list[dict[str, str]] = list(problem.get("errors", ()))
        """Single wrong values, each with a ``pointer`` and a ``detail``."""
        self.retry_after_s = retry_after_s
        super().__init__(self.code)


class NotFoundError(ProblemError):
    """There is no such document, booking or page."""


class ConflictError(ProblemError):
    """Another request came first, the booking was cancelled, or a reviewer has decided."""


class RejectedFileError(ProblemError):
    """The file cannot be a document, or a value that came with it is wrong."""


class OverloadedError(ProblemError):
    """The service cannot answer now; ``retry_after_s`` says when to try again."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a reviewer decided, and why: the words are for the citizen."""

    decision: Decision
    reason: str
    ruled_at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document with the report in force."""

    id: str
    decision: Decision
    document_type: str
    file_name: str
    booking_ref: str | None
    received_at: datetime
    deadline_at: datetime | None
    report_number: int
    report: dict[str, Any]
    """``docqa.report/1``"""
    ruling: Ruling | None = None
    """The last one; None as long as no reviewer has decided."""
    was_replayed: bool = False
    """Whether an earlier upload with the same key had created it."""

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Why it is not simply accepted, the weightiest first, in both languages."""
        return list(self.report["verdict"]["reasons"])


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A stored document in a list."""

    id: str
    decision: Decision
    document_type: str
    file_name: str
    booking_ref: str | None
    received_at: datetime
    deadline_at: datetime | None
    reason_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """One document that a booking asks for."""

    document_type: str
    title: dict[str, str]
    state: str
    """missing, accept, review or reject."""
    document_id: str | None
    reason_codes: tuple[str, ...]
    attempts: int
    attempts_left: int


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking with its checklist."""

    ref: str
    service: str
    state: str
    """open or cancelled."""
    booked_at: datetime
    deadline_at: datetime
    days_left: int
    is_overdue: bool
    outcome: str
    """accept, review, reject or incomplete."""
    documents: tuple[Slot, ...]
    reasons: tuple[dict[str, Any], ...]
    agreeing_fields: tuple[str, ...]


class Client:
    """A connection to the service; safe to use from several threads.

    Args:
        base_url: address of the service.
        api_key: sent as a bearer token, where the service asks for one.
        timeout_s: for one answer; an upload waits until the document is judged.
        transport: in place of the network, for tests.
        wait: how to wait between attempts, seconds.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._http = httpx.Client(
            base_url=base_url, headers=headers, timeout=timeout_s, transport=transport
        )
        self._wait = wait

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def upload(
        self,
        data: bytes,
        *,
        file_name: str = "document",
        document_type: str = "a4-generic",
        claims: Mapping[str, str] | None = None,
        booking_ref: str | None = None,
        deadline: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Document:
        """Have a document judged and kept; returns once it is stored.

        Args:
            data: the bytes of a JPEG, PNG, TIFF or PDF.
            file_name: for display only.
            document_type: an id of ``/v1/document-types``.
            claims: what the citizen typed.
            booking_ref: the booking it belongs to.
            deadline: aware; the booking's, or ten days from now, if not given.
            idempotency_key: to repeat an upload of another process; a new one if not given.

        Raises:
            ProblemError: the service refused it.
            UnreachableError: it did not answer. Try again with the same ``idempotency_key``.
        """
        said = _said(document_type, claims)
        if booking_ref is not None:
            said["booking_ref"] = booking_ref
        if deadline is not None:
            said["deadline"] = deadline.isoformat()
        answer = self._ask(
            "POST",
            "/v1/documents",
            files={"file": (file_name, data)},
            data=said,
            headers={"Idempotency-Key": idempotency_key or str(uuid.uuid4())},
        )
        return _document(answer.json(), "Idempotency-Replayed" in answer.headers)

    def check(
        self,
        data: bytes,
        *,
        file_name: str = "document",
        document_type: str = "a4-generic",
        claims: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The report on a document of which nothing is kept; arguments as for :meth:`upload`."""
        answer = self._ask(
            "POST",
            "/v1/checks",
            files={"file": (file_name, data)},
            data=_said(document_type, claims),
        )
        return dict(answer.json()["report"])

    def document(self, document_id: str) -> Document:
        """A document with the report in force. Raises NotFoundError."""
        return _document(self._ask("GET", _of_document(document_id)).json())

    def documents(
        self, *, booking_ref: str | None = None, decision: Decision | None = None
    ) -> Iterator[DocumentSummary]:
        """Every document, the oldest first; pages are asked for as they are needed."""
        given = {"booking_ref": booking_ref, "decision": decision, "limit": "200"}
        address = "/v1/documents?" + str(
            httpx.QueryParams({name: value for name, value in given.items() if value is not None})
        )
        while address:
            page = self._ask("GET", address).json()
            for item in page["items"]:
                yield DocumentSummary(**_moments(_known(DocumentSummary, item)))
            address = page["next"]

    def reports(self, document_id: str) -> list[dict[str, Any]]:
        """Every report of a document, the first one first. Raises NotFoundError."""
        found = self._ask("GET", _of_document(document_id) + "/reports").json()["items"]
        return [dict(item["report"]) for item in found]

    def correct_claims(self, document_id: str, claims: Mapping[str, str]) -> Document:
        """Hold corrected values against the stored document; the others stay as they are.

        Raises ConflictError when a reviewer has decided on it already, or the booking is cancelled.
        """
        body = {"claims": dict(claims)}
        answer = self._ask("PATCH", _of_document(document_id) + "/claims", json=body)
        return _document(answer.json())

    def delete_document(self, document_id: str) -> None:
        """Delete a document for good; one that is gone already is no error."""
        try:
            self._ask("DELETE", _of_document(document_id))
        except NotFoundError:
            return

    def put_booking(
        self,
        ref: str,
        service: str,
        *,
        booked_at: datetime | None = None,
        state: Literal["open", "cancelled"] | None = None,
    ) -> Booking:
        """Announce, change or cancel a booking; what is not given stays as it was."""
        moment = None if booked_at is None else booked_at.isoformat()
        given = {"service": service, "booked_at": moment, "state": state}
        body = {name: value for name, value in given.items() if value is not None}
        return _booking(self._ask("PUT", _of_booking(ref), json=body).json())

    def booking(self, ref: str) -> Booking:
        """A booking with its checklist. Raises NotFoundError."""
        return _booking(self._ask("GET", _of_booking(ref)).json())

    def _ask(self, method: str, address: str, **request: Any) -> httpx.Response:
        """The answer, asked for again while that may help: nothing here has an effect twice."""
        waiting_s = FIRST_WAIT_S
        for attempts_left in reversed(range(MOST_ATTEMPTS)):
            try:
                answer = self._http.request(method, address, **request)
            except httpx.TransportError as error:
                if not attempts_left:
                    raise UnreachableError(f"no answer: {type(error).__name__}") from error
                self._wait(waiting_s)
            else:
                if answer.is_success:
                    return answer
                refused = _refused(answer)
                is_passing = answer.status_code in _WORTH_REPEATING or refused.code == _IN_FLIGHT
                if not attempts_left or not is_passing:
                    raise refused
                self._wait(min(refused.retry_after_s or waiting_s, LONGEST_WAIT_S))
            waiting_s *= 2
        raise AssertionError("the last attempt returns or raises")


def _said(document_type: str, claims: Mapping[str, str] | None) -> dict[str, str]:
    return {
        "document_type": document_type,
        "claims": json.dumps(dict(claims or {}), ensure_ascii=False),
    }


def _of_document(document_id: str) -> str:
    return f"/v1/documents/{quote(document_id, safe='')}"


def _of_booking(ref: str) -> str:
    return f"/v1/bookings/{quote(ref, safe='')}"


def _refused(answer: httpx.Response) -> ProblemError:
    try:
        problem = answer.json()
    except ValueError:  # something on the way answered, and not the service
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    kinds: dict[int, type[ProblemError]] = {
        404: NotFoundError,
        409: ConflictError,
        413: RejectedFileError,
        415: RejectedFileError,
        422: RejectedFileError,
        429: OverloadedError,
        503: OverloadedError,
    }
    after = answer.headers.get("Retry-After", "")
    retry_after_s = float(after) if after.isdecimal() else None
    kind = kinds.get(answer.status_code, ProblemError)
    return kind(answer.status_code, problem, retry_after_s)


def _known(kind: type[Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """The members this client knows: a newer service may send more."""
    names = set(kind.__dataclass_fields__)
    return {
        name: tuple(member) if isinstance(member, list) else member
        for name, member in value.items()
        if name in names
    }


def _moments(value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(member) if name.endswith("_at") and member else member
        for name, member in value.items()
    }


def _document(value: Mapping[str, Any], was_replayed: bool = False) -> Document:
    known = _moments(_known(Document, value))
    if ruled := known.get("ruling"):
        known["ruling"] = Ruling(**_moments(_known(Ruling, ruled)))
    return Document(**known, was_replayed=was_replayed)


def _booking(value: Mapping[str, Any]) -> Booking:
    slots = tuple(Slot(**_known(Slot, slot)) for slot in value["documents"])
    return Booking(**{**_moments(_known(Booking, value)), "documents": slots})
