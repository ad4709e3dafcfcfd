from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from docqa.adapters.memory import ScriptedOcr
from docqa.adapters.tesseract import TesseractEngine
from docqa.documents import DocumentType, parse_document_type
from docqa.errors import DocqaError, EngineFault, MissingDependency
from docqa.fields import Field, agrees
from docqa.page import Page, page_from_pixels
from docqa.ports import OcrEngine
from docqa.reading import OCR_FAILED, read_document
from docqa.reading.mrz import Mrz
from fixtures.synthesize.card_sheets import two_cards
from fixtures.synthesize.documents import civil_extract, id_back, id_front, passport_page
from fixtures.synthesize.drawing import Drawing
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

MODELS = Path(__file__).parents[2] / "models" / "documents"
NAMES = ("given_name", "family_name", "father_name", "mother_name", "birth_place")
needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="Tesseract is not installed"
)


def document_type(type_id: str) -> DocumentType:
    return parse_document_type((MODELS / f"{type_id}.toml").read_text(encoding="utf-8"))


def scanned(drawing: Drawing, *, skew_deg: float = 0.0, upside_down: bool = False) -> Page:
    capture = scan(drawing, seed=1, ppi=300, skew_deg=skew_deg)
    pixels = cv2.imdecode(np.frombuffer(capture.data, np.uint8), cv2.IMREAD_COLOR_RGB)
    upright = np.asarray(pixels, np.uint8)
    return page_from_pixels(np.ascontiguousarray(upright[::-1, ::-1]) if upside_down else upright)


def by_name(
    page: Page, type_id: str, claims: dict[str, str], ocr: OcrEngine | None
) -> dict[str, Field]:
    reading = read_document([page], document_type(type_id), claims, ocr)
    return {field.name: field for field in reading.fields}


BACK = scanned(id_back(person(2), seed=2))
CLAIMS = person(2).claims()


def test_the_barcode_alone_confirms_every_field_of_the_back() -> None:
    reading = read_document([BACK], document_type("sy-id-back"), CLAIMS, None)
    assert {field.match for field in reading.fields} == {"equal"}
    assert {field.source for field in reading.fields} == {"barcode"}
    assert reading.faults == ()


def test_fields_come_in_the_order_of_the_claims_and_no_others() -> None:
    names = ("birth_date", "given_name", "passport_number", "father_name")
    claims = {name: CLAIMS[name] for name in names}
    reading = read_document([BACK], document_type("sy-id-back"), claims, None)
    assert [field.name for field in reading.fields] == ["birth_date", "given_name", "father_name"]


@pytest.mark.parametrize("name", ["given_name", "father_name", "national_number"])
def test_one_wrong_character_against_the_barcode_is_never_confirmed(name: str) -> None:
    swapped = {"0": "1"}.get(CLAIMS[name][-1], "0" if CLAIMS[name][-1].isdigit() else "ظ")
    claims = {**CLAIMS, name: CLAIMS[name][:-1] + swapped}
    fields = by_name(BACK, "sy-id-back", claims, None)
    assert fields[name].match == "near"
    assert {field.match for other, field in fields.items() if other != name} == {"equal"}


def test_the_barcode_of_any_page_counts_and_names_its_page() -> None:
    blank = page_from_pixels(np.full((300, 400), 255, np.uint8))
    second = page_from_pixels(BACK.luma(), index=2)
    reading = read_document([blank, second], document_type("sy-id-back"), CLAIMS, None)
    assert {field.match for field in reading.fields} == {"equal"}
    assert {field.page for field in reading.fields} == {2}


def test_without_a_barcode_the_back_is_unread() -> None:
    blank = page_from_pixels(np.full((300, 400), 255, np.uint8))
    fields = by_name(blank, "sy-id-back", CLAIMS, None)
    assert {field.match for field in fields.values()} == {"unread"}
    assert {field.source for field in fields.values()} == {None}


@pytest.mark.parametrize("type_id", ["sy-id-front", "passport", "civil-extract"])
def test_without_an_engine_what_needs_one_is_unread(type_id: str) -> None:
    blank = page_from_pixels(np.full((300, 400), 255, np.uint8))
    reading = read_document([blank], document_type(type_id), CLAIMS, None)
    assert {field.match for field in reading.fields} == {"unread"}
    assert reading.faults == ()


