"""What a citizen is told of a decision: everything, once, and nothing that will not be so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.review.deciding import choices, citizen_message
from api.review.views import FOR_A_SCANNER
from api.services import Services
from docqa.analysis.capture_evidence import Evidence
from docqa.catalogue import LANGUAGES
from docqa.report import verdict_json
from docqa.verdict import Decision, Reason, Verdict
from tests.api.reviewing import ENGLISH
from tests.api.scripted_service import Scripted, engine, report, scripted_service
from tests.api.test_gate import FILE

PROMISES = ("A person will", "سينظر", "سيقارن")
NOBODY_LOOKS = (Reason("field.unread", Decision.REVIEW, field="given_name"),
                Reason("page.document", Decision.REVIEW, "content", 1),
                Reason("capture.unclear", Decision.REVIEW, "capture", 1),
                Reason("system.not_assessed", Decision.REVIEW, "skew", 1))  # fmt: skip


def judged(*reasons: Reason, decision: Decision = Decision.REVIEW) -> dict[str, Any]:
    """A report with the sentences of the catalogue."""
    verdict = Verdict(decision, 50, reasons, ({},))
    return {**report(), "verdict": verdict_json(verdict, engine().catalogue)}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Scripted]:
    with scripted_service(tmp_path) as made:
        yield made


@pytest.fixture
def services(service: Scripted) -> Services:
    """With every code of the catalogue."""
    catalogue = engine().catalogue
    codes = {}
    for code in catalogue.codes:
        said = {language: catalogue.say(code, language, {}) for language in LANGUAGES}
        codes[code] = {
            "message": {language: text.message for language, text in said.items()},
            "advice": {language: text.advice for language, text in said.items()},
        }
    return replace(service.services, reason_codes=codes)


def test_after_a_ruling_nobody_is_promised_a_person(services: Services) -> None:
    waiting = judged(*NOBODY_LOOKS)
    codes = [reason.code for reason in NOBODY_LOOKS]
    told = citizen_message(services, waiting, codes, "")
    assert "could not be read" in told and "sharper scan" in told
    assert not any(promise in told for promise in PROMISES)
    offered = [sentence for one in choices(services, waiting, "en", None)
               for _, sentence in one.sentences]  # fmt: skip
    assert not any(promise in sentence for promise in PROMISES for sentence in offered)


def test_one_who_only_tries_a_file_is_promised_no_person(services: Services) -> None:
    inspector: Any = services.inspector
    inspector.answer = judged(*NOBODY_LOOKS)
    client = TestClient(create_app(services), headers=ENGLISH)
    for language in LANGUAGES:
        page = client.post(f"/try?lang={language}", files=FILE).text
        assert not any(promise in page for promise in PROMISES)
        for code in ("field.unread", "page.document", "system.not_assessed"):
            assert services.reason_codes[code]["advice"][language] in page


def test_of_one_reason_about_several_things_all_are_told_each_sentence_once(
    services: Services,
) -> None:
    told = {}
    differing = [Reason("field.different", Decision.REVIEW, field=name)
                 for name in ("given_name", "father_name")]  # fmt: skip
    turned = [Reason("geometry.skew", Decision.REVIEW, "skew", page, value, 2.0)
              for page, value in ((1, 3.0), (2, 5.0), (3, 3.0))]  # fmt: skip
    for code, reasons in (("field.different", differing), ("geometry.skew", turned)):
        told[code] = citizen_message(services, judged(*reasons), [code], "").splitlines()
    catalogue = engine().catalogue
    for lines, language in zip(told["field.different"], LANGUAGES, strict=True):
        for name in ("given_name", "father_name"):
            assert lines.count(catalogue.field_names[language][name]) == 1
        advice = services.reason_codes["field.different"]["advice"][language]
        assert lines.count(advice) == 1 and lines.endswith(advice)
    for lines in told["geometry.skew"]:
        assert (lines.count("3°"), lines.count("5°")) == (1, 1)


def two_pages() -> dict[str, Any]:
    """A report on two photos, of which a scanner's program made a PDF."""
    found = [Reason("capture.camera", Decision.REJECT, "capture", at) for at in (1, 2)]
    judged_pages = judged(*found, decision=Decision.REJECT)
    [first] = judged_pages["pages"]
    codes = ["paper_dim", "steady_letters", "pdf_producer_scanner"]
    said = [{language: engine().catalogue.tell(code, language, {}) for language in LANGUAGES}
            for code in codes]  # fmt: skip
    capture = {"status": "assessed", "score": 3, "outputs": {"evidence": codes},
               "regions": [], "evidence": said}  # fmt: skip
    pages = [{**first, "index": at, "measures": {"capture": capture}} for at in (1, 2)]
    return {**judged_pages, "pages": pages}


def test_one_who_tries_several_pages_is_told_on_which_something_was_found(
    services: Services,
) -> None:
    inspector: Any = services.inspector
    client = TestClient(create_app(services), headers=ENGLISH)
    for language, word in (("en", "Page"), ("ar", "الصفحة")):
        inspector.answer = two_pages()
        listed = client.post(f"/try?lang={language}", files=FILE).text
        listed = listed[listed.index('<ol class="findings">') : listed.index("</ol>")]
        assert [listed.count(f"{word} {at}<") for at in (1, 2)] == [1, 1]
        inspector.answer = judged(Reason("capture.camera", Decision.REJECT, "capture", 1))
        listed = client.post(f"/try?lang={language}", files=FILE).text
        assert f"{word} 1<" not in listed


def test_what_speaks_for_a_scanner_is_not_told_as_what_makes_it_a_photo(
    services: Services,
) -> None:
    inspector: Any = services.inspector
    inspector.answer = two_pages()
    page = TestClient(create_app(services), headers=ENGLISH).post("/try", files=FILE).text
    said = engine().catalogue.evidence["en"]
    assert said["paper_dim"] in page
    assert said["steady_letters"] not in page and said["pdf_producer_scanner"] not in page


def test_what_speaks_for_a_scanner_are_codes_of_evidence() -> None:
    assert set(get_args(Evidence)) > FOR_A_SCANNER
