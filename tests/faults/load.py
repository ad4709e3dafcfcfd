"""Clients that upload under load and never give up, and what must hold of it afterwards."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

import httpx
import sqlalchemy as sa

from docqa import wiring
from docqa.adapters.schema import documents, events, open_engine, reports
from docqa.settings import Settings
from fixtures.synthesize.documents import letter
from fixtures.synthesize.scanner import scan
from tests.faults.installation import Installation
from tests.faults.receivers import Receiver

_RETRY_AFTER_S = 0.3
_TIMEOUT_S = 40.0


@cache
def _scan() -> bytes:
    return scan(letter(script="latin", seed=3), ppi=100).data


def distinct_scan(mark: str) -> bytes:
    """A scan whose bytes nobody else has: the mark stands in a comment."""
    data = _scan()
    comment = mark.encode()
    return data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]


@dataclass
class Uploads:
    """What clients sent and what they were told."""

    address: str
    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Idempotency key -> (document id, SHA-256 of what was sent)."""
    begun: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    """No new uploads; those that are not acknowledged yet are still sent again."""
    abandon: threading.Event = field(default_factory=threading.Event)
    """Not even that."""

    def run(self) -> None:
        """Upload one document after the other, each until it is acknowledged."""
        with httpx.Client(base_url=self.address, timeout=_TIMEOUT_S) as client:
            while not self.stop.is_set():
                self._one(client, str(uuid.uuid4()))

    def _one(self, client: httpx.Client, key: str) -> None:
        data = distinct_scan(key)
        self.begun.add(key)
        while not self.abandon.is_set():
            begun = time.monotonic()
            try:
                answer = client.post(
                    "/v1/documents", content=data, headers={"Idempotency-Key": key}
                )
            except httpx.HTTPError as error:
                self.answers[type(error).__name__] += 1
                self.abandon.wait(_RETRY_AFTER_S)
                continue
            self.answers[str(answer.status_code)] += 1
            if answer.status_code == 201:
                self.latencies_s.append(time.monotonic() - begun)
                self.acknowledged[key] = answer.json()["id"], hashlib.sha256(data).hexdigest()
                return
            if answer.status_code not in (409, 500, 502, 503):
                self.wrong.append(f"{answer.status_code} {answer.text[:200]}")
                return
            self.abandon.wait(_RETRY_AFTER_S)


@dataclass(frozen=True)
class Aftermath:
    """What was found once everything was quiet. Every list is empty when all promises held."""

    documents: int
    events: int
    lost: list[str]
    """Acknowledged, but not there."""
    twice: list[str]
    """Keys or reports of which there is more than one."""
    damaged: list[str]
    """Bytes or digests that are not what was sent."""
    accepted_by_a_fault: list[str]
    untold: list[str]
    """Events that no receiver was told."""
    forged: int

    @property
    def broken(self) -> list[str]:
        """Everything that should not be."""
        forged = ["forged webhooks"] * bool(self.forged)
        faults = self.lost + self.twice + self.damaged + self.accepted_by_a_fault
        return faults + self.untold + forged


def examine(installation: Installation, uploads: Uploads, receiver: Receiver) -> Aftermath:
    """Compare what clients were told with what is kept. The service may be running or not."""
    url = installation.settings["DATABASE_URL"]
    engine = open_engine(url)
    blobs = wiring.open_blobs(Settings(blobs_dir=installation.blobs_dir))
    with engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(sa.select(documents))}
        kept = connection.execute(sa.select(reports)).all()
        happened = connection.execute(sa.select(events)).all()
    engine.dispose()
    per_engine = Counter(
        (row.document_id, row.report["policy"]["digest"], row.report["engine"]["digest"])
        for row in kept
    )
    told_of = {row.document_id for row in happened if row.kind == "document.judged"}
    lost, damaged, twice, faulty = [], [], [], []
    for key, (document_id, sha256) in uploads.acknowledged.items():
        row = rows.get(document_id)
        if row is None or document_id not in told_of:
            lost.append(key)
            continue
        try:
            data = blobs.get(row.blob_key)
        except KeyError:
            lost.append(key)
            continue
        if hashlib.sha256(data).hexdigest() != sha256:
            damaged.append(key)
    for row in kept:
        if rows[row.document_id].id in {one for one, _ in uploads.acknowledged.values()}:
            sent = {sha for one, sha in uploads.acknowledged.values() if one == row.document_id}
            if row.report["sha256"] not in sent:
                damaged.append(row.document_id)
        if row.report["faults"] and row.report["verdict"]["decision"] == "accept":
            faulty.append(row.document_id)
    twice += [str(one) for one, count in per_engine.items() if count > 1]
    ids = [document_id for document_id, _ in uploads.acknowledged.values()]
    twice += [document_id for document_id, count in Counter(ids).items() if count > 1]
    if len(rows) > len(uploads.begun):
        twice.append(f"{len(rows)} documents of {len(uploads.begun)} keys")
    return Aftermath(
        documents=len(rows),
        events=len(happened),
        lost=lost,
        twice=twice,
        damaged=damaged,
        accepted_by_a_fault=faulty,
        untold=[row.id for row in happened if row.id not in receiver.seen],
        forged=receiver.forged,
    )