@pytest.mark.parametrize(
    "fault", [EngineFault("broken"), MissingDependency("Tesseract", "apt-get install …")]
)
def test_a_failing_engine_is_told_and_hides_no_other_reading(fault: DocqaError) -> None:
    text = (MODELS / "sy-id-back.toml").read_text(encoding="utf-8")
    text += '\n[fields.passport_number]\nkind = "number"\nsources = ["ocr"]\nlabels = ["رقم"]\n'
    reading = read_document([BACK], parse_document_type(text), CLAIMS, ScriptedOcr([fault]))
    matches = {field.name: field.match for field in reading.fields}
    assert reading.faults == (OCR_FAILED,)
    assert matches.pop("passport_number") == "unread"
    assert set(matches.values()) == {"equal"}


def test_print_of_the_other_side_stands_beside_the_barcode() -> None:
    claims = {**CLAIMS, "given_name": "سواه"}
    front = page_from_pixels(np.full((300, 400), 255, np.uint8), index=2)
    fields = by_name(BACK, "sy-id-front", claims, None)
    assert (fields["given_name"].source, fields["given_name"].match) == ("barcode", "different")
    assert fields["father_name"].match == "equal"
    reading = read_document([front, BACK], document_type("sy-id-front"), CLAIMS, None)
    assert {field.source for field in reading.fields} == {"barcode"}
    assert {field.others for field in reading.fields} == {()}


@pytest.mark.parametrize(
    ("asked", "seen"), [("sy-id-back", "sy-id-back"), ("sy-id-front", "sy-id-back")]
)
def test_a_lone_barcode_is_a_back(asked: str, seen: str) -> None:
    engine = ScriptedOcr([[""] * 48] * 40)
    types = [document_type("sy-id-front"), document_type("sy-id-back")]
    reading = read_document([BACK], document_type(asked), CLAIMS, engine, types=types)
    assert reading.recognised == seen


@pytest.mark.parametrize("mine_first", [True, False])
def test_two_backs_never_confirm_what_neither_of_them_bears(mine_first: bool) -> None:
    stranger = page_from_pixels(scanned(id_back(person(1), seed=1)).luma(), index=2)
    pages = [BACK, stranger] if mine_first else [stranger, BACK]
    asked = document_type("sy-id-back")
    whole = read_document(pages, asked, CLAIMS, None)
    assert {field.match for field in whole.fields} == {"equal"}
    assert {field.page for field in whole.fields} == {BACK.index}
    theirs = person(1).claims()
    mixed = {**CLAIMS, "father_name": theirs["father_name"], "mother_name": theirs["mother_name"]}
    read = read_document(pages, asked, mixed, None)
    matches = {field.name: field.match for field in read.fields}
    assert not agrees(matches["father_name"])
    assert not agrees(matches["mother_name"])
    assert {field.page for field in read.fields} == {BACK.index}


@pytest.fixture(scope="module")
def couples_backs() -> Page:
    return scanned(two_cards(id_back(person(1), seed=1), id_back(person(2), seed=2), seed=1))


@pytest.mark.parametrize("seed", [1, 2])
def test_of_two_backs_on_one_page_each_confirms_its_owner(couples_backs: Page, seed: int) -> None:
    fields = by_name(couples_backs, "sy-id-back", person(seed).claims(), None)
    assert {field.match for field in fields.values()} == {"equal"}


def test_two_backs_on_one_page_never_confirm_half_of_the_claims_each(couples_backs: Page) -> None:
    theirs = person(1).claims()
    mixed = {**CLAIMS, "father_name": theirs["father_name"], "mother_name": theirs["mother_name"]}
    fields = by_name(couples_backs, "sy-id-back", mixed, None)
    others = {name for name, field in fields.items() if not agrees(field.match)}
    assert others == {"father_name", "mother_name"}


@needs_tesseract
def test_two_fronts_never_confirm_what_neither_of_them_bears() -> None:
    mine, theirs = person(2).claims(), person(1).claims()
    pages = [
        scanned(id_front(person(2), seed=2, font="DejaVuSans")),
        page_from_pixels(
            scanned(id_front(person(1), seed=1, font="DejaVuSans")).luma(), index=2
        ),
    ]  # fmt: skip
    names = ("given_name", "family_name", "father_name")
    mixed = {name: mine[name] for name in names[:2]} | {"father_name": theirs["father_name"]}
    reading = read_document(pages, document_type("sy-id-front"), mixed, TesseractEngine())
    assert [agrees(field.match) for field in reading.fields] == [True, True, False]


