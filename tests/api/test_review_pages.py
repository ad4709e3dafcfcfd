"""The reviewers' pages: signing in, the queue, one document, the decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.review.claims import masked
from api.review.queue import PAGE_LENGTH
from api.review.texts import LANGUAGES, TEXTS
from api.review.views import findings
from docqa.errors import InvalidDocument
from docqa.overlay import Veil
from docqa.text import western_digits
from tests.api.reviewing import document, form_token, shown_report
from tests.api.scripted_service import (
    NOON,
    REVIEWER,
    Scripted,
    reason,
    report,
    scripted_service,
    square,
)

HOSTILE = """"><script>alert('x')</script><img src=x onerror=alert(1)>{{7*7}}"""


# The queue


def shown_ids(page: str) -> list[str]:
    return re.findall(r'<h2><a href="/review/(doc_[0-9a-f]+)"', page)


def test_the_queue_shows_what_waits_with_the_nearest_deadline_first(
    reviewer: TestClient, service: Scripted
) -> None:
    late = document(5, service)
    soon = document(1, service)
    document(3, service, decision="accept", report=report())
    page = reviewer.get("/review").text
    assert shown_ids(page) == [soon.id, late.id]
    assert "Identity card, front" in page and "Turned" in page
    assert "24 hours left" in page and "5 days left" in page


def test_an_empty_queue_says_so(reviewer: TestClient) -> None:
    assert TEXTS["en"]["queue_empty"] in reviewer.get("/review").text


def test_a_long_queue_comes_in_pages_that_neither_repeat_nor_skip(
    reviewer: TestClient, service: Scripted
) -> None:
    ids = [document(number, service).id for number in range(1, PAGE_LENGTH + 4)]
    first = reviewer.get("/review").text
    assert shown_ids(first) == ids[:PAGE_LENGTH]
    following = re.search(r'class="target next" href="([^"]+)"', first)
    assert following is not None
    service.store.supersede(ids[0], report("accept"))
    second = reviewer.get(unescape(following[1])).text
    assert shown_ids(second) == ids[PAGE_LENGTH:]
    assert "target next" not in second


@pytest.mark.parametrize("cursor", ["x", "W10=", "bnVsbA==", "%00", "WyIxIiwiMiIsIjMiXQ=="])
def test_a_cursor_that_cannot_be_read_is_the_start(
    reviewer: TestClient, service: Scripted, cursor: str
) -> None:
    made = document(1, service)
    assert shown_ids(reviewer.get(f"/review?after={cursor}").text) == [made.id]


# One document


def test_a_document_with_a_deadline_beyond_the_local_calendar_is_shown(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service, deadline_at=datetime(9999, 12, 31, 22, tzinfo=UTC))
    for address in ("/review", f"/review/{made.id}", "/review/supervision"):
        assert reviewer.get(address).status_code == 200


def test_a_document_is_shown_with_reasons_regions_and_claims(
    reviewer: TestClient, service: Scripted
) -> None:
    glare = reason(
        "quality.glare",
        "review",
        regions=[{"kind": "glare", "polygon": square(200, 300, 150)}],
    )
    judged = report("review", (glare, reason("geometry.skew", "review")))
    judged["fields"] = [
        {
            "name": "given_name",
            "match": "near",
            "source": "barcode",
            "confidence": 0.9,
            "page": 1,
            "polygon": square(500, 500, 80),
        }
    ]
    made = document(1, service, report=judged)
    page = reviewer.get(f"/review/{made.id}").text
    assert 'viewBox="0 0 1240 1754"' in page
    assert 'points="200,300 350,300 350,450 200,450"' in page
    assert re.search(r'layer-page">\s*<polygon points="40,40', page)
    assert re.search(r'layer-fields">\s*<polygon points="500,500', page)
    assert "Message of quality.glare" in page and "Advice of quality.glare" in page
    assert "رسالة quality.glare نصيحة quality.glare" in page
    assert '<bdi dir="ltr">1.84°</bdi>' in page and '<bdi dir="ltr">1°</bdi>' in page
    assert "<bdi>آمنة</bdi>" in page
    assert TEXTS["en"]["match_near"] in page and TEXTS["en"]["match_none"] in page


