"""Every sentence of the pages is there in both languages, in every plural form, and is used."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.review.deciding import is_sampled
from api.review.queue import AGES_DAYS
from api.review.texts import (
    LANGUAGES,
    LOCALES,
    SENTENCES,
    TEXTS,
    counted,
    day,
    days_left,
    hour,
    hours_left,
)
from api.review.views import time_left
from docqa import bookings, wiring
from docqa.fields import MATCHES
from docqa.settings import Settings

REVIEW = Path(__file__).parents[2] / "api/review"
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in [*REVIEW.rglob("*.py"), *REVIEW.rglob("*.html")]
)
COMPOSED = (
    r"reason_.*|capture_.*|match_.*|source_.*|layer_.*|diff_.*|age_\d|period_\d+|action_.*"
    r"|decided_.*|try_(accept|review|reject)(_more)?"
)
"""Names that are put together where they are used."""


def test_every_sentence_is_there_in_every_language() -> None:
    for name, sentence in SENTENCES.items():
        assert set(sentence) == set(LANGUAGES), name
        assert isinstance(sentence["ar"], str) == isinstance(sentence["en"], str), name
    assert all(text.strip() for texts in TEXTS.values() for text in texts.values())


def test_arabic_sentences_are_arabic_and_english_ones_are_not() -> None:
    arabic = re.compile("[\u0621-\u064a]")
    exceptions = {"language"}
    for name in set(TEXTS["ar"]) - exceptions:
        assert arabic.search(TEXTS["ar"][name]), name
        assert not arabic.search(TEXTS["en"][name]), name


def test_both_languages_fill_the_same_places() -> None:
    for name in TEXTS["ar"]:
        places = [set(re.findall(r"{\w+}", TEXTS[language][name])) for language in LANGUAGES]
        assert places[0] == places[1], name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_counted_sentence_has_every_plural_form_of_its_language(language: str) -> None:
    wanted = {*LOCALES[language].plural_form.tags, "other"}
    for name, sentence in SENTENCES.items():
        if isinstance(sentence[language], dict):
            assert set(sentence[language]) == wanted, name


def test_every_sentence_is_used() -> None:
    unused = [
        name
        for name in SENTENCES
        if not re.fullmatch(COMPOSED, name)
        and not re.search(rf"\bt\.{re.escape(name)}\b|\"{re.escape(name)}\"", SOURCES)
    ]
    assert unused == []


def test_every_name_a_template_asks_for_has_a_sentence() -> None:
    asked = set(re.findall(r"\bt\.([a-z_]+)", SOURCES)) - {"get"}
    assert asked - set(TEXTS["en"]) == set()
    composed = {
        *(f"age_{days}" for days in AGES_DAYS),
        *(f"match_{match}" for match in MATCHES),
        *(f"diff_{kind}" for kind in ("replaced", "missing", "extra")),
    }
    assert composed - set(TEXTS["en"]) == set()


def test_every_reason_code_has_its_word() -> None:
    codes = wiring.load_catalogue(wiring.models_dir(Settings())).codes
    named = {name.removeprefix("reason_") for name in TEXTS["en"] if name.startswith("reason_")}
    assert named == {code for code in codes if not code.startswith(("file.", "request."))}


@pytest.mark.parametrize(
    ("days", "ar", "en"),
    [
        (0, "ينتهي اليوم", "due today"),
        (1, "بقي يوم واحد", "1 day left"),
        (2, "بقي يومان", "2 days left"),
        (3, "بقيت 3 أيام", "3 days left"),
        (10, "بقيت 10 أيام", "10 days left"),
        (11, "بقي 11 يوماً", "11 days left"),
        (100, "بقي 100 يوم", "100 days left"),
        (103, "بقيت 103 أيام", "103 days left"),
        (-1, "فات الموعد", "overdue"),
        (None, "بلا موعد", "no deadline"),
    ],
)
def test_days_are_counted_as_each_language_counts(days: int | None, ar: str, en: str) -> None:
    assert (days_left(days, "ar"), days_left(days, "en")) == (ar, en)


def test_hours_and_more_are_counted() -> None:
    assert hours_left(2, "ar") == "بقيت ساعتان"
    assert hours_left(-1, "en") == "overdue"
    assert counted("more_counted", 2, "ar") == "وسببان آخران"


@pytest.mark.parametrize(
    ("decided", "ar", "en"),
    [
        (0, "لم تُلقَ أي نظرة ثانية؛ العينة 9.", "0 of 0 second looks agree; 9 were sampled."),
        (
            1,
            "توافقت 0 من نظرة ثانية واحدة؛ العينة 9.",
            "0 of 1 second look agrees; 9 were sampled.",
        ),
        (2, "توافقت 0 من نظرتين ثانيتين؛ العينة 9.", "0 of 2 second looks agree; 9 were sampled."),
        (5, "توافقت 0 من 5 نظرات ثانية؛ العينة 9.", "0 of 5 second looks agree; 9 were sampled."),
        (11, "توافقت 0 من 11 نظرة ثانية؛ العينة 9.", "0 of 11 second looks agree; 9 were sampled."),
    ],
)
def test_second_looks_are_counted_as_each_language_counts(decided: int, ar: str, en: str) -> None:
    said = [
        counted("agreement_of", decided, language, agreed=0, sampled=9) for language in ("ar", "en")
    ]
    assert said == [ar, en]


def test_whoever_reads_it_there_is_one_arabic_name_for_a_document_and_for_a_reviewer() -> None:
    models = wiring.models_dir(Settings())
    named = [models / "reasons/ar.toml", *(models / "documents").iterdir()]
    files = [path.read_text(encoding="utf-8") for path in (REVIEW.parent / "problems.toml", *named)]
    problems = files[0]
    for said in (*TEXTS["ar"].values(), *"\n".join(files).splitlines()):
        assert not re.search("مستند|مراجع", said), said
    assert "المراقب يرى كل شيء" in problems and "بصفة مدقق" in problems


def test_dates_have_the_months_of_the_country() -> None:
    evening = datetime(2026, 2, 28, 22, 30, tzinfo=UTC)
    assert day(evening, "ar", "Asia/Damascus") == "1 آذار 2026"
    assert day(evening, "en", "Asia/Damascus") == "1 March 2026"
    assert hour(evening, "en", "Asia/Damascus") == "1 March 2026, 01:30"
    assert day(None, "en", "UTC") == ""


@pytest.mark.parametrize(
    ("moment", "zone"),
    [
        (datetime(9999, 12, 31, 22, tzinfo=UTC), "Asia/Damascus"),
        (datetime(1, 1, 1, 2, tzinfo=UTC), "America/New_York"),
    ],
)
def test_a_moment_that_has_no_local_time_is_shown_in_utc(moment: datetime, zone: str) -> None:
    for language in LANGUAGES:
        assert day(moment, language, zone) == day(moment, language, "UTC")
        assert hour(moment, language, zone) == hour(moment, language, "UTC")


def test_about_the_asked_share_of_documents_is_decided_twice_and_always_the_same() -> None:
    ids = [f"doc_{number:032x}" for number in range(5000)]
    sampled = [name for name in ids if is_sampled(name, 0.02)]
    assert 60 < len(sampled) < 140
    assert sampled[:4] == [ids[4], ids[29], ids[66], ids[102]], "other processes take others"
    assert not any(is_sampled(name, 0.0) for name in ids)
    assert all(is_sampled(name, 1.0) for name in ids)


@pytest.mark.parametrize("hours", [48.1, 71.9, 72, 72.1, 239.9, 240])
def test_days_are_left_as_the_interface_counts_them(hours: float) -> None:
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    deadline = now + timedelta(hours=hours)
    for language in ("ar", "en"):
        shown = time_left(deadline, now, language)
        assert shown.text == days_left(bookings.days_left(deadline, now), language)
        assert not shown.is_urgent