@needs_tesseract
def test_front_and_back_of_one_upload_are_held_against_each_other() -> None:
    front = scanned(id_front(person(2), seed=2, font="DejaVuSans"))
    back = page_from_pixels(BACK.luma(), index=2)
    asked = document_type("sy-id-front")
    names = {name: CLAIMS[name] for name in ("given_name", "father_name", "national_number")}
    reading = read_document([front, back], asked, names, TesseractEngine())
    assert reading.recognised == "sy-id-front"
    assert {field.source for field in reading.fields} == {"barcode"}
    given, father, number = reading.fields
    for field in (given, father):
        assert [(other.source, other.match) for other in field.others] == [("ocr", "equal")]
        assert (field.page, field.others[0].page) == (2, 1)
    assert (number.match, number.others) == ("equal", ())
    stranger = person(1).claims()
    reading = read_document([front, back], asked, {"given_name": "سواه"}, TesseractEngine())
    assert reading.fields[0].match == "different"
    stranger_front = scanned(id_front(person(1), seed=1, font="DejaVuSans"))
    claims = {"given_name": stranger["given_name"]}
    reading = read_document([stranger_front, back], asked, claims, TesseractEngine())
    (field,) = reading.fields
    assert not agrees(field.match)
    assert [agrees(other.match) for other in field.others] == [True]


@needs_tesseract
def test_a_zone_proves_nothing_against_what_has_its_check_digit() -> None:
    owner = person(1)
    page = scanned(passport_page(owner, seed=1))
    number = owner.passport_number
    alike = {"0": "A", "1": "L", "2": "C", "3": "D", "4": "E", "5": "F", "6": "G", "7": "H",
             "8": "S", "9": "T"}  # fmt: skip
    claims = {"passport_number": number[:-1] + alike[number[-1]]}
    assert by_name(page, "passport", claims, TesseractEngine())["passport_number"].match == "unread"
    claims = {"birth_date": owner.birth_date.replace(year=owner.birth_date.year - 100).isoformat()}
    assert by_name(page, "passport", claims, TesseractEngine())["birth_date"].match == "unread"


ZONE = ((0.0, 0.0), (9.0, 0.0), (9.0, 2.0), (0.0, 2.0))


def fields_of_zone(
    monkeypatch: pytest.MonkeyPatch,
    claims: dict[str, str],
    *pages: dict[str, tuple[str, ...]],
    agreed: bool = True,
) -> tuple[Field, ...]:
    """What is told of the claims by pages whose zones say these values."""
    empty = dict.fromkeys(("passport_number", "birth_date", "surname", "given_names"), ())
    zones = [Mrz(empty | values, 5, ZONE, frozenset(values if agreed else ())) for values in pages]
    monkeypatch.setattr(
        "docqa.reading.mrz_fields.read_mrz",
        lambda sheet, ocr, known: None if known else zones[sheet.page - 1],
    )
    blank = np.full((300, 400), 255, np.uint8)
    leaves = [page_from_pixels(blank, index=at) for at in range(1, len(pages) + 1)]
    return read_document(leaves, document_type("passport"), claims, ScriptedOcr([])).fields


@pytest.mark.parametrize(
    ("claim", "value", "agreed", "match"),
    [
        (("passport_number", "N0123456"), ("L898902C3",), True, "different"),
        (("passport_number", "N0123456"), ("L898902C3",), False, "unread"),
        (("birth_date", "3-2-1990"), ("2025-01-01", "1925-01-01"), True, "unread"),
        (("birth_date", "1-1-1925"), ("2025-01-01", "1925-01-01"), True, "equal"),
    ],
)
def test_only_what_a_zone_says_for_certain_counts_against_what_was_typed(
    monkeypatch: pytest.MonkeyPatch,
    claim: tuple[str, str],
    value: tuple[str, ...],
    agreed: bool,
    match: str,
) -> None:
    fields = fields_of_zone(monkeypatch, dict([claim]), {claim[0]: value}, agreed=agreed)
    assert [field.match for field in fields] == [match]


def test_names_of_a_zone_are_less_sure_than_what_has_a_check_digit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims = {"given_name_latin": "ANNA", "passport_number": "L898902C3"}
    name, number = fields_of_zone(
        monkeypatch, claims, {"given_names": ("ANNA",), "passport_number": ("L898902C3",)}
    )
    assert name.confidence < number.confidence == 1.0


