"""What the service answers about documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.problems import Problem
from api.services import Services
from docqa.ports import PastReport, Ruling, StoredDocument


class RulingAnswer(BaseModel):
    """What a reviewer decided."""

    decision: Literal["accept", "reject"]
    reason: str = Field(description="In the reviewer's words.")
    ruled_at: datetime


class DocumentAnswer(BaseModel):
    """A stored document with the report in force."""

    id: str
    decision: str = Field(description="accept, review or reject: the reviewer's once there is one.")
    document_type: str
    file_name: str
    booking_ref: str | None
    received_at: datetime
    deadline_at: datetime | None
    report_number: int = Field(description="Of the report in force; 1 is the first.")
    report: dict[str, Any] = Field(description="docqa.report/1")
    ruling: RulingAnswer | None = None


class CheckAnswer(BaseModel):
    """The report on a file of which nothing was stored."""

    file_name: str
    report: dict[str, Any] = Field(description="docqa.report/1")


class DocumentSummary(BaseModel):
    """A stored document in a list, without its report."""

    id: str
    decision: str
    document_type: str
    file_name: str
    booking_ref: str | None
    received_at: datetime
    deadline_at: datetime | None
    reason_codes: list[str] = Field(description="Of the report in force, the weightiest first.")


class DocumentList(BaseModel):
    """One page of documents, the oldest first."""

    items: list[DocumentSummary]
    self: str = Field(description="Address of this page.")
    next: str | None = Field(description="Address of the next page; null on the last.")


class PastReportAnswer(BaseModel):
    """One report that a document has or had."""

    number: int = Field(description="1 is the first; the last one is in force.")
    recorded_at: datetime
    report: dict[str, Any] = Field(description="docqa.report/1")


class ReportList(BaseModel):
    """Every report of a document, the first one first."""

    items: list[PastReportAnswer]


def find_document(services: Services, document_id: str) -> StoredDocument:
    """The document. Raises Problem ``http.document_not_found``."""
    document = services.store.get(document_id)
    if document is None:
        raise Problem("http.document_not_found")
    return document


def document_answer(document: StoredDocument, rulings: Sequence[Ruling] = ()) -> DocumentAnswer:
    """The document as its client sees it."""
    ruling = None
    if rulings:
        last = rulings[-1]
        ruling = RulingAnswer(decision=last.decision, reason=last.reason, ruled_at=last.ruled_at)
    return DocumentAnswer(
        id=document.id,
        decision=document.decision,
        document_type=document.document_type,
        file_name=document.file_name,
        booking_ref=document.booking_ref,
        received_at=document.received_at,
        deadline_at=document.deadline_at,
        report_number=document.report_number,
        report=document.report,
        ruling=ruling,
    )


def first_answer(document: StoredDocument, first: PastReport) -> DocumentAnswer:
    """What the upload was answered with: all of it was stored, and none of it ever changes."""
    answer = document_answer(document)
    decision = first.report["verdict"]["decision"]
    changed = {"report": first.report, "report_number": first.number, "decision": decision}
    return answer.model_copy(update=changed)


def summary(document: StoredDocument) -> DocumentSummary:
    """The document in a list."""
    return DocumentSummary(
        id=document.id,
        decision=document.decision,
        document_type=document.document_type,
        file_name=document.file_name,
        booking_ref=document.booking_ref,
        received_at=document.received_at,
        deadline_at=document.deadline_at,
        reason_codes=[reason["code"] for reason in document.report["verdict"]["reasons"]],
    )


def past_reports(history: Sequence[PastReport]) -> ReportList:
    """The history of a document as its client sees it."""
    items = [
        PastReportAnswer(number=past.number, recorded_at=past.recorded_at, report=past.report)
        for past in history
    ]
    return ReportList(items=items)