def test_a_value_is_shown_in_as_many_digits_as_tell_it_from_its_limit() -> None:
    shown = [
        (one.value, one.limit)
        for value in (2.003, 2.3456)
        for one in findings(
            report("review", (reason("geometry.skew", "review", value=value, limit=2.0),)), "en"
        )
    ]
    assert shown == [("2.003°", "2°"), ("2.35°", "2°")]


def reading(name: str, match: str, source: str | None, **changes: Any) -> dict[str, Any]:
    facts = {"name": name, "match": match, "source": source, "confidence": 1.0, "page": 1}
    return {**facts, "polygon": None, **changes}


def cells(page: str) -> list[str]:
    """The cells of the table of claims, row by row, without the chips."""
    table = page[page.index('<table class="claims">') : page.index("</table>")]
    return re.findall(r"<td[^>]*>(<bdi>.*?</bdi>|–)", table)


def test_typed_and_read_stand_side_by_side_with_what_differs_marked(
    reviewer: TestClient, service: Scripted
) -> None:
    printed = reading("given_name", "variant", "ocr")
    judged = report("review")
    judged["fields"] = [
        reading("given_name", "near", "barcode", others=[printed]),
        reading("birth_date", "equal", "ocr"),
        reading("father_name", "near", "ocr"),
        reading("national_number", "near", "barcode"),
    ]
    made = document(
        1,
        service,
        report=judged,
        claims={
            "given_name": "أمينة",
            "birth_date": "1990-04-12",
            "father_name": "محمود",
            "national_number": "01234567890",
            "mother_name": "هدى",
        },
        readings={
            "given_name": {"barcode": "أمينا", "ocr": "امينة"},
            "birth_date": {"ocr": "الثاني عشر من نيسان لعام ألف وتسعمائة وتسعين"},
            "father_name": {"ocr": "محمد"},
            "national_number": {"barcode": "01234967890"},
        },
    )
    assert cells(reviewer.get(f"/review/{made.id}").text) == [
        '<bdi>أمين<mark class="replaced">ة</mark></bdi>',
        '<bdi>أمين<mark class="replaced">ا</mark></bdi>',
        '<bdi><mark class="replaced">ا</mark>مينة</bdi>',
        "<bdi>1990-04-12</bdi>",
        "<bdi>الثاني عشر من نيسان لعام ألف وتسعمائة وتسعين</bdi>",
        '<bdi>محم<mark class="extra">و</mark>د</bdi>',
        "<bdi>محمد</bdi>",
        '<bdi>01***<mark class="replaced">5</mark>***90</bdi>',
        '<bdi>01***<mark class="replaced">9</mark>***90</bdi>',
        "<bdi>هدى</bdi>",
        "–",
    ]


def test_what_was_read_is_shown_to_reviewers_and_to_nobody_else(
    reviewer: TestClient, service: Scripted
) -> None:
    judged = report("review")
    judged["fields"] = [reading("given_name", "different", "ocr")]
    made = document(1, service, report=judged, readings={"given_name": {"ocr": HOSTILE}})
    page = reviewer.get(f"/review/{made.id}").text
    assert HOSTILE not in page and "&lt;script&gt;" in page
    assert "script" not in reviewer.get(f"/v1/documents/{made.id}").text


