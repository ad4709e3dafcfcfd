"""Everybody can use the pages: axe, narrow screens, targets, focus; and nothing written runs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from api.review.texts import TEXTS
from docqa.reviewing import TrailEntry
from tests.api.running import until
from tests.api.scripted_service import REVIEWER, Scripted, reason, report, square
from tests.browser.reviewing_in_a_browser import (
    NARROW,
    Watch,
    add_document,
    await_keys,
    sign_in,
    visiting,
)
from tests.memory_files import held_bytes

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "'-alert(3)-'",
    "{{7*7}}${7*7}",
    "</textarea></title><svg/onload=alert(4)>",
    "javascript:alert(5)",
    "\u202egpj.exe",
    "&lt;b&gt;&#x3c;",
    "]]><!--",
    "=cmd|' /C calc'!A0",
    "محمد<b onmouseover=alert(6)>",
    "`${alert(7)}`",
]
ALL_NASTY = " ".join(NASTY)
SMALL = """() => [...document.querySelectorAll("a, button, summary, input, select, textarea")]
    .filter((e) => e.checkVisibility() && !e.closest("[hidden], .skip") && e.type !== "hidden")
    .filter((e) => !e.matches(".skip"))
    .map((e) => [e, (e.closest("label") ?? e).getBoundingClientRect()])
    .filter(([, box]) => box.width < 24 || box.height < 24)
    .map(([e, box]) => `${e.outerHTML.slice(0, 90)} ${box.width}x${box.height}`)"""


def photo_with_exif(text: str) -> bytes:
    image, stream = Image.new("RGB", (300, 400), "white"), io.BytesIO()
    exif = image.getexif()
    exif[0x010F] = exif[0x0131] = text
    image.save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def paths(service: Scripted) -> list[str]:
    document_id = f"doc_{1:032x}"
    return [
        "/review",
        "/review?reason=page.blank",
        f"/review/{document_id}",
        f"/review/{document_id}?beside=doc_{2:032x}",
        "/review/supervision",
        "/review/nowhere",
        "/try",
        "/review/login",
    ]


@pytest.fixture(params=["ar", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def filled(served: tuple[Scripted, str]) -> Iterator[tuple[Scripted, str]]:
    service, _ = served
    add_document(service, 1, booking_ref="B-1")
    add_document(service, 2, booking_ref="B-1", document_type="sy-id-back")
    yield served


def violations(page: Page) -> list[str]:
    response = Axe().run(page).response
    assert len(response["passes"]) > 5, "axe looked at nothing"
    found = response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]} {each['nodes'][0]['failureSummary'][:160]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_axe_finds_nothing_serious(
    browser: Browser, filled: tuple[Scripted, str], language: str, scheme: Any
) -> None:
    service, url = filled
    found = {}
    with visiting(browser, color_scheme=scheme) as context:
        page = context.new_page()
        sign_in(page, url, language)
        for path in paths(service):
            page.goto(f"{url}{path}")
            for details in page.locator("details").all():
                details.evaluate("each => { each.open = true; }")
            found[path] = violations(page)
    assert {path: each for path, each in found.items() if each} == {}


def test_nothing_is_cut_at_four_times_the_size_and_targets_are_large_enough(
    browser: Browser, filled: tuple[Scripted, str], language: str
) -> None:
    service, url = filled
    wide, small = {}, {}
    with visiting(browser, viewport=NARROW) as context:
        page = context.new_page()
        sign_in(page, url, language)
        for path in paths(service):
            page.goto(f"{url}{path}")
            across = page.evaluate("document.documentElement.scrollWidth")
            if across > NARROW["width"]:
                wide[path] = across
            if too_small := page.evaluate(SMALL):
                small[path] = too_small
    assert (wide, small) == ({}, {})


def test_a_reviewer_decides_with_the_tab_key_alone_and_sees_where_they_are(
    browser: Browser, filled: tuple[Scripted, str]
) -> None:
    service, url = filled
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.goto(f"{url}/review/doc_{1:032x}")
        await_keys(page)
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            shown = focused.evaluate(
                "e => getComputedStyle(e).outlineStyle !== 'none' && "
                "getComputedStyle(e).outlineWidth !== '0px'"
            )
            assert shown, focused.evaluate("e => e.outerHTML")
            if focused.get_attribute("value") == "accept":
                break
        page.keyboard.press("Enter")
        expect(page.get_by_text(TEXTS["en"]["recorded"])).to_be_visible()
    assert [ruling.decision for ruling in service.store.rulings(f"doc_{1:032x}")] == ["accept"]


def test_what_strangers_wrote_is_only_ever_text(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    told = {"ar": ALL_NASTY, "en": ALL_NASTY}
    hostile = reason(
        "geometry.skew", "review", message=told, advice=told, unit=NASTY[0],
        regions=[{"kind": NASTY[1], "polygon": square(1, 1, 50)}],
    )  # fmt: skip
    judged = report("review", (hostile,))
    judged["fields"] = [
        {"name": "given_name", "match": "near", "source": "ocr", "confidence": 1, "page": 1,
         "polygon": None},
    ]  # fmt: skip
    judged["pages"][0]["measures"]["capture"] = {
        "status": "assessed", "score": 1, "regions": [], "evidence": [told],
        "outputs": {"source": NASTY[0], "scanner_probability": 0.1},
    }  # fmt: skip
    made = add_document(
        service, file_name=ALL_NASTY, booking_ref=ALL_NASTY, document_type=NASTY[1], report=judged,
        claims={"given_name": ALL_NASTY, "birth_place": NASTY[4]},
        readings={"given_name": {"ocr": " ".join(reversed(NASTY))}},
    )  # fmt: skip
    service.services.desk.record(
        TrailEntry(made.id, REVIEWER, "escalate", ALL_NASTY, service.clock.now)
    )
    service.inspector.answer = judged
    watch = Watch()
    with visiting(browser) as context:
        page = context.new_page()
        watch.over(page, url, allowed=("status of 422",))
        sign_in(page, url)
        page.goto(f"{url}/review/{made.id}")
        page.locator("#note").fill(ALL_NASTY)
        page.locator("summary.reject").click()
        page.locator("#reason").fill(ALL_NASTY)
        for box in page.locator(".choice input:checked").all():
            box.uncheck()
        page.locator("#reason").fill("x")
        page.get_by_role("button", name=TEXTS["en"]["reject_now"]).click()
        expect(page.locator("#note")).to_have_value(ALL_NASTY)
        page.goto(f"{url}/try")
        page.locator("#file").set_input_files(
            {"name": "<img src=x onerror=alert(8)>.jpg", "mimeType": "image/jpeg",
             "buffer": photo_with_exif(NASTY[0])}
        )  # fmt: skip
        page.locator("#trying button.primary").click()
        expect(page.locator(".verdict")).to_contain_text("<script>alert(1)</script>")
        assert page.locator("main script, main img[src=x]").count() == 0
    assert (watch.elsewhere, watch.complaints) == ([], [])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_citizen_tries_a_file_on_a_phone_and_nothing_is_kept(
    browser: Browser, served: tuple[Scripted, str], language: str, scripts: bool
) -> None:
    service, url = served
    glare = {"kind": "glare", "polygon": square(700, 400, 250)}
    service.inspector.answer = report(
        "reject", (reason("quality.glare", "reject", regions=[glare]),)
    )
    watch, texts = Watch(), TEXTS[language]
    with visiting(browser, viewport=NARROW, java_script_enabled=scripts) as context:
        page = context.new_page()
        watch.over(page, url)
        page.goto(f"{url}/try?lang={language}")
        page.locator("#file").set_input_files(
            {"name": "scan.jpg", "mimeType": "image/jpeg", "buffer": photo_with_exif("x")}
        )
        if scripts:
            service.inspector.may_end.clear()
        page.get_by_role("button", name=texts["try_check"]).click(no_wait_after=True)
        if scripts:
            expect(page.locator("#progress-text")).to_have_text(texts["try_analysing"])
            service.inspector.may_end.set()
        expect(page.get_by_role("heading", name=texts["try_reject"])).to_be_visible()
        expect(page.locator(".verdict").get_by_text("quality.glare").first).to_be_visible()
        expect(page.locator("#mark-1 polygon")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert list(service.store.scan()) == []
    until(lambda: held_bytes() == b"")
    assert (watch.elsewhere, watch.complaints) == ([], [])
