"""Every key does what the list says, under an English and an Arabic layout."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from api.review.texts import TEXTS
from tests.api.scripted_service import Scripted
from tests.browser.reviewing_in_a_browser import (
    add_document,
    await_keys,
    sign_in,
    visiting,
)

ARABIC_LAYOUT = {
    "KeyA": "ش", "KeyR": "ق", "KeyS": "س", "KeyE": "ث", "KeyN": "ى", "KeyP": "ح", "KeyZ": "ئ",
    "KeyC": "ؤ", "KeyF": "ب", "KeyT": "ف", "KeyO": "خ", "Digit1": "١", "Digit0": "٠",
    "Slash": "؟", "Equal": "=", "Minus": "-",
}  # fmt: skip
PRESS = """([code, key, shift]) => (document.activeElement ?? document.body).dispatchEvent(
    new KeyboardEvent("keydown", {code, key, shiftKey: shift, bubbles: true, cancelable: true}))"""


def press(page: Page, layout: str, code: str, shift: bool = False) -> None:
    """As a keyboard of that layout does: the same place, another letter."""
    await_keys(page)
    letter = ARABIC_LAYOUT.get(code, code) if layout == "ar" else code[-1].lower()
    page.evaluate(PRESS, [code, letter, shift])


def view(page: Page) -> list[float]:
    return [float(n) for n in str(page.locator("svg.page").get_attribute("viewBox")).split()]


@pytest.fixture(params=["en", "ar"])
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Browser, served: tuple[Scripted, str]) -> Iterator[Page]:
    """A reviewer's page, at the second of three documents."""
    service, url = served
    for number in (1, 2, 3):
        add_document(service, number)
    with visiting(browser) as context:
        made = context.new_page()
        sign_in(made, url)
        made.goto(f"{url}/review/doc_{2:032x}?previous=doc_{1:032x}")
        yield made


def test_keys_move_the_page(page: Page, layout: str) -> None:
    whole = view(page)
    press(page, layout, "Digit1")
    x, y, width, height = view(page)
    assert (x + width / 2, y + height / 2) == pytest.approx((825, 525), abs=2)
    press(page, layout, "KeyF")
    assert view(page) == whole
    press(page, layout, "Equal", shift=True)
    larger = view(page)
    assert larger[2] < whole[2]
    for code, at, sign in (("ArrowRight", 0, 1), ("ArrowLeft", 0, -1), ("ArrowDown", 1, 1)):
        before = view(page)[at]
        press(page, layout, code)
        assert (view(page)[at] - before) * sign > 0
    press(page, layout, "ArrowUp")
    press(page, layout, "Minus")
    assert view(page)[2] == pytest.approx(whole[2], abs=1)
    press(page, layout, "Digit0")
    box = page.locator("svg.page").bounding_box()
    assert box is not None
    seen = view(page)
    assert max(seen[2] / box["width"], seen[3] / box["height"]) == pytest.approx(1, abs=0.02)
    press(page, layout, "KeyT")
    assert view(page)[2:] == [whole[3], whole[2]]
    press(page, layout, "KeyO")
    expect(page.locator("#mark-1")).to_be_hidden()
    press(page, layout, "KeyO")
    expect(page.locator("#mark-1")).to_be_visible()


@pytest.mark.parametrize(("code", "outcome"), [("KeyA", "accept"), ("KeyS", "rescan")])
def test_one_key_decides_and_another_undoes(
    page: Page, layout: str, served: tuple[Scripted, str], code: str, outcome: str
) -> None:
    document_id = f"doc_{2:032x}"
    press(page, layout, code)
    expect(page).to_have_url(re.compile(f"/review/doc_{3:032x}"))
    trail = served[0].services.desk.trail(document_id)
    assert trail[0].action == outcome
    press(page, layout, "KeyZ")
    expect(page.get_by_text(TEXTS["en"]["undone"])).to_be_visible()


def test_a_key_opens_the_reasons_and_enter_rejects(
    page: Page, layout: str, served: tuple[Scripted, str]
) -> None:
    press(page, layout, "KeyR")
    expect(page.locator("button[data-first]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/review/doc_{3:032x}"))
    [ruling] = served[0].store.rulings(f"doc_{2:032x}")
    assert ruling.decision == "reject"


def test_keys_take_escalate_and_walk(page: Page, layout: str, served: tuple[Scripted, str]) -> None:
    press(page, layout, "KeyC")
    expect(page.get_by_text("You hold this document")).to_be_visible()
    press(page, layout, "KeyE")
    expect(page).to_have_url(re.compile(f"/review/doc_{3:032x}"))
    press(page, layout, "KeyP")
    expect(page).to_have_url(re.compile(f"/review/doc_{2:032x}"))
    press(page, layout, "KeyN")
    expect(page).to_have_url(re.compile(f"/review/doc_{3:032x}"))
    desk = served[0].services.desk
    assert desk.trail(f"doc_{2:032x}")[0].action == "escalate"


def test_keys_are_listed_and_can_be_turned_off(page: Page, layout: str) -> None:
    press(page, layout, "Slash", shift=True)
    expect(page.get_by_role("dialog")).to_be_visible()
    for name in ("A", "R", "S", "E", "Z", "N", "P", "C", "1–9", "F", "0", "T", "O", "?"):
        expect(page.get_by_role("dialog").locator("kbd", has_text=name).first).to_be_visible()
    page.get_by_role("button", name=TEXTS["en"]["keys_off"]).click()
    expect(page.locator("html")).to_have_attribute("data-keys", "off")
    before = view(page)
    press(page, layout, "Digit1")
    assert view(page) == before
    page.reload()
    press(page, layout, "KeyA")
    expect(page.locator("html")).to_have_attribute("data-keys", "off")
    page.get_by_role("button", name=TEXTS["en"]["hotkeys"]).click()
    page.get_by_role("button", name=TEXTS["en"]["keys_on"]).click()
    expect(page.locator("html")).to_have_attribute("data-keys", "on")


def test_keys_do_nothing_while_somebody_types(
    page: Page, layout: str, served: tuple[Scripted, str]
) -> None:
    page.locator("#note").focus()
    before = view(page)
    for code in ("KeyA", "KeyS", "KeyE", "Digit1", "KeyT"):
        press(page, layout, code)
    page.locator("#note").press_sequentially("arse 1")
    assert view(page) == before
    expect(page.locator("#note")).to_have_value("arse 1")
    assert served[0].services.desk.trail(f"doc_{2:032x}") == []