def test_what_speaks_for_a_reason_is_told_with_it(reviewer: TestClient, service: Scripted) -> None:
    judged = report("review", (reason("capture.camera", "review", measure="capture"),))
    told = {"ar": "الضوء من اليسار", "en": "Lit from the left"}
    judged["pages"][0]["measures"]["capture"] = {
        "status": "assessed",
        "score": 10,
        "outputs": {"evidence": ["illumination_gradient"]},
        "regions": [],
        "evidence": [told],
    }
    made = document(1, service, report=judged)
    page = reviewer.get(f"/review/{made.id}").text
    assert "<li>Lit from the left</li>" in page
    assert told["ar"] not in page


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.031, "fraction", "3.1%"),
        (0.98, "probability", "98%"),
        (1.84, "deg", "1.84°"),
        (199.6, "ppi", "200 ppi"),
        (3.0, "count", "3"),
        (0.5, "", "0.5"),
    ],
)
def test_quantities_are_shown_as_people_read_them(value: float, unit: str, shown: str) -> None:
    judged = report("review", (reason("quality.blur", "review", value=value, unit=unit),))
    [finding] = findings(judged, "en")
    assert finding.value == shown


@pytest.mark.parametrize(
    ("value", "limit", "said"),
    [(0.946, 0.92, "limit_most"), (0.5, 0.9, "limit_least"), (1.0, 1.0, "limit")],
)
def test_a_limit_says_on_which_side_of_it_is_enough(value: float, limit: float, said: str) -> None:
    crossed = reason("geometry.orientation", "review", value=value, limit=limit)
    [finding] = findings(report("review", (crossed,)), "en")
    assert finding.limit_name == said


@pytest.mark.parametrize(
    ("turn_deg", "view", "back"),
    [
        (0, "60 160 380 680", ""),
        (90, "15 415 470 170", "rotate(-90 250 500)"),
        (180, "60 160 380 680", "rotate(-180 250 500)"),
        (None, "60 160 380 680", ""),
    ],
)
def test_a_line_of_a_page_that_lies_on_its_side_is_shown_upright(
    reviewer: TestClient, service: Scripted, turn_deg: int | None, view: str, back: str
) -> None:
    line = [[200, 300], [300, 300], [300, 700], [200, 700]]
    judged = report("review")
    judged["fields"] = [reading("given_name", "near", "ocr", polygon=line)]
    judged["pages"][0]["measures"]["orientation"] = {
        "status": "assessed",
        "score": 10,
        "outputs": {"turn_deg": turn_deg},
        "regions": [],
    }
    made = document(1, service, report=judged)
    page = reviewer.get(f"/review/{made.id}").text
    crop = page[page.index('class="crop"') : page.index("</svg>", page.index('class="crop"'))]
    assert f'viewBox="{view}"' in crop
    assert re.findall(r'transform="([^"]+)"', crop) == ([back] if back else [])


def test_the_national_number_is_masked(reviewer: TestClient, service: Scripted) -> None:
    made = document(1, service)
    page = reviewer.get(f"/review/{made.id}").text
    assert "01*******90" in page
    assert "01234567890" not in page


@pytest.mark.parametrize("match", ["different", "variant", "unread"])
@pytest.mark.parametrize("read", ["61352106707", "0123456", "101234567890", "٦١٣٥٢١٠٦٧٠٧"])
def test_only_digits_that_nearly_agree_are_left_open_in_a_masked_number(
    reviewer: TestClient, service: Scripted, match: str, read: str
) -> None:
    judged = report("review")
    printed = reading("national_number", match, "digits")
    judged["fields"] = [reading("national_number", match, "barcode", others=[printed])]
    readings = {"national_number": {"barcode": read, "digits": read}}
    typed = {"national_number": "01234567890"}
    made = document(1, service, report=judged, claims=typed, readings=readings)
    page = reviewer.get(f"/review/{made.id}").text
    shown = f"<bdi>{masked(western_digits(read))}</bdi>"
    assert cells(page) == ["<bdi>01*******90</bdi>", shown, shown]
    assert 'class="differences"' not in page


@pytest.mark.parametrize(
    ("number", "shown"),
    [("01234567890", "01*******90"), ("٠١٢٣٤٥٦٧٨٩٠", "٠١*******٩٠"), ("1234", "****"), ("", "")],
)
def test_a_mask_hides_all_but_the_ends(number: str, shown: str) -> None:
    assert masked(number) == shown


