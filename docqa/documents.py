"""Document types: what they are called, how large they are, and where each field is to be read.

A type is one file of ``models/documents/``, for instance::

    id = "sy-id-back"
    title_ar = "…"
    title_en = "Syrian identity card, back"
    width_mm = 85.6            # 0 where the size is not known or varies
    height_mm = 53.98
    other_side = "sy-id-front" # the type that is the other face of the same thing, if there is one
    headings = ["…"]           # printed on it and on no other type, if anything is

    [fields.given_name]        # one of CLAIM_NAMES
    kind = "name"              # how it is compared: Kind
    sources = ["barcode"]      # barcode, mrz, ocr or digits
    barcode_index = 0
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from docqa.errors import InvalidModel
from docqa.toml_text import tables_of

Source = Literal["barcode", "mrz", "ocr", "digits"]

Kind = Literal["name", "family_name", "mother_name", "place", "date", "number"]
"""How a field is compared. A family name may come with or without ال; a document may give a
mother's first name alone or her full name."""

CLAIM_NAMES = (
    "given_name",
    "family_name",
    "father_name",
    "mother_name",
    "birth_place",
    "birth_date",
    "national_number",
    "passport_number",
    "given_name_latin",
    "family_name_latin",
)
"""Everything a citizen can be asked to type."""

BARCODE_PARTS = 6
MRZ_KEYS = ("passport_number", "birth_date", "given_names", "surname")
LARGEST_SIDE_MM = 2000.0

Mistake = Literal["wrong_side", "wrong_document"]
"""What was uploaded instead of the document asked for: its other face, or something else."""

