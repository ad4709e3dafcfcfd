from __future__ import annotations

from pathlib import Path

import pytest

from docqa.documents import (
    DocumentType,
    FieldSpec,
    Mistake,
    check_sides,
    mistake,
    parse_document_type,
)
from docqa.errors import InvalidModel

SHIPPED = sorted((Path(__file__).parent.parent / "models" / "documents").glob("*.toml"))
MINIMAL = """
id = "x"
title_ar = "أ"
title_en = "X"
width_mm = 85.6
height_mm = 0
"""


def shipped(type_id: str) -> DocumentType:
    (path,) = (path for path in SHIPPED if path.stem == type_id)
    return parse_document_type(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_type_loads_under_its_file_name(path: Path) -> None:
    assert parse_document_type(path.read_text(encoding="utf-8")).id == path.stem


def test_the_types_the_service_needs_are_shipped() -> None:
    needed = {"sy-id-front", "sy-id-back", "passport", "civil-extract", "a4-generic"}
    assert needed <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize(
    ("type_id", "size_mm"),
    [
        ("sy-id-front", (85.6, 53.98)),
        ("sy-id-back", (85.6, 53.98)),
        ("passport", (125.0, 88.0)),
        ("civil-extract", (0.0, 0.0)),
        ("a4-generic", (210.0, 297.0)),
    ],
)
def test_sizes_are_the_standards(type_id: str, size_mm: tuple[float, float]) -> None:
    document_type = shipped(type_id)
    assert (document_type.width_mm, document_type.height_mm) == size_mm


def test_the_national_number_is_never_left_to_tesseract_on_the_card() -> None:
    (spec,) = (spec for spec in shipped("sy-id-front").fields if spec.name == "national_number")
    assert "ocr" not in spec.sources


def test_the_back_reads_every_field_of_the_front() -> None:
    front = {spec.name for spec in shipped("sy-id-front").fields}
    assert {spec.name for spec in shipped("sy-id-back").fields} == front


def test_fields_keep_the_order_of_the_file() -> None:
    text = MINIMAL + (
        '[fields.national_number]\nkind = "number"\nsources = ["barcode"]\nbarcode_index = 5\n'
        '[fields.given_name]\nkind = "name"\nsources = ["ocr", "mrz"]\nlabels = ["الاسم"]\n'
        'mrz_key = "given_names"\n'
    )
    assert parse_document_type(text).fields == (
        FieldSpec("national_number", "number", ("barcode",), barcode_index=5),
        FieldSpec("given_name", "name", ("ocr", "mrz"), ("الاسم",), mrz_key="given_names"),
    )


def test_the_sides_of_the_shipped_types_name_each_other() -> None:
    types = {path.stem: shipped(path.stem) for path in SHIPPED}
    check_sides(types)
    assert types["sy-id-front"].other_side == "sy-id-back"
    assert types["passport"].other_side is None


@pytest.mark.parametrize("sides", [{"x": "y"}, {"x": "y", "y": None}, {"x": "x", "y": "x"}])
def test_a_side_that_does_not_name_the_first_one_back_is_refused(
    sides: dict[str, str | None],
) -> None:
    types = {name: DocumentType(name, "", "", 0, 0, (), other) for name, other in sides.items()}
    with pytest.raises(InvalidModel, match="'other_side'"):
        check_sides(types)


@pytest.mark.parametrize(
    ("asked", "recognised", "expected"),
    [
        ("sy-id-front", "sy-id-front", None),
        ("sy-id-front", None, None),
        ("sy-id-front", "sy-id-back", "wrong_side"),
        ("sy-id-back", "sy-id-front", "wrong_side"),
        ("sy-id-front", "passport", "wrong_document"),
        ("passport", "civil-extract", "wrong_document"),
        ("passport", "a type of later", "wrong_document"),
        ("a4-generic", "passport", None),
    ],
)
def test_what_was_uploaded_instead(
    asked: str, recognised: str | None, expected: Mistake | None
) -> None:
    assert mistake(shipped(asked), recognised) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (MINIMAL + "other_side = 3", "'other_side'"),
        (MINIMAL + "width = 3", "'width'"),
        (MINIMAL.replace("85.6", '"wide"'), "'width_mm'"),
        (MINIMAL.replace("85.6", "true"), "'width_mm'"),
        (MINIMAL.replace("85.6", "-1"), "'width_mm'"),
        (MINIMAL.replace("85.6", "nan"), "'width_mm'"),
        (MINIMAL.replace("height_mm = 0", ""), "'height_mm'"),
        (MINIMAL.replace('title_ar = "أ"', "title_ar = 3"), "'title_ar'"),
        (MINIMAL.replace('title_en = "X"', ""), "'title_en'"),
        (MINIMAL + "fields = 3", "'fields'"),
        (MINIMAL + "fields.given_name = 3", "'given_name'"),
        (MINIMAL + '[fields.shoe_size]\nkind = "number"\nsources = []', "'shoe_size'"),
        (MINIMAL + "[fields.given_name]\nsources = []", "'kind'"),
        (MINIMAL + '[fields.given_name]\nkind = "word"\nsources = []', "'kind'"),
        (MINIMAL + '[fields.given_name]\nkind = "name"', "'sources'"),
        (MINIMAL + '[fields.given_name]\nkind = "name"\nsources = ["guess"]', "'sources'"),
        (MINIMAL + '[fields.given_name]\nkind = "name"\nsources = [3]', "'sources'"),
        (MINIMAL + '[fields.given_name]\nkind = "name"\nsources = ["ocr"]', "'labels'"),
        (MINIMAL + '[fields.given_name]\nkind = "name"\nsources = ["mrz"]', "'mrz_key'"),
        (
            MINIMAL + '[fields.given_name]\nkind = "name"\nsources = ["mrz"]\nmrz_key = "x"',
            "'mrz_key'",
        ),
        (MINIMAL + '[fields.given_name]\nkind = "name"\nsources = ["barcode"]', "'barcode_index'"),
        (
            MINIMAL + '[fields.given_name]\nkind = "name"\nsources = ["barcode"]\nbarcode_index=6',
            "'barcode_index'",
        ),
        (MINIMAL + '[fields.given_name]\nkind = "name"\nsources = []\nlable = []', "'lable'"),
    ],
)
def test_a_wrong_file_is_refused_by_type_and_key(text: str, named: str) -> None:
    with pytest.raises(InvalidModel) as refusal:
        parse_document_type(text)
    assert "'x'" in str(refusal.value)
    assert named in str(refusal.value)


@pytest.mark.parametrize("text", ["", "id = 3", 'id = ""', "id = ", "\x00"])
def test_a_file_without_an_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidModel, match="document type"):
        parse_document_type(text)
