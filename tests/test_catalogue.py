"""Every code is said in every language, and nothing else stands in the catalogue."""

from __future__ import annotations

import re
from dataclasses import astuple

import pytest

from docqa import wiring
from docqa.catalogue import LANGUAGES, parse_catalogue
from docqa.errors import InvalidModel
from docqa.measures import names
from docqa.settings import Settings

GOOD = """[field_names]
given_name = "n"
["page.blank"]
message = "{value} of {limit}"
advice = "b"
"""


def test_facts_fill_the_sentences() -> None:
    catalogue = parse_catalogue({"ar": GOOD, "en": GOOD})
    assert catalogue.say("page.blank", "en", {"value": 0.5, "limit": 3}).message == "0.5 of 3"


def test_a_missing_fact_shows_as_a_dash() -> None:
    catalogue = parse_catalogue({"ar": GOOD, "en": GOOD})
    assert catalogue.say("page.blank", "ar", {}).message == "– of –"


def test_a_field_is_called_by_its_name_in_that_language() -> None:
    english = GOOD.replace("{value} of {limit}", "{field}").replace('"n"', '"given name"')
    arabic = english.replace("given name", "الاسم")
    catalogue = parse_catalogue({"ar": arabic, "en": english})
    facts = {"field": "given_name"}
    assert catalogue.say("page.blank", "en", facts).message == "given name"
    assert catalogue.say("page.blank", "ar", facts).message == "الاسم"


def test_names_are_listed_with_the_comma_of_the_language() -> None:
    listing = GOOD.replace("{value} of {limit}", "{limit}")
    catalogue = parse_catalogue({"ar": listing, "en": listing})
    facts = {"limit": "passport, sy-id-back, sy-id-front"}
    assert catalogue.say("page.blank", "en", facts).message == "passport, sy-id-back, sy-id-front"
    assert catalogue.say("page.blank", "ar", facts).message == "passport، sy-id-back، sy-id-front"


def test_there_may_be_another_advice_while_a_person_is_going_to_look() -> None:
    waiting = GOOD + 'pending = "Wait for {name}."'
    catalogue = parse_catalogue({"ar": waiting, "en": waiting})
    said = catalogue.say("page.blank", "en", {"name": "a person"})
    assert (said.advice, said.pending) == ("b", "Wait for a person.")
    said = parse_catalogue({"ar": GOOD, "en": GOOD}).say("page.blank", "en", {})
    assert (said.advice, said.pending) == ("b", "b")


def test_no_advice_promises_what_only_a_document_in_review_gets() -> None:
    catalogue = wiring.load_catalogue(wiring.models_dir(Settings()))
    promises = {"en": ("person", "somebody"), "ar": ("موظف",)}
    for language, words in promises.items():
        for code in catalogue.codes - {"system.attempts_exhausted", "booking.document_in_review"}:
            said = catalogue.say(code, language, {})
            told = f"{said.message} {said.advice}"
            assert not any(word in told.replace("same person", "") for word in words), code


@pytest.mark.parametrize(
    ("arabic", "said"),
    [
        ("", "not in every language"),
        (GOOD.replace("page.blank", "page.empty"), "not in every language"),
        (GOOD.replace("given_name", "family_name"), "field name"),
        (GOOD.replace("page.blank", "paper.blank"), "must start with"),
        (GOOD.replace("advice", "help"), "exactly a message and an advice"),
        (GOOD.replace("{value}", "{text}"), "asks for"),
        (GOOD.replace('"b"', '""'), "is empty"),
        (GOOD + 'pending = ""', "is empty"),
        (GOOD + 'pending = "c"', "pending of 'page.blank' is not in every language"),
    ],
)
def test_a_broken_catalogue_stops_the_start(arabic: str, said: str) -> None:
    with pytest.raises(InvalidModel, match=said):
        parse_catalogue({"ar": arabic, "en": GOOD})


def test_a_language_that_is_missing_stops_the_start() -> None:
    with pytest.raises(InvalidModel, match="ar.toml is missing"):
        parse_catalogue({"en": GOOD})


EVIDENCE = (
    GOOD
    + """
[words]
left = "the left"
[evidence]
slanting = "lit from {light_from}: {gradient_levels} levels"
"""
)


def test_evidence_is_told_with_the_measures_own_outputs() -> None:
    catalogue = parse_catalogue({"ar": EVIDENCE, "en": EVIDENCE})
    outputs = {"light_from": "left", "gradient_levels": 68.7, "other": None}
    assert catalogue.tell("slanting", "en", outputs) == "lit from the left: 69 levels"
    assert catalogue.tell("slanting", "en", {}) == "lit from –: – levels"


@pytest.mark.parametrize(("lost", "said"), [("slanting =", "evidence"), ("left =", "word")])
def test_evidence_told_in_one_language_only_stops_the_start(lost: str, said: str) -> None:
    poorer = "\n".join(line for line in EVIDENCE.split("\n") if not line.startswith(lost))
    with pytest.raises(InvalidModel, match=said):
        parse_catalogue({"ar": EVIDENCE, "en": poorer})


def test_the_advice_of_a_report_needs_no_fact_so_that_it_can_be_given_anew() -> None:
    catalogue = wiring.load_catalogue(wiring.models_dir(Settings()))
    for language in LANGUAGES:
        for code, said in catalogue.texts[language].items():
            assert code.startswith(("file.", "request.")) or "{" not in said.advice, code


def test_numbers_and_dates_are_compared_in_words_that_are_true_of_them() -> None:
    catalogue = wiring.load_catalogue(wiring.models_dir(Settings()))
    for field in ("given_name", "national_number", "birth_date"):
        said = {one: catalogue.say("field.near", one, {"field": field}) for one in LANGUAGES}
        assert "letters or digits" in said["en"].message
        assert "حرف" not in said["ar"].message and "رقماً" in said["ar"].advice


def test_the_name_of_a_field_is_marked_as_one_in_arabic() -> None:
    catalogue = wiring.load_catalogue(wiring.models_dir(Settings()))
    for code, said in catalogue.texts["ar"].items():
        assert said.message.count("{field}") == said.message.count("«{field}»"), code


def test_no_noun_has_to_agree_with_a_number_in_arabic() -> None:
    catalogue = wiring.load_catalogue(wiring.models_dir(Settings()))
    counted = re.compile(r"{(?!name|field)\w+} +[\u0621-\u064a]")
    said = [each for text in catalogue.texts["ar"].values() for each in astuple(text)]
    for sentence in [*said, *catalogue.evidence["ar"].values()]:
        assert not counted.search(sentence), sentence


def test_a_check_that_could_not_be_made_is_called_what_people_call_it() -> None:
    catalogue = wiring.load_catalogue(wiring.models_dir(Settings()))
    for measure in names():
        for language in LANGUAGES:
            said = catalogue.say("system.not_assessed", language, {"name": measure}).message
            assert catalogue.words[language][measure] in said
    assert (
        "own_measure" in catalogue.say("system.not_assessed", "ar", {"name": "own_measure"}).message
    )
