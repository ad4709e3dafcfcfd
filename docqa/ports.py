"""What docqa needs from the outside world, as small Protocols.

Adapters live in ``docqa/adapters/``; ``wiring.py`` alone names them; each Protocol has one contract
suite in ``tests/contracts/`` that every adapter of it passes, the shipped in-memory ones included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from docqa.audit import AuditEntry, Examined, Fact
from docqa.page import Pixels


class OcrEngine(Protocol):
    """Reads text lines."""

    def read_lines(
        self,
        lines: Sequence[Pixels],
        *,
        language: str,
        layout: Literal["line", "raw_line", "block"],
    ) -> list[str]:
        """The text of each picture of one line ((H, W) uint8, dark on light), in the same order.

        One engine call for all. A line in which nothing is read gives ``""``.
        Raises EngineFault when the engine fails, MissingDependency when it is not there.
        """
        ...

    def version(self) -> str:
        """Name, version and language data, for the engine digest and ``docqa doctor``."""
        ...


class PdfRenderer(Protocol):
    """Draws a PDF page that is not one embedded picture."""

    def render(self, document: bytes, page_index: int, *, ppi: float) -> Pixels:
        """(H, W, 3) RGB of page ``page_index`` (1 = first). Raises EngineFault."""
        ...


class BlobStore(Protocol):
    """Keeps the uploaded bytes. Keys are random, made by docqa, never a client's file name."""

    def put(self, key: str, data: bytes) -> None:
        """Store durably; an existing key is an error."""
        ...

    def get(self, key: str) -> bytes:
        """Raises KeyError when there is none."""
        ...

    def delete(self, key: str) -> None:
        """Gone for good; a missing key is no error."""
        ...

    def stored_before(self, moment: datetime) -> Iterator[str]:
        """Keys of what was put earlier, and names for :meth:`delete` of what a crash left half."""
        ...

    def problems(self) -> list[str]:
        """Why it cannot be used, for ``/readyz`` and ``docqa doctor``; [] if it can."""
        ...


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One upload as the store keeps it."""

    id: str
    blob_key: str
    file_name: str
    """As the client called it, for display only."""
    document_type: str
    claims: dict[str, str]
    report: dict[str, Any]
    """The report's JSON form (docqa.report/1) that is in force."""
    decision: Literal["accept", "review", "reject"]
    """Of the report in force, or the reviewer's once there is one."""
    received_at: datetime
    booking_ref: str | None = None
    deadline_at: datetime | None = None
    readings: dict[str, dict[str, str]] = field(default_factory=dict)
    """What was read: claim name -> source -> text. For reviewers alone."""
    client_id: str | None = None
    """The client that sent it; None where clients have no keys."""
    report_number: int = 1
    """Of the report in force; 1 is the first."""
    own_deadline_at: datetime | None = None
    """As the client gave it, if it did; ``deadline_at`` is the one in force."""


@dataclass(frozen=True, slots=True)
class PastReport:
    """One report that a document has or had."""

    number: int
    """1 is the first."""
    recorded_at: datetime
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ruling:
    """A reviewer's decision on a document."""

    document_id: str
    decision: Literal["accept", "reject"]
    reason: str
    reviewer: str
    ruled_at: datetime


class ReportStore(Protocol):
    """Remembers documents, their reports and what reviewers ruled."""

    def add(self, document: StoredDocument) -> None:
        """Commit a new document with its first report; returns only once it is durable.

        Raises ValueError when the id is taken.
        """
        ...

    def get(self, document_id: str) -> StoredDocument | None:
        """The document with the report in force."""
        ...

    def scan(self, *, decision: str | None = None) -> Iterator[StoredDocument]:
        """All documents, or those with this decision in force, nearest deadline first."""
        ...

    def supersede(self, document_id: str, report: dict[str, Any]) -> None:
        """Put a new report in force, keeping the old one. A reviewer's ruling stays in force."""
        ...


class RulingStore(Protocol):
    """Remembers reviewers and what they ruled."""

    def rule(self, ruling: Ruling) -> None:
        """Record a ruling and put it in force. Raises KeyError for an unknown document."""
        ...

    def rule_if_open(self, ruling: Ruling) -> bool:
        """The same, but only while the document waits for review; False when it does not."""
        ...

    def rulings(self, document_id: str) -> list[Ruling]:
        """All rulings on a document, oldest first."""
        ...

    def add_reviewer(self, name: str, password_hash: str) -> None:
        """Create the account, or give it a new password."""
        ...

    def password_hash(self, name: str) -> str | None:
        """None when there is no such reviewer."""
        ...


class AuditTrail(Protocol):
    """Who did what, in a chain of digests in which no entry changes unnoticed."""

    def append(self, kind: str, subject: str, actor: str, facts: Mapping[str, Fact]) -> AuditEntry:
        """Add an entry of this moment; durable when it returns.

        Args:
            kind: what was done, as ``document.viewed_unmasked``.
            subject: id of what it was done to.
            actor: id of the client or account name of the reviewer who did it.
            facts: codes, ids, digests, small whole numbers: nothing of a citizen.

        Raises ValueError when a fact may hold personal data.
        """
        ...

    def verify(self, head: str | None = None) -> Examined:
        """Whether the whole chain is as it was written, and still has the entry ``head`` is of."""
        ...
