"""Adapters that live in memory: for tests, trials and as examples of each Protocol."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from docqa.audit import GENESIS, AuditEntry, Examined, Fact, chained, examine
from docqa.errors import DocqaError
from docqa.page import Pixels
from docqa.ports import Ruling, StoredDocument

_BLOB_KEY = re.compile(r"[a-z0-9]{16,64}")
_NO_DEADLINE = datetime.max.replace(tzinfo=UTC)


class ScriptedOcr:
    """OcrEngine that answers from a script.

    Args:
        answers: for each call in turn, the text of its lines or the error to raise. Lines and
            calls beyond the script read as "".
    """

    def __init__(self, answers: Sequence[Sequence[str] | DocqaError]) -> None:
        self.calls: list[tuple[str, str, int]] = []
        """Language, layout and number of lines of each call so far."""
        self._answers = list(answers)

    def read_lines(
        self,
        lines: Sequence[Pixels],
        *,
        language: str,
        layout: Literal["line", "raw_line", "block"],
    ) -> list[str]:
        """The next answer of the script; see :class:`docqa.ports.OcrEngine`."""
        if not lines:
            return []
        self.calls.append((language, layout, len(lines)))
        answer = self._answers.pop(0) if self._answers else ()
        if isinstance(answer, DocqaError):
            raise answer
        return [answer[at] if at < len(answer) else "" for at in range(len(lines))]

    def version(self) -> str:
        """Always ``scripted``."""
        return "scripted"


class MemoryStore:
    """ReportStore and RulingStore in dictionaries; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._documents: dict[str, StoredDocument] = {}
        self._rulings: dict[str, list[Ruling]] = {}
        self._reviewers: dict[str, str] = {}

    def add(self, document: StoredDocument) -> None:
        """Keep a new document. Raises ValueError when the id is taken."""
        with self._lock:
            if document.id in self._documents:
                raise ValueError(f"there is a document {document.id} already")
            self._documents[document.id] = copy.deepcopy(document)
            self._rulings[document.id] = []

    def get(self, document_id: str) -> StoredDocument | None:
        """The document with the report in force."""
        with self._lock:
            return copy.deepcopy(self._documents.get(document_id))

    def scan(self, *, decision: str | None = None) -> Iterator[StoredDocument]:
        """All documents, or those whose decision in force is ``decision``, nearest deadline first.

        Those without a deadline come last, the longest waiting first.
        """
        with self._lock:
            found = [d for d in self._documents.values() if decision in (None, d.decision)]
        found.sort(key=lambda d: (d.deadline_at or _NO_DEADLINE, d.received_at, d.id))
        return (copy.deepcopy(document) for document in found)

    def supersede(self, document_id: str, report: dict[str, Any]) -> None:
        """Put a new report in force. A reviewer's ruling stays in force.

        Raises KeyError for an unknown document.
        """
        with self._lock:
            document = self._documents[document_id]
            ruled = bool(self._rulings[document_id])
            decision = document.decision if ruled else report["verdict"]["decision"]
            self._documents[document_id] = replace(
                document, report=copy.deepcopy(report), decision=decision,
                report_number=document.report_number + 1,
            )  # fmt: skip

    def rule(self, ruling: Ruling) -> None:
        """Record a ruling and put it in force. Raises KeyError for an unknown document."""
        with self._lock:
            self._put_in_force(ruling)

    def rule_if_open(self, ruling: Ruling) -> bool:
        """Record a ruling only while the document waits for review; False when it does not."""
        with self._lock:
            document = self._documents.get(ruling.document_id)
            if document is None or document.decision != "review":
                return False
            self._put_in_force(ruling)
            return True

    def rulings(self, document_id: str) -> list[Ruling]:
        """All rulings on a document, oldest first."""
        with self._lock:
            return list(self._rulings.get(document_id, ()))

    def add_reviewer(self, name: str, password_hash: str) -> None:
        """Create the account, or give it a new password."""
        with self._lock:
            self._reviewers[name] = password_hash

    def password_hash(self, name: str) -> str | None:
        """None when there is no such reviewer."""
        with self._lock:
            return self._reviewers.get(name)

    def _put_in_force(self, ruling: Ruling) -> None:
        document = self._documents[ruling.document_id]
        self._documents[document.id] = replace(document, decision=ruling.decision)
        self._rulings[document.id].append(ruling)


class MemoryAuditTrail:
    """AuditTrail in a list; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[AuditEntry] = []

    def append(self, kind: str, subject: str, actor: str, facts: Mapping[str, Fact]) -> AuditEntry:
        """See :class:`docqa.ports.AuditTrail`."""
        with self._lock:
            previous = self._entries[-1] if self._entries else None
            place = (previous.number, previous.sha256) if previous else (0, GENESIS)
            self._entries.append(
                chained(place, datetime.now(UTC), kind, subject, actor, dict(facts))
            )
            return self._entries[-1]

    def verify(self, head: str | None = None) -> Examined:
        """See :class:`docqa.ports.AuditTrail`."""
        with self._lock:
            return examine(self._entries, head)


class MemoryBlobs:
    """BlobStore in a dictionary."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._put_at: dict[str, datetime] = {}

    def put(self, key: str, data: bytes) -> None:
        """Raises ValueError when the key is taken, or not 16 to 64 of a-z and 0-9."""
        _check_blob_key(key)
        if key in self._blobs:
            raise ValueError(f"the blob {key} exists already")
        self._blobs[key] = data
        self._put_at[key] = datetime.now(UTC)

    def get(self, key: str) -> bytes:
        """Raises KeyError when there is none."""
        _check_blob_key(key)
        return self._blobs[key]

    def delete(self, key: str) -> None:
        """Gone for good; a missing key is no error."""
        _check_blob_key(key)
        self._blobs.pop(key, None)

    def stored_before(self, moment: datetime) -> Iterator[str]:
        """See :class:`docqa.ports.BlobStore`."""
        return (key for key in list(self._blobs) if self._put_at[key] < moment)

    def problems(self) -> list[str]:
        """There are none."""
        return []


def _check_blob_key(key: str) -> None:
    if not _BLOB_KEY.fullmatch(key):
        raise ValueError("a blob key is 16 to 64 of a-z and 0-9")
