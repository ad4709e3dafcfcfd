"""Signing in and out, and the language of the reviewers' pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.reviewing import ENGLISH, document, form_token, sign_in
from tests.api.scripted_service import PASSWORD, REVIEWER, Scripted


@pytest.mark.parametrize("path", ["/review", "/review/doc_a", "/review/doc_a/pages/1/image"])
def test_nothing_is_shown_to_somebody_who_is_not_signed_in(client: TestClient, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/review/login")


def test_a_decision_of_somebody_who_is_not_signed_in_is_not_taken(
    client: TestClient, service: Scripted
) -> None:
    made = document(1, service)
    client.post(f"/review/{made.id}", data={"decision": "accept", "reason": "because"})
    assert service.store.rulings(made.id) == []


def test_a_wrong_name_and_a_wrong_password_look_the_same(client: TestClient) -> None:
    wrong_password, wrong_name = sign_in(client, "wrong"), sign_in(client, name="nobody")
    assert wrong_password.status_code == wrong_name.status_code == 401
    assert wrong_password.text == wrong_name.text


def test_signing_in_changes_the_cookie_which_no_script_can_read(client: TestClient) -> None:
    client.get("/review/login")
    before = client.cookies["docqa"]
    cookie = sign_in(client).headers["set-cookie"]
    assert client.cookies["docqa"] != before
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie


def test_over_https_the_cookie_never_leaves_it(service: Scripted) -> None:
    with TestClient(create_app(service.services), base_url="https://testserver") as client:
        cookie = sign_in(client).headers["set-cookie"]
    assert cookie.startswith("__Host-docqa=") and "Secure" in cookie


def test_a_cookie_that_somebody_planted_is_not_a_session(client: TestClient) -> None:
    client.cookies.set("docqa", "planted", domain="testserver.local", path="/")
    assert sign_in(client).status_code == 303
    assert client.cookies["docqa"] != "planted"
    client.cookies.set("docqa", "planted", domain="testserver.local", path="/")
    assert client.get("/review", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_signing_in_needs_the_token_of_our_form(client: TestClient, token: str) -> None:
    client.get("/review/login")
    answer = client.post(
        "/review/login", data={"form_token": token, "name": REVIEWER, "password": PASSWORD}
    )
    assert answer.status_code == 403


def test_guessing_is_stopped_even_for_the_right_password_and_only_for_a_while(
    service: Scripted,
) -> None:
    with TestClient(create_app(service.services)) as client:
        statuses = [sign_in(client, f"guess {number}").status_code for number in range(10)]
        assert statuses == [401] * 10
        assert sign_in(client).status_code == 429
        service.clock.now += timedelta(minutes=11)
        assert sign_in(client).status_code == 303


def test_each_process_counts_the_guesses_that_it_meets(service: Scripted) -> None:
    with (
        TestClient(create_app(service.replicas[0])) as one,
        TestClient(create_app(service.replicas[-1])) as another,
    ):
        for number in range(10):
            assert sign_in(one, f"guess {number}").status_code == 401
        assert sign_in(one).status_code == 429
        assert sign_in(another).status_code == 303


def test_signing_out_ends_the_session_itself(reviewer: TestClient) -> None:
    cookie = reviewer.cookies["docqa"]
    token = form_token(reviewer.get("/review").text)
    reviewer.post("/review/logout", data={"form_token": token})
    reviewer.cookies.set("docqa", cookie)
    assert reviewer.get("/review", follow_redirects=False).status_code == 303


def test_signing_out_needs_the_token_of_our_form(reviewer: TestClient) -> None:
    assert reviewer.post("/review/logout", data={}).status_code == 403
    assert reviewer.get("/review", follow_redirects=False).status_code == 200


def test_an_idle_reviewer_is_signed_out(reviewer: TestClient, service: Scripted) -> None:
    service.clock.now += timedelta(minutes=31)
    assert reviewer.get("/review", follow_redirects=False).status_code == 303


# Languages


def test_pages_are_arabic_and_right_to_left_unless_the_browser_asks_for_english(
    client: TestClient,
) -> None:
    assert '<html lang="ar" dir="rtl"' in client.get("/review/login").text
    assert '<html lang="en" dir="ltr"' in client.get("/review/login", headers=ENGLISH).text
    french = {"Accept-Language": "fr"}
    assert '<html lang="ar" dir="rtl"' in client.get("/review/login", headers=french).text


def test_the_language_that_was_chosen_is_remembered(client: TestClient) -> None:
    assert 'lang="en"' in client.get("/review/login?lang=en").text
    assert '<html lang="en"' in client.get("/review/login").text
    client.get("/review/login?lang=ar")
    assert '<html lang="ar"' in client.get("/review/login", headers=ENGLISH).text


def test_switching_the_language_keeps_the_place(reviewer: TestClient, service: Scripted) -> None:
    made = document(1, service)
    page = reviewer.get(f"/review/{made.id}?page=1").text
    assert 'href="?page=1&amp;lang=ar"' in page
