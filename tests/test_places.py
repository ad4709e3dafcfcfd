"""One place has many spellings, and no spelling has two places."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.errors import InvalidModel
from docqa.places import NO_PLACES, Places, parse_places
from docqa.text import loose

PATHS = sorted((Path(__file__).parent.parent / "models" / "places").glob("*.toml"))
TEXTS = [path.read_text(encoding="utf-8") for path in PATHS]
SHIPPED = parse_places(TEXTS)
GOVERNORATES = (
    "دمشق", "ريف دمشق", "حلب", "حمص", "حماة", "اللاذقية", "طرطوس", "إدلب", "درعا", "السويداء",
    "القنيطرة", "دير الزور", "الرقة", "الحسكة",
)  # fmt: skip


def entries() -> list[tuple[str, list[str]]]:
    tables = {name: table for text in TEXTS for name, table in tomllib.loads(text).items()}
    return [
        (place, [table["name"], *table.get("variants", [])])
        for place, table in tables.items()
        if isinstance(table, dict)
    ]


def test_the_fourteen_governorates_are_fourteen_places() -> None:
    assert len({SHIPPED.find(name) for name in GOVERNORATES} - {None}) == 14


def test_no_two_places_share_a_spelling_with_or_without_the_article() -> None:
    forms = [
        {loose(spelling).removeprefix("ال") for spelling in spellings} for _, spellings in entries()
    ]
    for one, other in itertools.combinations(forms, 2):
        assert not one & other


@pytest.mark.parametrize(("place", "spellings"), entries(), ids=lambda value: str(value)[:20])
def test_every_spelling_finds_its_place(place: str, spellings: list[str]) -> None:
    for spelling in spellings:
        ways = (spelling, spelling.replace(" ", ""), f"مدينة {spelling}", f" ({spelling}). ")
        for written in ways:
            assert SHIPPED.find(written) == place


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("إدلب", "ادلب"),
        ("اللاذقية", "لاذقية"),
        ("اللاذقية", "اللاذقيه"),
        ("السويداء", "السويدا"),
        ("السويداء", "سويداء"),
        ("دير الزور", "ديرالزور"),
        ("الحسكة", "الحسكه"),
        ("الحسكة", "حسكة"),
        ("حماة", "حماه"),
        ("القامشلي", "القامشلية"),
        ("القامشلي", "قامشلي"),
        ("ريف دمشق", "محافظة ريف دمشق"),
        ("دمشق", "الشام"),
        ("دمشق", "Damascus"),
        ("حلب", "ALEPPO"),
    ],
)
def test_spellings_of_one_place(one: str, other: str) -> None:
    assert SHIPPED.find(one) == SHIPPED.find(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [("دمشق", "ريف دمشق"), ("حماة", "حمص"), ("درعا", "داريا"), ("دير حافر", "دير الزور")],
)
def test_places_that_look_alike_stay_apart(one: str, other: str) -> None:
    assert SHIPPED.find(one) != SHIPPED.find(other)


@pytest.mark.parametrize("name", ["", "لندن", "ريف حلب", "مدينة", "دمش", "دمشقق"])
def test_what_is_not_listed_is_no_place(name: str) -> None:
    assert SHIPPED.find(name) is None


@given(st.text())
def test_an_empty_table_knows_nothing(name: str) -> None:
    assert NO_PLACES.find(name) is None


def test_several_files_make_one_table() -> None:
    both = parse_places(['[a]\nname = "الأولى"', 'ignored_words = ["بلد"]\n[b]\nname = "ثانية"'])
    assert both == Places({"الاولي": "a", "اولي": "a", "ثانيه": "b"}, frozenset({"بلد"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = [", "not TOML"),
        ('a = "x"', "'a' needs a name"),
        ("[a]\nvariants = []", "'a' needs a name"),
        ('[a]\nname = "x"\nalias = []', "'a' needs a name"),
        ('[a]\nname = ""', "list of names"),
        ('[a]\nname = " - "', "list of names"),
        ('[a]\nname = " . "', "list of names"),
        ('[a]\nname = "حماة"\n[b]\nname = "(حماة)"', "'a' and 'b' share"),
        ("[a]\nname = 3", "list of names"),
        ('[a]\nname = "x"\nvariants = "y"', "list of names"),
        ('[a]\nname = "x"\nvariants = [3]', "list of names"),
        ('ignored_words = "x"', "list of names"),
        ('[a]\nname = "حماة"\n[b]\nname = "حماه"', "'a' and 'b' share"),
        ('[a]\nname = "الرقة"\n[b]\nname = "رقه"', "'a' and 'b' share"),
    ],
)
def test_a_wrong_list_stops_the_start_and_says_so(text: str, said: str) -> None:
    with pytest.raises(InvalidModel, match=said):
        parse_places([text])
