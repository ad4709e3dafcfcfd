"""A reviewer signs in and decides, in a real browser: both languages, with and without scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from api.app import create_app
from api.review.texts import TEXTS
from docqa.fields import CLAIM_NAMES, MATCHES
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
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1360, "height": 900}

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Scripted, str]]:
    now = datetime.now(UTC)
    with scripted_service(tmp_path, clock=Clock(now)) as service:
        config = uvicorn.Config(
            create_app(service.services), port=0, log_level="critical", ws="none"
        )
        server = uvicorn.Server(config)
        listener = config.bind_socket()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield service, f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def add_document(service: Scripted, number: int = 1, **changes: Any) -> StoredDocument:
    glare = reason(
        "quality.glare", "review", regions=[{"kind": "glare", "polygon": square(700, 400, 250)}]
    )
    judged = report("review", (glare, reason("geometry.skew", "review")))
    judged["fields"] = [
        {
            "name": name,
            "match": match,
            "source": "mrz",
            "confidence": 0.9,
            "page": 1,
            "polygon": None,
        }
        for name, match in zip(CLAIM_NAMES, [*MATCHES, *MATCHES], strict=True)
    ]
    facts: dict[str, Any] = {
        "id": f"doc_{number:032x}",
        "blob_key": f"{number:032x}",
        "file_name": "هوية.pdf",
        "document_type": "sy-id-front",
        "claims": {name: "01234567890" for name in CLAIM_NAMES},
        "report": judged,
        "decision": "review",
        "received_at": service.clock.now,
        "deadline_at": service.clock.now + timedelta(days=number),
    }
    made = StoredDocument(**(facts | changes))
    service.services.blobs.put(made.blob_key, b"%PDF")
    service.store.add(made)
    return made


def sign_in(page: Page, url: str, language: str) -> None:
    texts = TEXTS[language]
    page.goto(f"{url}/review?lang={language}")
    page.goto(f"{url}/review/login?lang={language}")
    page.get_by_label(texts["name"], exact=True).fill(REVIEWER)
    page.get_by_label(texts["password"], exact=True).fill(PASSWORD)
    page.get_by_role("button", name=texts["sign_in"]).click()
    expect(page.get_by_role("heading", name=texts["queue"])).to_be_visible()


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts-on", "scripts-off"])
def test_a_reviewer_signs_in_and_decides(
    browser: Browser,
    served: tuple[Scripted, str],
    language: str,
    viewport: Any,
    scripts: bool,
) -> None:
    service, url = served
    made = add_document(service)
    texts = TEXTS[language]
    with browser.new_context(viewport=viewport, java_script_enabled=scripts) as context:
        page = context.new_page()
        elsewhere: list[str] = []
        complaints: list[str] = []

        def note(request: Request) -> None:
            if not request.url.startswith(url):
                elsewhere.append(request.url)

        page.on("request", note)
        page.on("console", lambda message: complaints.append(message.text))
        sign_in(page, url, language)
        page.locator(".queue a").first.click()
        expect(page.locator("svg.page")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        box = page.locator("svg.page").bounding_box()
        assert box is not None and box["width"] <= viewport["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        page.get_by_label(texts["ruling_reason"], exact=True).fill("الزاوية مقطوعة")
        page.get_by_role("button", name=texts["reject"]).click()
        expect(page.get_by_text(texts["recorded"])).to_be_visible()
        expect(page.get_by_text(texts["queue_empty"])).to_be_visible()
    [ruling] = service.store.rulings(made.id)
    assert (ruling.decision, ruling.reason, ruling.reviewer) == (
        "reject",
        "الزاوية مقطوعة",
        REVIEWER,
    )
    assert elsewhere == []
    assert complaints == []


def test_the_page_image_is_there_and_regions_lie_where_the_report_says(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    with browser.new_context(viewport=DESK) as context:  # type: ignore[arg-type]
        page = context.new_page()
        sign_in(page, url, "en")
        with page.expect_response(f"**/review/{made.id}/pages/1/image") as image:
            page.goto(f"{url}/review/{made.id}")
        assert image.value.status == 200
        whole = page.locator("svg.page image").bounding_box()
        glare = page.locator("#mark-1 polygon").bounding_box()
    assert whole is not None and glare is not None
    scale = whole["width"] / 1240
    assert glare["width"] == pytest.approx(250 * scale, abs=4)
    assert glare["x"] - whole["x"] == pytest.approx(700 * scale, abs=4)
    assert glare["y"] - whole["y"] == pytest.approx(400 * scale, abs=4)


def test_what_strangers_wrote_does_not_run(browser: Browser, served: tuple[Scripted, str]) -> None:
    service, url = served
    hostile = reason("geometry.skew", "review", message={"ar": HOSTILE, "en": HOSTILE})
    made = add_document(
        service,
        file_name=HOSTILE,
        booking_ref=HOSTILE,
        claims={"given_name": HOSTILE},
        report=report("review", (hostile,)),
    )
    with browser.new_context(viewport=DESK) as context:  # type: ignore[arg-type]
        page = context.new_page()
        sign_in(page, url, "en")
        assert page.locator("main img").count() == 0
        page.goto(f"{url}/review/{made.id}")
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        assert page.locator("main img").count() == 0
        assert "owned" not in page.title()


def test_of_two_reviewers_at_the_same_document_the_second_is_told(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    with browser.new_context() as first, browser.new_context() as second:
        pages = [first.new_page(), second.new_page()]
        for page in pages:
            sign_in(page, url, "en")
            page.goto(f"{url}/review/{made.id}")
        for page, button in zip(pages, ("accept", "reject"), strict=True):
            page.get_by_label(TEXTS["en"]["ruling_reason"], exact=True).fill("looked at it")
            page.get_by_role("button", name=TEXTS["en"][button]).click()
        expect(pages[1].get_by_role("alert")).to_have_text(TEXTS["en"]["already_ruled"])
    assert [ruling.decision for ruling in service.store.rulings(made.id)] == ["accept"]