def test_texts_of_strangers_are_only_ever_text(reviewer: TestClient, service: Scripted) -> None:
    judged = report(
        "review",
        (
            reason(
                "geometry.skew",
                "review",
                message={"ar": HOSTILE, "en": HOSTILE},
                advice={"ar": HOSTILE, "en": HOSTILE},
                regions=[{"kind": "text", "polygon": square(1, 1, 5)}],
                unit=HOSTILE,
            ),
        ),
    )
    made = document(
        1,
        service,
        file_name=HOSTILE,
        booking_ref=HOSTILE,
        document_type=HOSTILE,
        claims={"given_name": HOSTILE, HOSTILE: HOSTILE},
        report=judged,
    )
    for path in ("/review", f"/review/{made.id}"):
        page = reviewer.get(path).text
        assert HOSTILE not in page and "49" not in re.findall(r">\s*(49)\s*<", page)
        assert escape(HOSTILE, quote=False)[:12] in page.replace("&#34;", '"')
        assert tags(page).isdisjoint({"iframe", "object"})
        assert "<script>" not in page


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def ticked(page: str) -> list[str]:
    """Codes of the reasons that are ticked."""
    return re.findall(r'name="code\.([a-z_.]+)" value="on" checked', page)


def tags(page: str) -> set[str]:
    parser = _Tags()
    parser.feed(page)
    assert not any(name.startswith("on") or name == "style" for name in parser.attributes)
    return parser.names


def test_a_document_that_could_not_be_measured_is_shown_all_the_same(
    reviewer: TestClient, service: Scripted
) -> None:
    judged = report("review", (reason("system.crashed", "review", page=None, value=None),))
    judged["pages"] = []
    made = document(1, service, report=judged)
    page = reviewer.get(f"/review/{made.id}")
    assert page.status_code == 200
    assert f'<img class="page" src="/review/{made.id}/pages/1/image?' in page.text


def test_each_page_of_a_document_is_shown_with_its_own_regions(
    reviewer: TestClient, service: Scripted
) -> None:
    regions = [{"kind": "glare", "polygon": square(7, 7, 7)}]
    judged = report("review", (reason("quality.glare", "review", page=2, regions=regions),))
    judged["pages"].append({"index": 2, "width_px": 100, "height_px": 200, "measures": {}})
    made = document(1, service, report=judged)
    first = reviewer.get(f"/review/{made.id}").text
    second = reviewer.get(f"/review/{made.id}?page=2").text
    assert 'points="7,7' not in first
    assert 'points="7,7' in second and 'viewBox="0 0 100 200"' in second
    assert reviewer.get(f"/review/{made.id}?page=99").text.count('viewBox="0 0 1240 1754"') == 1


def test_every_link_of_a_page_leads_to_a_page_and_keeps_what_is_looked_at(
    reviewer: TestClient, service: Scripted
) -> None:
    regions = [{"kind": "glare", "polygon": square(7, 7, 7)}]
    two_pages = report("review", (reason("quality.glare", "review", page=2, regions=regions),))
    two_pages["pages"].append({"index": 2, "width_px": 100, "height_px": 200, "measures": {}})
    facts: dict[str, Any] = {"booking_ref": "B-1", "report": two_pages}
    made, other, third = (document(number, service, **facts) for number in (1, 2, 3))
    looked_at = f"page=2&beside={other.id}&beside_page=2&previous={third.id}"
    page = reviewer.get(f"/review/{made.id}?{looked_at}").text
    assert len(re.findall('aria-current="page">Page 2<', page)) == 2
    first_page = looked_at.replace("page=2", "page=1", 1).replace("&", "&amp;")
    assert f'href="/review/{made.id}?{first_page}"' in page
    form = {"form_token": form_token(page), "why": " ", "decision": "reject"}
    answers = [page] + [
        reviewer.post(unescape(address), data=form).text
        for address in re.findall(r'method="post" action="(/review/doc_[^"]+)"', page)
    ]
    late = reviewer.post(f"/review/{made.id}/undo?{looked_at}", data=form)
    assert late.status_code == 409
    assert len(answers) == 4
    for shown in (*answers, late.text):
        links = [unescape(link) for link in re.findall(r'<a [^>]*href="([^"#]*\?[^"#]*)', shown)]
        assert len(links) > 8
        for link in links:
            address = urlsplit(link)
            if address.path.endswith("/image"):
                continue
            assert address.path == f"/review/{made.id}"
            kept = dict(parse_qsl(address.query))
            assert kept["previous"] == third.id and "page" in kept
            assert reviewer.get(link).status_code == 200


