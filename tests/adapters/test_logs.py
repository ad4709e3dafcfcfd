"""The log keeps what an operator needs and nothing that a citizen typed."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from docqa.adapters.logs import FIELDS, REDACTOR, set_up_logs

DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")
SEPARATORS = ["", " ", "\u00a0", "-", ".", "\u200f", "\u2066", "\u0640", ", ", "\u200e-\u200e"]
WORDS = st.text(alphabet="abc آمنة:()'\"{}[]=", max_size=20)


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    before, level = root.handlers, root.level
    stream = io.StringIO()
    set_up_logs(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = before, level
    sys.excepthook, threading.excepthook = hooks
    structlog.reset_defaults()


@given(
    digits=st.lists(st.integers(0, 9), min_size=7, max_size=14),
    scripts=st.lists(st.sampled_from(DIGITS), min_size=14, max_size=14),
    separator=st.sampled_from(SEPARATORS),
    around=st.tuples(WORDS, WORDS),
)
def test_no_long_number_survives_in_any_script_or_spacing(
    digits: list[int], scripts: list[str], separator: str, around: tuple[str, str]
) -> None:
    written = [script[digit] for digit, script in zip(digits, scripts, strict=False)]
    text = around[0] + separator.join(written) + around[1]
    masked = REDACTOR.mask(text)
    assert not any(character.isdecimal() for character in masked), masked
    assert not REDACTOR.is_clean(text)


@given(st.uuids())
def test_random_ids_stay(made: uuid.UUID) -> None:
    for text in (made.hex, str(made), f"doc_{made.hex}", f"request {made}: done"):
        assert REDACTOR.mask(text) == text


@given(st.integers(0, 10**11 - 1))
def test_a_number_that_is_dressed_up_as_an_id_is_still_masked(number: int) -> None:
    digits = f"{number:011d}"
    for text in (f"doc_{digits}", f"{digits}-0000-0000-0000-x", digits * 2):
        assert digits not in REDACTOR.mask(text)


def test_small_numbers_and_places_can_be_read(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    structlog.get_logger("docqa").info("took 1234 ms on 127.0.0.1:8000", status=201)
    [line] = lines()
    assert (line["event"], line["status"]) == ("took 1234 ms on 127.0.0.1:8000", 201)
    assert line["level"] == "info" and line["timestamp"].endswith("Z")


def test_a_field_that_is_not_listed_is_dropped(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    structlog.get_logger("docqa").info("said", claims={"given_name": "آمنة"}, code="file.empty")
    [line] = lines()
    assert set(line) <= FIELDS
    assert line["code"] == "file.empty" and "آمنة" not in str(line)


@pytest.mark.parametrize("logger", ["docqa.worker", "uvicorn.error", "sqlalchemy"])
def test_an_exception_is_told_by_class_and_place_and_never_by_its_sentence(
    lines: Callable[[], list[dict[str, Any]]], logger: str
) -> None:
    try:
        raise ValueError("Amna 02012345678")
    except ValueError:
        logging.getLogger(logger).exception("failed after %s", "٠٢٠١٢٣٤٥٦٧٨")
    [line] = lines()
    assert line["error"] == "ValueError" and "test_logs.py:" in line["at"]
    assert line["event"] == "failed after ***"
    assert "Amna" not in str(line)


def test_a_server_that_has_set_up_its_own_log_is_told_like_everything_else(
    request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> None:
    uvicorn.Config(lambda: None)
    lines = request.getfixturevalue("lines")
    logging.getLogger("uvicorn.error").error("the claim was %s", "02012345678")
    [line] = lines()
    assert (line["event"], line["logger"]) == ("the claim was ***", "uvicorn.error")
    assert "02012345678" not in "".join(capfd.readouterr())


def test_a_library_that_is_quiet_by_itself_stays_quiet(
    request: pytest.FixtureRequest,
) -> None:
    logging.getLogger("quiet").setLevel(logging.WARNING)
    lines = request.getfixturevalue("lines")
    logging.getLogger("quiet.part").info("SELECT 1")
    assert lines() == []


def test_what_is_asked_of_the_database_is_not_logged(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    with sa.create_engine("sqlite://").connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    assert lines() == []


def test_a_thread_that_dies_is_logged_without_what_it_says(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    def die() -> None:
        raise RuntimeError("Amna 02012345678")

    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    [line] = lines()
    assert line["error"] == "RuntimeError" and "Amna" not in str(line)
