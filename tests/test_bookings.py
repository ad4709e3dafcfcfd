"""What becomes of all documents of a booking together: a truth table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from typing import Any, Literal

import pytest

from docqa import wiring
from docqa.bookings import (
    Booking,
    BookingRules,
    Filed,
    assess,
    days_left,
    parse_service,
)
from docqa.errors import InvalidModel
from docqa.fields import Field, Match, Source
from docqa.settings import Settings
from docqa.verdict import CONTRADICTS_ANOTHER

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BOOKING = Booking("portal", "B-7", "sy-passport", NOON)
FRONT, BACK = "sy-id-front", "sy-id-back"
SERVICE = """
id = "x"
title_ar = "س"
title_en = "X"
documents = ["sy-id-front"]
deadline_days = 10
most_attempts = 5
source = "provisional"
"""

Decision = Literal["accept", "review", "reject"]


@cache
def rules() -> BookingRules:
    return wiring.load_booking_rules(Settings())


SURE = rules().sides_disagree.least_confidence


def one(document_type: str, decision: Decision, hours: int = 0, *fields: Field) -> Filed:
    name = f"doc_{document_type}_{decision}_{hours}"
    return Filed(name, document_type, decision, NOON + timedelta(hours=hours), fields=fields)


def seen(
    name: str, source: Source, read: str, match: Match = "equal", confidence: float = 1.0
) -> Field:
    return Field(name, match, source, confidence, None, 1, read)


STATES: tuple[str, ...] = ("missing", "accept", "review", "reject")


@pytest.mark.parametrize(("front", "back"), list(product(STATES, STATES)))
def test_the_worst_of_the_documents_decides(front: Any, back: Any) -> None:
    uploaded = [one(t, d) for t, d in ((FRONT, front), (BACK, back)) if d != "missing"]
    found = assess(rules(), BOOKING, uploaded)
    worst = {"reject": 3, "missing": 2, "review": 1, "accept": 0}
    outcome = {3: "reject", 2: "incomplete", 1: "review", 0: "accept"}
    assert found.outcome == outcome[max(worst[front], worst[back])]
    assert [slot.state for slot in found.slots] == [front, back]
    assert {r.document_types[0] for r in found.reasons} == {
        t for t, d in ((FRONT, front), (BACK, back)) if d != "accept"
    }


@pytest.mark.parametrize(
    ("uploads", "counts"),
    [
        (("reject", "accept"), 1),
        (("accept", "reject"), 0),
        (("accept", "accept"), 1),
        (("review", "reject"), 1),
        (("reject", "review"), 1),
    ],
)
def test_the_newest_accepted_upload_counts_or_else_the_newest(
    uploads: tuple[Decision, Decision], counts: int
) -> None:
    made = [one(FRONT, decision, hours) for hours, decision in enumerate(uploads)]
    for order in (made, made[::-1]):
        assert assess(rules(), BOOKING, order).slots[0].document_id == made[counts].document_id


TYPED, OTHER = {"given_name": "آمنة"}, {"passport_number": "N001234567"}
LACKING = "booking.document_not_compared"


@pytest.mark.parametrize(
    ("uploads", "counts", "state", "codes"),
    [
        # what was typed once was not sent again
        ((("reject", TYPED), ("accept", {})), 1, "review", {LACKING}),
        ((("review", TYPED), ("accept", {})), 1, "review", {LACKING}),
        ((("reject", TYPED), ("accept", OTHER)), 1, "review", {LACKING}),
        ((("reject", TYPED), ("reject", {}), ("accept", {})), 2, "review", {LACKING}),
        (
            (("reject", TYPED), ("review", {})), 1, "review",
            {LACKING, "booking.document_in_review"},
        ),
        ((("reject", TYPED), ("reject", {})), 1, "reject", {"booking.document_rejected"}),
        # of those that are accepted one that was compared counts before one that was not
        ((("accept", TYPED), ("accept", {})), 0, "accept", set()),
        ((("reject", TYPED), ("accept", TYPED), ("accept", {})), 1, "accept", set()),
        ((("reject", TYPED), ("accept", {}), ("accept", TYPED)), 2, "accept", set()),
        ((("accept", TYPED), ("accept", TYPED)), 1, "accept", set()),
        ((("accept", TYPED), ("reject", {})), 0, "accept", set()),
        ((("reject", TYPED), ("accept", TYPED)), 1, "accept", set()),
        # nothing was typed before, or nothing that this document has
        ((("reject", {}), ("accept", {})), 1, "accept", set()),
        ((("reject", OTHER), ("accept", {})), 1, "accept", set()),
        ((("accept", {}), ("reject", TYPED)), 0, "accept", set()),
        ((("accept", {}), ("accept", TYPED)), 1, "accept", set()),
    ],
)  # fmt: skip
def test_what_was_typed_once_is_wanted_with_every_later_upload(
    uploads: Any, counts: int, state: str, codes: set[str]
) -> None:
    made = [
        replace(one(FRONT, decision, hours), claims=claims)
        for hours, (decision, claims) in enumerate(uploads)
    ]
    for order in (made, made[::-1]):
        found = assess(rules(), BOOKING, [*order, one(BACK, "accept")])
        front, back = found.slots
        assert (front.document_id, front.state) == (made[counts].document_id, state)
        assert {reason.code for reason in found.reasons} == codes
        assert all(reason.document_types == (FRONT,) for reason in found.reasons)
        assert (found.outcome, back.state) == (state, "accept")


@pytest.mark.parametrize("rejected", ["doc_a", "doc_z"])
def test_of_two_uploads_of_one_moment_either_may_have_come_first(rejected: str) -> None:
    typed = replace(one(FRONT, "reject"), document_id=rejected, claims=TYPED)
    found = assess(rules(), BOOKING, [typed, one(FRONT, "accept"), one(BACK, "accept")])
    assert found.outcome == "review"


def test_what_was_typed_for_one_document_is_not_wanted_with_another() -> None:
    front = replace(one(FRONT, "accept"), claims=TYPED)
    assert assess(rules(), BOOKING, [front, one(BACK, "accept", 1)]).outcome == "accept"


def test_of_two_uploads_of_one_moment_always_the_same_counts() -> None:
    made = [replace(one(FRONT, "review"), document_id=name) for name in ("doc_b", "doc_a")]
    for order in (made, made[::-1]):
        assert assess(rules(), BOOKING, order).slots[0].document_id == "doc_b"


def test_the_worst_of_the_reasons_is_told_first() -> None:
    found = assess(rules(), BOOKING, [one(FRONT, "review"), one(BACK, "reject")])
    assert [reason.decision for reason in found.reasons] == ["reject", "review"]


def test_a_document_that_nobody_asked_for_changes_nothing() -> None:
    uploaded = [one(FRONT, "accept"), one(BACK, "accept"), one("a4-generic", "reject")]
    assert assess(rules(), BOOKING, uploaded).outcome == "accept"


@pytest.mark.parametrize(
    ("on_front", "on_back", "outcome"),
    [
        # print that says what was typed, and a barcode that says the same or something else
        (seen("given_name", "ocr", "آمنة"), seen("given_name", "barcode", "آمنة"), "accept"),
        (seen("given_name", "ocr", "آمنة"), seen("given_name", "barcode", "أمنه"), "accept"),
        (seen("given_name", "ocr", "آمنة"), seen("given_name", "barcode", "هدى"), "review"),
        (seen("given_name", "ocr", "آمنة"), seen("given_name", "barcode", "آمنت"), "review"),
        # print that was not what was typed: only when sure and nowhere near
        (
            seen("given_name", "ocr", "سلمى", "different", 0.95),
            seen("given_name", "barcode", "هدى"),
            "review",
        ),
        (
            seen("given_name", "ocr", "سلمى", "different", 0.85),
            seen("given_name", "barcode", "هدى"),
            "accept",
        ),
        (
            seen("national_number", "digits", "01234567891", "near", 0.99),
            seen("national_number", "barcode", "01234567890"),
            "accept",
        ),
        (
            seen("given_name", "ocr", "سلمى", "different", SURE),
            seen("given_name", "barcode", "هدى"),
            "review",
        ),
        # exact against exact
        (
            seen("national_number", "barcode", "01234567891"),
            seen("national_number", "barcode", "01234567890"),
            "review",
        ),
        (
            seen("birth_date", "barcode", "12-4", "unread"),
            seen("birth_date", "barcode", "12-4-1990"),
            "accept",
        ),
        # places by all their names
        (
            seen("birth_place", "ocr", "القامشلية"),
            seen("birth_place", "barcode", "القامشلي"),
            "accept",
        ),
        # whatever was read of a claim on either side
        (
            replace(
                seen("given_name", "barcode", "هدى"), others=(seen("given_name", "ocr", "آمنة"),)
            ),
            seen("given_name", "barcode", "هدى"),
            "review",
        ),
        # print is never held against print; other claims are never mixed
        (seen("given_name", "ocr", "آمنة"), seen("given_name", "ocr", "هدى"), "accept"),
        (seen("given_name", "ocr", "آمنة"), seen("father_name", "barcode", "هدى"), "accept"),
    ],
)
def test_front_and_back_are_held_against_each_other(
    on_front: Field, on_back: Field, outcome: str
) -> None:
    front, back = one(FRONT, "accept", 0, on_front), one(BACK, "accept", 1, on_back)
    for uploaded in ([front, back], [back, front]):
        found = assess(rules(), BOOKING, uploaded)
        assert found.outcome == outcome
        if outcome == "review":
            [reason] = found.reasons
            assert reason.code == "field.sides_disagree"
            assert reason.claim == on_front.name
            assert found.agreeing_fields == ()


AMINA, HUDA = seen("given_name", "ocr", "آمنة"), seen("given_name", "barcode", "هدى")


def test_a_contradiction_rejects_where_the_policy_says_so() -> None:
    finding = replace(rules().sides_disagree, decision="reject")
    both = [one(FRONT, "accept", 0, AMINA), one(BACK, "accept", 1, HUDA)]
    assert assess(replace(rules(), sides_disagree=finding), BOOKING, both).outcome == "reject"


@pytest.mark.parametrize(("front", "back"), list(product(("accept", "review", "reject"), repeat=2)))
def test_documents_that_contradict_each_other_are_named_unless_others_must_come(
    front: Decision, back: Decision
) -> None:
    both = [one(FRONT, front, 0, AMINA), one(BACK, back, 1, HUDA)]
    named = {filed.document_id for filed in both} if "reject" not in (front, back) else set()
    assert assess(rules(), BOOKING, both).contradicting == named


@pytest.mark.parametrize(
    ("decision", "codes", "outcome"),
    [
        ("accept", (CONTRADICTS_ANOTHER,), "accept"),
        ("accept", (), "review"),
        ("review", (CONTRADICTS_ANOTHER,), "review"),
        ("reject", (CONTRADICTS_ANOTHER,), "reject"),
    ],
)
@pytest.mark.parametrize("seen_on", [FRONT, BACK])
def test_what_a_person_accepted_in_spite_of_a_contradiction_is_accepted(
    seen_on: str, decision: Decision, codes: tuple[str, ...], outcome: str
) -> None:
    both = [one(FRONT, "accept", 0, AMINA), one(BACK, "accept", 1, HUDA)]
    both = [
        replace(filed, decision=decision, reason_codes=codes)
        if filed.document_type == seen_on
        else filed
        for filed in both
    ]
    found = assess(rules(), BOOKING, both)
    assert found.outcome == outcome
    is_told = "field.sides_disagree" in [reason.code for reason in found.reasons]
    assert is_told == (outcome != "accept")


def test_what_comes_after_a_person_has_accepted_a_contradiction_is_held_against_it_again() -> None:
    accepted = replace(one(FRONT, "accept", 0, AMINA), reason_codes=(CONTRADICTS_ANOTHER,))
    later = one(BACK, "accept", 1, HUDA)
    assert later.document_id in assess(rules(), BOOKING, [accepted, later]).contradicting


def test_what_two_documents_both_say_is_told() -> None:
    front = one(FRONT, "accept", 0, seen("given_name", "ocr", "آمنة"))
    back = one(
        BACK, "accept", 1, seen("given_name", "barcode", "آمنة"),
        seen("father_name", "barcode", "سامر"),
    )  # fmt: skip
    assert assess(rules(), BOOKING, [front, back]).agreeing_fields == ("given_name",)


@pytest.mark.parametrize(
    ("on_front", "on_back"),
    [
        # the barcode says more than the print
        (
            seen("mother_name", "ocr", "فاطمة", "different", 0.99),
            seen("mother_name", "barcode", "فاطمة الخطيب"),
        ),
        # one side says two things
        (
            seen("given_name", "ocr", "آمنة"),
            replace(
                seen("given_name", "barcode", "هدى"), others=(seen("given_name", "mrz", "آمنة"),)
            ),
        ),
    ],
)
def test_what_two_documents_say_only_in_part_is_not_told(on_front: Field, on_back: Field) -> None:
    both = [one(FRONT, "accept", 0, on_front), one(BACK, "accept", 1, on_back)]
    assert assess(rules(), BOOKING, both).agreeing_fields == ()


def test_two_spellings_of_what_was_typed_on_both_sides_are_no_contradiction() -> None:
    # "near" each other, but each document agrees with the very same claim.
    front = one(FRONT, "accept", 0, seen("mother_name", "ocr", "فاطمة الزهراء", "variant"))
    back = one(BACK, "accept", 1, seen("mother_name", "barcode", "فاطمه الزهرا", "variant"))
    claims = {"mother_name": "فاطمة الزهراء"}
    same = [replace(front, claims=claims), replace(back, claims=claims)]
    assert assess(rules(), BOOKING, same).outcome == "accept"


@pytest.mark.parametrize(
    ("on_front", "on_back"),
    [
        (AMINA, seen("given_name", "barcode", "هدى", "different")),
        (
            seen("given_name", "ocr", "سلمى", "different", 0.95),
            seen("given_name", "barcode", "آمنة"),
        ),
    ],
)
def test_the_same_typed_twice_excuses_no_document_that_says_something_else(
    on_front: Field, on_back: Field
) -> None:
    both = [one(FRONT, "accept", 0, on_front), one(BACK, "accept", 1, on_back)]
    same = [replace(filed, claims={"given_name": "آمنة"}) for filed in both]
    assert assess(rules(), BOOKING, same).outcome == "review"


def test_documents_that_are_not_sides_of_one_have_a_reason_of_their_own() -> None:
    booking = replace(BOOKING, service="sy-passport-renewal")
    back = one(BACK, "accept", 0, seen("birth_date", "barcode", "4-5-1990"))
    passport = one("passport", "accept", 1, seen("birth_date", "mrz", "1990-05-14"))
    found = assess(rules(), booking, [one(FRONT, "accept"), back, passport])
    [reason] = found.reasons
    assert (reason.code, found.outcome) == ("field.documents_disagree", "review")
    assert reason.document_types == (BACK, "passport")


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (timedelta(0), 10),
        (timedelta(seconds=1), 10),
        (timedelta(days=1), 9),
        (timedelta(days=9, hours=23), 1),
        (timedelta(days=10), 0),
        (timedelta(days=400), 0),
    ],
)
def test_days_are_left_until_the_tenth_day_after_booking(after: timedelta, left: int) -> None:
    deadline = BOOKING.deadline(rules().services["sy-passport"])
    assert deadline == NOON + timedelta(days=10)
    assert days_left(deadline, NOON + after) == left


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"sy-id-front"]', '"sy-id-fornt"]', "unknown document type 'sy-id-fornt'"),
        ('"sy-id-front"]', '"sy-id-front", "sy-id-front"]', "'sy-id-front' twice"),
        ('["sy-id-front"]', "[]", "at least one"),
        ("deadline_days = 10", "deadline_days = 0", "'deadline_days'"),
        ("deadline_days = 10", "deadline_days = 367", "'deadline_days'"),
        ("most_attempts = 5", "most_attempts = true", "'most_attempts'"),
        ("most_attempts = 5", "most_attempts = 1001", "'most_attempts'"),
        ("most_attempts = 5", "", "'most_attempts'"),
        ('source = "provisional"', 'source = "provisional"\nx = 1', "'x'"),
        ('title_ar = "س"', 'title_ar = ""', "'title_ar'"),
        ('id = "x"', "id = ", "not TOML"),
    ],
)
def test_a_wrong_service_is_named_with_its_key(old: str, new: str, said: str) -> None:
    assert parse_service(SERVICE, rules().document_types).documents == ("sy-id-front",)
    with pytest.raises(InvalidModel, match=said):
        parse_service(SERVICE.replace(old, new), rules().document_types)