def test_a_page_that_a_form_was_answered_with_changes_its_language(reviewer: TestClient) -> None:
    page = reviewer.post("/review/next")
    assert page.status_code == 403
    link = re.search(r'hreflang="ar" href="([^"]+)"', page.text)
    assert link is not None
    queue = reviewer.get(unescape(link[1])).text
    assert '<html lang="ar"' in queue and TEXTS["ar"]["queue_lead"] in queue


def test_an_unknown_document_is_a_page_that_says_so(reviewer: TestClient) -> None:
    answer = reviewer.get("/review/doc_unknown")
    assert answer.status_code == 404
    assert TEXTS["en"]["not_found"] in answer.text


def test_the_page_image_is_drawn_anew_and_not_kept(reviewer: TestClient, service: Scripted) -> None:
    made = document(1, service)
    answer = reviewer.get(f"/review/{made.id}/pages/1/image")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store"


# The decision


def decide(client: TestClient, document_id: str, **changes: str) -> Any:
    page = client.get(f"/review/{document_id}").text
    form = {"decision": "reject", "reason": "the corner is cut off"}
    form |= {"form_token": form_token(page), "report": shown_report(page)}
    return client.post(f"/review/{document_id}", data=form | changes, follow_redirects=False)


@pytest.mark.parametrize("decision", ["accept", "reject"])
def test_a_decision_is_in_force_and_the_document_leaves_the_queue(
    reviewer: TestClient, service: Scripted, decision: str
) -> None:
    made = document(1, service)
    answer = decide(reviewer, made.id, decision=decision)
    assert answer.status_code == 303
    [ruling] = service.store.rulings(made.id)
    assert (ruling.decision, ruling.reviewer, ruling.ruled_at) == (decision, REVIEWER, NOON)
    queue = reviewer.get(answer.headers["location"]).text
    assert TEXTS["en"]["recorded"] in queue
    assert shown_ids(queue) == []
    shown = reviewer.get(f"/review/{made.id}").text
    assert "the corner is cut off" in shown
    assert "<textarea" not in shown


@pytest.mark.parametrize(
    "changes", [{"reason": ""}, {"reason": "  \n "}, {"decision": "review"}, {"decision": ""}]
)
def test_a_decision_needs_a_reason_and_is_accept_or_reject(
    reviewer: TestClient, service: Scripted, changes: dict[str, str]
) -> None:
    made = document(1, service)
    assert decide(reviewer, made.id, **changes).status_code == 422
    assert service.store.rulings(made.id) == []


def test_a_reason_that_the_form_does_not_offer_is_none(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service)
    unknown = {"reason": "", "code.no.such": "on"}
    answer = decide(reviewer, made.id, **unknown)
    assert answer.status_code == 422
    assert TEXTS["en"]["reject_reason_missing"] in answer.text
    assert service.store.rulings(made.id) == []
    known = {"code.geometry.skew": "on"}
    assert decide(reviewer, made.id, **unknown, **known).status_code == 303
    assert "Message of geometry.skew" in service.store.rulings(made.id)[0].reason
    assert "no.such" not in reviewer.get(f"/review/{made.id}").text


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_a_decision_needs_the_token_of_our_form_and_keeps_the_reason(
    reviewer: TestClient, service: Scripted, token: str
) -> None:
    made = document(1, service)
    answer = decide(reviewer, made.id, form_token=token)
    assert answer.status_code == 403
    assert "the corner is cut off" in answer.text
    assert service.store.rulings(made.id) == []


