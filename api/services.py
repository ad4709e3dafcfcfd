"""What the HTTP service and the reviewers' pages need, handed in by whoever starts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from docqa.documents import FieldSpec
from docqa.memory_files import MemoryFiles
from docqa.overlay import Veil
from docqa.ports import BlobStore, ReportStore, RulingStore
from docqa.reviewing import ReviewDesk
from docqa.settings import Settings
from docqa.webhooks.records import WebhookStore

if TYPE_CHECKING:
    from api.portal import Portal

Texts = Mapping[str, Mapping[str, str]]
"""Sentences in both languages: language -> what for -> sentence, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What was found out about a file."""

    report: dict[str, Any]
    """``docqa.report/1``, without ``file``."""
    readings: dict[str, dict[str, str]]
    """What was read: claim name -> source -> text. For reviewers alone."""


class Inspector(Protocol):
    """Judges a file without ever endangering this process."""

    def inspect_file(
        self,
        path: Path,
        *,
        document_type: str,
        claims: Mapping[str, str],
        file_name: str,
        sha256: Callable[[], str] | None = None,
    ) -> Inspected:
        """Report and readings of the file; blocks until they are made.

        A child that crashes or hangs gives a report that says review, never an exception.
        ``sha256`` digests the file, beside the inspection; without it the child does.

        Raises:
            InvalidDocument: the bytes cannot be a document.
            InvalidRequest: the document type or a claim is wrong.
        """
        ...


class PageRenderer(Protocol):
    """Draws a page of an untrusted file without ever endangering this process."""

    def __call__(self, data: bytes, page: int, max_side_px: int, veil: Veil | None = None) -> bytes:
        """A PNG of page ``page`` (1 = first), its longest side at most ``max_side_px``.

        What the ``veil`` hides is not in it.

        Raises InvalidDocument when it cannot be drawn.
        """
        ...


class DocumentTitle(Protocol):
    """What people call a document type."""

    @property
    def title_ar(self) -> str:
        """In Arabic."""
        ...

    @property
    def title_en(self) -> str:
        """In English."""
        ...

    @property
    def other_side(self) -> str | None:
        """Id of the type that is the other face of the same thing."""
        ...

    @property
    def fields(self) -> tuple[FieldSpec, ...]:
        """What is printed on it, and where that is read."""
        ...


class Sessions(Protocol):
    """Remembers who is signed in."""

    def start(self, reviewer: str, *, now: datetime) -> str:
        """A new secret token for ``reviewer``."""
        ...

    def reviewer(self, token: str, *, now: datetime, renews: bool = True) -> str | None:
        """Who is signed in with ``token``; None when nobody is (any more).

        The idle time starts anew if it ``renews``.
        """
        ...

    def end(self, token: str) -> None:
        """Sign out; an unknown token is no error."""
        ...


class Reservation(Protocol):
    """What an idempotency key stands for."""

    @property
    def document_id(self) -> str:
        """The one document this key may create."""
        ...

    @property
    def payload_digest(self) -> str:
        """Of the request the key was first used with; "" once its document was erased."""
        ...

    @property
    def mine(self) -> bool:
        """Whether the caller is to create the document."""
        ...

    @property
    def is_answered(self) -> bool:
        """Whether the document was created once, even if it was deleted since."""
        ...


class Reservations(Protocol):
    """Idempotency keys: each creates at most one document."""

    def reserve(
        self,
        key: str,
        payload_digest: str,
        document_id: str,
        *,
        now: datetime,
        stale_before: datetime,
    ) -> Reservation:
        """Bind ``key`` to ``document_id``, or tell what it is bound to."""
        ...

    def release(self, key: str, document_id: str, *, reserved_at: datetime) -> None:
        """Forget a key whose document was not created, unless another took it over since."""
        ...


class ClientKey(Protocol):
    """An API key that was found good."""

    @property
    def key_id(self) -> str:
        """Public part of the key."""
        ...

    @property
    def client_id(self) -> str:
        """Whose it is."""
        ...

    @property
    def scopes(self) -> frozenset[str]:
        """What it may do; ``admin`` includes the rest."""
        ...


class Clients(Protocol):
    """Who may call, what is theirs, and what reviewers may do."""

    def authenticate(self, token: str, *, now: datetime) -> ClientKey | None:
        """The live key that ``token`` is; None whatever else it is, in about the same time."""
        ...

    def owns(self, client_id: str, document_id: str) -> bool:
        """Whether the document exists and is this client's."""
        ...

    def role(self, reviewer: str) -> str:
        """``reviewer``, ``senior``, ``auditor`` or ``admin``."""
        ...

    def vouched_by_provider(self, reviewer: str) -> bool:
        """Whether the account came from the OpenID provider and has no password of its own."""
        ...

    def admit_reviewer(self, reviewer: str, role: str, *, unusable_hash: str) -> bool:
        """Make or update the account of whom the provider vouches for; False if it is local.

        Raises ValueError for an unknown role.
        """
        ...


def _unmeasured(stage: str) -> AbstractContextManager[None]:
    return nullcontext()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the routes."""

    settings: Settings
    inspector: Inspector
    render_page: PageRenderer
    document_types: Mapping[str, DocumentTitle]
    """By id."""
    problem_text: Callable[[str, Mapping[str, int | float | str]], Texts]
    """The ``title`` and ``detail`` of a ``file.*`` or ``request.*`` code, its facts filled in."""
    reason_codes: Mapping[str, Texts]
    """code -> ``message`` or ``advice`` -> language -> sentence"""
    field_names: Texts
    """language -> claim name -> what people call it"""
    store: ReportStore
    rulings: RulingStore
    sessions: Sessions
    reservations: Reservations
    desk: ReviewDesk
    blobs: BlobStore
    files: MemoryFiles
    """Where children find what they are to judge or draw."""
    webhooks: WebhookStore
    ready: Callable[[], list[str]]
    """What keeps the service from working, each with its remedy; [] when nothing does."""
    portal: Portal
    clients: Clients
    """Who may call."""
    stage: Callable[[str], AbstractContextManager[None]] = _unmeasured
    """Measures a stage of a document: a context of its name."""
    clock: Callable[[], datetime] = _utc_now
    """The time, aware, in UTC."""
