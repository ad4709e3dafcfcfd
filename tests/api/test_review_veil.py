"""What of a page's picture is hidden until a reviewer reveals the national number."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image
from starlette.testclient import TestClient

from api.app import create_app
from api.review.texts import TEXTS
from api.review.veil import COARSE_SIDE_PX, veil_of
from docqa.adapters.record_tables import audit_entries
from docqa.overlay import Box, Veil
from docqa.ports import StoredDocument
from tests.api.reviewing import document, form_token, sign_in
from tests.api.scripted_service import PAGE_PX, REVIEWER, Scripted, draw_page, report

EN = TEXTS["en"]
NUMBER = [[400, 600], [800, 600], [800, 640], [400, 640]]
BARCODE = [[100, 1000], [700, 1000], [700, 1200], [100, 1200]]
ELSEWHERE = (100, 120, 1100, 240)


def field(name: str, match: str, source: str | None, polygon: Any, **more: Any) -> dict[str, Any]:
    reading = {"match": match, "source": source, "polygon": polygon, "confidence": 1.0, "page": 1}
    return {"name": name, **reading, **more}


def read(*fields: dict[str, Any], pages: int = 1) -> dict[str, Any]:
    made = report("review")
    made["fields"] = list(fields)
    made["pages"] = [made["pages"][0] | {"index": index} for index in range(1, pages + 1)]
    return made


PRINTED = field("national_number", "equal", "digits", NUMBER)
IN_BARCODE = field("national_number", "equal", "barcode", BARCODE)
UNREAD = field("national_number", "unread", None, None)


def picture(client: TestClient, made: StoredDocument, size: str = "full") -> Image.Image:
    answer = client.get(f"/review/{made.id}/pages/1/image?size={size}")
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content)).convert("RGB")


def part(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Any:
    return np.asarray(image.crop((round(left), round(top), round(right), round(bottom))))


def reveal(client: TestClient, made: StoredDocument, why: str) -> Any:
    token = form_token(client.get(f"/review/{made.id}").text)
    form = {"form_token": token, "why": why}
    return client.post(f"/review/{made.id}/reveal?page=1", data=form, follow_redirects=False)


@pytest.mark.parametrize("size", ["full", "small", "thumb"])
def test_the_number_cannot_be_seen_on_the_picture_and_the_rest_can(
    reviewer: TestClient, service: Scripted, size: str
) -> None:
    made = document(1, service, report=read(PRINTED))
    shown, bare = picture(reviewer, made, size), Image.open(io.BytesIO(draw_page(b"", 1, 2000)))
    hidden = part(shown, 400, 600, 800, 640)
    assert (hidden == hidden[0, 0]).all()
    assert (hidden != part(bare.convert("RGB"), 400, 600, 800, 640)).any()
    assert (part(shown, *ELSEWHERE) == part(bare.convert("RGB"), *ELSEWHERE)).all()
    assert EN["veil_covered"] in reviewer.get(f"/review/{made.id}").text


def test_a_reason_that_is_logged_lifts_the_cover_for_who_gave_it_and_for_a_while(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service, report=read(PRINTED))
    covered = picture(reviewer, made).tobytes()
    assert reveal(reviewer, made, " ").status_code == 422
    assert picture(reviewer, made).tobytes() == covered
    answer = reveal(reviewer, made, "two digits look alike")
    assert answer.headers["location"] == f"/review/{made.id}?page=1#claims"
    bare = Image.open(io.BytesIO(draw_page(b"", 1, 2000))).convert("RGB").tobytes()
    assert picture(reviewer, made).tobytes() == bare
    assert EN["veil_covered"] not in reviewer.get(f"/review/{made.id}").text
    service.clock.now += timedelta(minutes=11)
    assert picture(reviewer, made).tobytes() == covered
    with service.store.engine.connect() as connection:
        kinds = connection.execute(
            sa.select(audit_entries.c.kind).where(audit_entries.c.subject == made.id)
        ).scalars()
        assert list(kinds).count("document.viewed_unmasked") == 1


def test_what_one_reviewer_has_revealed_stays_covered_for_the_others(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service, report=read(PRINTED))
    covered = picture(reviewer, made).tobytes()
    known = service.store.password_hash(REVIEWER)
    assert known is not None
    service.store.add_reviewer("samer", known)
    with TestClient(create_app(service.services)) as other:
        assert sign_in(other, name="samer").status_code == 303
        assert reveal(reviewer, made, "two digits look alike").status_code == 303
        assert picture(reviewer, made).tobytes() != covered
        assert picture(other, made).tobytes() == covered


@pytest.mark.parametrize("number", ["01234567890", "٠١٢٣ ٤٥٦ ٧٨٩٠"])
def test_a_file_that_is_named_by_a_number_shows_it_only_where_it_is_revealed(
    reviewer: TestClient, service: Scripted, number: str
) -> None:
    made = document(1, service, file_name=f"هوية {number}.jpg")
    for path in ("/review", f"/review/{made.id}"):
        page = reviewer.get(path).text
        assert number not in page
        assert "هوية ***.jpg" in page
    reveal(reviewer, made, "two digits look alike")
    assert made.file_name in reviewer.get(f"/review/{made.id}").text
    assert number not in reviewer.get("/review").text


@pytest.mark.parametrize("fields", [(), (UNREAD,)], ids=["not asked for", "unread"])
def test_where_the_number_may_stand_anywhere_the_page_is_coarse_until_it_is_revealed(
    reviewer: TestClient, service: Scripted, fields: tuple[dict[str, Any], ...]
) -> None:
    claims: dict[str, str] = {"given_name": "آمنة"}
    made = document(1, service, report=read(*fields), claims=claims if not fields else {})
    page = reviewer.get(f"/review/{made.id}").text
    assert EN["veil_coarse"] in page
    assert EN["reveal"] in page
    bare = Image.open(io.BytesIO(draw_page(b"", 1, 2000))).convert("RGB")
    for size in ("thumb", "small", "full"):
        coarse = bare.copy()
        coarse.thumbnail((COARSE_SIDE_PX, COARSE_SIDE_PX), Image.Resampling.BOX)
        again = coarse.resize(bare.size, Image.Resampling.BICUBIC)
        assert picture(reviewer, made, size).tobytes() == again.tobytes()
    assert reveal(reviewer, made, "nothing was read").status_code == 303
    assert picture(reviewer, made).tobytes() == bare.tobytes()


def test_lines_that_were_read_as_something_else_are_sharp_on_a_coarse_page(
    reviewer: TestClient, service: Scripted
) -> None:
    line = [[100, 300], [700, 300], [700, 340], [100, 340]]
    digits = [[100, 900], [700, 900], [700, 940], [100, 940]]
    name = field("given_name", "different", "ocr", line)
    misread = field("family_name", "different", "ocr", digits)
    read_text = {"given_name": {"ocr": "آمنة"}, "family_name": {"ocr": "٩٥٦٧٧٣١٧٢٥٨"}}
    made = document(1, service, report=read(name, misread, UNREAD), readings=read_text)
    shown, bare = picture(reviewer, made), Image.open(io.BytesIO(draw_page(b"", 1, 2000)))
    assert (part(shown, 100, 300, 700, 340) == part(bare.convert("RGB"), 100, 300, 700, 340)).all()
    assert (part(shown, 100, 900, 700, 940) != part(bare.convert("RGB"), 100, 900, 700, 940)).any()


def test_the_digits_of_a_card_are_too_small_to_read_on_a_coarse_page() -> None:
    assert COARSE_SIDE_PX / 85.6 * 3.5 < 3


def boxes_of(service: Scripted, made: StoredDocument, page: int = 1) -> tuple[Box, ...] | None:
    """None for a coarse page."""
    found = veil_of(service.services, made, page)
    assert found is not None
    return found.covered if found.coarse_side_px is None else None


def holds(box: Box, polygon: list[list[int]]) -> bool:
    left, top, right, bottom = box
    wide, high = PAGE_PX
    return all(
        left * wide <= x <= right * wide and top * high <= y <= bottom * high for x, y in polygon
    )


def test_a_barcode_that_holds_the_number_is_covered_with_it(service: Scripted) -> None:
    name = field("given_name", "equal", "barcode", BARCODE)
    made = document(1, service, report=read(PRINTED, name))
    boxes = boxes_of(service, made)
    assert boxes is not None
    assert any(holds(box, BARCODE) for box in boxes) and any(holds(box, NUMBER) for box in boxes)
    assert all(0 <= side <= 1 for box in boxes for side in box)


@pytest.mark.parametrize(("top", "bottom"), [(860, 1008), (1000, 1148)])
def test_of_a_barcode_that_was_found_by_a_few_of_its_rows_all_are_covered(
    service: Scripted, top: int, bottom: int
) -> None:
    rows = [[100, 1000], [700, 1000], [700, 1008], [100, 1008]]
    made = document(1, service, report=read(PRINTED | {"others": [IN_BARCODE | {"polygon": rows}]}))
    whole = [[100, top], [700, top], [700, bottom], [100, bottom]]
    boxes = boxes_of(service, made)
    assert boxes is not None and any(holds(box, whole) for box in boxes)


@pytest.mark.parametrize(
    ("match", "is_sure"), [("equal", True), ("variant", True), ("near", True), ("different", False)]
)
def test_print_that_says_something_else_may_be_another_line(
    service: Scripted, match: str, is_sure: bool
) -> None:
    made = document(1, service, report=read(PRINTED | {"match": match}))
    assert (boxes_of(service, made) is not None) == is_sure


def test_a_barcode_alone_does_not_say_where_the_number_is_printed(service: Scripted) -> None:
    made = document(1, service, report=read(IN_BARCODE))
    assert boxes_of(service, made) is None


def test_every_page_of_which_nothing_is_known_is_coarse(service: Scripted) -> None:
    back = IN_BARCODE | {"page": 2}
    made = document(1, service, report=read(PRINTED | {"others": [back]}, pages=3))
    assert boxes_of(service, made, 1) is not None
    assert boxes_of(service, made, 2) is not None
    assert boxes_of(service, made, 3) is None


FRONT = [[60, 300], [1140, 320], [1140, 800], [60, 780]]
BACK = [[60, 900], [1140, 920], [1140, 1300], [60, 1280]]
LEANING = [[950, 300], [1040, 390], [240, 1190], [150, 1100]]
"""Its bounding box holds both the number and the barcode; the sheet itself neither."""


def sheets(*corners: list[list[int]]) -> dict[str, Any]:
    """A page's framing, where these sheets and cards lie apart on it."""
    regions = [{"kind": "sheet", "polygon": polygon} for polygon in corners]
    regions.append({"kind": "cut_off", "polygon": [[0, 0], [1240, 0], [1240, 20], [0, 20]]})
    return {"framing": {"status": "assessed", "score": 90, "outputs": {}, "regions": regions}}


