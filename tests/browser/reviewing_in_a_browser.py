"""What the browser tests share: Chromium, a real server, documents, and an eye on the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from api.app import create_app
from api.review.texts import TEXTS
from docqa.ports import StoredDocument
from tests.api.scripted_service import (
    PASSWORD,
    REVIEWER,
    Clock,
    Scripted,
    reason,
    report,
    scripted_service,
    square,
)

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1360, "height": 900}
NARROW = {"width": 320, "height": 640}
"""What 400 % zoom leaves of a desk's screen."""


@contextmanager
def started_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@contextmanager
def served_service(folder: Path, **changes: Any) -> Iterator[tuple[Scripted, str]]:
    now = datetime.now(UTC)
    with scripted_service(folder, clock=Clock(now), **changes) as service:
        config = uvicorn.Config(create_app(service.services), port=0, log_config=None, ws="none")
        server = uvicorn.Server(config)
        listener = config.bind_socket()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield service, f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def add_document(service: Scripted, number: int = 1, **changes: Any) -> StoredDocument:
    """One that waits, with a region to zoom to, a claim that differs, and another that is read."""
    glare = reason(
        "quality.glare", "review", regions=[{"kind": "glare", "polygon": square(700, 400, 250)}]
    )
    judged = report("review", (glare, reason("geometry.skew", "review")))
    judged["fields"] = [
        {
            "name": name,
            "match": match,
            "source": "ocr",
            "confidence": 0.9,
            "page": 1,
            "polygon": square(300, y, 80),
            "others": [],
        }
        for name, match, y in (("given_name", "near", 700), ("national_number", "near", 900))
    ]
    facts: dict[str, Any] = {
        "id": f"doc_{number:032x}",
        "blob_key": f"{number:032x}",
        "file_name": "هوية.pdf",
        "document_type": "sy-id-front",
        "claims": {"given_name": "محمود", "national_number": "01234567890"},
        "readings": {
            "given_name": {"ocr": "محمد"},
            "national_number": {"ocr": "01234967890"},
        },
        "report": judged,
        "decision": "review",
        "received_at": service.clock.now,
        "deadline_at": service.clock.now + timedelta(days=number),
    }
    made = StoredDocument(**(facts | changes))
    service.services.blobs.put(made.blob_key, b"%PDF")
    service.store.add(made)
    return made


@dataclass
class Watch:
    """What a page asked of others, and what the browser complained about."""

    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def over(self, page: Page, url: str, allowed: tuple[str, ...] = ()) -> None:
        def note(request: Request) -> None:
            if not request.url.startswith((url, "data:")):
                self.elsewhere.append(request.url)

        page.on("request", note)
        page.on(
            "console",
            lambda message: (
                None
                if any(text in message.text for text in allowed)
                else self.complaints.append(message.text)
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))


def sign_in(page: Page, url: str, language: str = "en", name: str = REVIEWER) -> None:
    texts = TEXTS[language]
    page.goto(f"{url}/review/login?lang={language}")
    page.get_by_label(texts["name"], exact=True).fill(name)
    page.get_by_label(texts["password"], exact=True).fill(PASSWORD)
    page.get_by_role("button", name=texts["sign_in"]).click()
    expect(page.get_by_role("heading", name=texts["queue"])).to_be_visible()


def await_keys(page: Page) -> None:
    """Until the page listens, and takes a decision where there is one to take."""
    page.wait_for_selector("html[data-listens]")
    page.wait_for_selector("button[aria-disabled]", state="detached")


@contextmanager
def visiting(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A visitor of their own, with a desk's screen unless ``options`` say otherwise."""
    context = browser.new_context(**{"viewport": DESK, **options})
    context.set_default_timeout(20_000)
    yield context
    context.close()
