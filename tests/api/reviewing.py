"""What the tests of the reviewers' pages share: waiting documents, and signing in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.testclient import TestClient

from docqa.ports import StoredDocument
from tests.api.scripted_service import NOON, PASSWORD, REVIEWER, Scripted, reason, report

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


def document(number: int, service: Scripted, **changes: Any) -> StoredDocument:
    facts: dict[str, Any] = {
        "id": f"doc_{number:032x}",
        "blob_key": f"{number:032x}",
        "file_name": "scan.pdf",
        "document_type": "sy-id-front",
        "claims": {"given_name": "آمنة", "national_number": "01234567890"},
        "report": report("review", (reason("geometry.skew", "review"),)),
        "decision": "review",
        "received_at": NOON,
        "deadline_at": NOON + timedelta(days=number),
    }
    made = StoredDocument(**(facts | changes))
    service.services.blobs.put(made.blob_key, b"%PDF")
    service.store.add(made)
    return made


def form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def shown_report(page: str) -> str:
    """The report that a decision made on the page is about, as its form says it."""
    found = re.search(r'name="report" value="(\d+)"', page)
    assert found is not None
    return found[1]


def sign_in(client: TestClient, password: str = PASSWORD, name: str = REVIEWER) -> Any:
    token = form_token(client.get("/review/login").text)
    return client.post(
        "/review/login",
        data={"form_token": token, "name": name, "password": password},
        follow_redirects=False,
    )


def browser_at(app: FastAPI, address: str) -> httpx.AsyncClient:
    """A browser whose requests come from ``address``."""
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=ENGLISH)