@pytest.mark.parametrize(
    ("lying", "fields", "is_sharp"),
    [
        ((), (PRINTED,), True),
        ((FRONT, BACK), (PRINTED | {"others": [IN_BARCODE]},), True),
        ((FRONT, BACK), (PRINTED, field("given_name", "different", "barcode", BARCODE)), True),
        ((FRONT, BACK), (PRINTED,), False),
        ((FRONT, BACK), (PRINTED | {"others": [IN_BARCODE | {"page": 2}]},), False),
        ((FRONT, BACK), (PRINTED, field("given_name", "equal", "ocr", BARCODE)), False),
        ((FRONT, BACK, LEANING), (PRINTED | {"others": [IN_BARCODE]},), False),
    ],
)
def test_a_second_card_on_the_page_may_bear_a_number_unless_its_barcode_was_read(
    service: Scripted,
    lying: tuple[list[list[int]], ...],
    fields: tuple[dict[str, Any], ...],
    is_sharp: bool,
) -> None:
    answer = read(*fields, pages=2)
    answer["pages"][0] = answer["pages"][0] | {"measures": sheets(*lying)}
    made = document(1, service, report=answer)
    assert (boxes_of(service, made) is not None) == is_sharp
    hidden = veil_of(service.services, made, 1)
    assert hidden is not None and any(holds(box, NUMBER) for box in hidden.covered)


def test_documents_without_a_national_number_hide_nothing_and_unknown_ones_everything(
    service: Scripted,
) -> None:
    assert veil_of(service.services, document(1, service, document_type="sy-id-back"), 1) is None
    gone = document(2, service, document_type="no longer known")
    assert veil_of(service.services, gone, 1) == Veil(coarse_side_px=COARSE_SIDE_PX)
    unmeasured = document(3, service, report=read(PRINTED, pages=0))
    assert veil_of(service.services, unmeasured, 1) == Veil(coarse_side_px=COARSE_SIDE_PX)
