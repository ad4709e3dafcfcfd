"""Reviewers at work over HTTP: claims, undo, revealing, second looks, trying a file."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from api.app import create_app
from api.review.supervising import csv_lines
from api.review.texts import TEXTS, counted
from api.review.views import visible
from docqa.adapters.record_tables import audit_entries
from docqa.bookings import Booking
from docqa.errors import InvalidDocument
from docqa.overlay import Veil
from docqa.reviewing import ESCALATE_WITHIN
from tests.api.reviewing import ENGLISH, document, form_token, sign_in
from tests.api.running import until
from tests.api.scripted_service import REVIEWER, Scripted, reason, report, scripted_service
from tests.memory_files import held_bytes

EN = TEXTS["en"]


def post(client: TestClient, path: str, **form: str) -> Any:
    form["form_token"] = form_token(client.get("/review").text)
    return client.post(path, data=form, follow_redirects=False)


def post_unseen(client: TestClient, path: str, **form: str) -> Any:
    """The same without a look at the queue."""
    form["form_token"] = form_token(client.get("/review/doc_unknown?lang=en").text)
    return client.post(path, data=form, follow_redirects=False)


def colleague(service: Scripted, name: str = "samer") -> TestClient:
    known = service.store.password_hash(REVIEWER)
    assert known is not None
    service.store.add_reviewer(name, known)
    client = TestClient(create_app(service.services), headers=ENGLISH)
    assert sign_in(client, name=name).status_code == 303
    return client


def test_the_next_document_is_taken_and_colleagues_see_by_whom(
    reviewer: TestClient, service: Scripted
) -> None:
    first, second = document(1, service), document(2, service)
    answer = post(reviewer, "/review/next")
    assert answer.headers["location"] == f"/review/{first.id}"
    other = colleague(service)
    assert f"With \u2068{REVIEWER}\u2069" in other.get("/review").text
    assert post(other, "/review/next").headers["location"] == f"/review/{second.id}"
    assert post(other, f"/review/{first.id}/claim").status_code == 412
    assert post(other, f"/review/{first.id}/claim", over="1").status_code == 412
    assert post(reviewer, f"/review/{second.id}/claim", over="1").status_code == 303


def test_going_on_without_deciding_leaves_the_document_to_others(
    reviewer: TestClient, service: Scripted
) -> None:
    first, second = document(1, service), document(2, service)
    post(reviewer, "/review/next")
    page = reviewer.get(f"/review/{first.id}").text
    cursor = re.search(r'name="after" value="([^"]+)"', page)
    assert cursor is not None
    answer = post(reviewer, "/review/next", after=cursor[1], current=first.id)
    assert answer.headers["location"] == f"/review/{second.id}?previous={first.id}"
    assert service.services.desk.holder(first.id, now=service.clock.now) is None


def test_who_is_given_a_document_took_it_as_who_takes_it_from_the_list(
    reviewer: TestClient, service: Scripted
) -> None:
    made = [document(number, service).id for number in (1, 2, 3, 4)]
    for _ in range(2):
        post(reviewer, "/review/next")
        service.clock.now += timedelta(minutes=1)
    post(reviewer, f"/review/{made[0]}", decision="accept", report="1")
    post(reviewer, "/review/next", current=made[1])
    post(reviewer, f"/review/{made[3]}/claim")
    trail = service.services.desk.trail
    actions = [[entry.action for entry in trail(one)] for one in made]
    assert actions == [["accept", "claimed"], ["claimed", "claimed"], [], ["claimed"]]
    with service.store.engine.connect() as connection:
        kinds = connection.execute(
            sa.select(audit_entries.c.kind).where(audit_entries.c.subject == made[1])
        ).scalars()
        assert list(kinds).count("document.viewed") == 2


def test_what_was_escalated_waits_for_a_supervisor_and_says_so(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service)
    plain, other = colleague(service), colleague(service, "rana")
    answer = post(plain, f"/review/{made.id}", decision="escalate", report="1")
    assert answer.headers["location"] == f"/review?done={made.id}"
    for client in (plain, other):
        assert post(client, "/review/next").headers["location"] == "/review?none=1"
    assert post(reviewer, "/review/next").headers["location"] == f"/review/{made.id}"
    assert "data-undo=" in plain.get(answer.headers["location"]).text
    chip = f'<span class="chip urgent">{EN["escalated"]}</span>'
    assert chip in reviewer.get(f"/review/{made.id}").text
    post(reviewer, f"/review/{made.id}", decision="accept", report="1")
    assert chip not in reviewer.get(f"/review/{made.id}").text


@pytest.mark.parametrize("change", ["cancelled", "decided", "taken"])
def test_why_a_document_is_not_to_be_had_is_told(
    reviewer: TestClient, service: Scripted, change: str
) -> None:
    made = document(1, service, booking_ref="B-9", client_id="portal")
    other = colleague(service)
    if change == "cancelled":
        now = service.clock.now
        cancelled = Booking("portal", "B-9", "sy-passport", now, "cancelled")
        service.services.portal.bookings.put(cancelled, now=now)
    elif change == "decided":
        post(reviewer, f"/review/{made.id}", decision="accept", report="1")
    else:
        post(reviewer, f"/review/{made.id}/claim")
    taking = post(other, f"/review/{made.id}/claim")
    deciding = post(other, f"/review/{made.id}", decision="accept", report="1")
    status, took, decided = {
        "cancelled": (409, "booking_cancelled", "booking_cancelled"),
        "decided": (409, "decided_meanwhile", "already_ruled"),
        "taken": (412, "claim_lost", "claim_lost"),
    }[change]
    assert taking.status_code == deciding.status_code == status
    assert EN[took] in taking.text and EN[decided] in deciding.text
    page = other.get(f"/review/{made.id}").text
    assert ('id="decide"' in page) == (change == "taken")
    assert (EN["not_open_cancelled"] in page) == (change == "cancelled")
    assert (EN["decided_review"] in page) == (change == "taken")


def test_a_sign_of_life_is_answered_until_the_claim_is_lost(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service)
    assert post(reviewer, f"/review/{made.id}/claim").status_code == 303
    service.clock.now += timedelta(minutes=9)
    assert post(reviewer, f"/review/{made.id}/beat").status_code == 204
    service.clock.now += timedelta(minutes=9)
    other = colleague(service)
    assert post(other, f"/review/{made.id}/claim").status_code == 412
    service.clock.now += timedelta(minutes=2)
    assert post(other, f"/review/{made.id}/claim").status_code == 303
    assert post(reviewer, f"/review/{made.id}/beat").status_code == 412


def test_a_sign_of_life_takes_nothing_that_was_put_back(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service)
    post(reviewer, f"/review/{made.id}/claim")
    post(reviewer, f"/review/{made.id}/release")
    assert post(reviewer, f"/review/{made.id}/beat").status_code == 412
    assert service.services.desk.holder(made.id, now=service.clock.now) is None


def test_signs_of_life_alone_keep_nobody_signed_in(reviewer: TestClient, service: Scripted) -> None:
    made = document(1, service)
    token = form_token(reviewer.get("/review").text)
    post(reviewer, f"/review/{made.id}/claim")

    def beat() -> Any:
        service.clock.now += timedelta(minutes=8)
        data = {"form_token": token}
        return reviewer.post(f"/review/{made.id}/beat", data=data, follow_redirects=False)

    assert [beat().status_code for _ in range(4)] == [204, 204, 204, 303]


def test_a_decision_can_be_undone_for_ten_seconds_and_the_note_comes_back(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service)
    answer = post(
        reviewer, f"/review/{made.id}", decision="escalate", report="1", note="not mine to say"
    )
    shown = reviewer.get(answer.headers["location"]).text
    assert 'data-undo="10"' in shown
    service.clock.now += timedelta(seconds=5)
    back = post(reviewer, f"/review/{made.id}/undo")
    assert back.status_code == 303
    assert 'value="not mine to say"' in reviewer.get(back.headers["location"]).text
    post(reviewer, f"/review/{made.id}", decision="accept", report="1")
    service.clock.now += timedelta(seconds=13)
    late = post(reviewer, f"/review/{made.id}/undo")
    assert late.status_code == 409 and EN["undo_late"] in late.text


def test_a_decision_can_be_undone_where_the_document_is_looked_at_again(
    reviewer: TestClient, service: Scripted
) -> None:
    first, second = document(1, service), document(2, service)
    for made in (first, second):
        post(reviewer, f"/review/{made.id}", decision="accept", report="1")
    undo = f'action="/review/{first.id}/undo"'
    assert undo in reviewer.get(f"/review/{first.id}").text
    assert undo not in reviewer.get(f"/review/{second.id}").text
    assert undo not in colleague(service).get(f"/review/{first.id}").text
    service.clock.now += timedelta(seconds=10)
    page = reviewer.get(f"/review/{first.id}").text
    assert undo not in page and EN["recorded"] not in page


def test_a_decision_that_comes_twice_is_answered_twice_alike_while_it_can_be_undone(
    reviewer: TestClient, service: Scripted
) -> None:
    first, second = document(1, service), document(2, service)
    once, again = (
        post(reviewer, f"/review/{first.id}", decision="accept", report="1") for _ in range(2)
    )
    assert once.headers["location"].startswith(f"/review/{second.id}?done={first.id}")
    assert (again.status_code, again.headers["location"]) == (303, once.headers["location"])
    assert len(service.store.rulings(first.id)) == 1
    other = post(reviewer, f"/review/{first.id}", decision="rescan", reason="why", report="1")
    assert other.status_code == 409 and EN["already_ruled"] in other.text
    stranger = colleague(service)
    assert post(stranger, f"/review/{first.id}", decision="accept", report="1").status_code == 409
    service.clock.now += timedelta(seconds=13)
    late = post(reviewer, f"/review/{first.id}", decision="accept", report="1")
    assert late.status_code == 409


def test_the_number_needs_a_reason_and_is_hidden_again_after_a_while(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service)
    assert post(reviewer, f"/review/{made.id}/reveal", why=" ").status_code == 422
    assert "01234567890" not in reviewer.get(f"/review/{made.id}").text
    assert post(reviewer, f"/review/{made.id}/reveal", why="a smudge").status_code == 303
    assert "01234567890" in reviewer.get(f"/review/{made.id}").text
    assert "01234567890" not in colleague(service).get(f"/review/{made.id}").text
    service.clock.now += timedelta(minutes=11)
    assert "01234567890" not in reviewer.get(f"/review/{made.id}").text
    [entry] = service.services.desk.trail(made.id)
    assert (entry.action, entry.detail, entry.reviewer) == ("revealed", "a smudge", REVIEWER)


def test_a_second_look_shows_nothing_of_the_first(tmp_path: Path) -> None:
    with scripted_service(tmp_path, second_look_fraction=1.0) as service:
        client = TestClient(create_app(service.services), headers=ENGLISH)
        assert sign_in(client).status_code == 303
        booked = {"booking_ref": "B-77", "client_id": "portal"}
        made, sibling = document(1, service, **booked), document(2, service, **booked)
        post(client, f"/review/{sibling.id}/claim")
        post(
            client,
            f"/review/{made.id}",
            decision="accept",
            report="1",
            note="first note",
            reason="fine",
        )
        other = colleague(service)
        assert post(other, "/review/next").headers["location"] == f"/review/{made.id}"
        page = other.get(f"/review/{made.id}").text
        assert f">{EN['decided_accept']}<" not in page and "first note" not in page
        assert REVIEWER not in page and 'value="accept"' in page
        beside = f"?beside={made.id}"
        for seen in (made.id + beside, sibling.id, sibling.id + beside):
            assert f">{EN['decided_accept']}<" not in other.get(f"/review/{seen}").text
        service.store.supersede(made.id, report("reject"))
        stale = post(other, f"/review/{made.id}", decision="accept", report="1")
        assert stale.status_code == 409 and EN["changed"] in stale.text
        assert f">{EN['decided_accept']}<" not in stale.text and "first note" not in stale.text
        assert post(other, f"/review/{made.id}", decision="accept", report="2").status_code == 303
        figures = client.get("/review/supervision").text
        assert counted("agreement_of", 1, "en", agreed=1, sampled=1) in figures


def test_a_second_look_is_held_put_back_and_passed_over_like_any_document(tmp_path: Path) -> None:
    with scripted_service(tmp_path, second_look_fraction=1.0) as service:
        first = TestClient(create_app(service.services), headers=ENGLISH)
        assert sign_in(first).status_code == 303
        made, waiting = document(1, service), document(2, service)
        post(first, f"/review/{made.id}", decision="accept", report="1", note="first note")
        post(first, f"/review/{waiting.id}/release")
        other = colleague(service)
        assert post(other, "/review/next").headers["location"] == f"/review/{made.id}"
        blind = other.get(f"/review/{made.id}").text
        assert post(other, "/review/next", current=made.id).headers["location"] == (
            f"/review/{waiting.id}?previous={made.id}"
        )
        plain = other.get(f"/review/{waiting.id}").text
        signs = 'class="claim mine"', "data-beat=", f">{EN['release']}<", EN["action_claimed"]
        for sign in signs:
            assert sign in blind and sign in plain
        back = other.get(f"/review/{made.id}?undone").text
        assert EN["claim_free"] in back and f">{EN['decided_accept']}<" not in back
        assert "first note" not in back
        assert post(other, f"/review/{made.id}/claim").status_code == 303
        assert post(other, f"/review/{made.id}/beat").status_code == 204


def test_the_queue_is_filtered_and_what_makes_no_sense_is_left_out(
    reviewer: TestClient, service: Scripted
) -> None:
    glare = document(1, service, report=report("review", (reason("quality.glare", "review"),)))
    skew = document(4, service)
    page = reviewer.get("/review?reason=quality.glare").text
    assert glare.id in page and skew.id not in page
    page = reviewer.get("/review?only=soon").text
    assert glare.id in page and skew.id not in page
    assert EN["filter_empty"] in reviewer.get("/review?reason=page.blank").text
    page = reviewer.get("/review?reason=x&type=y&age=-1&only=z&after=w").text
    assert glare.id in page and skew.id in page


def test_documents_beside_are_those_of_the_same_booking_of_the_same_client(
    reviewer: TestClient, service: Scripted
) -> None:
    same = {"booking_ref": "B-77", "client_id": "portal"}
    made, back = document(1, service, **same), document(2, service, **same)
    foreign = document(3, service, **(same | {"client_id": "another"}))
    page = reviewer.get(f"/review/{made.id}").text
    assert back.id in page and foreign.id not in page
    assert 'data-viewer="beside"' in reviewer.get(f"/review/{made.id}?beside={back.id}").text
    beside = reviewer.get(f"/review/{made.id}?beside={foreign.id}").text
    assert 'data-viewer="beside"' not in beside


def test_the_next_document_passes_the_filter_that_the_queue_was_last_seen_with(
    reviewer: TestClient, service: Scripted
) -> None:
    front, other_front = document(1, service), document(3, service)
    backs = [document(number, service, document_type="sy-id-back").id for number in (2, 4)]
    reviewer.get("/review?type=sy-id-back")
    location = post_unseen(reviewer, "/review/next").headers["location"]
    assert location == f"/review/{backs[0]}"
    said = {"decision": "accept", "report": "1"}
    location = post_unseen(reviewer, f"/review/{backs[0]}", **said).headers["location"]
    assert location == f"/review/{backs[1]}?done={backs[0]}&previous={backs[0]}"
    location = post_unseen(reviewer, f"/review/{backs[1]}", **said).headers["location"]
    assert location == f"/review?type=sy-id-back&done={backs[1]}"
    location = post_unseen(reviewer, "/review/next").headers["location"]
    assert location == "/review?type=sy-id-back&none=1"
    assert EN["filter_empty"] in reviewer.get(location).text
    reviewer.get("/review?none=1")
    location = post_unseen(reviewer, "/review/next").headers["location"]
    assert location == f"/review/{front.id}"
    location = post_unseen(reviewer, "/review/next", current=front.id).headers["location"]
    assert location == f"/review/{front.id}?previous={front.id}"
    reviewer.cookies.set("docqa_queue", "type=gone&only=%00", domain="testserver.local", path="/")
    location = post_unseen(reviewer, "/review/next").headers["location"]
    assert location == f"/review/{front.id}"
    assert other_front.id in reviewer.get("/review").text


def test_only_supervisors_supervise(reviewer: TestClient, service: Scripted) -> None:
    other = colleague(service)
    for path in ("/review/supervision", "/review/supervision/decisions.csv"):
        assert other.get(path).status_code == 403
    assert EN["figures_empty"] in reviewer.get("/review/supervision").text


def test_decisions_are_exported_without_formulas_or_personal_data(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service, document_type="=1+1")
    post(reviewer, f"/review/{made.id}", decision="accept", report="1", note="about آمنة")
    answer = reviewer.get("/review/supervision/decisions.csv")
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["document_type"], row["outcome"]) == ("'=1+1", "accept")
    assert row["found_codes"] == "geometry.skew"
    [line] = reviewer.get("/review/supervision/decisions.jsonl").text.splitlines()
    assert json.loads(line)["document_id"] == made.id
    assert "آمنة" not in answer.text + line
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    names = next(csv_lines([])).strip().split(",")
    _, line = csv_lines([dict.fromkeys(names, f"{start}cmd")])
    assert all(cell == f"'{start}cmd" for cell in next(csv.reader(io.StringIO(line, newline=""))))


def test_invisible_characters_are_taken_out_and_flagged(
    reviewer: TestClient, service: Scripted
) -> None:
    made = document(1, service, claims={"given_name": "آم\u202eنة", "father_name": "علي"})
    page = reviewer.get(f"/review/{made.id}").text
    assert "<bdi>آمنة</bdi>" in page
    assert page.count(EN["hidden_characters"]) == 1
    assert visible("a\u200db\u202ec\u2066") == "a\u200dbc"


def test_images_come_small_first_and_only_to_reviewers(
    reviewer: TestClient, service: Scripted
) -> None:
    asked: list[int] = []

    def draw(data: bytes, page: int, max_side_px: int, veil: Veil | None = None) -> bytes:
        asked.append(max_side_px)
        return b"png"

    made = document(1, service, document_type="sy-id-back")
    with TestClient(create_app(replace(service.services, render_page=draw))) as client:
        client.cookies = reviewer.cookies
        for size in ("thumb", "small", "full", "enormous"):
            path = f"/review/{made.id}/pages/1/image?size={size}"
            assert client.get(path).headers["cache-control"] == "no-store"
        client.cookies.clear()
        assert client.get(path, follow_redirects=False).status_code == 303
    assert asked == [320, 1000, 2000, 2000]


@pytest.mark.parametrize("path", ["", "/claim", "/release", "/reveal", "/undo"])
def test_every_form_needs_our_token(reviewer: TestClient, service: Scripted, path: str) -> None:
    made = document(1, service)
    answer = reviewer.post(
        f"/review/{made.id}{path}", data={"decision": "accept", "why": "because"}
    )
    assert answer.status_code == 403
    assert service.services.desk.trail(made.id) == []


def test_the_fonts_are_ours_or_left_out(tmp_path: Path) -> None:
    font = tmp_path / "Noto-Regular.ttf"
    font.write_bytes(b"regular")
    with scripted_service(tmp_path, arabic_font=font) as service:
        assert "font.css" not in TestClient(create_app(service.services)).get("/try").text
        (tmp_path / "Noto-Bold.ttf").write_bytes(b"bold")
        client = TestClient(create_app(service.services))
        assert "font.css" in client.get("/try").text
        assert client.get("/review/static/arabic-bold.ttf").content == b"bold"


# Trying a file


def tried(client: TestClient, **files: Any) -> Any:
    return client.post("/try", data={"document_type": "sy-id-front"}, files=files, headers=ENGLISH)


def test_a_file_is_judged_shown_and_forgotten(client: TestClient, service: Scripted) -> None:
    answer = tried(client, file=("a.jpg", b"\xff\xd8", "image/jpeg"))
    assert answer.status_code == 200
    assert EN["try_accept"] in answer.text and "data:image/png;base64," in answer.text
    assert "img-src 'self' data:;" in answer.headers["content-security-policy"]
    assert list(service.store.scan()) == []
    until(lambda: held_bytes() == b"")


def test_what_cannot_be_a_document_is_told_in_words(client: TestClient, service: Scripted) -> None:
    service.inspector.answer = InvalidDocument("file.empty")
    answer = tried(client, file=("a.jpg", b"", "image/jpeg"))
    assert answer.status_code == 422 and "The file is empty." in answer.text
    answer = tried(client, other=("a.jpg", b"x", "image/jpeg"))
    assert answer.status_code == 422 and EN["try_refused"] in answer.text


def test_a_supervisor_sees_what_was_escalated_and_why(
    reviewer: TestClient, service: Scripted
) -> None:
    late, passed, calm = document(1, service), document(5, service), document(6, service)
    post(reviewer, f"/review/{passed.id}", decision="escalate", report="1")
    service.services.desk.escalate_due(now=service.clock.now, within=ESCALATE_WITHIN)
    page = reviewer.get("/review/supervision").text
    assert f'href="/review/{late.id}"' in page and EN["escalated_by_time"] in page
    assert f'href="/review/{passed.id}"' in page
    assert EN["escalated_by"].format(name=f"\u2068{REVIEWER}\u2069") in page
    assert calm.id not in page
    assert EN["action_deadline_near"] in reviewer.get(f"/review/{late.id}").text
