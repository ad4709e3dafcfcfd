"""What the routes of bookings, corrections and lists need beyond api.services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from api.judging import StoredJudge
from docqa.batch.office import Office
from docqa.bookings import Assessment, Booking, Service
from docqa.ports import PastReport, StoredDocument


class Records(Protocol):
    """A client's documents as lists, their past reports, and deleting them."""

    def page(
        self,
        client_id: str,
        *,
        after: tuple[datetime, str] | None,
        limit: int,
        booking_ref: str | None = None,
        decision: str | None = None,
    ) -> list[StoredDocument]:
        """At most ``limit`` documents of a client after ``(received_at, id)``, the oldest first."""
        ...

    def history(self, document_id: str) -> list[PastReport]:
        """Every report of a document, the first one first."""
        ...

    def erase(self, document: StoredDocument, actor: str) -> None:
        """Delete a document with its bytes, reports and rulings.

        Raises HeldDocument where a legal hold forbids it.
        """
        ...


class Corrections(Protocol):
    """Puts corrected claims in force."""

    def correct(
        self,
        before: StoredDocument,
        *,
        claims: dict[str, str],
        readings: dict[str, dict[str, str]],
        report: dict[str, Any],
    ) -> bool:
        """False when the document has changed meanwhile, or a reviewer has decided on it."""
        ...


class Bookings(Protocol):
    """Remembers bookings, and how often each document was uploaded for them."""

    def get(self, client_id: str, ref: str) -> Booking | None:
        """None when this client has no such booking."""
        ...

    def put(self, booking: Booking, *, now: datetime) -> bool:
        """Create or change; whether it is new."""
        ...

    def assessment(self, booking: Booking) -> Assessment:
        """What becomes of it with the documents it has now."""
        ...

    def contradicts(self, booking: Booking, document: StoredDocument) -> bool:
        """Whether a document, stored or not, contradicts those that count of the other types."""
        ...

    def attempts(self, client_id: str, ref: str) -> Mapping[str, int]:
        """Uploads so far: document type -> count."""
        ...

    def next_attempt(self, client_id: str, ref: str, document_type: str) -> int:
        """Count one more upload; how many there are now."""
        ...


@dataclass(frozen=True, slots=True)
class Portal:
    """Bookings, corrections and lists."""

    records: Records
    corrections: Corrections
    bookings: Bookings
    booked_services: Mapping[str, Service]
    """What can be booked, by id."""
    judge: StoredJudge
    policies: tuple[Mapping[str, Any], ...]
    """Those in force, as JSON values."""
    office: Office
    """Plans judging stored documents again."""