@pytest.mark.parametrize("order", [1, -1])
def test_of_pages_that_confirm_as_much_the_one_that_says_less_against_it_counts(
    monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    claims = {"given_name_latin": "ANNA", "passport_number": "N0123456"}
    mine: dict[str, tuple[str, ...]] = {"given_names": ("ANNA",)}
    namesake = mine | {"passport_number": ("L898902C3",)}
    fields = fields_of_zone(monkeypatch, claims, *[mine, namesake][::order])
    assert [field.match for field in fields] == ["equal", "unread"]


def test_a_generic_sheet_is_read_for_nothing() -> None:
    engine = ScriptedOcr([])
    reading = read_document([BACK], document_type("a4-generic"), CLAIMS, engine)
    assert reading.fields == ()
    assert engine.calls == []


@needs_tesseract
@pytest.mark.parametrize("upside_down", [False, True])
def test_the_names_of_a_front_are_confirmed(upside_down: bool) -> None:
    drawing = id_front(person(1), seed=1, font="DejaVuSans")
    page = scanned(drawing, skew_deg=1.5, upside_down=upside_down)
    fields = by_name(page, "sy-id-front", person(1).claims(), TesseractEngine())
    assert [fields[name].match in ("equal", "variant") for name in NAMES] == [True] * len(NAMES)
    assert {fields[name].source for name in NAMES} == {"ocr"}
    assert fields["national_number"].match == "unread"
    assert all(0 < fields[name].confidence <= 1 for name in NAMES)


@needs_tesseract
def test_the_place_of_a_field_on_the_page_is_told() -> None:
    drawing = id_front(person(1), seed=1, ppi=300, font="DejaVuSans")
    page = page_from_pixels(drawing.pixels)
    claims = {"mother_name": person(1).mother_name}
    field = by_name(page, "sy-id-front", claims, TesseractEngine())["mother_name"]
    assert field.polygon is not None
    assert field.page == 1
    outline = np.array(field.polygon, np.float32)
    centre_x, centre_y = np.mean(drawing.fields["mother_name"], axis=0)
    assert cv2.pointPolygonTest(outline, (float(centre_x), float(centre_y)), False) > 0


@needs_tesseract
def test_one_wrong_letter_against_ocr_is_never_confirmed() -> None:
    page = scanned(id_front(person(1), seed=1, font="DejaVuSans"))
    claims = {name: person(1).claims()[name] for name in NAMES}
    wrong = {name: value[:-1] + "ظ" for name, value in claims.items()}
    fields = by_name(page, "sy-id-front", wrong, TesseractEngine())
    assert {field.match for field in fields.values()} <= {"near", "different", "unread"}


@needs_tesseract
def test_a_passport_is_confirmed_by_its_zone() -> None:
    page = scanned(passport_page(person(1), seed=1))
    fields = by_name(page, "passport", person(1).claims(), TesseractEngine())
    assert [field.match for field in fields.values()] == ["equal"] * 4
    assert {field.source for field in fields.values()} == {"mrz"}
    wrong = {"passport_number": person(1).passport_number[:-1] + "X"}
    assert by_name(page, "passport", wrong, TesseractEngine())["passport_number"].match == "near"


@needs_tesseract
@pytest.mark.parametrize("seed", [1, 3])
def test_of_two_passports_on_one_page_each_confirms_its_owner(seed: int) -> None:
    bed = np.full((2600, 1800, 3), 250, np.uint8)
    for top, owner in ((100, 1), (1400, 3)):
        pixels = passport_page(person(owner), seed=owner, ppi=300).pixels
        bed[top : top + pixels.shape[0], 150 : 150 + pixels.shape[1]] = pixels
    page = page_from_pixels(bed)
    fields = by_name(page, "passport", person(seed).claims(), TesseractEngine())
    assert {field.match for field in fields.values()} == {"equal"}


@needs_tesseract
def test_a_civil_extract_is_confirmed_through_its_table() -> None:
    page = scanned(civil_extract(person(1), seed=1))
    fields = by_name(page, "civil-extract", person(1).claims(), TesseractEngine())
    confirmed = [name for name, field in fields.items() if field.match in ("equal", "variant")]
    assert len(confirmed) >= len(fields) - 1
    assert fields["national_number"].match == "equal"