def test_a_document_is_decided_once(reviewer: TestClient, service: Scripted) -> None:
    made = document(1, service)
    token = form_token(reviewer.get(f"/review/{made.id}").text)
    assert decide(reviewer, made.id, decision="accept").status_code == 303
    form = {"decision": "reject", "reason": "no, after all", "form_token": token}
    second = reviewer.post(f"/review/{made.id}", data=form)
    assert second.status_code == 409
    assert TEXTS["en"]["already_ruled"] in second.text
    assert [ruling.decision for ruling in service.store.rulings(made.id)] == ["accept"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_claims_that_came_after_the_page_are_shown_before_they_are_decided_on(
    reviewer: TestClient, service: Scripted, language: str
) -> None:
    made = document(1, service, claims={"given_name": "X"})
    reviewer.get(f"/review?lang={language}")
    page = reviewer.get(f"/review/{made.id}").text
    found = (reason("quality.glare", "review"),)
    assert service.store.correct(
        made, claims={"given_name": "YYY"}, readings={}, report=report("review", found)
    )
    form = {"decision": "accept", "note": "clear", "code.geometry.skew": "on"}
    form |= {"form_token": form_token(page), "report": shown_report(page)}
    answer = reviewer.post(f"/review/{made.id}", data=form, follow_redirects=False)
    assert answer.status_code == 409
    assert TEXTS[language]["changed"] in answer.text
    assert "YYY" in answer.text and 'value="clear"' in answer.text
    assert ticked(answer.text) == ["quality.glare"]
    assert service.store.rulings(made.id) == []
    form["report"] = shown_report(answer.text)
    assert reviewer.post(f"/review/{made.id}", data=form, follow_redirects=False).is_redirect
    assert [ruling.decision for ruling in service.store.rulings(made.id)] == ["accept"]


@pytest.mark.parametrize("number", ["", "0", "-1", "2", "1.0", "9" * 20, "x"])
def test_a_decision_says_what_it_is_about(
    reviewer: TestClient, service: Scripted, number: str
) -> None:
    made = document(1, service)
    assert decide(reviewer, made.id, report=number).status_code == 409
    assert service.store.rulings(made.id) == []


def test_a_document_that_does_not_wait_cannot_be_decided(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service, decision="accept", report=report())
    token = form_token(reviewer.get("/review").text)
    form = {"decision": "reject", "reason": "because", "form_token": token}
    assert reviewer.post(f"/review/{made.id}", data=form).status_code == 409
    assert service.store.rulings(made.id) == []


def test_pages_load_nothing_from_elsewhere(reviewer: TestClient, service: Scripted) -> None:
    made = document(1, service)
    page = reviewer.get(f"/review/{made.id}")
    assert "style-src 'self'" in page.headers["content-security-policy"]
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.text)
    css = reviewer.get("/review/static/review.css")
    assert css.headers["content-type"].startswith("text/css")
    assert "url(" not in css.text and "@import" not in css.text


@pytest.fixture
def failing_client(tmp_path: Path) -> Iterator[tuple[Scripted, TestClient]]:
    def fail(data: bytes, page: int, max_side_px: int, veil: Veil | None = None) -> bytes:
        raise InvalidDocument("file.damaged")

    with (
        scripted_service(tmp_path, render_page=fail) as service,
        TestClient(create_app(service.services)) as client,
    ):
        yield service, client


def test_a_page_that_cannot_be_drawn_is_a_problem_and_no_picture(
    failing_client: tuple[Scripted, TestClient],
) -> None:
    service, client = failing_client
    made = document(1, service)
    answer = client.get(f"/v1/documents/{made.id}/pages/1/image")
    assert (answer.status_code, answer.json()["code"]) == (422, "file.damaged")