_TYPE_KEYS = {
    "id", "title_ar", "title_en", "width_mm", "height_mm", "other_side", "headings", "fields"
}  # fmt: skip
_FIELD_KEYS = {"kind", "sources", "labels", "barcode_index", "mrz_key"}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """Where one field of a document type is to be read and how it is compared."""

    name: str
    kind: Kind
    sources: tuple[Source, ...]
    labels: tuple[str, ...] = ()
    """Printed labels the field's line may start with, for ``ocr`` and ``digits``."""
    barcode_index: int | None = None
    """Part of the card's barcode, 0 to 5."""
    mrz_key: str | None = None
    """One of MRZ_KEYS."""


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One kind of document a citizen can be asked for."""

    id: str
    title_ar: str
    title_en: str
    width_mm: float
    """0 where the size is not known or varies; so is ``height_mm``."""
    height_mm: float
    fields: tuple[FieldSpec, ...]
    other_side: str | None = None
    """Id of the type that is the other face of the same thing."""
    headings: tuple[str, ...] = ()
    """What is printed on it by which a reader knows it from the other types."""


def mistake(asked: DocumentType, recognised: str | None) -> Mistake | None:
    """What is wrong with an upload in which a document of the type ``recognised`` was seen.

    None where it is the type asked for, where none was recognised, and where nothing tells the
    type asked for from any other, as with a plain sheet.
    """
    if recognised is None or recognised == asked.id or not asked.fields:
        return None
    return "wrong_side" if recognised == asked.other_side else "wrong_document"


def check_sides(types: Mapping[str, DocumentType]) -> None:
    """Raises InvalidModel unless every other side is a known type that names the first one back."""
    for document_type in types.values():
        other = document_type.other_side
        if other is not None and (
            other not in types or types[other].other_side != document_type.id
        ):
            raise InvalidModel(
                f"document type {document_type.id!r}: 'other_side' is {other!r}, which must be a "
                f"type whose other_side is {document_type.id!r}"
            )


def parse_document_type(text: str) -> DocumentType:
    """The document type a TOML text describes. Raises InvalidModel naming the type and the key."""
    table = tables_of(text, "a document type")
    type_id = table.get("id")
    if not isinstance(type_id, str) or not type_id:
        raise InvalidModel("a document type has no 'id': give it one, such as id = \"sy-id-front\"")
    where = f"document type {type_id!r}"
    _refuse_unknown(table, _TYPE_KEYS, where)
    specs = _value(table, "fields", dict, where, {})
    return DocumentType(
        id=type_id,
        title_ar=_value(table, "title_ar", str, where),
        title_en=_value(table, "title_en", str, where),
        width_mm=_side_mm(table, "width_mm", where),
        height_mm=_side_mm(table, "height_mm", where),
        fields=tuple(_field(name, spec, where) for name, spec in specs.items()),
        other_side=_value(table, "other_side", str, where, None),
        headings=_texts(table, "headings", where, ()),
    )


def _field(name: str, spec: Any, where: str) -> FieldSpec:
    if name not in CLAIM_NAMES:
        known = ", ".join(CLAIM_NAMES)
        raise InvalidModel(f"{where} names the unknown field {name!r}; the fields are: {known}")
    where = f"{where}, field {name!r}"
    if not isinstance(spec, dict):
        raise InvalidModel(f"{where} must be a table")
    _refuse_unknown(spec, _FIELD_KEYS, where)
    kind = _one_of(_value(spec, "kind", str, where), typing.get_args(Kind), "kind", where)
    sources = _texts(spec, "sources", where)
    for source in sources:
        _one_of(source, typing.get_args(Source), "sources", where)
    labels = _texts(spec, "labels", where, ())
    barcode_index = _value(spec, "barcode_index", int, where, None)
    if barcode_index is not None and barcode_index not in range(BARCODE_PARTS):
        raise InvalidModel(f"{where}: 'barcode_index' must be 0 to {BARCODE_PARTS - 1}")
    mrz_key = _value(spec, "mrz_key", str, where, None)
    if mrz_key is not None:
        _one_of(mrz_key, MRZ_KEYS, "mrz_key", where)
    needs = {"barcode": barcode_index, "mrz": mrz_key, "ocr": labels or None}
    for source, key in (("barcode", "barcode_index"), ("mrz", "mrz_key"), ("ocr", "labels")):
        if source in sources and needs[source] is None:
            raise InvalidModel(f"{where}: the source {source!r} needs {key!r}")
    return FieldSpec(
        name=name,
        kind=typing.cast("Kind", kind),
        sources=typing.cast("tuple[Source, ...]", sources),
        labels=labels,
        barcode_index=barcode_index,
        mrz_key=mrz_key,
    )


_REQUIRED = object()


def _value(
    table: Mapping[str, Any], key: str, kind: type, where: str, default: Any = _REQUIRED
) -> Any:
    value = table.get(key, default)
    if value is _REQUIRED:
        raise InvalidModel(f"{where} has no {key!r}")
    if value is not default and (not isinstance(value, kind) or isinstance(value, bool)):
        raise InvalidModel(f"{where}: {key!r} must be of type {kind.__name__}")
    return value


def _texts(
    table: Mapping[str, Any], key: str, where: str, default: Any = _REQUIRED
) -> tuple[str, ...]:
    values = _value(table, key, list, where, default)
    if not all(isinstance(value, str) and value for value in values):
        raise InvalidModel(f"{where}: {key!r} must be a list of texts")
    return tuple(values)


def _side_mm(table: Mapping[str, Any], key: str, where: str) -> float:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidModel(f"{where}: {key!r} must be a number of millimetres, 0 if unknown")
    if not 0 <= value <= LARGEST_SIDE_MM:
        raise InvalidModel(f"{where}: {key!r} must be 0 to {LARGEST_SIDE_MM:g}")
    return float(value)


def _one_of(value: str, allowed: tuple[str, ...], key: str, where: str) -> str:
    if value not in allowed:
        raise InvalidModel(
            f"{where}: {key!r} is {value!r}, it must be one of: {', '.join(allowed)}"
        )
    return value


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            listed = ", ".join(sorted(known))
            raise InvalidModel(f"{where}: unknown key {key!r}; the keys are: {listed}")
