"""The whole way of one document, where it depends on more than one of its parts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import docqa
from docqa import wiring
from docqa.fields import compare
from docqa.pipeline import Engine, inspect
from docqa.settings import Settings
from fixtures.synthesize.documents import id_front, letter
from fixtures.synthesize.passport import passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

PAGES = Path(__file__).parents[1] / "fixtures/pages"
CLAIMS = {"given_name": person(1).given_name, "favourite_colour": "green"}


@cache
def engine() -> Engine:
    return wiring.load_engine(Settings())


class Reader:
    """An engine of print that must not be asked."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was asked for")


def test_what_is_rejected_beyond_doubt_is_not_read() -> None:
    photo = (PAGES / "id-front-photo.jpg").read_bytes()
    watched = replace(engine(), ocr=Reader(), readers=Reader())  # type: ignore[arg-type]  # never asked
    report = inspect(photo, engine=watched, document_type="sy-id-front", claims=CLAIMS)
    assert report.verdict.decision == "reject"
    assert [(field.name, field.match) for field in report.fields] == [("given_name", "unread")]
    assert all(reason.field is None for reason in report.verdict.reasons)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"given_nmae": "كنان"}, "request.claims.unknown_field"),
        ({"given_name": None}, "request.claims.invalid"),
        ({"national_number": 12345678901}, "request.claims.invalid"),
        ({"given_name": ""}, "request.claims.invalid"),
        ({"birth_date": "12-4-2099"}, "request.claims.invalid"),
    ],
)
def test_the_library_refuses_the_claims_that_the_service_refuses(
    claims: dict[str, str], code: str
) -> None:
    with pytest.raises(docqa.InvalidRequest) as refusal:
        docqa.inspect(b"no document", document_type="sy-id-front", claims=claims)
    assert refusal.value.code == code


@pytest.mark.parametrize("source", ["barcode", "digits"])
def test_a_number_without_the_zero_that_spreadsheets_drop_is_accepted(source: str) -> None:
    """Wherever it was read; one without any other digit is not."""
    number = "00566588797"
    shortened = {number[:at] + number[at + 1 :] for at in range(len(number))}
    for typed in shortened:
        match = compare("number", typed, number)
        found = engine().policy.on_match(source, "national_number", match)
        assert (found == "accept") == (typed == number[1:])


def test_a_policy_may_have_everything_read() -> None:
    photo = (PAGES / "id-front-photo.jpg").read_bytes()
    policy = replace(engine().policy, least_score_read=0)
    watched = replace(engine(), ocr=Reader(), readers=Reader(), policy=policy)  # type: ignore[arg-type]  # asked
    with pytest.raises(AssertionError, match="was asked for"):
        inspect(photo, engine=watched, document_type="sy-id-front", claims=CLAIMS)


@pytest.mark.parametrize(
    ("document_type", "is_doubted"), [("a4-generic", True), ("sy-id-front", False)]
)
def test_a_paragraph_cut_out_of_a_page_is_a_piece_of_a_page(
    document_type: str, *, is_doubted: bool
) -> None:
    """Without a density in the file; a card may be as small as that."""
    paragraph = letter(script="latin", seed=3).pixels[600:1120, 200:900]
    is_written, data = cv2.imencode(".png", paragraph)
    assert is_written
    report = inspect(data.tobytes(), engine=engine(), document_type=document_type)
    codes = {reason.code for reason in report.verdict.reasons}
    assert ("page.piece" in codes) == is_doubted


def _passport(light: float) -> bytes:
    """A scan of one at 200 ppi; its left third gets so much of the light, as beside a spine."""
    pixels = scan(passport_page(person(5), seed=5, ppi=200), seed=5, ppi=200, bed="page").pixels
    x = np.linspace(0, 1, pixels.shape[1])
    lit = light + (1 - light) / (1 + np.exp(-(x - 0.33) * 60))
    _, data = cv2.imencode(".png", np.asarray(pixels[..., ::-1] * lit[:, None], np.uint8))
    return data.tobytes()


@pytest.mark.parametrize(("light", "is_shadow"), [(1.0, False), (0.6, True)])
def test_a_passports_printed_ground_is_no_shadow(light: float, *, is_shadow: bool) -> None:
    report = inspect(_passport(light), engine=engine(), document_type="passport")
    codes = {reason.code for reason in report.verdict.reasons}
    assert ("quality.shadow" in codes) == is_shadow


def test_a_person_looks_at_a_card_and_a_page_of_which_a_third_is_missing() -> None:
    front = scan(id_front(person(2), seed=2), seed=2, ppi=300, whiten=False)
    page = scan(letter(script="latin", seed=2), seed=2, ppi=300)
    for made, document_type in ((front, "sy-id-front"), (page, "a4-generic")):
        whole = Image.fromarray(made.pixels)
        missing = whole.crop((round(0.31 * whole.width), 0, whole.width, whole.height))
        for picture, is_cut in ((whole, False), (missing, True)):
            stored = BytesIO()
            picture.save(stored, "jpeg", quality=92, dpi=(300, 300))
            verdict = inspect(
                stored.getvalue(), engine=engine(), document_type=document_type
            ).verdict
            assert verdict.decision == ("review" if is_cut else "accept"), document_type
            assert [reason.code for reason in verdict.reasons] == ["page.cut_off"] * is_cut
