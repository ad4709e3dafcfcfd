"""How long each class of documents is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from docqa.errors import InvalidModel
from docqa.retention import CLASSES, Kept, class_of, is_over, parse_retention

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PERIODS = parse_retention(
    "\n".join(f'[{name}]\ndays = {10 + n}\nsource = "test"' for n, name in enumerate(CLASSES))
)


def kept(
    decision: str = "accept",
    deadline: int | None = None,
    ruled: int | None = None,
    is_withdrawn: bool = False,
) -> Kept:
    days = [None if day is None else NOON + timedelta(days=day) for day in (deadline, ruled)]
    return Kept("doc", decision, NOON, days[0], days[1], is_withdrawn)


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (kept("accept"), "accepted"),
        (kept("reject"), "rejected"),
        (kept("review"), "waiting"),
        (kept("accept", ruled=1), "decided"),
        (kept("reject", ruled=1), "decided"),
        (kept("accept", ruled=1, is_withdrawn=True), "cancelled"),
    ],
)
def test_the_class_says_who_decided_what(document: Kept, name: str) -> None:
    assert class_of(document) == name


@pytest.mark.parametrize(
    ("document", "days"),
    [
        (kept("accept"), 10),
        (kept("reject"), 11),
        (kept("review"), 13),
        (kept("accept", ruled=5), 17),
        (kept("accept", deadline=40), 50),
        (kept("reject", deadline=3, ruled=5), 17),
        (kept("accept", deadline=-5), 10),
        (kept("accept", deadline=40, is_withdrawn=True), 14),
    ],
)
def test_a_document_is_over_that_long_after_the_last_thing_that_happens_to_it(
    document: Kept, days: int
) -> None:
    over = NOON + timedelta(days=days)
    assert is_over(document, PERIODS, over)
    assert not is_over(document, PERIODS, over - timedelta(microseconds=1))


def test_the_shipped_periods_are_read() -> None:
    shipped = Path(__file__).parent.parent / "models/retention/default.toml"
    assert set(parse_retention(shipped.read_text(encoding="utf-8"))) == set(CLASSES)


@pytest.mark.parametrize(
    "text",
    [
        "", "days = 3", "[accepted", '[accepted]\ndays = 90\nsource = "x"',
        *(
            "\n".join(f'[{name}]\ndays = {days}\nsource = "x"' for name in CLASSES)
            for days in ("0", "-1", "true", "1.5", "36501", '"90"')
        ),
        "\n".join(f"[{name}]\ndays = 90" for name in CLASSES),
        "\n".join(f"{name} = 90" for name in CLASSES),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidModel, match="retention"):
        parse_retention(text)
