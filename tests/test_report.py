"""The JSON of a report carries all that judging again needs, and nothing that was read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from docqa.catalogue import LANGUAGES, Catalogue
from docqa.fields import Field
from docqa.measures import Assessed, NotAssessed, PageAssessment
from docqa.page import Region
from docqa.policy import Finding, Policy, Rule
from docqa.report import (
    Report,
    measurements_from_json,
    readings_json,
    recognised_from_json,
    rejudge_json,
    to_json,
    verdict_json,
)
from docqa.verdict import Decision, Reason, Verdict, decide
from docqa.wiring import load_catalogue

MODELS = Path(__file__).parent.parent / "models"
RULES = (Rule("skew", "angle_deg", "deg", "geometry.skew", 1.0, 5.0, 0.0, "s"),)
MATCHES = {"barcode": {"near": "reject", "variant": "accept"}}
FINDINGS = {"sides_disagree": Finding("field.sides_disagree", "review", "s", 0.9)}
POLICY = Policy("p", "sha256:0", RULES, {}, MATCHES, FINDINGS)
SECRET = "02012345678"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(MODELS)


def made(angle: float = 2.0) -> Report:
    region = Region("page", ((0.0, 0.0), (9.04, 0.0), (9.0, 9.0)))
    pages = (
        PageAssessment(
            1,
            1000,
            700,
            {
                "skew": Assessed({"angle_deg": angle, "confidence": 0.9}, (region,)),
                "capture": Assessed({"source": "camera", "evidence": ("exif_make", "background")}),
                "blur": NotAssessed("no text"),
            },
        ),
    )
    square = ((0.0, 0.0),) * 4
    printed = Field("national_number", "unread", "digits", 0.5, square, 2, SECRET)
    fields = (
        Field("national_number", "near", "barcode", 1.0, square, 1, SECRET, (printed,)),
        Field("birth_place", "variant", "barcode", 1.0, square, 1, SECRET),
    )
    verdict = decide(POLICY, "sy-id-back", pages, fields)
    return Report(
        "ab",
        "sy-id-back",
        pages,
        fields,
        (),
        verdict,
        "p",
        "sha256:0",
        "0",
        "sha256:1",
        {"decode": 1.234},
        recognised="sy-id-back",
    )


def test_it_survives_json_and_can_be_judged_again(catalogue: Catalogue) -> None:
    report = made()
    written = json.loads(json.dumps(to_json(report, catalogue)))
    pages, fields, faults = measurements_from_json(written)
    again = decide(POLICY, "sy-id-back", pages, fields, faults)
    assert again.decision == report.verdict.decision is Decision.REJECT
    assert [r.code for r in again.reasons] == [r.code for r in report.verdict.reasons]
    assert pages[0].measures["capture"] == report.pages[0].measures["capture"]
    assert pages[0].measures["blur"] == NotAssessed("no text")
    assert recognised_from_json(written) == "sy-id-back"
    hidden = tuple(replace(other, read=None) for other in report.fields[0].others)
    assert fields[0] == replace(report.fields[0], read=None, others=hidden)


def test_a_report_from_before_types_were_recognised_can_be_judged(catalogue: Catalogue) -> None:
    written = to_json(made(), catalogue)
    del written["recognised"]
    for field in written["fields"]:
        del field["others"], field["note"]
    _, fields, _ = measurements_from_json(written)
    assert [field.others for field in fields] == [(), ()]
    assert recognised_from_json(written) is None


def test_another_spelling_is_noted_in_every_language_and_lowers_nothing(
    catalogue: Catalogue,
) -> None:
    written = to_json(made(0.0), catalogue)
    number, place = written["fields"]
    assert number["note"] is None
    assert "place of birth" in place["note"]["en"]
    assert "محل الولادة" in place["note"]["ar"]
    assert "birth_place" not in {reason["field"] for reason in written["verdict"]["reasons"]}


def test_what_was_read_is_not_in_it(catalogue: Catalogue) -> None:
    assert SECRET not in json.dumps(to_json(made(), catalogue))


def test_what_was_read_is_told_by_claim_and_source_for_reviewers() -> None:
    assert readings_json(made()) == {
        "national_number": {"barcode": SECRET, "digits": SECRET},
        "birth_place": {"barcode": SECRET},
    }


def test_every_reason_speaks_every_language_with_its_numbers(catalogue: Catalogue) -> None:
    written = to_json(made(), catalogue)
    for reason in written["verdict"]["reasons"]:
        for language in LANGUAGES:
            assert reason["message"][language] and reason["advice"][language]
            assert "{" not in reason["message"][language]
    skew = next(r for r in written["verdict"]["reasons"] if r["code"] == "geometry.skew")
    assert "2°" in skew["message"]["en"] and "1°" in skew["message"]["en"]


@pytest.mark.parametrize("decision", [Decision.REVIEW, Decision.REJECT])
def test_a_person_is_promised_only_where_one_is_going_to_look(
    catalogue: Catalogue, decision: Decision
) -> None:
    unread = Reason("field.unread", Decision.REVIEW, field="given_name")
    reasons = (Reason("capture.camera", decision, "capture", 1), unread)
    written = verdict_json(Verdict(decision, 10, reasons, ({},)), catalogue)
    advice = written["reasons"][1]["advice"]
    assert ("A person" in advice["en"]) == ("موظف" in advice["ar"]) == (decision == "review")


@pytest.mark.parametrize(
    ("value", "limit", "value_said", "limit_said"),
    [
        (2.003, 2.0, "by 2.003°", "most 2° "),
        (-2.003, 2.0, "by -2.003°", "most 2° "),
        (2.0000004, 2.0, "by 2°", "most 2° "),
        (3.14159, 2.0, "by 3.14°", "most 2° "),
        (12.34567, 12.34512, "by 12.346°", "most 12.345° "),
    ],
)
def test_what_is_missed_is_not_said_to_be_what_is_wanted(
    catalogue: Catalogue, value: float, limit: float, value_said: str, limit_said: str
) -> None:
    turned = Reason("geometry.skew", Decision.REVIEW, "skew", 1, value, limit, "deg")
    verdict = Verdict(Decision.REVIEW, 69, (turned,), ({},))
    [written] = verdict_json(verdict, catalogue)["reasons"]
    assert value_said in written["message"]["en"] and limit_said in written["message"]["en"]


def test_evidence_is_told_in_every_language(catalogue: Catalogue) -> None:
    capture = to_json(made(), catalogue)["pages"][0]["measures"]["capture"]
    assert len(capture["evidence"]) == len(capture["outputs"]["evidence"]) == 2
    assert all(told["ar"] != told["en"] for told in capture["evidence"])
    assert "maker" in capture["evidence"][0]["en"]


def test_scores_stand_with_their_measure(catalogue: Catalogue) -> None:
    measures = to_json(made(1.0), catalogue)["pages"][0]["measures"]
    assert measures["skew"]["score"] == 70
    assert (measures["blur"]["status"], measures["blur"]["score"]) == ("not_assessed", None)


def test_a_new_policy_changes_verdict_and_scores_but_no_measurement(catalogue: Catalogue) -> None:
    written = to_json(made(), catalogue)
    lax = Policy(
        "lax",
        "sha256:2",
        (Rule("skew", "angle_deg", "deg", "geometry.skew", 3.0, 5.0, 0.0, "s"),),
        {},
        {"barcode": {"near": "accept", "variant": "accept"}},
        FINDINGS,
    )
    pages, fields, faults = measurements_from_json(written)
    verdict = decide(lax, "sy-id-back", pages, fields, faults)
    again = rejudge_json(written, verdict, catalogue, ("lax", "sha256:2"))
    assert again["verdict"]["decision"] == "accept"
    assert again["policy"] == {"id": "lax", "digest": "sha256:2"}
    assert (
        again["pages"][0]["measures"]["skew"]["outputs"]
        == written["pages"][0]["measures"]["skew"]["outputs"]
    )
    assert again["pages"][0]["measures"]["skew"]["score"] > 70


def test_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="docqa.report/1"):
        measurements_from_json({"schema": "docqa.report/2"})


def test_no_person_is_promised_where_nothing_is_kept(catalogue: Catalogue) -> None:
    failed = Reason("system.failed", Decision.REVIEW)
    waiting = replace(made(), verdict=Verdict(Decision.REVIEW, None, (failed,), ()))
    [kept] = to_json(waiting, catalogue)["verdict"]["reasons"]
    [unkept] = to_json(waiting, catalogue, is_kept=False)["verdict"]["reasons"]
    for language in LANGUAGES:
        said = catalogue.say("system.failed", language, {})
        assert kept["advice"][language] == said.pending != said.advice
        assert unkept["advice"][language] == said.advice
    assert {**kept, "advice": None} == {**unkept, "advice": None}
