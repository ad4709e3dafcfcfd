"""Reviewers at work in a real browser: both languages, with and without scripts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from api.review.texts import TEXTS
from tests.api.scripted_service import PASSWORD, REVIEWER, Scripted, reason, report
from tests.browser.reviewing_in_a_browser import (
    DESK,
    PHONE,
    Watch,
    add_document,
    await_keys,
    sign_in,
    visiting,
)

OTHER = "samer"


def key(page: Page, name: str) -> None:
    await_keys(page)
    page.keyboard.press(name)


def add_colleague(service: Scripted) -> None:
    known = service.store.password_hash(REVIEWER)
    assert known is not None
    service.store.add_reviewer(OTHER, known)


@pytest.mark.parametrize(
    ("language", "viewport", "scripts"),
    [("ar", DESK, True), ("en", PHONE, True), ("ar", PHONE, False), ("en", DESK, False)],
    ids=["ar-desk", "en-phone", "ar-phone-no-scripts", "en-desk-no-scripts"],
)
def test_a_reviewer_signs_in_takes_a_document_and_rejects_it(
    browser: Browser, served: tuple[Scripted, str], language: str, viewport: Any, scripts: bool
) -> None:
    service, url = served
    made = add_document(service)
    texts, watch = TEXTS[language], Watch()
    with visiting(browser, viewport=viewport, java_script_enabled=scripts) as context:
        page = context.new_page()
        watch.over(page, url)
        sign_in(page, url, language)
        page.get_by_role("button", name=texts["take_next"]).click()
        expect(page.locator("svg.page")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        page.locator("summary.reject").click()
        expect(page.get_by_text("رسالة quality.glare نصيحة quality.glare")).to_be_visible()
        page.get_by_label(texts["own_words"], exact=True).fill("الزاوية مقطوعة")
        page.get_by_role("button", name=texts["reject_now"]).click()
        expect(page.get_by_text(texts["recorded"])).to_be_visible()
        expect(page.get_by_text(texts["queue_empty"])).to_be_visible()
    [ruling] = service.store.rulings(made.id)
    assert (ruling.decision, ruling.reviewer) == ("reject", REVIEWER)
    assert ruling.reason.startswith("الزاوية مقطوعة\n")
    assert "Message of quality.glare Advice of quality.glare" in ruling.reason
    assert (watch.elsewhere, watch.complaints) == ([], [])


def test_one_key_decides_and_goes_on_and_another_takes_it_back(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    first, second = add_document(service, 1), add_document(service, 2)
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        key(page, "n")
        expect(page).to_have_url(re.compile(first.id))
        key(page, "a")
        expect(page).to_have_url(re.compile(f"/review/{second.id}"))
        assert [ruling.decision for ruling in service.store.rulings(first.id)] == ["accept"]
        key(page, "z")
        expect(page.get_by_text(TEXTS["en"]["undone"])).to_be_visible()
        expect(page).to_have_url(re.compile(f"/review/{first.id}"))
    found = service.store.get(first.id)
    assert found is not None and found.decision == "review"
    assert service.store.rulings(first.id) == []


@pytest.mark.parametrize("press", ["key", "mouse"])
def test_a_second_press_does_not_decide_the_document_that_comes_in_the_place_of_the_first(
    browser: Browser, served: tuple[Scripted, str], press: str
) -> None:
    service, url = served
    first, second, third = (add_document(service, number) for number in (1, 2, 3))
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.clock.install()
        page.goto(f"{url}/review/{first.id}")
        key(page, "c")
        expect(page.get_by_text("You hold this document")).to_be_visible()
        await_keys(page)
        box = page.get_by_role("button", name=TEXTS["en"]["accept"]).bounding_box()
        assert box is not None

        def accept() -> None:
            page.wait_for_load_state()
            if press == "key":
                page.keyboard.press("a")
            else:
                page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

        page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
        accept()
        expect(page).to_have_url(re.compile(f"/review/{second.id}"))
        accept()
        page.clock.run_for(900)
        accept()
        page.clock.run_for(200)
        key(page, "s")
        expect(page).to_have_url(re.compile(f"/review/{third.id}"))
    assert [ruling.decision for ruling in service.store.rulings(first.id)] == ["accept"]
    assert [ruling.decision for ruling in service.store.rulings(second.id)] == ["reject"]
    assert service.store.rulings(third.id) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_enter_in_the_note_decides_nothing(
    browser: Browser, served: tuple[Scripted, str], scripts: bool
) -> None:
    service, url = served
    made = add_document(service)
    with visiting(browser, java_script_enabled=scripts) as context:
        page = context.new_page()
        sign_in(page, url)
        page.goto(f"{url}/review/{made.id}")
        rescan = page.get_by_role("button", name=TEXTS["en"]["rescan"])
        expect(rescan).to_be_enabled()
        page.locator("#note").fill("see the corner")
        page.locator("#note").press("Enter")
        rescan.click()
        expect(page.get_by_text(TEXTS["en"]["recorded"])).to_be_visible()
    assert [ruling.decision for ruling in service.store.rulings(made.id)] == ["reject"]


def test_nothing_is_decided_before_the_picture_has_come(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    held: list[Route] = []
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.clock.install()
        page.route("**/image?*size=small", lambda route: held.append(route))
        page.goto(f"{url}/review/{made.id}", wait_until="domcontentloaded")
        accept = page.get_by_role("button", name=TEXTS["en"]["accept"])
        page.clock.run_for(5000)
        expect(accept).to_be_disabled()
        while held:
            held.pop().continue_()
        page.wait_for_load_state()
        page.clock.run_for(1000)
        expect(accept).to_be_enabled()


def test_a_claim_that_was_lost_is_told_and_nothing_typed_is_lost(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    add_colleague(service)
    texts = TEXTS["en"]
    with visiting(browser) as mine, visiting(browser) as theirs:
        page, other = mine.new_page(), theirs.new_page()
        sign_in(page, url)
        sign_in(other, url, name=OTHER)
        page.get_by_role("button", name=texts["take_next"]).click()
        page.locator("#note").fill("see the corner")
        page.locator("summary.reject").click()
        page.get_by_label(texts["own_words"], exact=True).fill("scan all of it")
        page.get_by_label("Turned", exact=False).first.uncheck()
        other.goto(f"{url}/review/{made.id}")
        expect(other.get_by_text(f"{REVIEWER}⁩ is working on this document")).to_be_visible()
        service.clock.now += timedelta(minutes=11)
        other.goto(f"{url}/review/{made.id}")
        key(other, "c")
        expect(other.get_by_text("You hold this document")).to_be_visible()
        with page.expect_response(f"**/review/{made.id}") as answer:
            page.get_by_role("button", name=texts["reject_now"]).click()
        assert answer.value.status == 412
        expect(page.get_by_role("alert")).to_have_text(texts["claim_lost"])
        expect(page.locator("#note")).to_have_value("see the corner")
        expect(page.locator("#reason")).to_have_value("scan all of it")
        expect(page.locator("input[name='code.geometry.skew']")).not_to_be_checked()
        expect(page.locator("input[name='code.quality.glare']")).to_be_checked()
    assert service.store.rulings(made.id) == []


@pytest.mark.parametrize("how", ["put back", "signed out"])
def test_an_open_page_says_when_its_document_is_held_no_more(
    browser: Browser, served: tuple[Scripted, str], how: str
) -> None:
    service, url = served
    made = add_document(service)
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.clock.install()
        key(page, "n")
        expect(page.get_by_text("You hold this document")).to_be_visible()
        page.wait_for_selector("html[data-listens]")
        with page.expect_response(f"**/review/{made.id}/beat") as answer:
            page.clock.fast_forward("02:01")
        assert answer.value.status == 204
        expect(page.locator("#claim-lost")).to_be_hidden()
        if how == "put back":
            service.services.desk.release(made.id, REVIEWER)
        else:
            service.clock.now += timedelta(minutes=31)
        page.clock.fast_forward("02:01")
        expect(page.get_by_role("alert")).to_have_text(TEXTS["en"]["hold_lost"])


def test_what_changed_under_a_reviewer_is_shown_first_and_the_same_key_then_decides(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        key(page, "n")
        expect(page).to_have_url(re.compile(made.id))
        assert service.store.correct(
            made, claims={"given_name": "ياسمين"}, readings={}, report=made.report
        )
        key(page, "a")
        expect(page.get_by_role("alert")).to_have_text(TEXTS["en"]["changed"])
        expect(page.get_by_role("cell", name="ياسمين")).to_be_visible()
        assert service.store.rulings(made.id) == []
        key(page, "a")
        expect(page.get_by_text(TEXTS["en"]["recorded"])).to_be_visible()
    assert [ruling.decision for ruling in service.store.rulings(made.id)] == ["accept"]


def test_the_page_image_is_there_and_regions_lie_where_the_report_says(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        with page.expect_response(re.compile(r"/image\?.*size=small")) as image:
            page.goto(f"{url}/review/{made.id}")
        assert image.value.status == 200
        whole = page.locator("svg.page image").bounding_box()
        glare = page.locator("#mark-1 polygon").bounding_box()
    assert whole is not None and glare is not None
    scale = whole["width"] / 1240
    assert glare["width"] == pytest.approx(250 * scale, abs=4)
    assert glare["x"] - whole["x"] == pytest.approx(700 * scale, abs=4)
    assert glare["y"] - whole["y"] == pytest.approx(400 * scale, abs=4)


def test_a_reason_is_zoomed_to_without_scripts_too(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    with visiting(browser, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, url)
        page.goto(f"{url}/review/{made.id}")
        page.get_by_label(TEXTS["en"]["show_reason"].format(number=1)).click()
        shown = [float(n) for n in str(page.locator("svg.page").get_attribute("viewBox")).split()]
        page.locator("input[value='marks']").uncheck()
        expect(page.locator("#mark-1")).to_be_hidden()
    x, y, width, height = shown
    assert (x + width / 2, y + height / 2) == pytest.approx((825, 525), abs=2)
    assert 250 < width < 1240


def test_the_number_is_shown_for_a_reason_that_is_then_on_record(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.goto(f"{url}/review/{made.id}")
        claims = page.locator("#claims")
        expect(claims).not_to_contain_text("01234567890")
        expect(claims.locator("svg.crop")).to_have_count(1)
        picture = page.locator("[data-viewer='main'] svg.page image")
        expect(picture).to_have_attribute("href", re.compile("shown=veiled"))
        page.locator("#note").fill("kept while parts are replaced")
        page.get_by_label(TEXTS["en"]["reveal_reason"]).fill("two digits look alike")
        page.get_by_role("button", name=TEXTS["en"]["reveal"]).click()
        expect(claims).to_contain_text("01234567890")
        expect(claims).to_contain_text("٠١٢٣٤٥٦٧٨٩٠")
        expect(claims.locator("svg.crop")).to_have_count(2)
        expect(page.locator("#history")).to_contain_text("revealed the national number")
        expect(page.locator("#history")).to_contain_text("two digits look alike")
        expect(page.locator("#note")).to_have_value("kept while parts are replaced")
        expect(picture).to_have_attribute("href", re.compile("shown=open"))
        expect(page.locator("#veil-main")).to_be_hidden()
    assert [entry.action for entry in service.services.desk.trail(made.id)] == ["revealed"]


def test_a_reason_that_is_too_short_is_said_without_leaving_the_page(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.goto(f"{url}/review/{made.id}")
        reveal = page.get_by_role("button", name=TEXTS["en"]["reveal"])
        for why, told in (("     ", [TEXTS["en"]["reveal_reason_missing"]]), ("a smudge", [])):
            page.get_by_label(TEXTS["en"]["reveal_reason"]).fill(why)
            reveal.click()
            expect(page.locator("#failure [role='alert']")).to_have_text(told)
        expect(page.locator("#claims")).to_contain_text("01234567890")


def test_what_was_typed_is_there_on_every_page_of_the_document_until_signing_out(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    two_pages = report("review", (reason("geometry.skew", "review"),))
    two_pages["pages"].append({"index": 2, "width_px": 100, "height_px": 200, "measures": {}})
    first = add_document(service, 1, booking_ref="B-1", report=two_pages)
    add_document(service, 2, booking_ref="B-1", document_type="sy-id-back")
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.goto(f"{url}/review/{first.id}")
        page.wait_for_selector("html[data-listens]")
        page.locator("#note").fill("page 1 is fine")
        page.locator("summary.reject").click()
        page.locator("#reason").fill("scan all of it")
        page.locator("input[name='code.geometry.skew']").uncheck()
        for link in ("Page 2", TEXTS["en"]["side_by_side"]):
            page.get_by_role("link", name=link).click()
            page.wait_for_selector("html[data-listens]")
            expect(page.locator("#note")).to_have_value("page 1 is fine")
            expect(page.locator("#reason")).to_have_value("scan all of it")
            expect(page.locator("#reason")).to_be_visible()
            expect(page.locator("input[name='code.geometry.skew']")).not_to_be_checked()
        page.goto(f"{url}/review/doc_{2:032x}")
        expect(page.locator("#note")).to_have_value("")
        page.get_by_role("button", name=TEXTS["en"]["sign_out"]).click()
        sign_in(page, url)
        page.goto(f"{url}/review/{first.id}")
        expect(page.locator("#note")).to_have_value("")


def test_what_was_typed_comes_back_with_an_undo_and_not_after_it(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.goto(f"{url}/review/{made.id}")
        await_keys(page)
        page.locator("#note").fill("for colleagues")
        page.locator("summary.reject").click()
        page.locator("#reason").fill("scan all of it")
        page.locator("input[name='code.geometry.skew']").uncheck()
        page.get_by_role("button", name=TEXTS["en"]["reject_now"]).click()
        expect(page.get_by_text(TEXTS["en"]["recorded"])).to_be_visible()
        key(page, "z")
        expect(page.get_by_text(TEXTS["en"]["undone"])).to_be_visible()
        await_keys(page)
        expect(page.locator("#note")).to_have_value("for colleagues")
        expect(page.locator("#reason")).to_have_value("scan all of it")
        expect(page.locator("input[name='code.geometry.skew']")).not_to_be_checked()
        page.clock.install()
        key(page, "e")
        expect(page.get_by_text(TEXTS["en"]["recorded"])).to_be_visible()
        page.wait_for_selector("html[data-listens]")
        service.clock.now += timedelta(seconds=20)
        page.clock.fast_forward(20_000)
        page.goto(f"{url}/review/{made.id}")
        page.wait_for_selector("html[data-listens]")
        expect(page.locator("#note")).to_have_value("")


def test_what_was_typed_is_there_after_signing_in_again(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    texts = TEXTS["en"]
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.goto(f"{url}/review/{made.id}?page=1")
        await_keys(page)
        page.locator("#note").fill("for colleagues")
        service.clock.now += timedelta(minutes=31)
        page.get_by_role("button", name=texts["accept"]).click()
        expect(page.get_by_text(texts["sign_in_first"])).to_be_visible()
        page.get_by_label(texts["name"], exact=True).fill(REVIEWER)
        page.get_by_label(texts["password"], exact=True).fill(PASSWORD)
        page.get_by_role("button", name=texts["sign_in"]).click()
        expect(page).to_have_url(re.compile(f"/review/{made.id}"))
        expect(page.locator("#note")).to_have_value("for colleagues")
    assert service.store.rulings(made.id) == []


def test_the_language_is_switched_and_remembered(
    browser: Browser, served: tuple[Scripted, str]
) -> None:
    service, url = served
    made = add_document(service)
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url, "en")
        page.goto(f"{url}/review/{made.id}?page=1")
        page.get_by_role("link", name="العربية").click()
        expect(page.locator("html")).to_have_attribute("lang", "ar")
        assert made.id in page.url
        page.goto(f"{url}/review")
        expect(page.get_by_role("heading", name=TEXTS["ar"]["queue"])).to_be_visible()


def test_front_and_back_are_shown_together(browser: Browser, served: tuple[Scripted, str]) -> None:
    service, url = served
    front = add_document(service, 1, booking_ref="B-1")
    add_document(service, 2, booking_ref="B-1", document_type="sy-id-back")
    add_document(service, 3, booking_ref="B-2")
    with visiting(browser) as context:
        page = context.new_page()
        sign_in(page, url)
        page.goto(f"{url}/review/{front.id}")
        expect(page.locator(".siblings li")).to_have_count(1)
        expect(page.locator(".siblings")).to_contain_text(TEXTS["en"]["attempts_other_side"])
        page.get_by_role("link", name=TEXTS["en"]["side_by_side"]).click()
        expect(page.locator("svg.page")).to_have_count(2)
        page.goto(f"{url}/review/{front.id}?beside=doc_{3:032x}")
        expect(page.locator("svg.page")).to_have_count(1)
