"""Bookings: which documents a service asks for, and what becomes of all of them together.

A service is one file of ``models/services/``, for instance::

    id = "sy-passport"
    title_ar = "…"
    title_en = "Syrian passport"
    documents = ["sy-id-front", "sy-id-back"]   # ids of models/documents, each wanted once
    deadline_days = 10                          # from the booking on
    most_attempts = 5                           # of one document; then a person looks
    source = "provisional"                      # who says so

Of several uploads of one document the newest that is accepted counts, otherwise the newest: what
was found good once is not undone by a later photo of it. One that was compared with what was typed
counts before one that was not. Where claims came with an earlier upload and none with the one that
counts, that is not accepted: a forgotten claim would hide a mismatch. Documents that count are held
against each other, as the sides of one upload are. At one that contradicts another a person looks;
once it is accepted then, the contradiction counts no more.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, Literal

from docqa.documents import DocumentType, Kind
from docqa.errors import InvalidModel
from docqa.fields import EXACT_SOURCES, Field, Match, agrees, compare
from docqa.places import NO_PLACES, Places
from docqa.policy import Finding
from docqa.ports import StoredDocument
from docqa.report import fields_with_readings
from docqa.toml_text import tables_of
from docqa.verdict import CONTRADICTS_ANOTHER

Outcome = Literal["accept", "review", "reject", "incomplete"]
"""``incomplete``: nothing is rejected, but a document is missing."""
State = Literal["open", "cancelled"]
SlotState = Literal["missing", "accept", "review", "reject"]

MISSING = "booking.document_missing"
REJECTED = "booking.document_rejected"
IN_REVIEW = "booking.document_in_review"
NOT_COMPARED = "booking.document_not_compared"
"""Something was typed for an earlier upload, and not sent again with the one that counts."""
DOCUMENTS_DISAGREE = "field.documents_disagree"
"""Of two documents that are not the sides of one; those are the policy's finding."""
LONGEST_DEADLINE_DAYS = 366
MOST_ATTEMPTS = 1000
_KEYS = {
    "id", "title_ar", "title_en", "documents", "deadline_days", "most_attempts", "source"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Service:
    """What people book, and what they must bring."""

    id: str
    title_ar: str
    title_en: str
    documents: tuple[str, ...]
    """Ids of document types, each once."""
    deadline_days: int
    most_attempts: int
    """Uploads of one document that are judged automatically, at least 1. Those that come while one
    is accepted always are."""
    source: str


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment for a service."""

    client_id: str
    """Whose it is; ``ref`` is unique for one client."""
    ref: str
    service: str
    booked_at: datetime
    state: State = "open"

    def deadline(self, service: Service) -> datetime:
        """Until when everything must be there."""
        return self.booked_at + timedelta(days=service.deadline_days)


@dataclass(frozen=True, slots=True)
class Filed:
    """One document of a booking: what there is to know for judging them together."""

    document_id: str
    document_type: str
    decision: Literal["accept", "review", "reject"]
    received_at: datetime
    reason_codes: tuple[str, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    """With what was read. Personal data."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One document that is asked for, and the upload that counts for it."""

    document_type: str
    state: SlotState
    document_id: str | None = None
    reason_codes: tuple[str, ...] = ()
    """Of the report in force of that upload."""


@dataclass(frozen=True, slots=True)
class BookingReason:
    """Why a booking is not simply accepted."""

    code: str
    decision: Outcome
    document_types: tuple[str, ...]
    claim: str | None = None
    """The claim it is about, for codes of the area ``field``."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What becomes of all documents of a booking together."""

    outcome: Outcome
    slots: tuple[Slot, ...]
    reasons: tuple[BookingReason, ...]
    agreeing_fields: tuple[str, ...]
    """Claims of which two documents say the same. What is not in it has not been compared."""
    contradicting: frozenset[str] = frozenset()
    """Ids of documents that contradict another one, whatever a person has made of it. Not of those
    that are rejected: others will come in their place."""

    def accepts(self, document_type: str) -> bool:
        """Whether an accepted upload counts for this document."""
        return any(
            slot.state == "accept" for slot in self.slots if slot.document_type == document_type
        )


@dataclass(frozen=True, slots=True)
class BookingRules:
    """What bookings are judged by: built once by wiring."""

    services: Mapping[str, Service]
    document_types: Mapping[str, DocumentType]
    sides_disagree: Finding
    places: Places = NO_PLACES

    def deadline(self, booking: Booking) -> datetime:
        """Until when everything must be there. Raises KeyError for an unknown service."""
        return booking.deadline(self.services[booking.service])


def parse_service(text: str, document_types: Collection[str]) -> Service:
    """The service a TOML text describes. Raises InvalidModel naming the service and the key."""
    table = tables_of(text, "a service")
    where = f"service {table.get('id')!r}"
    if lone := sorted(set(table) ^ _KEYS):
        raise InvalidModel(f"{where}: {lone[0]!r} is missing or unknown; the keys are: "
                           f"{', '.join(sorted(_KEYS))}")  # fmt: skip
    for key in ("id", "title_ar", "title_en", "source"):
        if not isinstance(table[key], str) or not table[key]:
            raise InvalidModel(f"{where}: {key!r} must be a text")
    wanted = table["documents"]
    if not isinstance(wanted, list) or not wanted:
        raise InvalidModel(f"{where}: 'documents' must list at least one document type")
    for name in wanted:
        if name not in document_types:
            raise InvalidModel(f"{where} asks for the unknown document type {name!r}")
        if wanted.count(name) > 1:
            raise InvalidModel(f"{where} asks for {name!r} twice")
    return Service(
        id=table["id"],
        title_ar=table["title_ar"],
        title_en=table["title_en"],
        documents=tuple(wanted),
        deadline_days=_count(table, "deadline_days", LONGEST_DEADLINE_DAYS, where),
        most_attempts=_count(table, "most_attempts", MOST_ATTEMPTS, where),
        source=table["source"],
    )


def days_left(deadline: datetime, now: datetime) -> int:
    """Days that are left, a begun one included; 0 when the deadline has passed."""
    return max(0, math.ceil((deadline - now) / timedelta(days=1)))


def filed(document: StoredDocument) -> Filed:
    """A stored document as bookings see it."""
    return Filed(
        document_id=document.id,
        document_type=document.document_type,
        decision=document.decision,
        received_at=document.received_at,
        reason_codes=tuple(
            reason["code"] for reason in document.report["verdict"].get("reasons", ())
        ),
        claims=document.claims,
        fields=fields_with_readings(document.report, document.readings),
    )


def assess(rules: BookingRules, booking: Booking, documents: Iterable[Filed]) -> Assessment:
    """Judge a booking by the documents that were uploaded for it.

    Reject before incomplete before review: what the citizen has to do comes first, and while a
    reviewer looks at one document the citizen can already bring another.
    """
    everything = list(documents)
    slots: list[Slot] = []
    reasons: list[BookingReason] = []
    counting = []
    for document_type in rules.services[booking.service].documents:
        uploads = [one for one in everything if one.document_type == document_type]
        chosen = _counting(rules, uploads)
        if chosen is None:
            slots.append(Slot(document_type, "missing"))
            reasons.append(BookingReason(MISSING, "incomplete", (document_type,)))
            continue
        counting.append(chosen)
        lacks_claims = _lacks_claims(rules, chosen, uploads)
        is_open = lacks_claims and chosen.decision == "accept"
        slots.append(Slot(
            document_type,
            "review" if is_open else chosen.decision,
            chosen.document_id,
            chosen.reason_codes,
        ))  # fmt: skip
        reasons.extend(_of_upload(chosen, lacks_claims=lacks_claims))
    agreeing: set[str] = set()
    contradicting: set[str] = set()
    for one, other in combinations(counting, 2):
        agreed, disagreed = compared(rules, one, other)
        agreeing |= agreed
        if disagreed and "reject" not in (one.decision, other.decision):
            contradicting |= {one.document_id, other.document_id}
        if not (_was_let_pass(one) or _was_let_pass(other)):
            reasons.extend(_disagreement(rules, one, other, name) for name in sorted(disagreed))
    given = {reason.decision for reason in reasons}
    worst: Sequence[Outcome] = ("reject", "incomplete", "review")
    outcome: Outcome = next((decision for decision in worst if decision in given), "accept")
    reasons.sort(key=lambda reason: worst.index(reason.decision))
    return Assessment(
        outcome, tuple(slots), tuple(reasons), tuple(sorted(agreeing)), frozenset(contradicting)
    )


def compared(rules: BookingRules, one: Filed, other: Filed) -> tuple[set[str], set[str]]:
    """Claims of which two documents say the same, and of which they contradict each other.

    As within one upload: exact sources count for what they say. Print counts against them where it
    says what was typed, since no reader makes that up, or where it is sure and nowhere near; other
    print that differs is mostly misread. Print is never held against print.
    """
    agreed, disagreed = set(), set()
    for name, left in _by_name(one.fields).items():
        for right in _by_name(other.fields).get(name, ()):
            for mine in left:
                kind = _kind(rules, (one, other), name)
                said_the_same = name in one.claims and one.claims[name] == other.claims.get(name)
                match = _match(rules, kind, mine, right, said_the_same)
                if agrees(match):
                    agreed.add(name)
                elif match == "different":
                    disagreed.add(name)
    return agreed - disagreed, disagreed


def _count(table: Mapping[str, Any], key: str, most: int, where: str) -> int:
    value = table[key]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InvalidModel(f"{where}: {key!r} must be a whole number from 1 to {most}")
    return value


def _counting(rules: BookingRules, uploads: Sequence[Filed]) -> Filed | None:
    def rank(one: Filed) -> tuple[bool, bool, datetime, str]:
        is_accepted = one.decision == "accept"
        has_claims = is_accepted and _has_claims(rules, one)
        return is_accepted, has_claims, one.received_at, one.document_id

    return max(uploads, key=rank, default=None)


def _has_claims(rules: BookingRules, upload: Filed) -> bool:
    """Whether anything was typed that is compared with a document of this type."""
    known = rules.document_types.get(upload.document_type)
    return any(spec.name in upload.claims for spec in (known.fields if known else ()))


def _lacks_claims(rules: BookingRules, chosen: Filed, uploads: Sequence[Filed]) -> bool:
    if _has_claims(rules, chosen):
        return False
    before = [one for one in uploads if one.received_at <= chosen.received_at]
    return any(_has_claims(rules, one) for one in before)


def _of_upload(chosen: Filed, *, lacks_claims: bool) -> Iterator[BookingReason]:
    wanted = (chosen.document_type,)
    if chosen.decision == "reject":
        yield BookingReason(REJECTED, "reject", wanted)
        return
    if chosen.decision == "review":
        yield BookingReason(IN_REVIEW, "review", wanted)
    if lacks_claims:
        yield BookingReason(NOT_COMPARED, "review", wanted)


def _was_let_pass(document: Filed) -> bool:
    """Whether a person saw that the document contradicts another one, and accepted it.

    No report accepts it then. Whatever is uploaded later is held against it again.
    """
    return document.decision == "accept" and CONTRADICTS_ANOTHER in document.reason_codes


def _disagreement(rules: BookingRules, one: Filed, other: Filed, name: str) -> BookingReason:
    known = rules.document_types.get(one.document_type)
    are_sides = known is not None and known.other_side == other.document_type
    code = rules.sides_disagree.reason if are_sides else DOCUMENTS_DISAGREE
    decision: Outcome = "reject" if rules.sides_disagree.decision == "reject" else "review"
    return BookingReason(code, decision, (one.document_type, other.document_type), name)


def _by_name(fields: Iterable[Field]) -> dict[str, list[Field]]:
    return {
        one.name: [seen for seen in (one, *one.others) if seen.read is not None] for one in fields
    }


def _kind(rules: BookingRules, documents: Iterable[Filed], name: str) -> Kind | None:
    for document in documents:
        known = rules.document_types.get(document.document_type)
        for spec in known.fields if known else ():
            if spec.name == name:
                return spec.kind
    return None


def _match(
    rules: BookingRules, kind: Kind | None, one: Field, other: Field, same_claim: bool
) -> Match:
    """How two readings of one claim agree: ``different`` where they contradict each other."""
    exact, seen = (one, other) if one.source in EXACT_SOURCES else (other, one)
    if kind is None or exact.source not in EXACT_SOURCES:
        return "unread"
    if same_claim and agrees(exact.match) and agrees(seen.match):
        return "equal"
    is_print = seen.source not in EXACT_SOURCES
    match = compare(kind, exact.read or "", seen.read or "", rules.places, may_be_cut=is_print)
    if match == "unread" or agrees(match):
        return match
    is_sure = match == "different" and seen.confidence >= rules.sides_disagree.least_confidence
    return "different" if not is_print or agrees(seen.match) or is_sure else "unread"
